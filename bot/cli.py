"""The ``waymark`` command."""

import argparse
import asyncio
import contextlib
import getpass
import os
import secrets
import sys
from pathlib import Path

from bot import logs
from bot.settings import Settings, SettingsError
from bot.yaml_files import read_yaml


def main(arguments: list[str] | None = None) -> None:
    """Runs one command; problems an operator can mend are told in one line, without a traceback."""
    options = _parser().parse_args(arguments)
    try:
        settings = Settings.load()
        logs.configure(form=settings.log_format, level=settings.log_level)
        code = options.run(settings, options)
    except (SettingsError, ValueError, RuntimeError, OSError) as problem:
        print(f"waymark: {problem}", file=sys.stderr)
        code = 1
    except KeyboardInterrupt:
        code = 130
    sys.exit(code or 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="waymark", description="Answers questions about assisted voluntary return.")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")

    serve = commands.add_parser("serve", help="run the assistant")
    serve.add_argument("--role", choices=("all", "edge", "brain"), default="all")
    serve.set_defaults(run=_serve)

    train = commands.add_parser("train", help="train the model from the content")
    train.add_argument("--if-needed", action="store_true", help="do nothing when the newest model fits the content")
    train.set_defaults(run=_train)

    evaluate = commands.add_parser("evaluate", help="judge the model on questions with known answers")
    evaluate.add_argument("file", type=Path, nargs="+", help="lines of language, expected and text, separated by tabs")
    evaluate.add_argument("--report", type=Path, metavar="OUT.md", help="write the scorecard as Markdown")
    evaluate.add_argument("--json", type=Path, metavar="OUT.jsonl", help="write one JSON line per question")
    evaluate.add_argument("--floors", type=Path, metavar="FLOORS.yml", help="fail when a language falls below these")
    evaluate.set_defaults(run=_evaluate)

    _content_parser(commands.add_parser("content", help="import, export or check the content"))

    user = commands.add_parser("user", help="console accounts").add_subparsers(required=True, metavar="ACTION")
    add = user.add_parser("add", help="add an account")
    add.add_argument("email", nargs="?")
    add.add_argument("--name", default="")
    add.add_argument("--role", action="append", default=[])
    add.add_argument("--one-time", action="store_true", help="make a one-time password and print it")
    add.add_argument("--first", action="store_true", help="make the first administrator if there are no accounts")
    add.set_defaults(run=_user_add)

    templates = commands.add_parser("templates", help="list template messages, or hand them in for approval")
    templates.add_argument("action", nargs="?", choices=("list", "submit"), default="list")
    templates.set_defaults(run=_templates)

    migrate = commands.add_parser("migrate", help="bring the database and its content up to date")
    migrate.set_defaults(run=_migrate)

    doctor = commands.add_parser("doctor", help="find out what is wrong with this installation")
    doctor.set_defaults(run=_doctor)
    return parser


