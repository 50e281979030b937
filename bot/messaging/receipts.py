"""Providers' receipts: what became of messages after they were sent, in whatever order they come."""

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from bot import metrics
from bot.messaging import held, outbox
from bot.messaging.hooks import Receipt
from bot.messaging.protocols import DeliveryError
from bot.storage.conversation import Conversation
from bot.storage.outbox import OutboxMessage

_ORDER = ("sent", "delivered", "read")
_UNKNOWN = DeliveryError("refused by the provider", permanent=True)


def note(session: Session, *, channel: str, receipt: Receipt) -> bool:
    """Notes a receipt on the row it is about.

    A receipt for a row that is still being sent settles a send whose answer never arrived, so that it is not
    repeated. Receipts may come in any order, late and repeated: ``delivered`` never overwrites ``read``, and a
    failure counts once, and only for the try it is about.

    Returns:
        Whether the row was found.
    """
    number, _, part = receipt.reference.partition(".")
    match = OutboxMessage.provider_id == receipt.provider_id
    if number.isdigit() and len(number) <= 18:
        match = or_(match, OutboxMessage.id == int(number))
    row = session.scalar(
        select(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(match, Conversation.channel == channel)
        .order_by((OutboxMessage.provider_id == receipt.provider_id).desc())
        .limit(1)
    )
    if row is None:
        return False
    if receipt.state == "failed":
        _failed(session, row, channel, receipt)
    elif part:
        row.parts_sent = max(row.parts_sent, int(part) if part.isdigit() else 0)
    else:
        _arrived(session, row, receipt)
    return True


def _arrived(session: Session, row: OutboxMessage, receipt: Receipt) -> None:
    if row.provider_id not in (None, receipt.provider_id) and row.state == "sent":
        return  # about an earlier try, which a later one has replaced
    given_up = row.state == "failed" and row.provider_state != "failed"
    if row.state in ("due", "sending") or given_up:  # its answer never came, and it had arrived all the same
        outbox.sent(session, outbox_id=row.id, provider_id=receipt.provider_id)
    if row.provider_state not in _ORDER or _ORDER.index(row.provider_state) < _ORDER.index(receipt.state):
        row.provider_state = receipt.state


def _failed(session: Session, row: OutboxMessage, channel: str, receipt: Receipt) -> None:
    earlier = row.provider_id not in (None, receipt.provider_id) and "." not in receipt.reference
    if row.provider_state == "failed" or row.state not in ("sending", "sent") or earlier:
        return  # a repetition, or about an earlier try
    error = receipt.error or _UNKNOWN
    row.state, row.provider_state, row.provider_id = "sending", "failed", receipt.provider_id
    if error.outside_window:
        held.hold(session, outbox_id=row.id, reason=error.reason)
    else:
        state = outbox.refused(session, outbox_id=row.id, error=error)
        if state == "failed":
            metrics.delivery_failed(channel, error.reason)
