"""Stores incoming messages, those that arrive together in one transaction, and wakes the brain."""

import asyncio
import logging
from dataclasses import dataclass, field

from sqlalchemy.exc import IntegrityError

from bot import metrics
from bot.messaging import inbox
from bot.messaging.inbox import Accepted
from bot.messaging.messages import Incoming
from bot.messaging.protocols import Poke
from bot.storage.session import Database

logger = logging.getLogger(__name__)

_BATCH = 100
_Pending = tuple[Incoming, "asyncio.Future[Accepted | None]"]


@dataclass
class Acceptor:
    """The only writer of the inbox in a process.

    Every commit waits for the disk. A burst of webhooks would queue up behind one another, so what has
    arrived meanwhile shares the next commit; each is answered only after its own is on disk.
    """

    database: Database
    poke: Poke
    per_minute: int
    _queue: "asyncio.Queue[_Pending]" = field(default_factory=asyncio.Queue)

    async def accept(self, incoming: Incoming) -> Accepted | None:
        """Stores a message durably.

        Returns:
            ``None`` when it was accepted before.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: It could not be stored; the provider must send it again.
        """
        future: asyncio.Future[Accepted | None] = asyncio.get_running_loop().create_future()
        await self._queue.put((incoming, future))
        return await future

    async def run(self) -> None:
        """Stores what is queued, until cancelled."""
        while True:
            batch = [await self._queue.get()]
            while len(batch) < _BATCH and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._store_together(batch)

    async def _store_together(self, batch: list[_Pending], *, again: bool = False) -> None:
        try:
            results = await asyncio.to_thread(self._store, [incoming for incoming, _ in batch])
        except Exception as problem:  # one bad message must not take the others with it
            if len(batch) > 1 or (isinstance(problem, IntegrityError) and not again):
                for pending in batch:
                    await self._store_together([pending], again=len(batch) == 1)
                return
            logger.warning("a message could not be stored", extra={"reason": type(problem).__name__})
            _settle(batch[0][1], error=problem)
            return
        await self.poke.send("inbox")
        for (incoming, future), result in zip(batch, results, strict=True):
            _counted(incoming.channel, result)
            _settle(future, result)

    def _store(self, messages: list[Incoming]) -> list[Accepted | None]:
        with self.database.write() as session:
            return inbox.accept_all(session, messages, per_minute=self.per_minute)


def _counted(channel: str, result: Accepted | None) -> None:
    if result is None:
        metrics.repeated(channel)
        return
    metrics.accepted(channel)
    if result.limited:
        metrics.limited(channel)


def _settle(
    future: "asyncio.Future[Accepted | None]", result: Accepted | None = None, error: Exception | None = None
) -> None:
    if future.done():  # the client went away; the message is stored all the same
        return
    if error is not None:
        future.set_exception(error)
    else:
        future.set_result(result)
