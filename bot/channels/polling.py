"""Fetching updates in a loop, for installations without a public address."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from bot.messaging.protocols import DeliveryError

LONGEST_PAUSE = 60.0  # seconds

log = logging.getLogger(__name__)


async def poll(
    prepare: Callable[[], Awaitable[None]],
    fetch: Callable[[int], Awaitable[list[dict[str, Any]]]],
    take: Callable[[dict[str, Any]], Awaitable[None]],
    *,
    pause: float,
) -> None:
    """Fetches updates until cancelled.

    Args:
        prepare: Called once before the first fetch, and again until it succeeds.
        fetch: Returns the updates from an offset on; asking for a higher offset confirms all below it.
        take: Stores one update. Only when it returned for all of them is the offset raised, so a crash loses
            nothing and may bring an update twice.
        pause: Seconds to wait after a failure, doubled up to a minute while failures go on.
    """
    offset, wait, prepared = 0, pause, False
    while True:
        try:
            if not prepared:
                await prepare()
                prepared = True
            updates = await fetch(offset)
            for update in updates:
                await take(update)
            offset = max([offset, *(update["update_id"] + 1 for update in updates)])
            wait = pause
        except Exception as problem:  # polling outlives every failure, and says so
            known = problem if isinstance(problem, DeliveryError) else None
            # an unknown error's own words may quote what somebody wrote
            log.warning("polling failed", extra={"reason": known.reason if known else type(problem).__name__})
            await asyncio.sleep(max(wait, (known.retry_after if known else None) or 0.0))
            wait = min(LONGEST_PAUSE, wait * 2)
