import json
import logging
import os
import re
import subprocess
import sys
import uuid

import pytest
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from bot import logs
from tests.support.installation import Installation

SECRET = "xylophone"
FORMS = pytest.mark.parametrize("form", [logs.TextLines, logs.JsonLines], ids=["text", "json"])
VALUES = {
    "conversation": "3f25", "inbox": 7, "outbox": 12, "case": 3, "channel": "web", "reason": "not now", "count": 2,
    "seconds": 0.5, "kind": "text", "state": "due", "language": "fa", "attempts": 1,
}  # fmt: skip


class PoisonError(Exception):
    def __str__(self) -> str:
        return f"somebody wrote {SECRET}"

    __repr__ = __str__


def record(message="it happened", *args, name="bot.worker", problem=None, **extra) -> logging.LogRecord:
    exc_info = (type(problem), problem, problem.__traceback__) if problem else None
    made = logging.LogRecord(name, logging.WARNING, "/x/lib/module.py", 12, message, args, exc_info, "act")
    made.__dict__.update(extra)
    return made


def raised(problem: Exception, cause: Exception | None = None) -> Exception:
    try:
        try:
            if cause:
                raise cause
        finally:
            raise problem
    except Exception as caught:
        return caught


def test_a_line_for_people_ends_with_what_it_is_about():
    line = logs.TextLines().format(record("a message was %s", "sent", outbox=12, reason='not "now"', channel="web"))
    assert re.fullmatch(
        r"[\d-]+ [\d:,]+ WARNING bot\.worker: a message was sent outbox=12 channel=web reason=\"not \\\"now\\\"\"", line
    )


def test_a_line_for_machines_is_one_object_with_every_allowed_key():
    line = logs.JsonLines().format(record(**VALUES))
    found = json.loads(line)
    assert "\n" not in line
    assert {key: found.pop(key) for key in logs.EXTRAS} == VALUES
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", found.pop("timestamp"))
    assert found == {"level": "warning", "logger": "bot.worker", "event": "it happened"}


def test_a_line_for_people_shows_every_allowed_key():
    line = logs.TextLines().format(record(**VALUES))
    assert [key for key in logs.EXTRAS if f" {key}=" not in line] == []


@FORMS
def test_keys_that_are_not_allowed_are_dropped(form):
    assert SECRET not in form().format(record(text=SECRET, address=SECRET, exception=SECRET, told=SECRET))


@FORMS
def test_values_that_are_neither_text_nor_number_show_their_type_alone(form):
    line = form().format(record(reason=PoisonError(), kind=[SECRET], state=None))
    assert SECRET not in line
    assert "PoisonError" in line


@FORMS
def test_line_breaks_in_a_value_do_not_make_a_line_of_their_own(form):
    assert len(form().format(record(reason="a\nb")).splitlines()) == 1


@FORMS
@pytest.mark.parametrize(
    "problem",
    [
        raised(PoisonError()),
        raised(ValueError(SECRET), PoisonError(SECRET)),
        ExceptionGroup(SECRET, [raised(KeyError(SECRET)), raised(PoisonError())]),
        raised(UnicodeDecodeError("utf-8", SECRET.encode(), 0, 1, SECRET)),
    ],
)
def test_the_message_of_an_exception_and_of_its_causes_is_never_written(form, problem):
    line = form().format(record(problem=problem))
    assert SECRET not in line
    assert type(problem).__name__ in line


def test_an_exception_is_told_by_its_type_its_place_and_its_causes():
    outer, inner = logs.told(raised(ValueError("x"), PoisonError()))
    assert (outer["type"], inner["type"]) == ("ValueError", "tests.test_logs.PoisonError")
    assert re.fullmatch(r".*tests/test_logs\.py:\d+ raised", outer["frames"][-1])


def test_an_exception_that_is_its_own_cause_is_told_once():
    problem = ValueError()
    problem.__context__ = other = KeyError()
    other.__context__ = problem
    assert [each["type"] for each in logs.told(problem)] == ["ValueError", "KeyError"]


def test_an_exception_from_none_hides_what_came_before():
    try:
        try:
            raise PoisonError
        except PoisonError:
            raise ValueError from None
    except ValueError as problem:
        assert [each["type"] for each in logs.told(problem)] == ["ValueError"]


@FORMS
def test_a_traceback_that_another_handler_kept_is_not_written(form):
    kept = record(problem=raised(PoisonError()))
    logging.Formatter().format(kept)
    assert SECRET in kept.exc_text
    assert SECRET not in form().format(kept)


@FORMS
def test_the_record_itself_stays_as_it_was_for_other_handlers(form):
    made = record("a %s", SECRET, name="somelibrary", problem=raised(PoisonError()))
    before = dict(made.__dict__)
    form().format(made)
    assert made.__dict__ == before


@FORMS
def test_of_a_librarys_line_the_constant_part_is_kept(form):
    line = form().format(record("the connection to %s was lost", SECRET, name="redis.client"))
    assert SECRET not in line
    assert "the connection to %s was lost" in line


