"""What Telegram's messages consist of: the parts of an outgoing one, media and language hint of an incoming one."""

import re
from typing import Any

from telegram import CallbackQuery, InlineKeyboardButton, InlineKeyboardMarkup

from bot import texts
from bot.channels import limits
from bot.channels.commands import Command
from bot.languages import LANGUAGES
from bot.messaging.messages import Incoming, Outgoing
from bot.messaging.protocols import DeliveryError, Part

CAPTION = 1024
SHORT_TITLE = 14  # characters that still fit two in a row on a small phone
# an animation is also a document and a venue also a location: the first that is set names the kind
MEDIA = (
    *("animation", "audio", "document", "photo", "sticker", "story", "video", "video_note", "voice", "paid_media"),
    *("contact", "venue", "location", "poll", "dice", "game"),
)
FILES = frozenset({"animation", "audio", "document", "photo", "sticker", "video", "video_note", "voice"})


def plan(message: Outgoing, document: bytes | None) -> list[Part]:
    """The parts in which a message goes out: ``text`` with, on the last one, ``buttons``; a ``file`` has a caption.

    Raises:
        DeliveryError: The message is empty, or its file is missing.
    """
    if message.document and document is None:
        raise DeliveryError("the file is missing", permanent=True)
    text = message.text.strip() or (texts.text("button.choose", message.language) if message.buttons else "")
    parts: list[dict[str, Any]] = []
    if not message.document or limits.width(text) > CAPTION:
        parts = [{"text": part} for part in limits.split_text(text, limits.TEXT)]
    if message.document:
        parts.append({"text": "" if parts else text, "file": document, "name": message.document})
    if not parts:
        raise DeliveryError("nothing to send", permanent=True)
    parts[-1] |= {"buttons": [(button.title, button.payload) for button in message.buttons], "listed": message.listed}
    return list(parts)


def keyboard(part: Part) -> InlineKeyboardMarkup | None:
    """The buttons below a part, two in a row where they are short."""
    buttons = part.get("buttons")
    if not buttons:
        return None
    columns = 1 if part["listed"] or any(len(title) > SHORT_TITLE for title, _ in buttons) else 2
    keys = [InlineKeyboardButton(title, callback_data=payload) for title, payload in buttons]
    return InlineKeyboardMarkup([keys[start : start + columns] for start in range(0, len(keys), columns)])


def pressed(update_id: int, query: CallbackQuery) -> Incoming | None:
    """The button that a person pressed in their own chat with us."""
    chat = query.message.chat if query.message else None
    if query.data is None or (chat and chat.type != chat.PRIVATE):
        return None
    address = str(chat.id if chat else query.from_user.id)
    locale = query.from_user.language_code
    return Incoming("telegram", str(update_id), address, "button", payload=query.data, locale=locale)


def callback_id(update: dict[str, Any]) -> str:
    """What Telegram wants to be told so that a pressed button stops spinning; empty for other updates."""
    query = update.get("callback_query")
    return str(query.get("id") or "") if isinstance(query, dict) else ""


def deep_link(command: Command) -> str | None:
    """The language that a link to the bot asks for (``t.me/<bot>?start=fr``), if it names one we know."""
    known = command.name == "start" and re.split("[-_]", command.argument)[0].lower() in LANGUAGES
    return command.argument if known else None


def media(message: Any) -> dict[str, str]:
    """Kind, reference, media type and size in bytes of what a message (of the Telegram library) holds besides text.

    Returns:
        Nothing when it holds nothing that a person sends, such as a notice that a chat has a new name.
    """
    for kind in MEDIA:
        found = getattr(message, kind)
        if not found:
            continue
        if kind == "photo":
            found = max(found, key=lambda size: size.width * size.height)
        return {
            "kind": kind,
            "ref": _reference(found),
            "mime": getattr(found, "mime_type", None) or "",
            "size": str(getattr(found, "file_size", None) or ""),
        }
    return {}


def _reference(found: Any) -> str:
    place = getattr(found, "location", found)
    if hasattr(place, "latitude"):
        return f"{place.latitude},{place.longitude}"
    return str(getattr(found, "file_id", None) or getattr(found, "phone_number", None) or "")
