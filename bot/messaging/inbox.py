"""Accepting messages: stored once, whatever a provider repeats, and handed out one conversation at a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, or_, select, tuple_, update
from sqlalchemy.orm import Session

from bot.languages import DEFAULT
from bot.messaging import outbox, ratelimit
from bot.messaging.messages import Incoming, Outgoing
from bot.storage.base import now
from bot.storage.conversation import Contact, Conversation, pseudonym
from bot.storage.inbox import InboxMessage
from bot.texts import text

TEXT_KEPT = 16_000  # characters; far above what any channel lets a person send
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5
STUCK_SECONDS = 120.0  # a message that waits longer tells that nobody answers


@dataclass(frozen=True, slots=True)
class Accepted:
    """What became of an incoming message."""

    inbox_id: int
    conversation_id: str
    limited: bool = False


def accept(session: Session, incoming: Incoming, *, per_minute: int) -> Accepted | None:
    """Stores one message; see ``accept_all``."""
    return accept_all(session, [incoming], per_minute=per_minute)[0]


def accept_all(session: Session, messages: Sequence[Incoming], *, per_minute: int) -> list[Accepted | None]:
    """Stores messages in the inbox, in order, with as few statements as if they were one.

    Args:
        per_minute: Messages a person may send in a minute; more are kept but not answered.

    Returns:
        For each message what became of it; ``None`` when it was accepted before.

    Raises:
        sqlalchemy.exc.IntegrityError: The same message, or a person's first contact, is being stored by
            another process at this instant. Repeat the transaction: it will see the other's.
    """
    known = _known(session, messages)
    conversations = _conversations(session, messages)
    stored: list[tuple[InboxMessage, Conversation] | None] = []
    for incoming in messages:
        key = (incoming.channel, incoming.message_id)
        if key in known:
            stored.append(None)
            continue
        known.add(key)
        conversation = conversations[incoming.channel, incoming.address]
        row = _row(incoming, conversation, per_minute)
        session.add(row)
        stored.append((row, conversation))
    session.flush()
    return [_accepted(session, *pair) if pair else None for pair in stored]


def _known(session: Session, messages: Sequence[Incoming]) -> set[tuple[str, str]]:
    """Which of these messages are in the inbox already."""
    keys = [(incoming.channel, incoming.message_id) for incoming in messages]
    columns = (InboxMessage.channel, InboxMessage.message_id)
    return {(row[0], row[1]) for row in session.execute(select(*columns).where(tuple_(*columns).in_(keys)))}


def _conversations(session: Session, messages: Sequence[Incoming]) -> dict[tuple[str, str], Conversation]:
    """The conversations behind the messages' addresses; new ones are made."""
    keys = list(dict.fromkeys((incoming.channel, incoming.address) for incoming in messages))
    columns = (Contact.channel, Contact.address)
    rows = session.execute(select(*columns, Conversation).join(Conversation).where(tuple_(*columns).in_(keys)))
    found = {(channel, address): conversation for channel, address, conversation in rows}
    for channel, address in keys:
        if (channel, address) not in found:
            made = Conversation(id=pseudonym(), channel=channel, rate_tokens=-1.0)
            made.contact = Contact(channel=channel, address=address)
            session.add(made)
            found[channel, address] = made
    return found


def _row(incoming: Incoming, conversation: Conversation, per_minute: int) -> InboxMessage:
    moment = now()
    conversation.rate_tokens, passes = ratelimit.take(
        conversation.rate_tokens, conversation.rate_at, moment, per_minute=per_minute
    )
    conversation.rate_at = moment
    conversation.last_inbound_at = moment
    conversation.locale = incoming.locale or conversation.locale
    return InboxMessage(
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


def _accepted(session: Session, row: InboxMessage, conversation: Conversation) -> Accepted:
    if row.state == "limited":
        _ask_for_patience(session, conversation, row.received_at)
    return Accepted(row.id, conversation.id, limited=row.state == "limited")


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
    someone = Incoming(channel=channel, message_id="", address=address)
    found = _conversations(session, [someone])[channel, address]
    session.flush()
    return found


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
