"""What the Graph API's error codes mean for delivery."""

from bot.messaging.protocols import DeliveryError

# https://developers.facebook.com/docs/whatsapp/cloud-api/support/error-codes
_PAUSES = {131056: 6.0, 130429: 60.0, 131048: 60.0, 80007: 60.0, 4: 60.0, 429: 60.0}  # seconds
_TRANSIENT = {1, 2, 131000, 131016, 131057}
_TOKEN = {0, 190, 401}
_RIGHTS = {3, 10, *range(200, 300)}
_REASONS = {
    131026: "not reachable on WhatsApp",
    131030: "not among the numbers this test account may write to",
    131047: "outside the 24 hour window",
}


def reason(code: int | None) -> str:
    """Why a message failed, in words for counsellors, with the provider's code where that helps."""
    if code is None:
        return "refused by WhatsApp"
    if code == 131047:
        return _REASONS[code]
    if code in _PAUSES:
        return f"too many messages ({code})"
    return f"{_REASONS.get(code, 'refused by WhatsApp')} ({code})"


def delivery_error(code: int, status: int | None = None, *, transient: bool = False) -> DeliveryError:
    """The delivery error behind an error code of the Graph API.

    Args:
        code: Graph's error code, or the HTTP status where there is none.
        status: The HTTP status.
        transient: Whether the provider itself says that trying again may help.
    """
    if code in _PAUSES or status == 429:
        return DeliveryError(f"too many messages ({code})", retry_after=_PAUSES.get(code, 60.0))
    if code == 131047:
        return DeliveryError(reason(code), outside_window=True)
    if code in _REASONS:
        return DeliveryError(reason(code), permanent=True)
    if code in _TOKEN or status == 401:
        return DeliveryError("token refused")
    if code in _RIGHTS:
        return DeliveryError(f"permission refused ({code})")
    if code in _TRANSIENT or transient or (status or code) in range(500, 600):
        return DeliveryError(f"WhatsApp is unavailable ({code})")
    return DeliveryError(reason(code), permanent=True)
