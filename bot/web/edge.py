"""What the edge process holds; views reach it as ``request.app.state.edge``."""

import asyncio
import logging
from dataclasses import dataclass, field

from starlette.requests import Request

from bot import metrics
from bot.content.catalogue import Catalogue
from bot.handoff.hours import OpeningHours
from bot.messaging import contacts, receipts, templates
from bot.messaging.hooks import Heard
from bot.messaging.messages import Incoming
from bot.messaging.protocols import Channel, Poke
from bot.settings import Settings
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.hub import Hub

logger = logging.getLogger(__name__)

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
    channels: dict[str, Channel] = field(default_factory=dict)
    _lines: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(4))
    _courtesies: set[asyncio.Task[None]] = field(default_factory=set)

    async def hear(self, heard: Heard, channel: Channel) -> None:
        """Stores what a channel heard; everything is on disk when this returns.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: Something could not be stored; the provider must send it again.
        """
        if heard.unreadable:
            metrics.unreadable(channel.name, heard.unreadable)
            logger.warning("messages could not be read", extra={"channel": channel.name, "count": heard.unreadable})
        await asyncio.gather(*(self.take(incoming, channel) for incoming in heard.messages))
        if heard.receipts or heard.moves or heard.templates:
            await asyncio.to_thread(self._note, channel.name, heard)

    def _note(self, channel: str, heard: Heard) -> None:
        with self.database.write() as session:
            for receipt in heard.receipts:
                receipts.note(session, channel=channel, receipt=receipt)
            for move in heard.moves:
                contacts.move(session, move=move)
            templates.record(session, channel=channel, states=heard.templates)

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