@FORMS
@pytest.mark.parametrize("message", [f"cannot parse {SECRET}", json.dumps({"event": f"not {SECRET}"}), PoisonError()])
def test_of_a_librarys_line_without_a_constant_part_the_place_is_kept(form, message):
    line = form().format(record(message, name="telegram.ext"))
    assert SECRET not in line
    assert "x/lib/module.py:12 act" in line


@FORMS
def test_of_a_librarys_line_that_is_all_values_the_place_is_kept(form):
    line = form().format(record("%s: %r", SECRET, 3, name="telegram.ext"))
    assert SECRET not in line
    assert "x/lib/module.py:12 act" in line


RASA = f"""
import structlog
from bot import logs, rasa_without_tensorflow
logs.configure(form={{form!r}}, level="INFO")
rasa_without_tensorflow.install()
import rasa.core.processor
from rasa.utils.log_utils import configure_structlog
import logging
configure_structlog(logging.WARNING)
log = structlog.get_logger("rasa.core.processor")
log.debug("processor.heard", text="{SECRET}")
log.warning("processor.message.failed", user_message="{SECRET}", event_info="it was {SECRET}")
try:
    said = "{SECRET}"
    raise ValueError(said)
except ValueError:
    log.exception("processor.broke", text=said)
logging.getLogger("rasa.core.actions").warning("slot {SECRET} is not known")
"""


@pytest.mark.parametrize("form", ["text", "json"])
def test_of_rasas_lines_only_the_name_of_what_happened_is_kept(form):
    log = run(RASA.format(form=form))
    assert SECRET not in log
    assert "processor.message.failed" in log
    assert "processor.heard" not in log
    broke = log[log.index("processor.broke") :]
    assert "ValueError" in broke
    assert "<module>" in broke


UNCAUGHT = f"""
import asyncio, threading
from bot import logs
logs.configure(form="json", level="INFO")
logs.catch_uncaught()
def fail(*_): raise ValueError("{SECRET}")
thread = threading.Thread(target=fail)
thread.start()
thread.join()
async def main():
    asyncio.get_running_loop().call_soon(fail, "{SECRET}")
    task = asyncio.create_task(asyncio.to_thread(fail))
    await asyncio.sleep(0.2)
    del task
asyncio.run(main())
fail()
"""


def test_errors_that_nobody_caught_are_logged_without_their_message():
    lines = [json.loads(line) for line in run(UNCAUGHT, status=1).splitlines()]
    assert SECRET not in json.dumps(lines)
    assert [line["exception"][0]["type"] for line in lines] == ["ValueError"] * 4
    assert [line["level"] for line in lines] == ["critical", "error", "error", "critical"]


def test_a_line_that_cannot_be_written_is_not_shown_with_its_values():
    code = 'import logging; from bot import logs; logs.configure(form="text", level="INFO"); logging.getLogger("bot")'
    assert SECRET not in run(f'{code}.info("%d", "{SECRET}")')


def failing(database) -> Exception:
    with pytest.raises(SQLAlchemyError) as caught, database.write() as session:
        session.execute(text("INSERT INTO nowhere VALUES (:word)"), {"word": SECRET})
    return caught.value


def test_an_error_of_the_database_does_not_quote_the_values_of_a_statement(sqlite_database):
    assert SECRET not in str(failing(sqlite_database))


@FORMS
def test_in_the_log_an_error_of_any_database_quotes_no_values(form, database):
    line = form().format(record(problem=failing(database)))
    assert SECRET not in line
    assert "sqlalchemy.exc" in line


def run(code: str, *, status: int = 0) -> str:
    """What a process of its own writes to standard error and output."""
    done = subprocess.run([sys.executable, "-c", code], env=os.environ, capture_output=True, text=True)
    assert done.returncode == status, done.stderr
    return done.stderr + done.stdout


def test_the_log_of_a_journey_has_an_object_on_every_line_and_no_words(trained, tmp_path):
    waymark = Installation(tmp_path / "home", WAYMARK_LOG_FORMAT="json", WAYMARK_LOG_LEVEL="DEBUG")
    waymark.prepare()
    waymark.start()
    try:
        person = waymark.person()
        token = person.client.headers["authorization"].removeprefix("Bearer ")
        for words in (f"my secret word is {SECRET}", f"i want to die, {SECRET}", f"a counsellor please, {SECRET}"):
            person.ask(words)
        waymark.ask(f"{SECRET}?", sender=SECRET + uuid.uuid4().hex)
        assert "waymark_database_up 1.0" in person.client.get("/metrics", headers={"authorization": ""}).text
    finally:
        waymark.stop()
    log = waymark.log.read_text()
    assert SECRET not in log
    assert token not in log
    lines = [line for line in log.splitlines() if not line.startswith("Waymark runs at ")]
    assert lines
    assert {"event", "level", "logger", "timestamp"} <= set.intersection(*(set(json.loads(line)) for line in lines))
