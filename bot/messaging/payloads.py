"""Ids behind buttons. Short enough for Telegram's 64 bytes, and never trusted: parsing admits only known forms."""

import json
import re
from dataclasses import dataclass
from typing import Any

_FORMS: tuple[tuple[str, str], ...] = (
    (r"t:(?P<topic>[a-z_]{3,48})", "answer_topic"),
    (r"o:(?P<topic>[a-z_]{3,48})", "answer_original"),
    (r"l:(?P<language>[a-z]{2,3})", "choose_language"),
    (r"f:(?P<helpful>[+-]):(?P<reply>\d{1,18})", "feedback"),
    (r"h", "handoff"),
    (r"n", "none_of_these"),
    (r"r", "read"),
    (r"p:(?P<page>\d{1,2}):(?P<reply>\d{1,18})", "next_page"),
    (r"d:yes", "delete_confirmed"),
    (r"d:no", "delete_refused"),
    (r"k:(?P<about>host|origin):(?P<country>[A-Z]{2})(?::(?P<topic>[a-z_]{3,48}))?", "choose_country"),
    (r"q:(?P<about>host|origin):(?P<topic>[a-z_]{3,48})", "ask_country"),
    (r"e:(?P<step>start|stop|resume|again|share|alone)", "precheck"),
    (r"e:(?P<question>[a-z]{4,12}):(?P<value>[A-Za-z_]{2,16})", "precheck_answer"),
    (r"c:(?P<command>start|language|help|human|privacy|export|delete)", "command"),
)


@dataclass(frozen=True, slots=True)
class Choice:
    """A pressed button or a command: its name and values."""

    name: str
    values: dict[str, Any]


def parse(payload: str) -> Choice | None:
    """The choice behind a payload, or ``None`` when it is not one of ours."""
    for form, name in _FORMS:
        if found := re.fullmatch(form, payload, re.ASCII):
            return Choice(name, found.groupdict())
    return None


def topic(topic_id: str) -> str:
    """Payload of a button that shows a topic."""
    return f"t:{topic_id}"


def original(topic_id: str) -> str:
    """Payload of a button that shows a topic's original language."""
    return f"o:{topic_id}"


def language(code: str) -> str:
    """Payload of a button that chooses a language."""
    return f"l:{code}"


def feedback(helpful: bool, reply: int) -> str:
    """Payload of a button that rates the reply in outbox row ``reply``; 0 means the row that carries it."""
    return f"f:{'+' if helpful else '-'}:{reply}"


def country(about: str, code: str, topic_id: str | None = None) -> str:
    """Payload of a button that names a country: where the person is (``host``) or would go (``origin``)."""
    return f"k:{about}:{code}" + (f":{topic_id}" if topic_id else "")


def ask_country(about: str, topic_id: str) -> str:
    """Payload of a button that asks for the country again, for a topic."""
    return f"q:{about}:{topic_id}"


def precheck(step: str) -> str:
    """Payload of a button that moves the pre-check: start, stop, resume, again, share or alone."""
    return f"e:{step}"


def precheck_answer(question: str, value: str) -> str:
    """Payload of a button that answers a question of the pre-check."""
    return f"e:{question}:{value}"


def command(name: str) -> str:
    """Payload of a slash command."""
    return f"c:{name}"


HUMAN = "h"
NONE_OF_THESE = "n"
READ = "r"  # below a template: the person wants what waits for them
DELETE_YES = "d:yes"
DELETE_NO = "d:no"
COMMANDS = ("start", "language", "help", "human", "privacy", "export", "delete")

_RASA = {
    "answer_original": "answer_original",
    "choose_language": "command_language",
    "feedback": "feedback",
    "handoff": "handoff",
    "none_of_these": "nlu_fallback",
    "choose_country": "inform_place",
    "ask_country": "ask_country",
    "precheck": "precheck",
    "precheck_answer": "precheck",
    "delete_confirmed": "command_privacy_delete",
    "delete_refused": "command_privacy_delete",
}
_RASA_VALUES: dict[str, dict[str, str]] = {"delete_confirmed": {"answer": "yes"}, "delete_refused": {"answer": "no"}}
_COMMAND_INTENTS = {
    "human": "handoff",
    "privacy": "command_privacy",
    "export": "command_privacy_export",
    "delete": "command_privacy_delete",
}


def to_rasa(payload: str) -> str | None:
    """The payload as Rasa writes it: ``/intent{"entity": "value"}``; ``None`` when it is not one of ours."""
    choice = parse(payload)
    if choice is None or choice.name in ("next_page", "read"):
        return None
    if choice.name == "answer_topic":
        return f"/{choice.values['topic']}"
    if choice.name == "command":
        return f"/{_COMMAND_INTENTS.get(choice.values['command'], 'command_' + choice.values['command'])}"
    values = _RASA_VALUES.get(choice.name, {name: value for name, value in choice.values.items() if value})
    return f"/{_RASA[choice.name]}" + (json.dumps(values) if values else "")
