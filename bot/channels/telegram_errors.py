"""What the Bot API's errors mean for delivery."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from telegram import error

from bot.messaging.protocols import DeliveryError

_REFUSALS = {
    "chat not found": "chat not found",
    "too long": "text too long",
    "text is empty": "text empty",
    "button_data_invalid": "button too long",
    "not enough rights": "no right to write in this chat",
    "file is too big": "the file is too large",
}


@contextmanager
def delivery_errors() -> Iterator[None]:
    """Turns the library's errors into ``DeliveryError``; no cause is chained, because it may hold the token."""
    try:
        yield
    except error.TelegramError as problem:
        raise delivery_error(problem) from None


def delivery_error(problem: error.TelegramError) -> DeliveryError:
    """The delivery error behind an error of the library."""
    match problem:
        case error.Forbidden():
            return DeliveryError("blocked by the person", permanent=True)
        case error.RetryAfter():
            asked = problem.retry_after
            seconds = asked.total_seconds() if isinstance(asked, timedelta) else float(asked)
            return DeliveryError("too many messages", retry_after=seconds)
        case error.InvalidToken():
            return DeliveryError("token refused")
        case error.BadRequest():
            words = problem.message.lower()
            known = (reason for sign, reason in _REFUSALS.items() if sign in words)
            return DeliveryError(next(known, "refused by Telegram"), permanent=True)
        case error.TimedOut():
            return DeliveryError("Telegram did not answer in time")
        case error.NetworkError():
            return DeliveryError("Telegram cannot be reached")
        case _:
            return DeliveryError(f"Telegram refused ({type(problem).__name__})")
