"""Messages of people that were given up after bounded tries, until somebody decides about them."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import CursorResult, func, select, update
from sqlalchemy.orm import Session

from bot.storage.base import now
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage

SET_ASIDE = "set_aside"  # outcome of a message that nobody will answer any more


@dataclass(frozen=True, slots=True)
class Parked:
    """A parked message without its words, which are read in the case alone.

    ``case`` is the newest case of the same conversation, if it has one.
    """

    inbox_id: int
    received_at: datetime
    channel: str
    kind: str
    attempts: int
    problem: str
    case: Case | None


def count(session: Session) -> int:
    """How many messages are parked."""
    return session.scalar(select(func.count()).where(InboxMessage.state == "parked")) or 0


def listed(session: Session, *, limit: int = 50) -> list[Parked]:
    """Parked messages, the newest first."""
    rows = select(InboxMessage).where(InboxMessage.state == "parked").order_by(InboxMessage.id.desc()).limit(limit)
    messages = list(session.scalars(rows))
    cases = newest_cases(session, {row.conversation_id for row in messages})
    return [
        Parked(
            inbox_id=row.id,
            received_at=row.received_at,
            channel=row.channel,
            kind=row.kind,
            attempts=row.attempts,
            problem=row.problem or "",
            case=cases.get(row.conversation_id),
        )
        for row in messages
    ]


def newest_cases(session: Session, conversations: Collection[str]) -> dict[str, Case]:
    """The newest case of each of these conversations that has one."""
    rows = select(Case).where(Case.conversation_id.in_(conversations)).order_by(Case.id)
    return {case.conversation_id: case for case in session.scalars(rows)}


def try_again(session: Session, *, inbox_id: int) -> bool:
    """Lets a parked message be answered after all; whether it was parked."""
    return _settle(session, inbox_id, state="waiting", attempts=0, retry_at=None, problem=None, done_at=None)


def set_aside(session: Session, *, inbox_id: int) -> bool:
    """Ends a parked message without an answer; whether it was parked."""
    return _settle(session, inbox_id, state="done", outcome=SET_ASIDE, done_at=now())


def _settle(session: Session, inbox_id: int, **values: object) -> bool:
    settled = session.execute(
        update(InboxMessage)
        .where(InboxMessage.id == inbox_id, InboxMessage.state == "parked")
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    return isinstance(settled, CursorResult) and settled.rowcount == 1
