"""A choice that a person typed instead of pressing its button: the button's words, or its number. Pure."""

from collections.abc import Sequence

from bot.messaging import payloads
from bot.messaging.messages import Button
from bot.nlu.normalise import fold

LONGEST = 40  # characters; what is longer is a message of its own
NOT_TYPED = ("feedback",)  # buttons that nobody means by typing a number


def chosen(text: str, buttons: Sequence[Button]) -> str | None:
    """The payload of the button that ``text`` names; ``None`` when it names none.

    Args:
        buttons: Those of the last message that offered some, in the order in which they were shown.
    """
    offered = [button for button in buttons if _name(button) not in NOT_TYPED]
    written = fold(text)
    if len(text) > LONGEST or not written:
        return None
    if written.isdecimal():
        number = int(written)
        return offered[number - 1].payload if 0 < number <= len(offered) else None
    for button in offered:
        if written in (fold(button.title), fold(button.description)):
            return button.payload
    return None


def _name(button: Button) -> str:
    choice = payloads.parse(button.payload)
    return choice.name if choice else ""
