"""How fast one person is written to, counted in the database so that all processes together keep the limit."""

from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.messaging.protocols import Pace
from bot.storage.base import now
from bot.storage.outbox import OutboxMessage


def wait(session: Session, *, conversation_id: str, pace: Pace | None) -> float:
    """Seconds to wait before the person may get another message; 0 when it may go out now.

    A burst of ``n`` refills in ``n * seconds``: no more than the burst is ever sent in that time.
    """
    if pace is None:
        return 0.0
    span = timedelta(seconds=pace.burst * pace.seconds)
    recent = session.execute(
        select(
            func.count(), func.coalesce(func.sum(OutboxMessage.parts_sent), 0), func.min(OutboxMessage.sent_at)
        ).where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.sent_at > now() - span)
    ).one()
    if recent[0] + recent[1] < pace.burst:
        return 0.0
    oldest: datetime = recent[2]
    return max(1.0, (oldest + span - now()).total_seconds())
