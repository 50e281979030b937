"""Reads WhatsApp's webhook bodies. Pure. What cannot be read is counted, and the rest of the body is used."""

import logging
import re
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, TypeVar, cast, get_args

from bot.channels import commands, whatsapp_errors, whatsapp_templates
from bot.messaging import payloads
from bot.messaging.hooks import Heard, Move, Receipt, State, TemplateState
from bot.messaging.messages import Incoming, Kind

_NOT_MESSAGES = {"reaction", "system", "revoke", "request_welcome"}
_FILES = {"image", "audio", "video", "sticker", "document"}
_MALFORMED = (KeyError, TypeError, AttributeError, IndexError, OverflowError, ValueError, OSError)
_Row = dict[str, Any]
_Read = TypeVar("_Read")

log = logging.getLogger(__name__)


def parse(body: _Row, phone_id: str, account_id: str = "") -> Heard:
    """What a webhook body tells about one phone number, and about the templates of its account.

    Raises:
        ValueError: The body as a whole is not what WhatsApp sends; nothing of it was used.
    """
    try:
        values = list(_values(body, "messages"))
        ours = [value for value in values if _text(value["metadata"], "phone_number_id") == phone_id]
        entries = [(value, row) for value in ours for row in _rows(value, "messages", needed=False)]
        statuses = [row for value in ours for row in _rows(value, "statuses", needed=False)]
        states = list(_values(body, "message_template_status_update", account_id))
    except _MALFORMED as problem:
        raise ValueError(f"malformed webhook body ({type(problem).__name__})") from None
    messages, unread = _each(entries, lambda pair: _message(*pair))
    moves, unmoved = _each(entries, lambda pair: _moved(pair[1]))
    receipts, unnoted = _each(statuses, _receipt)
    templates, unknown = _each(states, _template)
    return Heard(
        tuple(messages), tuple(receipts), tuple(moves), tuple(templates), "", unread + unmoved + unnoted + unknown
    )


def _each(rows: list[Any], read: Callable[[Any], _Read | None]) -> tuple[list[_Read], int]:
    """What can be read of each row, and how many rows could not be read: one must not take the others with it."""
    found, unreadable = [], 0
    for row in rows:
        try:
            if (one := read(row)) is not None:
                found.append(one)
        except _MALFORMED as problem:
            told = {"channel": "whatsapp", "reason": type(problem).__name__}
            log.warning("a part of a webhook was left out", extra=told)
            unreadable += 1
    return found, unreadable


def _values(body: _Row, field: str, account_id: str = "") -> Iterator[_Row]:
    if _text(body, "object") != "whatsapp_business_account":
        return
    for entry in _rows(body, "entry"):
        if account_id and _text(entry, "id", needed=False) != account_id:
            continue
        for change in _rows(entry, "changes"):
            if _text(change, "field") == field:
                yield change["value"]


def _message(value: _Row, message: _Row) -> Incoming | None:
    kind = _text(message, "type")
    # a group's talk is not for us, and an answer there would show it to everybody
    if kind in _NOT_MESSAGES or "group_id" in message:
        return None
    return _incoming(message, kind, *_sender(message, _rows(value, "contacts", needed=False)))


def _moved(message: _Row) -> Move | None:
    """A person's new number or user id.

    Source: https://developers.facebook.com/documentation/business-messaging/whatsapp/webhooks/reference/messages/system/
    (11 August 2026). Older numbers of the API name the new number ``new_wa_id``.
    """
    if _text(message, "type") != "system":
        return None
    system = message["system"]
    kind = _text(system, "type", needed=False)
    if kind.endswith("changed_number"):
        new = _text(system, "wa_id", needed=False) or _text(system, "new_wa_id", needed=False)
        return Move("whatsapp", _text(message, "from"), new)
    if kind == "user_changed_user_id":
        return Move("whatsapp", _text(system, "previous_user_id"), _text(system, "user_id"))
    return None


def _incoming(message: _Row, kind: str, sender: str, alias: str) -> Incoming:
    number, written = _text(message, "id"), _moment(message)

    def made(kind: Kind, text: str = "", payload: str = "", media: dict[str, str] | None = None) -> Incoming:
        return Incoming(
            "whatsapp", number, sender, kind, text, payload, media=media or {}, alias=alias, sent_at=written
        )

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


def _edited_text(edited: _Row) -> str:
    kind = _text(edited, "type")
    return _text(edited["text"], "body") if kind == "text" else _caption(edited, kind)


def _caption(message: _Row, kind: str) -> str:
    return _text(message[kind], "caption", needed=False) if kind in _FILES else ""


def _content(message: _Row, kind: str) -> dict[str, str]:
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


def _moment(message: _Row) -> datetime | None:
    stamp = _text(message, "timestamp", needed=False)
    # a message is worth more than its moment: what is no number of seconds of our time counts as now
    return datetime.fromtimestamp(int(stamp), UTC) if re.fullmatch(r"[1-9][0-9]{9,10}", stamp) else None


def _sender(message: _Row, contacts: list[_Row]) -> tuple[str, str]:
    """A person's address, and the user id beside it.

    Somebody with a username comes without a phone number, known by a business-scoped user id alone.
    """
    contact = contacts[0] if len(contacts) == 1 else {}
    number = _text(message, "from", needed=False) or _text(contact, "wa_id", needed=False)
    user = _text(message, "from_user_id", needed=False) or _text(contact, "user_id", needed=False)
    if not number and not user:
        raise ValueError("malformed webhook body (no sender)")
    return (number, user) if number else (user, "")


def _receipt(status: _Row) -> Receipt | None:
    state = _text(status, "status")
    if state not in get_args(State):
        return None
    errors = _rows(status, "errors", needed=False)
    error = whatsapp_errors.delivery_error(int(errors[0]["code"])) if errors and state == "failed" else None
    reference = _text(status, "biz_opaque_callback_data", needed=False)
    return Receipt(_text(status, "id"), cast("State", state), reference, error)


def _template(value: _Row) -> TemplateState | None:
    return whatsapp_templates.state(
        _text(value, "message_template_name"),
        _text(value, "message_template_language"),
        _text(value, "event"),
        _text(value, "reason", needed=False),
    )


def _rows(parent: _Row, key: str, *, needed: bool = True) -> list[_Row]:
    rows = parent[key] if needed else parent.get(key, [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise ValueError(f"malformed webhook body ({key})")
    return rows


def _text(parent: _Row, key: str, *, needed: bool = True) -> str:
    found = parent[key] if needed else (parent.get(key) or "")
    if not isinstance(found, str):
        raise ValueError(f"malformed webhook body ({key})")  # callers expect one kind of error
    return found
