"""What kind of message this is and how it goes on: to the assistant, or answered at once. Pure."""

from dataclasses import dataclass

from bot.messaging import payloads

READ_AT_ONCE = 1500  # characters; longer stories are read at both ends, where people put the question
_HEAD, _TAIL = 600, 900


@dataclass(frozen=True, slots=True)
class Reading:
    """How to treat a message.

    Attributes:
        text: What the assistant reads.
        payload: A button or command for the assistant.
        notice: Key of a system text to say instead of asking the assistant.
        too_long: Only parts were read.
    """

    text: str = ""
    payload: str = ""
    notice: str = ""
    too_long: bool = False


_NOTICES = {"media": "media.received", "edited": "edited.ignored", "group": "group_chat"}


def read(kind: str, text: str, payload: str) -> Reading:
    """Decides how a stored message is treated.

    Args:
        kind: See ``bot.messaging.messages.Incoming``.
        text: What the person wrote.
        payload: Id of the pressed button, or name of the command.
    """
    if kind in _NOTICES and not (kind == "media" and text.strip()):
        return Reading(notice=_NOTICES[kind])
    if kind == "button" and payloads.parse(payload):
        return Reading(payload=payload)
    if kind == "command" and payload in payloads.COMMANDS:
        return Reading(payload=payloads.command(payload))
    words = text if text.strip() else payload
    if not any(character.isalnum() for character in words):
        return Reading(notice="empty")
    if len(words) > READ_AT_ONCE:
        return Reading(text=f"{words[:_HEAD]} {words[-_TAIL:]}", too_long=True)
    return Reading(text=words)
