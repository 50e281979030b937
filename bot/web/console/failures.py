"""Messages that could not be delivered lately, by reason and one by one; never with their words."""

from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from bot.messaging import parked
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case
from bot.storage.outbox import OutboxMessage
from bot.web.console import words
from bot.web.console.condition import LATELY, clock


@dataclass(frozen=True, slots=True)
class Cause:
    """Why messages of one channel failed, and how many did."""

    channel: str
    problem: str
    count: int


@dataclass(frozen=True, slots=True)
class Failure:
    """One message that failed. ``case`` is the newest case of the same conversation, if it has one."""

    outbox_id: int
    at: str
    channel: str
    speaker: str
    problem: str
    case: Case | None


def causes(session: Session) -> list[Cause]:
    """The reasons of the last 7 days, the most frequent first."""
    number = func.count().label("number")
    rows = (
        select(Conversation.channel, OutboxMessage.problem, number)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(_lately())
        .group_by(Conversation.channel, OutboxMessage.problem)
        .order_by(number.desc(), Conversation.channel, OutboxMessage.problem)
    )
    return [Cause(words.channel(row[0]), row[1] or "", row[2]) for row in session.execute(rows)]


def newest(session: Session, zone: ZoneInfo, *, limit: int = 50) -> list[Failure]:
    """The newest messages of the last 7 days that failed."""
    rows = (
        select(OutboxMessage, Conversation.channel)
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(_lately())
        .order_by(OutboxMessage.id.desc())
        .limit(limit)
    )
    found = session.execute(rows).all()
    cases = parked.newest_cases(session, {row.conversation_id for row, _ in found})
    return [
        Failure(
            outbox_id=row.id,
            at=clock(row.created_at, zone),
            channel=words.channel(channel),
            speaker=words.speaker(row.speaker),
            problem=row.problem or "",
            case=cases.get(row.conversation_id),
        )
        for row, channel in found
    ]


def _lately() -> ColumnElement[bool]:
    return (OutboxMessage.state == "failed") & (OutboxMessage.created_at > now() - LATELY)
