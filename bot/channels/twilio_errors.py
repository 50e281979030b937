"""What Twilio's error codes mean for delivery."""

from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from twilio.base.exceptions import TwilioException, TwilioRestException, TwilioServiceException

from bot.messaging.protocols import DeliveryError

# https://www.twilio.com/docs/api/errors, https://www.twilio.com/docs/whatsapp/api/error-code-mapping
_PAUSES = {429: 60.0, 20429: 60.0, 21611: 60.0, 30001: 60.0, 63018: 60.0, 63038: 3600.0}  # seconds
_OUTSIDE_WINDOW = 63016
_TOKEN = {401, 20003, 20404}  # 20404 answers an account that does not exist
_SETUP = {
    403: "permission refused",
    20005: "the Twilio account is not active",
    20403: "permission refused",
    30002: "the Twilio account is suspended",
    63001: "WhatsApp does not accept Twilio's sender",
    63002: "the sender is not a WhatsApp number of this Twilio account",
    63007: "the sender is not a WhatsApp number of this Twilio account",
    63051: "the WhatsApp Business account is locked",
    63112: "the WhatsApp Business account is disabled",
}
_TRANSIENT = {63010, 63012}
_REASONS = {
    21211: "not a number that can be written to",
    21610: "has asked by STOP not to be written to",
    63003: "not reachable on WhatsApp",
    63005: "WhatsApp did not accept the content",
    63013: "against a rule of WhatsApp",
    63014: "blocked by the person",
    63015: "has not joined the sandbox of Twilio",
    63021: "WhatsApp did not accept the content",
    63024: "not reachable on WhatsApp",
    63027: "the template does not exist in this language",
    63032: "WhatsApp does not deliver to this person at present",
    63033: "blocked by the person",
    63040: "the template was rejected",
    63041: "the template is paused",
    63042: "the template is disabled",
    63049: "WhatsApp chose not to deliver it",
}


def delivery_error(code: int, status: int | None = None) -> DeliveryError:
    """The delivery error behind an error code of Twilio.

    Codes that are not in the tables are final: most of them are about one message or one person.

    Args:
        code: Twilio's error code, or the HTTP status where there is none.
        status: The HTTP status; ``None`` when the code came in a status callback.
    """
    if code == _OUTSIDE_WINDOW:
        return DeliveryError("outside the 24 hour window", outside_window=True)
    if code in _PAUSES or status == 429:
        return DeliveryError(f"too many messages ({code})", retry_after=_PAUSES.get(code, 60.0))
    if code in _TOKEN or status == 401:
        return DeliveryError("token refused")
    if code in _SETUP:
        return DeliveryError(f"{_SETUP[code]} ({code})")
    if code in _TRANSIENT or (status or code) in range(500, 600):
        return DeliveryError(f"Twilio is unavailable ({code})")
    return DeliveryError(f"{_REASONS.get(code, 'refused by Twilio')} ({code})", permanent=True)


@contextmanager
def delivery_errors() -> Iterator[None]:
    """Turns what goes wrong while Twilio is asked into delivery errors.

    No cause is chained: the library's errors carry addresses and answers.

    Raises:
        DeliveryError: Something went wrong.
    """
    try:
        yield
    except (TwilioRestException, TwilioServiceException) as problem:
        raise delivery_error(int(problem.code or problem.status), int(problem.status)) from None
    except (aiohttp.ConnectionTimeoutError, aiohttp.ClientConnectorError):
        raise DeliveryError("Twilio cannot be reached") from None
    except TimeoutError:
        raise DeliveryError("Twilio did not answer in time", uncertain=True) from None
    except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, aiohttp.ClientPayloadError):
        raise DeliveryError("Twilio broke the connection off", uncertain=True) from None
    except aiohttp.ClientError:
        raise DeliveryError("Twilio cannot be reached") from None
    except TwilioException as problem:
        raise _unread(problem) from None
    except (ValueError, KeyError, TypeError, AttributeError):
        raise DeliveryError("Twilio's answer was not understood", uncertain=True) from None


def _unread(problem: TwilioException) -> DeliveryError:
    # lists are refused with the answer itself instead of its code
    status = getattr(problem.args[-1], "status_code", None) if problem.args else None
    if status is not None:
        return delivery_error(int(status), int(status))
    return DeliveryError("Twilio's answer was not understood", uncertain=True)
