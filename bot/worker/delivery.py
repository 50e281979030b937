"""Delivers the outbox: claims due messages, sends them outside any transaction, records what became of them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from bot.messaging import erasure, outbox
from bot.messaging.outbox import Claimed
from bot.messaging.protocols import Channel, DeliveryError
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.session import Database

logger = logging.getLogger(__name__)

OUTSIDE_WINDOW = DeliveryError("outside the service window", permanent=True)


class _TakenOver(Exception):
    """A counsellor holds the conversation now."""


@dataclass(frozen=True)
class Delivery:
    """Sends messages through the channels that this process knows; one per process."""

    database: Database
    channels: dict[str, Channel]
    worker: str

    async def deliver_due(self) -> int:
        """Sends what is due now.

        Returns:
            How many messages were taken up.
        """
        if not self.channels:
            return 0
        claimed = await asyncio.to_thread(self._claim)
        await asyncio.gather(*(self._deliver(row) for row in claimed))
        return len(claimed)

    async def _deliver(self, row: Claimed) -> None:
        channel = self.channels[row.channel]
        try:
            document = await asyncio.to_thread(self._prepare, row, channel)
            provider_id = await channel.send(row.address, row.message, reference=str(row.outbox_id), document=document)
        except _TakenOver:
            await asyncio.to_thread(self._withdraw, row.outbox_id)
        except DeliveryError as error:
            logger.warning("message %s not delivered over %s: %s", row.outbox_id, row.channel, error.reason)
            await asyncio.to_thread(self._refused, row.outbox_id, error)
        except Exception as problem:  # a fault of ours must not stop the others' messages
            logger.exception("message %s could not be sent over %s", row.outbox_id, row.channel)
            await asyncio.to_thread(self._refused, row.outbox_id, DeliveryError(type(problem).__name__))
        else:
            await asyncio.to_thread(self._sent, row.outbox_id, provider_id)

    def _claim(self) -> list[Claimed]:
        with self.database.read() as session:
            if not outbox.any_due(session, channels=list(self.channels)):
                return []
        with self.database.write() as session:
            return outbox.claim(session, worker=self.worker, channels=list(self.channels))

    def _prepare(self, row: Claimed, channel: Channel) -> bytes | None:
        with self.database.read() as session:
            conversation = session.get_one(Conversation, row.conversation_id)
            if conversation.holder == "counsellor" and row.message.speaker == "bot":
                # looked up at the last moment: while a counsellor holds the conversation the assistant is silent
                raise _TakenOver
            last = conversation.last_inbound_at
            hours = channel.service_window_hours
            if hours is not None and (last is None or now() - last > timedelta(hours=hours)):
                raise OUTSIDE_WINDOW
            if row.message.document == "export":
                return erasure.export(session, conversation_id=row.conversation_id)
        return None

    def _sent(self, outbox_id: int, provider_id: str) -> None:
        with self.database.write() as session:
            outbox.sent(session, outbox_id=outbox_id, provider_id=provider_id)

    def _refused(self, outbox_id: int, error: DeliveryError) -> None:
        with self.database.write() as session:
            outbox.refused(session, outbox_id=outbox_id, error=error)

    def _withdraw(self, outbox_id: int) -> None:
        with self.database.write() as session:
            outbox.withdraw(session, outbox_id=outbox_id, reason="a counsellor took over")
