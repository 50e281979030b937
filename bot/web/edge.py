"""What the edge process holds; views reach it as ``request.app.state.edge``."""

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from starlette.requests import Request

from bot.content.catalogue import Catalogue
from bot.handoff.hours import OpeningHours
from bot.messaging.messages import Incoming
from bot.messaging.protocols import Channel, Poke
from bot.settings import Settings
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.hub import Hub

if TYPE_CHECKING:
    from bot.channels.telegram import TelegramChannel
    from bot.channels.whatsapp import WhatsAppChannel


COURTESY_SECONDS = 0.4


@dataclass
class Edge:
    """The objects behind the web application."""

    settings: Settings
    database: Database
    poke: Poke
    acceptor: Acceptor
    hub: Hub
    catalogue: Catalogue
    hours: OpeningHours
    telegram: "TelegramChannel | None" = None
    whatsapp: "WhatsAppChannel | None" = None
    _lines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    _courtesies: set[asyncio.Task[None]] = field(default_factory=set)

    async def take(self, incoming: Incoming, channel: Channel) -> None:
        """Stores a message, then shows the person that it was read; the provider waits for the first only."""
        accepted = await self.acceptor.accept(incoming)
        if accepted is None or accepted.limited:
            return
        task = asyncio.create_task(self._courtesy(incoming, channel))
        self._courtesies.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._courtesies.discard)

    async def _courtesy(self, incoming: Incoming, channel: Channel) -> None:
        # most answers leave before this: the sign is for those that take longer, and must not delay any
        await asyncio.sleep(COURTESY_SECONDS)
        async with self._lines:
            await channel.typing(incoming.address, incoming.message_id)


def edge_of(request: Request) -> Edge:
    """The edge that serves this request."""
    edge: Edge = request.app.state.edge
    return edge
