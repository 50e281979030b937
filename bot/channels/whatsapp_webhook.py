"""Reads WhatsApp's webhook bodies. Pure: all of a body is understood, or none of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from bot.channels import commands, whatsapp_errors
from bot.messaging import payloads
from bot.messaging.messages import Incoming, Kind

State = Literal["sent", "delivered", "read", "failed"]

_NOT_MESSAGES = {"reaction", "system", "revoke", "request_welcome"}
_FILES = {"image", "audio", "video", "sticker", "document"}


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message we sent.

    Attributes:
        provider_id: The provider's id of the message.
        code: For a failure, the Graph API's error code.
        reference: The outbox id that was passed along when sending; empty for all but the last part.
    """

    provider_id: str
    state: State
    code: int | None = None
    reference: str = ""

    @property
    def problem(self) -> str:
        """For a failure, the reason in words for counsellors."""
        return whatsapp_errors.reason(self.code) if self.state == "failed" else ""


def parse(body: dict[str, Any], phone_id: str) -> tuple[list[Incoming], list[Receipt]]:
    """The messages and receipts in a webhook body that concern one phone number.

    Raises:
        ValueError: The body is not what WhatsApp sends; nothing of it was used.
    """
    try:
        values = list(_values(body, phone_id))
        messages = [message for value in values for message in _messages(value)]
        receipts = [receipt for value in values for receipt in _receipts(value)]
    except (KeyError, TypeError, AttributeError, IndexError, OverflowError) as problem:
        raise ValueError(f"malformed webhook body ({type(problem).__name__})") from None
    return messages, receipts


def _values(body: dict[str, Any], phone_id: str) -> Iterator[dict[str, Any]]:
    if _text(body, "object") != "whatsapp_business_account":
        return
    for entry in _rows(body, "entry"):
        for change in _rows(entry, "changes"):
            if _text(change, "field") != "messages":
                continue
            value = change["value"]
            if _text(value["metadata"], "phone_number_id") == phone_id:
                yield value


def _messages(value: dict[str, Any]) -> Iterator[Incoming]:
    contacts = _rows(value, "contacts", needed=False)
    for message in _rows(value, "messages", needed=False):
        kind = _text(message, "type")
        # a group's talk is not for us, and an answer there would show it to everybody
        if kind in _NOT_MESSAGES or "group_id" in message:
            continue
        yield _incoming(message, kind, _sender(message, contacts))


def _incoming(message: dict[str, Any], kind: str, sender: str) -> Incoming:
    def made(kind: Kind, text: str = "", payload: str = "", media: dict[str, str] | None = None) -> Incoming:
        return Incoming("whatsapp", _text(message, "id"), sender, kind, text, payload, media=media or {})

    if kind == "text":
        text = _text(message["text"], "body")
        command = commands.parse(text)
        if command is not None and command.name in payloads.COMMANDS:
            return made("command", text, command.name)
        return made("text", text)
    if kind == "button":
        return made("button", _text(message["button"], "text"), _text(message["button"], "payload"))
    if kind == "interactive":
        choice = _text(message["interactive"], "type")
        if choice in ("button_reply", "list_reply"):
            reply = message["interactive"][choice]
            return made("button", _text(reply, "title"), _text(reply, "id"))
        return made("media", media=_media(choice))
    if kind == "edit":
        return made("edited", _edited_text(message["edit"]["message"]))
    return made("media", _caption(message, kind), media=_content(message, kind))


def _edited_text(edited: dict[str, Any]) -> str:
    kind = _text(edited, "type")
    return _text(edited["text"], "body") if kind == "text" else _caption(edited, kind)


def _caption(message: dict[str, Any], kind: str) -> str:
    return _text(message[kind], "caption", needed=False) if kind in _FILES else ""


def _content(message: dict[str, Any], kind: str) -> dict[str, str]:
    if kind not in (*_FILES, "location", "contacts"):
        return _media(kind)
    content = message[kind]
    if kind in _FILES:
        shown = "voice" if kind == "audio" and content.get("voice") is True else kind
        return _media(shown, _text(content, "id"), _text(content, "mime_type", needed=False))
    if kind == "location":
        return _media(kind, f"{float(content['latitude'])},{float(content['longitude'])}")
    phones = [phone for contact in content for phone in _rows(contact, "phones", needed=False)]
    return _media(kind, ", ".join(_text(phone, "phone", needed=False) for phone in phones)[:255])


def _media(kind: str, ref: str = "", mime: str = "") -> dict[str, str]:
    return {"kind": kind, "ref": ref, "mime": mime, "size": ""}


def _sender(message: dict[str, Any], contacts: list[dict[str, Any]]) -> str:
    # someone with a username comes without a phone number, known only by a business-scoped user id
    for key in ("from", "from_user_id"):
        if found := _text(message, key, needed=False):
            return found
    if len(contacts) == 1:
        for key in ("wa_id", "user_id"):
            if found := _text(contacts[0], key, needed=False):
                return found
    raise ValueError("malformed webhook body (no sender)")


def _receipts(value: dict[str, Any]) -> Iterator[Receipt]:
    for status in _rows(value, "statuses", needed=False):
        state = _text(status, "status")
        if state not in get_args(State):
            continue
        errors = _rows(status, "errors", needed=False)
        code = int(errors[0]["code"]) if errors else None
        reference = _text(status, "biz_opaque_callback_data", needed=False)
        yield Receipt(_text(status, "id"), cast("State", state), code, reference)


def _rows(parent: dict[str, Any], key: str, *, needed: bool = True) -> list[dict[str, Any]]:
    rows = parent[key] if needed else parent.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"malformed webhook body ({key})")
    return rows


def _text(parent: dict[str, Any], key: str, *, needed: bool = True) -> str:
    found = parent[key] if needed else (parent.get(key) or "")
    if not isinstance(found, str):
        raise ValueError(f"malformed webhook body ({key})")  # callers expect one kind of error
    return found
