"""Delivers the outbox: claims due messages, sends them outside any transaction, records what became of them."""

import asyncio
import logging
from dataclasses import dataclass
from datetime import timedelta

from bot import metrics
from bot.messaging import erasure, held, outbox, pacing
from bot.messaging.outbox import Claimed
from bot.messaging.protocols import Channel, DeliveryError
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.session import Database
from bot.worker.insist import insist

logger = logging.getLogger(__name__)


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
        try:
            provider_id = await self._send(row, self.channels[row.channel])
        except _TakenOver:
            await insist(self._withdraw, row.outbox_id)
        except DeliveryError as error:
            await insist(self._refused, row, error, outbox.MAX_ATTEMPTS)
        except Exception as problem:  # a fault of ours must not stop the others' messages
            logger.exception("a message could not be sent", extra={"outbox": row.outbox_id, "channel": row.channel})
            fault = DeliveryError(type(problem).__name__)
            await insist(self._refused, row, fault, outbox.MAX_FAULTS)
        else:
            await insist(self._sent, row, provider_id)

    async def _send(self, row: Claimed, channel: Channel) -> str:
        document = await asyncio.to_thread(self._prepare, row, channel)
        parts = channel.plan(row.message, outbox_id=row.outbox_id, document=document)
        provider_id = ""
        for number, part in enumerate(parts[row.parts_sent :], start=row.parts_sent + 1):
            reference = outbox.reference(row.outbox_id, number, len(parts))
            provider_id = await channel.send(row.address, part, reference=reference)
            if number < len(parts):
                await insist(self._part_sent, row.outbox_id, number)
        return provider_id

    def _claim(self) -> list[Claimed]:
        with self.database.read() as session:
            if not outbox.any_due(session, channels=list(self.channels)):
                return []
        with self.database.write() as session:
            return outbox.claim(session, worker=self.worker, channels=list(self.channels))

    def _prepare(self, row: Claimed, channel: Channel) -> bytes | None:
        """Looks once more, at the last moment, whether the message may go out, and makes its file."""
        with self.database.read() as session:
            conversation = session.get_one(Conversation, row.conversation_id)
            if conversation.holder == "counsellor" and row.message.speaker == "bot":
                # while a counsellor holds the conversation the assistant is silent
                raise _TakenOver
            if not row.message.template:
                _expect_open(conversation, channel)
            if wait := pacing.wait(session, conversation_id=row.conversation_id, pace=channel.pace):
                raise DeliveryError("kept to the channel's pace", retry_after=wait)
            if row.message.document == "export":
                return erasure.export(session, conversation_id=row.conversation_id)
        return None

    def _part_sent(self, outbox_id: int, parts: int) -> None:
        with self.database.write() as session:
            outbox.part_sent(session, outbox_id=outbox_id, parts=parts)

    def _sent(self, row: Claimed, provider_id: str) -> None:
        with self.database.write() as session:
            outbox.sent(session, outbox_id=row.outbox_id, provider_id=provider_id)
        metrics.delivered(row.channel, (now() - row.created_at).total_seconds())

    def _refused(self, row: Claimed, error: DeliveryError, limit: int) -> None:
        with self.database.write() as session:
            if error.outside_window:
                held.hold(session, outbox_id=row.outbox_id, reason=error.reason)
                state = "held"
            else:
                state = outbox.refused(session, outbox_id=row.outbox_id, error=error, limit=limit)
        _counted(row.channel, state, error.reason)
        told = {"outbox": row.outbox_id, "channel": row.channel, "reason": error.reason, "state": state}
        logger.log(logging.INFO if state == "due" else logging.WARNING, "a message was not delivered", extra=told)

    def _withdraw(self, outbox_id: int) -> None:
        with self.database.write() as session:
            outbox.withdraw(session, outbox_id=outbox_id, reason="a counsellor took over")


def _counted(channel: str, state: str, reason: str) -> None:
    match state:
        case "held":
            metrics.window_expired(channel)
        case "failed":
            metrics.delivery_failed(channel, reason)
        case "due":
            metrics.delivery_retried(channel, reason)


def _expect_open(conversation: Conversation, channel: Channel) -> None:
    hours, last = channel.service_window_hours, conversation.last_inbound_at
    if hours is not None and (last is None or now() - last > timedelta(hours=hours)):
        raise DeliveryError("outside the service window", outside_window=True)
