"""Template messages of the Cloud API: what is handed in for approval, and how their states are read. Pure."""

from typing import Any

from bot.languages import LANGUAGES
from bot.messaging import held, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Part

BODY, BUTTON = 1024, 25  # characters


def code(language: str) -> str:
    """Meta's code of one of our languages, such as ``pt_BR``."""
    return LANGUAGES[language].locale


def definition(language: str) -> dict[str, Any]:
    """The template as it is handed in: no variables, one button that opens the window again."""
    message = held.reopening(language)
    button = {"type": "QUICK_REPLY", "text": message.buttons[0].title}
    return {
        "name": templates.REOPEN,
        "language": code(language),
        "category": "UTILITY",
        "components": [{"type": "BODY", "text": message.text}, {"type": "BUTTONS", "buttons": [button]}],
    }


def part(message: Outgoing) -> Part:
    """The message that sends a template."""
    payload = {"type": "payload", "payload": message.buttons[0].payload}
    button = {"type": "button", "sub_type": "quick_reply", "index": "0", "parameters": [payload]}
    template = {"name": message.template, "language": {"code": code(message.language)}, "components": [button]}
    return {"type": "template", "template": template}


def state(name: str, language: str, told: str, reason: str = "") -> TemplateState | None:
    """What the provider told of a template; ``None`` when it is none of ours."""
    ours = next((row.code for row in LANGUAGES.values() if row.locale == language), None)
    if name != templates.REOPEN or ours is None:
        return None
    return TemplateState(name, ours, told.lower(), "" if reason.upper() == "NONE" else reason)
