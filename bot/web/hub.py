"""Wakes open pages of this process when something changed. Pages then look into the database themselves."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.messaging.protocols import Poke

TOPICS = ("replies", "inbox", "console")


class Hub:
    """Fans pokes out to the live streams of one process."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Event, str | None] = {}

    async def run(self, poke: Poke) -> None:
        """Listens to pokes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for topic in TOPICS:
                tasks.create_task(poke.listen(topic, self.wake))

    def wake(self, key: str = "") -> None:
        """Wakes the streams that watch ``key``; all of them when it is empty."""
        for event, watched in self._waiting.items():
            if not key or watched is None or watched == key:
                event.set()

    @asynccontextmanager
    async def watch(self, key: str | None = None) -> AsyncIterator[asyncio.Event]:
        """An event that is set when ``key`` has news; any news when it is ``None``."""
        event = asyncio.Event()
        self._waiting[event] = key
        try:
            yield event
        finally:
            del self._waiting[event]
