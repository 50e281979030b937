"""Reads Twilio's webhooks: one message, or what became of one. Pure."""

import re
from collections.abc import Mapping

from bot.channels import commands, twilio_errors
from bot.messaging import payloads
from bot.messaging.hooks import Heard, Receipt, State
from bot.messaging.messages import Incoming, Kind

# https://www.twilio.com/docs/messaging/guides/webhook-request
_PREFIX = "whatsapp:"
_NUMBER = re.compile(r"\+?([0-9]{5,20})")
_NOT_MESSAGES = {"reaction", "system"}
_FILES = {"image", "audio", "voice", "video", "document", "sticker", "contacts"}
_STATES: dict[str, State] = {
    "sent": "sent",
    "delivered": "delivered",
    "read": "read",
    "failed": "failed",
    "undelivered": "failed",
}

Form = Mapping[str, str]


def parse(form: Form, reference: str, number: str) -> Heard:
    """What a webhook tells.

    Args:
        reference: Ours, from the address that a status callback came to.
        number: Our own WhatsApp number, digits alone.

    Raises:
        ValueError: This is not what Twilio sends.
    """
    if not form.get("MessageSid"):
        raise ValueError("malformed webhook (MessageSid)")
    status = form.get("MessageStatus", "received")
    if status != "received":
        return _report(form, status, reference)
    if not form.get("From") or not form.get("To"):
        raise ValueError("malformed webhook (From, To)")
    sender, ours = address(form["From"]), address(form["To"])
    if sender is None:
        return Heard(unreadable=1)  # a text message to a telephone, which cannot be answered here
    if ours != number:
        return Heard()
    message = _message(form, sender)
    return Heard((message,) if message is not None else ())


def address(told: str) -> str | None:
    """Our address of somebody on WhatsApp, ``None`` for people on other networks.

    A telephone number becomes its digits; the user id of somebody who shows no number is kept as it is.
    """
    if not told.startswith(_PREFIX) or told == _PREFIX:
        return None
    name = told.removeprefix(_PREFIX)
    found = _NUMBER.fullmatch(name)
    return found[1] if found else name


def recipient(known: str) -> str:
    """Twilio's name of one of our addresses; the reverse of ``address``."""
    return f"{_PREFIX}+{known}" if _NUMBER.fullmatch(known) else f"{_PREFIX}{known}"


def _report(form: Form, status: str, reference: str) -> Heard:
    state = _STATES.get(status)
    if state is None:
        return Heard()
    code = form.get("ErrorCode", "")
    known = state == "failed" and re.fullmatch(r"[0-9]{1,9}", code) is not None
    error = twilio_errors.delivery_error(int(code)) if known else None
    return Heard(receipts=(Receipt(form["MessageSid"], state, reference, error),))


def _message(form: Form, sender: str) -> Incoming | None:
    told, text = form.get("MessageType", "").lower(), form.get("Body", "")
    if told in _NOT_MESSAGES:
        return None

    def made(kind: Kind, text: str = "", payload: str = "", media: dict[str, str] | None = None) -> Incoming:
        return Incoming("twilio", form["MessageSid"], sender, kind, text, payload, media=media or {})

    if payload := form.get("ButtonPayload"):
        return made("button", form.get("ButtonText") or text, payload)
    if payload := form.get("ListId"):
        return made("button", form.get("ListTitle") or text, payload)
    if reference := form.get("MediaUrl0"):  # WhatsApp has one file in a message
        mime = form.get("MediaContentType0", "")
        return made("media", text, media=_media(_file(told, mime), reference, mime))
    if form.get("Latitude") and form.get("Longitude"):
        return made("media", media=_media("location", f"{form['Latitude']},{form['Longitude']}"))
    if text.strip():
        command = commands.parse(text)
        known = command is not None and command.name in payloads.COMMANDS
        return made("command", text, command.name) if command and known else made("text", text)
    return made("media", media=_media(told if told not in ("", "text") else "unsupported"))


def _file(told: str, mime: str) -> str:
    family = mime.partition("/")[0]
    kind = told if told in _FILES else "contacts" if "vcard" in mime else family
    if kind == "audio" and mime.startswith("audio/ogg"):
        return "voice"  # Twilio does not tell them apart; only voice messages are recorded as Ogg
    return kind if kind in _FILES else "document"


def _media(kind: str, ref: str = "", mime: str = "") -> dict[str, str]:
    return {"kind": kind, "ref": ref, "mime": mime, "size": ""}
