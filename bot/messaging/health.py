"""Whether channels still work: looked at every minute, because a revoked token makes no noise by itself."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.messaging.protocols import Channel, Check, DeliveryError
from bot.storage.base import now
from bot.storage.channels import ChannelHealth

_TOKEN = "put a valid token into the settings; until then nothing is sent or received here"  # noqa: S105  # words
_AWAY = "look at the provider's status page and at this machine's network; messages wait and are tried again"


async def look(channel: Channel) -> list[Check]:
    """What a channel finds out about itself; a refusal of the provider is a finding like others."""
    try:
        return await channel.check()
    except DeliveryError as problem:
        return [Check(problem.reason, False, _TOKEN if "token" in problem.reason else _AWAY)]


def record(session: Session, *, channel: str, checks: Sequence[Check]) -> bool:
    """Notes what a look found.

    Returns:
        Whether the channel became well or unwell by it.
    """
    problem = "; ".join(check.what for check in checks if not check.well)[:255]
    row = session.get(ChannelHealth, channel)
    known = row is not None
    if row is None:
        row = ChannelHealth(channel=channel, well=not problem, since=now())
        session.add(row)
    changed = not known or row.well is bool(problem)
    if changed:
        row.well, row.since = not problem, now()
    row.problem, row.checked_at = problem, now()
    return changed and (known or bool(problem))


def all_known(session: Session) -> list[ChannelHealth]:
    """The last look at every channel."""
    return list(session.scalars(select(ChannelHealth).order_by(ChannelHealth.channel)))
