"""The brain's loops: answering, delivering, mirroring into the transcript, retention."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from bot.messaging import erasure, inbox, outbox
from bot.messaging.protocols import Assistant, Poke
from bot.storage.session import Database
from bot.worker import watch
from bot.worker.answering import Answering
from bot.worker.delivery import Delivery
from bot.worker.insist import insist

logger = logging.getLogger(__name__)

POLL_SECONDS = 2.0  # the safety net for lost pokes
UPKEEP_SECONDS = 60.0


@dataclass
class Brain:
    """Runs everything that happens after a message was accepted, until cancelled."""

    database: Database
    assistant: Assistant
    answering: Answering
    delivery: Delivery
    poke: Poke
    retention_days: int
    media_days: int
    alone: bool  # no other brain can be running: leases of a dead one may be freed at once
    _pokes: set[asyncio.Task[None]] = field(default_factory=set)
    _work: asyncio.Event = field(default_factory=asyncio.Event)
    _post: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Starts all loops; ends when one of them fails or the task is cancelled."""
        self.answering = replace(self.answering, stored=self.announce)
        if self.alone:
            await asyncio.to_thread(self._free_leases)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self.poke.listen("inbox", lambda _key: self._work.set()))
            tasks.create_task(self.poke.listen("outbox", lambda _key: self._post.set()))
            tasks.create_task(self._loop(self._work, self._answer_all))
            tasks.create_task(self._loop(self._post, self._deliver_all))
            tasks.create_task(self._upkeep())
            for channel in self.delivery.channels.values():
                tasks.create_task(watch.channel(self.database, channel))

    def _free_leases(self) -> None:
        with self.database.write() as session:
            inbox.release_all(session)
            settling = [channel.name for channel in self.delivery.channels.values() if channel.settles]
            outbox.free_leases(session, settling=settling)

    async def _loop(self, event: asyncio.Event, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await work()
            except Exception:  # a database that is away for a while must not end the loop
                logger.exception("a pass of the brain failed; it goes on")
                await asyncio.sleep(1)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(event.wait(), POLL_SECONDS)
            event.clear()

    async def _answer_all(self) -> None:
        while await self.answering.answer_next() is not None:
            pass

    def announce(self, conversation_id: str) -> None:
        """Wakes delivery and the person's open page: replies are in the outbox."""
        self._post.set()
        task = asyncio.get_running_loop().create_task(self.poke.send("replies", conversation_id))
        self._pokes.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._pokes.discard)

    async def _deliver_all(self) -> None:
        while await self.delivery.deliver_due():
            await self.poke.send("replies")
        await self._mirror()

    async def _mirror(self) -> None:
        """Adds to the transcript what was said outside the assistant: notices and counsellors' words."""
        busy: set[str] = set()
        for outbox_id, conversation_id, words, speaker in await asyncio.to_thread(self._unremembered):
            if conversation_id in busy or not await asyncio.to_thread(self._lease, conversation_id):
                busy.add(conversation_id)  # it is being answered; what was said is added in order at a later pass
                continue
            try:
                await self.assistant.remember(conversation_id, key=f"out:{outbox_id}", text=words, speaker=speaker)
                await asyncio.to_thread(self._mark_remembered, outbox_id)
            finally:
                await insist(self._release, conversation_id)
                self._work.set()  # the person may have written meanwhile

    def _lease(self, conversation_id: str) -> bool:
        # Rasa's locks in Redis are read and written in two steps: two brains in one transcript could wait for a minute
        if self.alone:
            return True
        with self.database.write() as session:
            worker = self.answering.worker
            return inbox.lease(session, conversations=[conversation_id], worker=worker) is not None

    def _release(self, conversation_id: str) -> None:
        if self.alone:
            return
        with self.database.write() as session:
            inbox.release(session, conversation_id=conversation_id, worker=self.answering.worker)

    def _unremembered(self) -> list[tuple[int, str, str, str]]:
        with self.database.read() as session:
            rows = outbox.unremembered(session)
            return [(row.id, row.conversation_id, row.body["text"], row.speaker) for row in rows]

    def _mark_remembered(self, outbox_id: int) -> None:
        with self.database.write() as session:
            outbox.mark_remembered(session, outbox_id=outbox_id)

    async def _upkeep(self) -> None:
        while True:
            try:
                for conversation_id in await asyncio.to_thread(self._erase_due):
                    await self.assistant.forget(conversation_id)
            except Exception:  # retention is tried again at the next pass
                logger.exception("upkeep failed; it is tried again")
            await asyncio.sleep(UPKEEP_SECONDS)

    def _erase_due(self) -> list[str]:
        with self.database.write() as session:
            gone = erasure.finish(session) + erasure.expire(session, days=self.retention_days)
            erasure.expire_files(session, days=self.media_days)
        if gone:
            logger.info("silent conversations were erased", extra={"count": len(gone)})
        return gone
