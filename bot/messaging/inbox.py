"""Accepting messages: stored once, whatever a provider repeats, and handed out one conversation at a time."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, func, or_, select, tuple_, update
from sqlalchemy.orm import Session, aliased

from bot.languages import DEFAULT
from bot.messaging import contacts, held, outbox, ratelimit
from bot.messaging.messages import Incoming, Outgoing
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.inbox import InboxMessage, Tombstone
from bot.texts import text

TEXT_KEPT = 16_000  # characters; far above what any channel lets a person send
LEASE = timedelta(seconds=60)
MAX_ATTEMPTS = 5
LONGEST_OUTAGE = timedelta(days=1)  # what cannot be answered for so long is parked, whoever is to blame
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
    fresh = {key: incoming for incoming in messages if (key := (incoming.channel, incoming.message_id)) not in known}
    rows: dict[tuple[str, str], tuple[InboxMessage, Conversation]] = {}
    conversations = contacts.find_or_make(session, list(fresh.values()))
    for (key, incoming), conversation in zip(fresh.items(), conversations, strict=True):
        rows[key] = (_row(incoming, conversation, per_minute), conversation)
        session.add(rows[key][0])
    session.flush()
    if rows:
        held.release(session, conversations={conversation.id for _, conversation in rows.values()})
    # of a message that is there twice, the first was stored
    pairs = (rows.pop((incoming.channel, incoming.message_id), None) for incoming in messages)
    return [_accepted(session, *pair) if pair else None for pair in pairs]


def _known(session: Session, messages: Sequence[Incoming]) -> set[tuple[str, str]]:
    """Which of these messages are in the inbox already, or were before they were erased."""
    keys = [(incoming.channel, incoming.message_id) for incoming in messages]
    columns = (InboxMessage.channel, InboxMessage.message_id)
    found = {(row[0], row[1]) for row in session.execute(select(*columns).where(tuple_(*columns).in_(keys)))}
    digests = {digest(*key): key for key in keys}
    erased = session.scalars(select(Tombstone.digest).where(Tombstone.digest.in_(digests)))
    return found | {digests[row] for row in erased}


def digest(channel: str, message_id: str) -> str:
    """What a tombstone keeps of an erased message: a hash that tells its repetition, and nothing else."""
    return hashlib.sha256(f"{channel}\0{message_id}".encode("utf-8", "replace")).hexdigest()


def _row(incoming: Incoming, conversation: Conversation, per_minute: int) -> InboxMessage:
    moment = now()
    conversation.rate_tokens, passes = ratelimit.take(
        conversation.rate_tokens, conversation.rate_at, moment, per_minute=per_minute
    )
    conversation.rate_at = moment
    conversation.last_inbound_at = _written(incoming, conversation, moment)
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


def _written(incoming: Incoming, conversation: Conversation, moment: datetime) -> datetime:
    """When the person wrote last: what the provider says, because webhooks come up to days late, but never later
    than now, whatever its clock says, and never earlier than an earlier message."""
    said = min(incoming.sent_at or moment, moment)
    return max(said, conversation.last_inbound_at or said)


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


def candidates(session: Session) -> list[str]:
    """Conversations that could be leased now, those whose oldest waiting message came first; takes no lock."""
    moment = now()
    pausing = aliased(InboxMessage)
    # what comes behind a message that is to be tried again later waits with it
    paused = (
        select(pausing.id)
        .where(pausing.state == "waiting", pausing.conversation_id == InboxMessage.conversation_id)
        .where(pausing.retry_at > moment)
        .exists()
    )
    found = (
        select(InboxMessage.conversation_id)
        .join(Conversation)
        .where(InboxMessage.state == "waiting", _free(moment), ~paused)
        .group_by(InboxMessage.conversation_id)
        .order_by(func.min(InboxMessage.id))
        .limit(8)
    )
    return list(session.scalars(found))


def _free(moment: datetime) -> ColumnElement[bool]:
    return or_(Conversation.leased_until.is_(None), Conversation.leased_until < moment)


def lease(session: Session, *, conversations: Sequence[str], worker: str) -> str | None:
    """Leases the first of these conversations that is still free; one worker holds it at a time."""
    moment = now()
    for conversation_id in conversations:
        claimed = session.execute(
            update(Conversation)
            .where(Conversation.id == conversation_id, _free(moment))
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


def failed(session: Session, *, inbox_id: int, problem: str, counts: bool = True) -> bool:
    """Notes a failed try: the message is tried again with growing pauses, then parked.

    Reads no more of the row than it must: the row itself may be what cannot be read.

    Args:
        counts: Whether the message may be to blame; an outage of something else does not count.

    Returns:
        Whether it is now parked.
    """
    row = select(InboxMessage.attempts, InboxMessage.received_at).where(InboxMessage.id == inbox_id)
    known = session.execute(row).one()
    attempts = known.attempts + counts
    parked: bool = attempts >= MAX_ATTEMPTS or now() - known.received_at > LONGEST_OUTAGE
    session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == inbox_id)
        .values(
            attempts=attempts,
            problem=problem[:255],
            state="parked" if parked else "waiting",
            done_at=now() if parked else None,
            retry_at=now() + timedelta(seconds=2 ** max(1, attempts)),
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
