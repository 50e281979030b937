"""What WhatsApp's messages consist of: texts, buttons, lists with further pages. Pure."""

from typing import Any

from pywa.types.callback import Button as ReplyButton
from pywa.types.callback import Section, SectionList, SectionRow

from bot import texts
from bot.channels import limits, whatsapp_templates
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError, Part

BODY = 1024  # characters of a message with buttons
REPLY_BUTTONS = 3
REPLY_TITLE = 20
ROW_TITLE = 24
ROW_DESCRIPTION = 72


def plan(message: Outgoing, outbox_id: int, document: bytes | None = None) -> list[Part]:
    """The messages of the Cloud API, each with its ``type``, that together say what ``message`` says.

    Raises:
        DeliveryError: There is nothing to send, or the file is missing.
    """
    if message.document and document is None:
        raise DeliveryError("the file is missing", permanent=True)
    parts = [whatsapp_templates.part(message)] if message.template else _words(message, str(outbox_id))
    if message.document:
        parts.append({"type": "document", "document": document, "name": message.document})
    if not parts:
        raise DeliveryError("nothing to send", permanent=True)
    return parts


def _words(message: Outgoing, reference: str) -> list[Part]:
    buttons = limits.distinct(message.buttons, ROW_TITLE)
    if len(buttons) <= REPLY_BUTTONS:
        buttons = limits.distinct(buttons, REPLY_TITLE)
    if not buttons:
        return [_text(part) for part in limits.split_text(message.text, limits.TEXT)]
    head, body = limits.split_tail(message.text, BODY)
    body = body or texts.text("button.choose", message.language)
    return [
        *(_text(part) for part in limits.split_text(head, limits.TEXT)),
        _interactive(body, buttons, message, reference),
    ]


def _text(body: str) -> Part:
    return {"type": "text", "text": {"body": body, "preview_url": False}}


def _interactive(body: str, buttons: tuple[Button, ...], message: Outgoing, reference: str) -> Part:
    action: dict[str, Any]
    if len(buttons) <= REPLY_BUTTONS:
        kind = "button"
        action = {"buttons": [ReplyButton(button.title, button.payload).to_dict() for button in buttons]}
    else:
        kind = "list"
        more = limits.clip(texts.text("button.more", message.language), ROW_TITLE)
        rows = [
            SectionRow(row.title, row.payload, limits.clip(row.description, ROW_DESCRIPTION) or None)
            for row in limits.page(buttons, limits.LIST_ROWS, more, reference)
        ]
        opener = limits.clip(texts.text("button.choose", message.language), REPLY_TITLE)
        action = SectionList(opener, [Section(opener, rows)]).to_dict()
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": body}, "action": action}}
