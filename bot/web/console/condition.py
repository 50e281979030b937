"""How each channel does: its health as last looked at, and what became of its messages lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from bot.messaging import health
from bot.messaging.protocols import Channel
from bot.storage.base import now
from bot.storage.channels import ChannelHealth
from bot.storage.conversation import Conversation
from bot.storage.outbox import OutboxMessage
from bot.web.console import words

LATELY = timedelta(days=7)
STALE = timedelta(minutes=5)  # the brain looks every minute; an older look tells that it does not run
WEB = "web"  # the edge itself: who reads the page knows that it works


@dataclass(frozen=True, slots=True)
class Condition:
    """One channel as the page shows it.

    Attributes:
        state: ``well``, ``unwell``, ``stale`` (nobody looked lately) or ``unknown`` (nobody ever looked).
        since: When it became well or unwell; empty when that is not known.
        looked: When it was looked at last.
        heard: When the last message came in; ``sent``: when the last one went out.
        waiting: Messages to be sent; ``held``: those that wait for the person.
        failed: Messages of the last 7 days that could not be delivered.
    """

    name: str
    label: str
    state: str
    problem: str
    since: str
    looked: str
    heard: str
    sent: str
    waiting: int
    held: int
    failed: int


def load(session: Session, channels: Mapping[str, Channel], zone: ZoneInfo) -> list[Condition]:
    """Reads how every channel of this installation does, the web chat last."""
    looks = {row.channel: row for row in health.all_known(session)}
    counts, heard = _counts(session), _heard(session)
    labels = {name: channel.label or words.channel(name) for name, channel in channels.items()}
    found = []
    for name, label in (labels | {WEB: words.channel(WEB)}).items():
        look = looks.get(name)
        found.append(
            Condition(
                name=name,
                label=label,
                state=_state(name, look),
                problem=look.problem if look else "",
                since=clock(look.since if look else None, zone),
                looked=clock(look.checked_at if look else None, zone),
                heard=clock(heard.get(name), zone),
                sent=clock(_sent(session, name), zone),
                waiting=counts.get((name, "due"), 0) + counts.get((name, "sending"), 0),
                held=counts.get((name, "held"), 0),
                failed=counts.get((name, "failed"), 0),
            )
        )
    return found


def alarms(session: Session, channels: Mapping[str, Channel]) -> list[tuple[str, str]]:
    """Names of the channels that do not work, and why; one small query, asked for every page."""
    return [
        (channels[row.channel].label or words.channel(row.channel), row.problem)
        for row in health.all_known(session)
        if not row.well and row.channel in channels
    ]


def _state(name: str, look: ChannelHealth | None) -> str:
    if name == WEB:
        return "well"
    if look is None:
        return "unknown"
    if now() - look.checked_at > STALE:
        return "stale"
    return "well" if look.well else "unwell"


def _counts(session: Session) -> dict[tuple[str, str], int]:
    state, lately = OutboxMessage.state, OutboxMessage.created_at > now() - LATELY
    rows = (
        select(Conversation.channel, state, func.count())
        .join(Conversation, Conversation.id == OutboxMessage.conversation_id)
        .where(state.in_(("due", "sending", "held", "failed")), or_(state != "failed", lately))
        .group_by(Conversation.channel, state)
    )
    return {(row[0], row[1]): row[2] for row in session.execute(rows)}


def _heard(session: Session) -> dict[str, datetime]:
    rows = select(Conversation.channel, func.max(Conversation.last_inbound_at)).group_by(Conversation.channel)
    return {row[0]: row[1] for row in session.execute(rows)}


def _sent(session: Session, channel: str) -> datetime | None:
    # newest first and one only: with messages in the channel this ends at once, however many there are
    rows = select(OutboxMessage.sent_at).join(Conversation, Conversation.id == OutboxMessage.conversation_id)
    rows = rows.where(Conversation.channel == channel, OutboxMessage.sent_at.is_not(None))
    return session.scalar(rows.order_by(OutboxMessage.id.desc()).limit(1))


def clock(at: datetime | None, zone: ZoneInfo) -> str:
    """A moment in the console's time zone; empty when there was none."""
    return words.moment(at.astimezone(zone), now().astimezone(zone)) if at else ""
