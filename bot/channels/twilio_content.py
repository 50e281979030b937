"""What messages over Twilio consist of: texts, with choices as numbered lines below them. Pure.

Twilio sends buttons only as templates made beforehand. A number that a person types counts as the choice
(``bot.worker.typed``), which numbers what is listed here in the same way.
"""

from collections.abc import Sequence

from bot import texts
from bot.channels import limits
from bot.languages import LANGUAGES
from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError, Part

TEXT = 1600  # characters; https://www.twilio.com/docs/messaging/api/message-resource
_LEAST_TAIL = 300  # characters of text that go with the choices, at least, or none do
_GAP = "\n\n"
_MARKS = {"ltr": "\u200e", "rtl": "\u200f"}


def plan(message: Outgoing, document: bytes | None = None) -> list[Part]:
    """The messages that together say what ``message`` says: each has a ``body`` or a ``content_sid``.

    A file is sent as text: Twilio would fetch it from an address that everybody could read.

    Raises:
        DeliveryError: There is nothing to send, or the file is missing.
    """
    if message.document and document is None:
        raise DeliveryError("the file is missing", permanent=True)
    if message.template:
        return [{"content_sid": message.template}]
    bodies = _bodies(message)
    if document is not None:
        bodies += limits.split_text(document.decode("utf-8", "replace"), TEXT)
    if not bodies:
        raise DeliveryError("nothing to send", permanent=True)
    return [{"body": body} for body in bodies]


def _bodies(message: Outgoing) -> list[str]:
    choices = _choices(message.buttons, message.language)
    if not choices:
        return limits.split_text(message.text, TEXT)
    block = f"{texts.text('button.choose', message.language)}\n{choices}"
    room = TEXT - limits.width(block) - len(_GAP)
    if room < _LEAST_TAIL:
        return [*limits.split_text(message.text, TEXT), *limits.split_text(block, TEXT)]
    head, tail = limits.split_tail(message.text, room)
    return [*limits.split_text(head, TEXT), f"{tail}{_GAP}{block}" if tail else block]


def _choices(buttons: Sequence[Button], language: str) -> str:
    # a mark before the number keeps it at the line's start, whatever the script of the title
    mark = _MARKS[LANGUAGES[language].direction]
    offered = [button for button in buttons if not _is_rating(button)]
    return "\n".join(f"{mark}{number}. {_line(button)}" for number, button in enumerate(offered, start=1))


def _line(button: Button) -> str:
    words = f"{button.title} — {button.description}" if button.description else button.title
    return " ".join(words.split())


def _is_rating(button: Button) -> bool:
    # nobody means a rating by typing a number, so it has none
    choice = payloads.parse(button.payload)
    return choice is not None and choice.name == "feedback"
