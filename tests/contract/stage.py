"""A channel between its platform and our inbox and outbox, all of them real."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

import httpx
import time_machine
from sqlalchemy import func, select

from bot.messaging import outbox
from bot.messaging.messages import Outcome, Outgoing, Response, Turn
from bot.messaging.protocols import Channel
from bot.storage.base import now
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.worker.answering import Answering
from bot.worker.delivery import Delivery
from tests.contract.line import Fault, Line
from tests.contract.peer import Call, Choice, Peer, Seen


@dataclass
class Listener:
    """An assistant that listens and says nothing."""

    turns: list[Turn] = field(default_factory=list)

    async def respond(self, turn: Turn) -> Response:
        self.turns.append(turn)
        return Response((), (), Outcome("smalltalk", language="en"))

    async def remember(self, conversation_id: str, *, key: str, text: str, speaker: str) -> None:
        """Keeps no transcript."""

    async def forget(self, conversation_id: str) -> None:
        """Has nothing to forget."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who has written once."""

    address: str
    conversation_id: str
    greeting: int  # messages received before the test begins


@dataclass
class Stage:
    """One installation with one channel, and the clock in hand."""

    peer: Peer
    line: Line
    client: httpx.AsyncClient
    database: Database
    channel: Channel | None
    delivery: Delivery
    answering: Answering
    listener: Listener
    clock: time_machine.Traveller
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def meet(self, number: int = 1) -> Person:
        """A person writes for the first time and is greeted."""
        address = self.peer.address(number)
        assert await self.write(address, "hello") < 300
        conversation_id = self.inbox()[-1].conversation_id
        await self.answer()
        return Person(address, conversation_id, len(await self.peer.seen(self.client, address)))

    async def post(self, call: Call) -> int:
        """The status of our answer to a request."""
        return (await self.client.post(call.path, content=call.content, headers=call.headers)).status_code

    async def write(self, address: str, text: str, number: int | None = None) -> int:
        """A person writes; the same ``number`` is the same message."""
        return await self.post(self.peer.written(address, text, number or next(self._numbers)))

    async def choose(self, person: Person, choice: Choice) -> None:
        """A person makes a choice, and it is answered."""
        assert await self.post(self.peer.pressed(person.address, choice, next(self._numbers))) < 300
        await self.answer()

    async def answer(self) -> None:
        """Answers all that waits, and delivers the answers."""
        while await self.answering.answer_next():
            pass
        await self.deliver()

    def put(self, person: Person, message: Outgoing | str) -> int:
        """Queues a message; its outbox id."""
        message = Outgoing(message, "en") if isinstance(message, str) else message
        with self.database.write() as session:
            cause = f"test:{next(self._numbers)}"
            return outbox.put(session, conversation_id=person.conversation_id, cause=cause, message=message)

    async def reply(self, person: Person, *messages: Outgoing | str) -> list[int]:
        """Queues messages and delivers them until nothing is left; their outbox ids."""
        numbers = [self.put(person, message) for message in messages]
        await self.settle()
        return numbers

    async def deliver(self) -> None:
        """Delivers what is due now."""
        while await self.delivery.deliver_due():
            pass

    async def settle(self) -> None:
        """Delivers until nothing is left, however long the pauses are."""
        await self.deliver()
        while later := self._next_try():
            self.clock.move_to(later, tick=False)
            await self.deliver()

    def _next_try(self) -> datetime | None:
        tried = (OutboxMessage.state == "due") & (OutboxMessage.retry_at > now())
        with self.database.read() as session:
            return session.scalar(select(func.min(OutboxMessage.retry_at)).where(tried))

    def disturb(self, fault: Fault, after: int = 0) -> None:
        """Disturbs one call to the platform after ``after`` others."""
        self.line.disturb(fault, after)

    async def seen(self, person: Person) -> list[Seen]:
        """What a person received after the greeting, in order."""
        return (await self.peer.seen(self.client, person.address))[person.greeting :]

    async def texts(self, person: Person) -> list[str]:
        """The words of what a person received after the greeting."""
        return [message.text for message in await self.seen(person)]

    async def choices(self, person: Person) -> tuple[Choice, ...]:
        """What a person can choose now."""
        return self.peer.choices(await self.seen(person))

    def inbox(self) -> list[InboxMessage]:
        """What is stored of all people, in order."""
        with self.database.read() as session:
            return list(session.scalars(select(InboxMessage).order_by(InboxMessage.id)))

    def row(self, outbox_id: int) -> OutboxMessage:
        """A queued message as it stands now."""
        with self.database.read() as session:
            return session.get_one(OutboxMessage, outbox_id)
