"""What Telegram's messages consist of: the parts of an outgoing one, media and language hint of an incoming one."""

import re
from typing import Any

from bot import texts
from bot.channels import limits
from bot.channels.commands import Command
from bot.languages import LANGUAGES
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import DeliveryError

CAPTION = 1024
# an animation is also a document and a venue also a location: the first that is set names the kind
MEDIA = (
    *("animation", "audio", "document", "photo", "sticker", "story", "video", "video_note", "voice", "paid_media"),
    *("contact", "venue", "location", "poll", "dice", "game"),
)


def plan(message: Outgoing) -> list[tuple[str, bool]]:
    """The parts in which a message goes out: each a text, and whether it is the caption of the file.

    Raises:
        DeliveryError: The message is empty.
    """
    if message.document and limits.width(message.text) <= CAPTION:
        return [(message.text, True)]
    text = message.text.strip() or (texts.text("button.choose", message.language) if message.buttons else "")
    parts = [(part, False) for part in limits.split_text(text, limits.TEXT)]
    if message.document:
        parts.append(("", True))
    if not parts:
        raise DeliveryError("nothing to send", permanent=True)
    return parts


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
