"""The outbox: rows commit with their cause; delivery claims them and records what became of them."""

import re
from dataclasses import dataclass, replace
from datetime import timedelta

from sqlalchemy import ColumnElement, and_, or_, select, update
from sqlalchemy.orm import Session

from bot.messaging.messages import Outgoing
from bot.messaging.protocols import DeliveryError
from bot.storage.base import now
from bot.storage.conversation import Contact, Conversation
from bot.storage.outbox import OutboxMessage

# clients of these channels fetch their messages themselves: a stored row is a sent one
PULLED = frozenset({"web", "rest"})
LEASE = timedelta(seconds=90)
MAX_ATTEMPTS = 12
LONGEST_PAUSE = 600.0  # seconds


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this worker may send now."""

    outbox_id: int
    conversation_id: str
    channel: str
    address: str
    message: Outgoing


def put(session: Session, *, conversation_id: str, cause: str, message: Outgoing, remembered: bool = False) -> int:
    """Queues a message in the same transaction as its cause.

    Args:
        cause: What brought it about; a cause that was queued before is not queued again.
        remembered: Whether the assistant's own transcript already has it.

    Returns:
        The outbox id.
    """
    known = session.scalar(select(OutboxMessage.id).where(OutboxMessage.cause == cause))
    if known is not None:
        return known
    pulled = session.get_one(Conversation, conversation_id).channel in PULLED
    row = OutboxMessage(
        conversation_id=conversation_id,
        state="sent" if pulled else "due",
        sent_at=now() if pulled else None,
        cause=cause,
        speaker=message.speaker,
        body=message.to_json(),
        entry=message.shown.entry if message.shown else None,
        entry_language=message.shown.language if message.shown else None,
        entry_version=message.shown.version if message.shown else None,
        remembered=remembered,
    )
    session.add(row)
    session.flush()
    row.body = _with_own_id(message, row.id).to_json()
    return row.id


def _with_own_id(message: Outgoing, outbox_id: int) -> Outgoing:
    # a rating button names the row it rates, whose id is known only now
    buttons = tuple(replace(b, payload=re.sub(r"^(f:[+-]):0$", rf"\1:{outbox_id}", b.payload)) for b in message.buttons)
    return replace(message, buttons=buttons)


def _due() -> ColumnElement[bool]:
    moment = now()
    return or_(
        and_(OutboxMessage.state == "due", or_(OutboxMessage.retry_at.is_(None), OutboxMessage.retry_at <= moment)),
        and_(OutboxMessage.state == "sending", OutboxMessage.leased_until < moment),
    )


def any_due(session: Session, *, channels: list[str]) -> bool:
    """Whether there may be something to claim; a cheap look that takes no lock."""
    rows = select(OutboxMessage.id).join(Conversation, Conversation.id == OutboxMessage.conversation_id)
    return session.scalar(rows.where(_due(), Conversation.channel.in_(channels)).limit(1)) is not None


def claim(session: Session, *, worker: str, channels: list[str], limit: int = 20) -> list[Claimed]:
    """Claims due messages, the first unsent one of each conversation, so that order is kept."""
    due = _due()
    earlier = OutboxMessage.__table__.alias("earlier")
    first = ~(
        select(earlier.c.id)
        .where(earlier.c.conversation_id == OutboxMessage.conversation_id)
        .where(earlier.c.state.in_(("due", "sending")), earlier.c.id < OutboxMessage.id)
        .exists()
    )
    rows = session.execute(
        select(OutboxMessage, Contact.address, Conversation.channel)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .join(Contact, Contact.conversation_id == Conversation.id)
        .where(due, first, Conversation.channel.in_(channels))
        .order_by(OutboxMessage.id)
        .limit(limit)
    ).all()
    return [
        Claimed(row.id, row.conversation_id, channel, address, Outgoing.from_json(row.body))
        for row, address, channel in rows
        if _take(session, row.id, worker, due)
    ]


def _take(session: Session, outbox_id: int, worker: str, due: ColumnElement[bool]) -> bool:
    taken = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, due)
        .values(state="sending", leased_by=worker, leased_until=now() + LEASE)
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult


def sent(session: Session, *, outbox_id: int, provider_id: str) -> None:
    """Records that the provider took the message."""
    row = session.get(OutboxMessage, outbox_id)
    if row is not None:
        row.state, row.sent_at, row.provider_id, row.problem = "sent", now(), provider_id, None
        row.leased_by = row.leased_until = None


def refused(session: Session, *, outbox_id: int, error: DeliveryError) -> None:
    """Records a failed try: tried again with growing pauses, or failed for good."""
    row = session.get(OutboxMessage, outbox_id)
    if row is None:
        return
    row.attempts += 1
    row.problem = error.reason[:255]
    row.leased_by = row.leased_until = None
    if error.permanent or row.attempts >= MAX_ATTEMPTS:
        row.state = "failed"
        return
    pause = error.retry_after if error.retry_after is not None else min(LONGEST_PAUSE, 2.0**row.attempts)
    row.state, row.retry_at = "due", now() + timedelta(seconds=pause)


def withdraw(session: Session, *, outbox_id: int, reason: str) -> None:
    """Takes a message back that must no longer be sent, such as a bot's answer after a claim."""
    row = session.get(OutboxMessage, outbox_id)
    if row is not None:
        row.state, row.problem, row.leased_by, row.leased_until = "withdrawn", reason, None, None


def free_leases(session: Session) -> None:
    """Makes messages of a dead process due again. Only for a start-up at which no other can be running."""
    session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.state == "sending")
        .values(state="due", leased_by=None, leased_until=None)
    )


def receipt(session: Session, *, channel: str, provider_id: str, reference: str, state: str, problem: str = "") -> bool:
    """Notes a provider's delivery receipt on its row.

    A receipt for a row still ``sending`` settles a send whose answer never arrived, so it is not
    repeated. Receipts may come in any order: ``delivered`` never overwrites ``read``.

    Returns:
        Whether the row was found.
    """
    match = OutboxMessage.provider_id == provider_id
    if reference.isdigit():
        match = or_(match, OutboxMessage.id == int(reference))
    row = session.scalar(
        select(OutboxMessage)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(match, Conversation.channel == channel)
    )
    if row is None:
        return False
    order = ("sent", "delivered", "read")
    if state == "failed":
        row.state, row.provider_state, row.problem = "failed", state, problem[:255]
    elif state in order and (row.provider_state not in order or order.index(row.provider_state) < order.index(state)):
        row.provider_state = state
        if row.state in ("due", "sending"):
            sent(session, outbox_id=row.id, provider_id=provider_id)
    return True


def unremembered(session: Session, *, limit: int = 50) -> list[OutboxMessage]:
    """Messages that were sent but are not in the assistant's transcript yet, in order."""
    rows = select(OutboxMessage).where(OutboxMessage.remembered.is_(False), OutboxMessage.state == "sent")
    return list(session.scalars(rows.order_by(OutboxMessage.id).limit(limit)))


def mark_remembered(session: Session, *, outbox_id: int) -> None:
    """Notes that the assistant's transcript has this message."""
    session.execute(update(OutboxMessage).where(OutboxMessage.id == outbox_id).values(remembered=True))