def _content_parser(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(required=True, metavar="ACTION")
    for name, run, help in (
        ("import", _content_import, "publish the content pack into the database"),
        ("export", _content_export, "write what is published into a folder"),
        ("check", _content_check, "find mistakes in a content pack"),
    ):
        action = actions.add_parser(name, help=help)
        action.add_argument("folder", type=Path, nargs="?")
        action.set_defaults(run=run)


def _serve(settings: Settings, options: argparse.Namespace) -> int:
    logs.catch_uncaught()
    if options.role == "edge":
        _share_metrics(settings)
        return _serve_edge(settings)
    if options.role == "brain":
        _share_metrics(settings)
        return _serve_brain(settings)
    from bot.supervisor import Supervisor, in_child

    # in a process of its own, whose memory is given back
    in_child(lambda: _can_serve(settings))
    for old in _share_metrics(settings).glob("*.db"):
        old.unlink()
    command = [sys.executable, "-m", "bot.cli", "serve", "--role"]
    print(f"Waymark runs at http://{settings.host}:{settings.port}/ and /console", flush=True)
    asyncio.run(Supervisor({"edge": [*command, "edge"], "brain": [*command, "brain"]}).run())
    return 0


def _share_metrics(settings: Settings) -> Path:
    folder = settings.home.absolute() / "metrics"
    folder.mkdir(parents=True, exist_ok=True)
    # the library reads it as it is imported, which must not have happened before
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(folder)
    return folder


def _serve_brain(settings: Settings) -> int:
    from bot import metrics
    from bot.wiring.brain import make_brain

    os.nice(5)  # understanding messages must not delay accepting them
    if settings.metrics_port > 0:
        metrics.listen(settings.metrics_port, settings.host)
    with contextlib.suppress(KeyboardInterrupt, asyncio.CancelledError):
        asyncio.run(make_brain(settings).run())
    return 0


def _can_serve(settings: Settings) -> None:
    from bot.assistant_model import find_model
    from bot.wiring.foundation import open_database

    open_database(settings).close()
    find_model(settings.model)


def _serve_edge(settings: Settings) -> int:
    import uvicorn

    from bot.wiring.edge import make_app

    uvicorn.run(
        make_app(settings),
        host=settings.host,
        port=settings.port,
        ws="none",
        access_log=False,  # addresses of people do not belong in a log
        log_config=None,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=settings.proxies or None,
        timeout_graceful_shutdown=5,
        backlog=4096,
    )
    return 0


def _train(settings: Settings, options: argparse.Namespace) -> int:
    from bot.training import train

    path = train(settings, only_if_needed=options.if_needed)
    print(f"model: {path}")
    return 0


def _evaluate(settings: Settings, options: argparse.Namespace) -> int:
    from tqdm import tqdm

    from bot import evaluation
    from bot.wiring.brain import make_answering

    questions = [question for file in options.file for question in evaluation.load(file)]
    answering = make_answering(settings, None, tracker_url=None)
    with contextlib.ExitStack() as stack:
        if options.json:
            options.json.parent.mkdir(parents=True, exist_ok=True)
        out = stack.enter_context(options.json.open("w", encoding="utf-8")) if options.json else None
        progress = tqdm(questions, unit="question", disable=None)
        scores = asyncio.run(evaluation.judge(answering, progress, out))
    print(evaluation.table(scores))
    if options.report:
        options.report.write_text(evaluation.report(scores), encoding="utf-8")
    fallen = evaluation.below(scores, read_yaml(options.floors)) if options.floors else []
    for line in fallen:
        print(line, file=sys.stderr)
    return 1 if fallen else 0


def _content_import(settings: Settings, options: argparse.Namespace) -> int:
    from bot.content import entries, pack
    from bot.wiring.foundation import open_database

    found = pack.load(options.folder or settings.content)
    with open_database(settings).write() as session:
        published = entries.import_pack(session, pack=found)
    print(f"{published} new versions published, {len(found.texts) - published} unchanged or kept from an editor")
    return 0


def _content_export(settings: Settings, options: argparse.Namespace) -> int:
    from bot.content import entries, pack
    from bot.wiring.foundation import open_database

    folder = options.folder or Path("export")
    with open_database(settings).read() as session:
        found = entries.export_pack(session)
    pack.save(found, folder)
    print(f"{len(found.texts)} texts written to {folder}")
    return 0


def _content_check(settings: Settings, options: argparse.Namespace) -> int:
    from bot.content import checks, pack
    from bot.languages import launched

    problems = checks.problems(pack.load(options.folder or settings.content), [row.code for row in launched()])
    for problem in problems:
        print(problem)
    print(f"{len(problems)} problems" if problems else "The content is complete.")
    return 1 if problems else 0


def _user_add(settings: Settings, options: argparse.Namespace) -> int:
    from bot import accounts
    from bot.wiring.foundation import open_database

    with open_database(settings).write() as session:
        if options.first:
            made = accounts.first_admin(session)
            if made is not None:
                print(f"First administrator: {made[0]}\nOne-time password:   {made[1]}")
            return 0
        if not options.email:
            raise ValueError("an e-mail address is needed")
        password = secrets.token_urlsafe(12) if options.one_time else getpass.getpass("Password: ")
        accounts.create(
            session,
            email=options.email,
            name=options.name or options.email.split("@")[0],
            roles=options.role or ["counsellor"],
            password=password,
            must_change=options.one_time,
        )
    print(f"One-time password: {password}" if options.one_time else "The account is ready.")
    return 0


def _migrate(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.wiring.foundation import prepare

    database, published = prepare(settings)
    database.close()
    print(f"The database is up to date; {published} content versions published.")
    return 0


def _templates(settings: Settings, options: argparse.Namespace) -> int:
    from bot.wiring.templates import review

    lines, well = asyncio.run(review(settings, hand_in=options.action == "submit"))
    print("\n".join(lines))
    return 0 if well else 1


def _doctor(settings: Settings, _options: argparse.Namespace) -> int:
    from bot.doctor import examine

    findings = asyncio.run(examine(settings))
    for finding in findings:
        print(f"{'ok ' if finding.well else 'BAD'}  {finding.what}" + ("" if finding.well else f"\n     {finding.fix}"))
    return 0 if all(finding.well for finding in findings) else 1


if __name__ == "__main__":
    os.environ.setdefault("PYTHONUNBUFFERED", "1")
    main()
