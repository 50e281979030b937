"""Looks after channels: a revoked token, a lost webhook or a rejected template is noticed within minutes."""

import asyncio
import logging
from collections.abc import Sequence

from bot import metrics
from bot.messaging import health, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.protocols import Channel, Check, DeliveryError
from bot.storage.session import Database

logger = logging.getLogger(__name__)

LOOK_SECONDS = 60.0
SETTLING_SECONDS = 20.0  # in which the edge sets its webhooks
TEMPLATES_EVERY = 30  # looks


async def channel(database: Database, channel: Channel) -> None:
    """Looks at a channel until cancelled; what it finds is in the database, in the log and in the metrics."""
    looks = 0
    await asyncio.sleep(SETTLING_SECONDS)
    while True:
        try:
            await look(database, channel, with_templates=looks % TEMPLATES_EVERY == 0)
        except Exception:  # the next look may succeed, when the database is back
            logger.exception("a channel could not be looked at", extra={"channel": channel.name})
        looks += 1
        await asyncio.sleep(LOOK_SECONDS)


async def look(database: Database, channel: Channel, *, with_templates: bool = True) -> list[Check]:
    """Looks once, and notes what it finds."""
    checks = await health.look(channel)
    states: list[TemplateState] = []
    if with_templates and all(check.well for check in checks):
        try:
            states = await channel.templates()
        except DeliveryError as problem:
            checks = [*checks, Check(f"templates: {problem.reason}", False, "look at the token's permissions")]
    metrics.channel_up(channel.name, all(check.well for check in checks))
    await asyncio.to_thread(_note, database, channel.name, checks, states)
    return checks


def _note(database: Database, name: str, checks: Sequence[Check], states: Sequence[TemplateState]) -> None:
    with database.write() as session:
        changed = health.record(session, channel=name, checks=checks)
        templates.record(session, channel=name, states=states)
    if changed:
        problems = "; ".join(check.what for check in checks if not check.well)
        log = logger.error if problems else logger.info
        log("a channel changed its state", extra={"channel": name, "reason": problems or "well again"})
