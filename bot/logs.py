"""Log lines for operators, as text or as JSON. What people write and what secrets hold never reaches them.

Code says what happened in a constant sentence, and about what in ``extra``. Messages of exceptions may quote a
person or a token, so exceptions are told by type and place alone. Libraries are not trusted with words at all:
of their lines the constant part is kept, or else the place where it was written.
"""

import copy
import json
import logging
import os
import re
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from traceback import walk_tb
from types import TracebackType
from typing import Any

import structlog

EXTRAS = (
    "conversation", "inbox", "outbox", "case", "channel", "reason", "count", "seconds", "kind", "state", "language",
    "attempts",
)  # fmt: skip
_TRUSTED = {"bot", "actions", "uvicorn", "__main__"}
_LONGEST = 200  # characters of a value
_FRAMES = 30  # the innermost ones; a runaway recursion has a thousand
_KEY = re.compile(r"[\w.-]{1,120}")

Told = list[dict[str, Any]]


def configure(*, form: str, level: str) -> None:
    """Sends all log lines of this process to standard error.

    Args:
        form: ``text`` or ``json``.
        level: A level's name; lines below it are dropped.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if form == "json" else TextLines())
    logging.basicConfig(level=level, handlers=[handler])
    logging.raiseExceptions = False  # a line that cannot be written would be shown with all its values
    os.environ.setdefault("FORCE_JSON_LOGGING", "1")  # so that Rasa's lines can be taken apart, on terminals too
    _quieten_libraries()


def catch_uncaught() -> None:
    """Logs errors that end this process or a thread of it, instead of Python's own print of their message."""
    sys.excepthook = _uncaught
    threading.excepthook = lambda end: _uncaught(end.exc_type, end.exc_value, end.exc_traceback)


def _uncaught(kind: type[BaseException], problem: BaseException | None, trace: TracebackType | None) -> None:
    if problem is not None and not issubclass(kind, KeyboardInterrupt):
        logging.getLogger(__name__).critical("an error was not handled", exc_info=(kind, problem, trace))


def _quieten_libraries() -> None:
    # Rasa's dependencies warn about one another's age, which an operator can do nothing about
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").setLevel(logging.ERROR)
    for name in (
        "rasa", "rasa_sdk", "httpx", "httpcore", "telegram", "pywa", "twilio", "apscheduler", "sqlalchemy.engine",
        "alembic",
    ):  # fmt: skip
        logging.getLogger(name).setLevel(logging.WARNING)


def told(problem: BaseException) -> Told:
    """An exception and what led to it, innermost cause last: types and ``file:line function``, no message."""
    return [_one(each) for each in _chain(problem, set())]


def _chain(problem: BaseException, seen: set[int]) -> Iterator[BaseException]:
    if id(problem) in seen:
        return
    seen.add(id(problem))
    yield problem
    inner = problem.exceptions if isinstance(problem, BaseExceptionGroup) else ()
    cause = problem.__cause__ or (None if problem.__suppress_context__ else problem.__context__)
    for each in (*inner, cause):
        if each is not None:
            yield from _chain(each, seen)


def _one(problem: BaseException) -> dict[str, Any]:
    frames = [
        _place(frame.f_code.co_filename, line, frame.f_code.co_name) for frame, line in walk_tb(problem.__traceback__)
    ]
    kind = type(problem)
    name = kind.__qualname__ if kind.__module__ == "builtins" else f"{kind.__module__}.{kind.__qualname__}"
    return {"type": name, "frames": frames[-_FRAMES:]}


def _place(file: str, line: int, function: str) -> str:
    return f"{'/'.join(Path(file).parts[-3:])}:{line} {function}"


def cleaned(record: logging.LogRecord) -> logging.LogRecord:
    """A copy that may be written: with plain extras, and with ``exception`` (see ``told``) if there was one."""
    clean = copy.copy(record)
    exception = told(record.exc_info[1]) if record.exc_info and record.exc_info[1] else []
    clean.exc_info = clean.exc_text = clean.stack_info = None
    if record.name.split(".")[0] in _TRUSTED:
        clean.msg = record.getMessage().strip()
    else:
        clean.msg, of_rasa = _distrusted(record)
        exception = exception or of_rasa
    clean.args = ()
    values = clean.__dict__
    values.update({key: _plain(values[key]) for key in EXTRAS if key in values})
    values.pop("exception", None)
    if exception:
        values["exception"] = exception
    return clean


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    # anything else could turn itself into somebody's words
    return value[:_LONGEST] if isinstance(value, str) else type(value).__name__


def _distrusted(record: logging.LogRecord) -> tuple[str, Told]:
    if record.args and re.search("[A-Za-z]{3}", re.sub(r"%\S*", "", str(record.msg))):
        return str(record.msg), []
    place = _place(record.pathname, record.lineno, record.funcName or "?")
    try:
        event = json.loads(record.msg)
        name = event["event"]
        if not _KEY.fullmatch(name):
            return place, []
        return name, [_of_rasa(each) for each in event.get("exception", ())]
    except (TypeError, ValueError, KeyError, AttributeError):
        return place, []


def _of_rasa(exception: dict[str, Any]) -> dict[str, Any]:
    frames = [_place(frame["filename"], frame["lineno"], frame["name"]) for frame in exception["frames"]]
    return {"type": exception["exc_type"], "frames": frames[-_FRAMES:]}


class TextLines(logging.Formatter):
    """One line for people, extras at its end as ``key=value``; exceptions follow on indented lines."""

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        clean = cleaned(record)
        values = clean.__dict__
        extras = [f"{key}={_quoted(values[key])}" for key in EXTRAS if key in values]
        lines = [" ".join([super().format(clean), *extras])]
        for problem in values.get("exception", ()):
            lines += [f"  {problem['type']}", *(f"    {frame}" for frame in problem["frames"])]
        return "\n".join(lines)


def _quoted(value: Any) -> str:
    text = str(value)
    return text if re.fullmatch(r"[\w.:+/-]+", text) else json.dumps(text, ensure_ascii=False)


class JsonLines(structlog.stdlib.ProcessorFormatter):
    """One JSON object per line: ``timestamp``, ``level``, ``logger``, ``event``, extras, and ``exception`` if any."""

    def __init__(self) -> None:
        super().__init__(
            foreign_pre_chain=[
                structlog.stdlib.add_log_level,
                structlog.stdlib.add_logger_name,
                structlog.stdlib.ExtraAdder(allow=[*EXTRAS, "exception"]),
                structlog.processors.TimeStamper(fmt="iso", utc=True),
            ],
            processors=[self.remove_processors_meta, structlog.processors.JSONRenderer(ensure_ascii=False)],
        )

    def format(self, record: logging.LogRecord) -> str:
        """See ``logging.Formatter``."""
        return super().format(cleaned(record))
