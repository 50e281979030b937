"""Delivery with the real channel, the real databases and a provider that fails as providers do; the clock is moved."""

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import datetime

import pytest
import time_machine
from sqlalchemy import func, select

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging import inbox, outbox
from bot.messaging.messages import Incoming, Outgoing
from bot.settings import Settings
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.worker.delivery import Delivery
from tests.conftest import NOON
from tests.support.graph import Graph
from tests.support.line import Line
from tests.support.rate import Rate
from tests.support.server import serve

PERSON = "32470000001"


@pytest.fixture
def graph() -> Graph:
    return Graph(pair=Rate(45, 6.0, clock=time.time))  # its clock is moved with ours


@pytest.fixture
def line(graph: Graph) -> Line:
    return Line(graph.app)


@pytest.fixture
def settings(graph: Graph, line: Line) -> Iterator[Settings]:
    with serve(line) as url:
        yield Settings(
            whatsapp_token=graph.token,
            whatsapp_phone_id=graph.phone_id,
            whatsapp_app_secret="app-secret",
            whatsapp_verify_token="handshake",
            whatsapp_api=url,
        )


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[WhatsAppChannel]:
    made = WhatsAppChannel(settings)
    yield made
    await made.close()


@pytest.fixture
def clock() -> Iterator[time_machine.Traveller]:
    with time_machine.travel(NOON, tick=False) as coordinates:
        yield coordinates


@dataclass
class Desk:
    """What a test does with the database and with time."""

    database: Database
    delivery: Delivery
    clock: time_machine.Traveller
    causes: int = 0

    def hear(self, number: int = 1, person: str = PERSON, sent_at: datetime | None = None) -> str:
        """A person writes; returns the conversation."""
        incoming = Incoming("whatsapp", f"wamid.{person}.{number}", person, text="hi", sent_at=sent_at)
        with self.database.write() as session:
            return inbox.accept(session, incoming, per_minute=1000).conversation_id

    def say(self, conversation_id: str, words: str = "hello") -> int:
        """Queues a reply."""
        self.causes += 1
        with self.database.write() as session:
            message = Outgoing(words, "en")
            return outbox.put(session, conversation_id=conversation_id, cause=f"c:{self.causes}", message=message)

    def row(self, outbox_id: int) -> OutboxMessage:
        with self.database.read() as session:
            return session.get_one(OutboxMessage, outbox_id)

    async def deliver(self) -> None:
        """Delivers what is due at this moment."""
        while await self.delivery.deliver_due():
            pass

    async def deliver_until(self, end: datetime) -> None:
        """Delivers, jumping from each moment at which something is due to the next, until ``end``."""
        await self.deliver()
        while (next_ := self._next()) is not None and next_ <= end:
            self.clock.move_to(next_)
            await self.deliver()
        self.clock.move_to(end)

    def _next(self) -> datetime | None:
        with self.database.read() as session:
            return session.scalar(select(func.min(OutboxMessage.retry_at)).where(OutboxMessage.state == "due"))


@pytest.fixture
def desk(database: Database, channel: WhatsAppChannel, clock: time_machine.Traveller) -> Desk:
    return Desk(database, Delivery(database, {"whatsapp": channel}, "w"), clock)
