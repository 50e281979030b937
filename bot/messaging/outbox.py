"""The outbox: rows commit with their cause; delivery claims them and records what became of them.

Receipts are in ``bot.messaging.receipts``, messages that wait for the person in ``bot.messaging.held``.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

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
MAX_ATTEMPTS = 170  # at the longest pause more than a day: what outlives a service window is held, not failed
MAX_FAULTS = 12  # tries of a message that makes our own code fail
LONGEST_PAUSE = 600.0  # seconds
SETTLING = 30.0  # seconds in which the receipt of an uncertain send comes, or will not


@dataclass(frozen=True, slots=True)
class Claimed:
    """A row that this worker may send now."""

    outbox_id: int
    conversation_id: str
    channel: str
    address: str
    message: Outgoing
    parts_sent: int
    created_at: datetime


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
    return [_claimed(row, channel, address) for row, address, channel in rows if _take(session, row.id, worker, due)]


def _claimed(row: OutboxMessage, channel: str, address: str) -> Claimed:
    message = Outgoing.from_json(row.body)
    return Claimed(row.id, row.conversation_id, channel, address, message, row.parts_sent, row.created_at)


def _take(session: Session, outbox_id: int, worker: str, due: ColumnElement[bool]) -> bool:
    taken = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, due)
        .values(state="sending", leased_by=worker, leased_until=now() + LEASE)
        .execution_options(synchronize_session=False)
    )
    return bool(taken.rowcount == 1)  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult


def reference(outbox_id: int, part: int, parts: int) -> str:
    """What a part carries to the provider, so that its receipt finds the row: ``12``, or ``12.1`` before the last."""
    return str(outbox_id) if part == parts else f"{outbox_id}.{part}"


def part_sent(session: Session, *, outbox_id: int, parts: int) -> None:
    """Records that the first ``parts`` parts went out, so that a later try does not repeat them."""
    row = session.get(OutboxMessage, outbox_id)
    if row is not None:
        row.parts_sent = max(row.parts_sent, parts)


def sent(session: Session, *, outbox_id: int, provider_id: str) -> None:
    """Records that the provider took the message."""
    row = session.get(OutboxMessage, outbox_id)
    if row is None or (row.state == "failed" and row.provider_id == provider_id):
        return  # its receipt, which says that it failed, was faster than the provider's own answer
    if row.provider_id != provider_id:
        row.provider_state = None  # what is known is about an earlier try
    row.state, row.sent_at, row.provider_id, row.problem = "sent", now(), provider_id, None
    row.leased_by = row.leased_until = None


def refused(session: Session, *, outbox_id: int, error: DeliveryError, limit: int = MAX_ATTEMPTS) -> str:
    """Records a failed try: tried again with growing pauses, or failed for good.

    Args:
        limit: Tries after which it is given up. A try that came too early (``retry_after``) does not count.

    Returns:
        The row's new state; empty when the row is gone.
    """
    row = session.get(OutboxMessage, outbox_id)
    if row is None or row.state == "sent":  # a receipt has settled it meanwhile
        return row.state if row is not None else ""
    row.problem = error.reason[:255]
    row.leased_by = row.leased_until = None
    row.attempts += error.retry_after is None
    if error.permanent or row.attempts >= limit:
        row.state = "failed"
    else:
        row.state, row.retry_at = "due", now() + timedelta(seconds=_pause(error, row.attempts))
    return row.state


def _pause(error: DeliveryError, attempts: int) -> float:
    if error.retry_after is not None:
        return error.retry_after
    pause = min(LONGEST_PAUSE, 2.0 ** min(attempts, 30))
    return max(pause, SETTLING) if error.uncertain else pause


def withdraw(session: Session, *, outbox_id: int, reason: str) -> None:
    """Takes a message back that must no longer be sent, such as a bot's answer after a claim."""
    row = session.get(OutboxMessage, outbox_id)
    if row is not None:
        row.state, row.problem, row.leased_by, row.leased_until = "withdrawn", reason, None, None


def free_leases(session: Session, *, settling: Collection[str] = ()) -> None:
    """Makes messages of a dead process due again. Only for a start-up at which no other can be running.

    Args:
        settling: Channels whose receipts tell whether an unfinished send had arrived: theirs wait for these.
    """
    freed = {"state": "due", "leased_by": None, "leased_until": None}
    dead = update(OutboxMessage).where(OutboxMessage.state == "sending").execution_options(synchronize_session=False)
    awaited = select(Conversation.id).where(Conversation.channel.in_(settling))
    later = now() + timedelta(seconds=SETTLING)
    session.execute(dead.where(OutboxMessage.conversation_id.in_(awaited)).values(retry_at=later, **freed))
    session.execute(dead.values(freed))


def retry(session: Session, *, outbox_id: int) -> bool:
    """Makes a failed message due again, as a counsellor asks for; whether there was one."""
    again = (
        update(OutboxMessage)
        .where(OutboxMessage.id == outbox_id, OutboxMessage.state == "failed")
        .values(state="due", attempts=0, retry_at=None, provider_state=None)
    )
    return bool(session.execute(again).rowcount)  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult


def unremembered(session: Session, *, limit: int = 50) -> list[OutboxMessage]:
    """Messages that were sent but are not in the assistant's transcript yet, in order."""
    rows = select(OutboxMessage).where(~OutboxMessage.remembered, OutboxMessage.state == "sent")
    return list(session.scalars(rows.order_by(OutboxMessage.id).limit(limit)))


def mark_remembered(session: Session, *, outbox_id: int) -> None:
    """Notes that the assistant's transcript has this message."""
    session.execute(update(OutboxMessage).where(OutboxMessage.id == outbox_id).values(remembered=True))
