"""Accepting messages: stored once, whatever a provider repeats, and handed out one conversation at a time."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, update
from sqlalchemy.orm import Session

from bot.languages import DEFAULT
from bot.messaging import outbox, ratelimit
from bot.messaging.messages import Incoming, Outgoing
from bot.storage.base import now
from bot.storage.conversation import Contact, Conversation
from bot.storage.inbox import InboxMessage
from bot.texts import text

TEXT_KEPT = 16_000  # characters; far above what any channel lets a person send
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an incoming message."""

    inbox_id: int
    conversation_id: str
    limited: bool = False


def accept(session: Session, incoming: Incoming, *, per_minute: int) -> Accepted | None:
    """Stores a message in the inbox.

    Args:
        per_minute: Messages a person may send in a minute; more are kept but not answered.

    Returns:
        ``None`` when this message was accepted before.

    Raises:
        sqlalchemy.exc.IntegrityError: The same message, or the person's first contact, is being stored by
            another process at this instant. Repeat the transaction: it will see the other's.
    """
    return None if _known(session, incoming) else _store(session, incoming, per_minute)


def _known(session: Session, incoming: Incoming) -> bool:
    same = (InboxMessage.channel == incoming.channel, InboxMessage.message_id == incoming.message_id)
    return session.scalar(select(InboxMessage.id).where(*same)) is not None


def _store(session: Session, incoming: Incoming, per_minute: int) -> Accepted:
    conversation = conversation_of(session, channel=incoming.channel, address=incoming.address)
    moment = now()
    conversation.rate_tokens, passes = ratelimit.take(
        conversation.rate_tokens, conversation.rate_at, moment, per_minute=per_minute
    )
    conversation.rate_at = moment
    conversation.last_inbound_at = moment
    conversation.locale = incoming.locale or conversation.locale
    row = InboxMessage(
        conversation_id=conversation.id,
        channel=incoming.channel,
        message_id=incoming.message_id,
        kind=incoming.kind,
        text=_storable(incoming.text)[:TEXT_KEPT],
        payload=_storable(incoming.payload)[:255],
        media=incoming.media,
        state="waiting" if passes else "limited",
        received_at=moment,
    )
    session.add(row)
    session.flush()
    if not passes:
        _ask_for_patience(session, conversation, moment)
    return Accepted(row.id, conversation.id, limited=not passes)


def _ask_for_patience(session: Session, conversation: Conversation, moment: datetime) -> None:
    language = conversation.language or DEFAULT
    word = Outgoing(text("rate_limited", language), language, speaker="system")
    # the cause names the minute: however many messages come, one word a minute is said
    outbox.put(
        session, conversation_id=conversation.id, cause=f"limited:{conversation.id}:{moment:%Y%m%d%H%M}", message=word
    )


def _storable(text: str) -> str:
    # PostgreSQL refuses NUL, and a lone surrogate cannot be encoded
    return text.replace("\x00", "").encode("utf-8", "replace").decode("utf-8")


def conversation_of(session: Session, *, channel: str, address: str) -> Conversation:
    """The conversation behind an address, made if there is none."""
    found = session.scalar(
        select(Conversation).join(Contact).where(Contact.channel == channel, Contact.address == address)
    )
    if found is not None:
        return found
    made = Conversation(channel=channel)
    made.contact = Contact(channel=channel, address=address)
    session.add(made)
    session.flush()
    return made


def lease_next(session: Session, *, worker: str) -> str | None:
    """Leases the conversation whose oldest waiting message came first; one worker holds it at a time.

    Returns:
        The conversation's id, or ``None`` when nothing waits.
    """
    moment = now()
    free = or_(Conversation.leased_until.is_(None), Conversation.leased_until < moment)
    candidates = (
        select(InboxMessage.conversation_id)
        .join(Conversation)
        .where(InboxMessage.state == "waiting", free)
        .where(or_(InboxMessage.retry_at.is_(None), InboxMessage.retry_at <= moment))
        .group_by(InboxMessage.conversation_id)
        .order_by(func.min(InboxMessage.id))
        .limit(8)
    )
    for conversation_id in session.scalars(candidates):
        claimed = session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, free)
            .values(leased_by=worker, leased_until=moment + LEASE)
            .execution_options(synchronize_session=False)
        )
        if claimed.rowcount == 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
            return conversation_id
    return None


def release(session: Session, *, conversation_id: str, worker: str) -> None:
    """Gives a leased conversation back."""
    session.execute(
        update(Conversation)
        .where(Conversation.id == conversation_id, Conversation.leased_by == worker)
        .values(leased_by=None, leased_until=None)
    )


def release_all(session: Session) -> None:
    """Frees every lease. Only for a start-up at which no other worker can be running."""
    session.execute(update(Conversation).values(leased_by=None, leased_until=None))


def next_waiting(session: Session, *, conversation_id: str) -> InboxMessage | None:
    """The oldest waiting message of a conversation, unless it is to be tried again later."""
    row = session.scalar(
        select(InboxMessage)
        .where(InboxMessage.conversation_id == conversation_id, InboxMessage.state == "waiting")
        .order_by(InboxMessage.id)
        .limit(1)
    )
    return None if row is None or (row.retry_at is not None and row.retry_at > now()) else row


def failed(session: Session, *, inbox_id: int, problem: str) -> bool:
    """Notes a failed try: the message is tried again with growing pauses, then parked.

    Reads no more of the row than it must: the row itself may be what cannot be read.

    Returns:
        Whether it is now parked.
    """
    attempts = 1 + (session.scalar(select(InboxMessage.attempts).where(InboxMessage.id == inbox_id)) or 0)
    parked = attempts >= MAX_ATTEMPTS
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == inbox_id)
        .values(
            attempts=attempts,
            problem=problem[:255],
            state="parked" if parked else "waiting",
            done_at=now() if parked else None,
            retry_at=now() + timedelta(seconds=2**attempts),
        )
    )
    return parked


def first_waiting(session: Session, *, conversation_id: str) -> int | None:
    """Id of the oldest waiting message of a conversation."""
    where = (InboxMessage.conversation_id == conversation_id, InboxMessage.state == "waiting")
    return session.scalar(select(func.min(InboxMessage.id)).where(*where))


def oldest_waiting(session: Session) -> datetime | None:
    """When the oldest unanswered message came; ``None`` when all are answered."""
    return session.scalar(select(func.min(InboxMessage.received_at)).where(InboxMessage.state == "waiting"))
