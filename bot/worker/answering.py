"""Answers messages: in order, one conversation at a time, each exactly once as the person sees it."""

import asyncio
import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot import metrics
from bot.channels import limits
from bot.content.catalogue import Catalogue
from bot.dialogue import replies
from bot.handoff import queue
from bot.handoff.hours import OpeningHours
from bot.languages import DEFAULT, from_hint, is_launched
from bot.messaging import erasure, inbox, outbox, payloads
from bot.messaging.messages import Effect, Outcome, Outgoing, Response, Turn
from bot.messaging.protocols import Assistant, Unavailable
from bot.nlu.crisis import CrisisRules
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.texts import text
from bot.worker import typed
from bot.worker.insist import AWAY, insist
from bot.worker.reading import Reading, read

logger = logging.getLogger(__name__)

_LOOKED_BACK = 3  # messages
# what a message is not to blame for
_OUTAGES = (Unavailable, *AWAY)
# a counsellor's conversation still lets the person look after their own data
_OWN_BUSINESS = ("c:privacy", "c:export", "c:delete", "c:language", "d:yes", "d:no", "l:")


@dataclass(frozen=True)
class Answering:
    """Everything that answering needs; one per process."""

    database: Database
    assistant: Assistant
    crisis: CrisisRules
    catalogue: Catalogue
    hours: OpeningHours
    retention_days: int
    places: Path
    worker: str
    stored: Callable[[str], None] = lambda _conversation_id: None  # called once replies are in the outbox

    async def answer_next(self) -> str | None:
        """Answers all waiting messages of one conversation.

        Returns:
            The conversation's id, or ``None`` when nothing waits.
        """
        taken = await asyncio.to_thread(self._take)
        if taken is None:
            return None
        conversation_id, message, unreadable = taken
        held = True
        try:
            if unreadable is not None:
                raise unreadable
            while message is not None and (held := await self._answer(message)):
                message = await asyncio.to_thread(self._next, conversation_id)
        except Exception as problem:  # a row that cannot even be read must not hold up the other people's
            logger.exception("a message could not be read", extra={"conversation": conversation_id})
            await asyncio.to_thread(self._fail, conversation_id, None, problem)
        finally:
            if held:
                await insist(self._release, conversation_id)
        return conversation_id

    async def _answer(self, message: "_Waiting") -> bool:
        """Answers one message.

        Returns:
            Whether the lease is still held: more messages wait in this conversation, or it is to be given back.
        """
        conversation_id = message.turn.conversation_id
        try:
            response = await self.respond(message.reading, message.turn, held=message.held)
            if message.first:
                response = response.preceded_by(self._greeting(response))
            more = await asyncio.to_thread(self._store, message, response)
            waited = (now() - message.received_at).total_seconds()
            metrics.answered(message.channel, response.outcome.kind, waited)
            self.stored(conversation_id)
            if any(effect.name == "delete" for effect in response.effects):
                await self.assistant.forget(conversation_id)
        except Exception as problem:  # whatever happens, the message stays and is tried again, then parked
            logger.exception("a message could not be answered", extra={"inbox": message.inbox_id})
            await asyncio.to_thread(self._fail, conversation_id, message.turn.language, problem)
            return True
        return more

    async def respond(self, reading: Reading, turn: Turn, *, held: bool = False) -> Response:
        """Decides on one message; also the entry point of evaluation.

        The crisis rules come first and need no model; then the person's counsellor, if there is one;
        then the assistant.
        """
        danger = self.crisis.find(turn.text) if turn.text else None
        if danger is not None:
            return await self._keep_safe(danger.kind, danger.language, turn, held=held)
        language = self._language(turn)
        if held and not reading.payload.startswith(_OWN_BUSINESS):
            await self._remember(turn)
            return Response((), (), Outcome("counsellor", language=language))
        if (page := payloads.parse(reading.payload)) is not None and page.name == "next_page":
            await self._remember(turn)
            words = await asyncio.to_thread(self._next_page, turn.conversation_id, page.values)
            return Response(words, (), Outcome("smalltalk", language=language))
        if reading.payload == payloads.READ:  # what waited is on its way already
            await self._remember(turn)
            return Response((), (), Outcome("smalltalk", language=language))
        if reading.notice:
            await self._remember(turn)
            word = Outgoing(text(reading.notice, language), language, (replies.human_button(language),))
            return Response((word,), (), Outcome("fallback", language=language))
        response = await self.assistant.respond(replace(turn, text=reading.text, payload=reading.payload))
        if reading.too_long:
            word = Outgoing(text("too_long", response.outcome.language or language), language)
            response = response.preceded_by(word)
        return response

    async def _keep_safe(self, kind: str, language: str, turn: Turn, *, held: bool) -> Response:
        await self._remember(turn)
        spoken = turn.language if turn.language_chosen and turn.language else language
        spoken = spoken if is_launched(spoken) else self._language(turn)
        country = turn.host
        words = () if held else (replies.crisis(kind, spoken, country=country, today=now().date(), places=self.places),)
        effects = (Effect("handoff", {"urgent": True, "reason": kind}),)
        outcome = Outcome("crisis", crisis=kind, confidence=1.0, language=spoken, detected=language)
        return Response(words, effects, outcome)

    async def _remember(self, turn: Turn) -> None:
        await self.assistant.remember(turn.conversation_id, key=turn.message_id, text=turn.text, speaker="person")

    def _language(self, turn: Turn) -> str:
        return turn.language or from_hint(turn.locale) or DEFAULT

    def _greeting(self, response: Response) -> Outgoing:
        language = response.outcome.language or DEFAULT
        return replies.welcome(self.catalogue, language, retention_days=self.retention_days)[0]

    def _next_page(self, conversation_id: str, values: dict[str, str]) -> tuple[Outgoing, ...]:
        """The rest of the choices of an earlier message, for channels that show few at a time."""
        with self.database.read() as session:
            row = session.get(OutboxMessage, int(values["reply"]))
            if row is None or row.conversation_id != conversation_id:
                return ()
            message = Outgoing.from_json(row.body)
        rest = limits.after(message.buttons, int(values["page"]))
        words = text("button.choose", message.language)
        return (replace(message, text=words, buttons=rest, shown=None),) if rest else ()

    def _take(self) -> "tuple[str, _Waiting | None, Exception | None] | None":
        """Leases a conversation and reads its first message, or what was wrong with it."""
        with self.database.read() as session:
            waiting = inbox.candidates(session)
        if not waiting:
            return None
        with self.database.write() as session:
            conversation_id = inbox.lease(session, conversations=waiting, worker=self.worker)
        if conversation_id is None:
            return None
        try:
            return conversation_id, self._next(conversation_id), None
        except Exception as problem:  # the lease is given back by whoever called
            return conversation_id, None, problem

    def _release(self, conversation_id: str) -> None:
        with self.database.write() as session:
            inbox.release(session, conversation_id=conversation_id, worker=self.worker)

    def _next(self, conversation_id: str) -> "_Waiting | None":
        with self.database.read() as session:
            row = inbox.next_waiting(session, conversation_id=conversation_id)
            return None if row is None else _waiting(session, row)

    def _fail(self, conversation_id: str, language: str | None, problem: Exception) -> None:
        language = language or DEFAULT
        told, counts = type(problem).__name__, not isinstance(problem, _OUTAGES)
        with self.database.write() as session:
            inbox_id = inbox.first_waiting(session, conversation_id=conversation_id)
            if inbox_id is not None and inbox.failed(session, inbox_id=inbox_id, problem=told, counts=counts):
                metrics.parked(session.get_one(Conversation, conversation_id).channel)
                word = Outgoing(text("error.temporary", language), language, (replies.human_button(language),))
                outbox.put(session, conversation_id=conversation_id, cause=f"inbox:{inbox_id}:parked", message=word)

    def _store(self, message: "_Waiting", response: Response) -> bool:
        """Stores the answer, its effects and that the message is done, in one transaction.

        Returns:
            Whether more messages of the conversation wait; if not, its lease is given back in the same transaction.
        """
        with self.database.write() as session:
            row = session.get(InboxMessage, message.inbox_id)
            if row is None or row.state != "waiting":
                return True
            conversation = session.get_one(Conversation, row.conversation_id)
            row.state, row.done_at, row.problem = "done", now(), None
            row.outcome, row.crisis = response.outcome.kind, response.outcome.crisis
            row.detected = response.outcome.detected[:16]
            if response.outcome.language and not conversation.language_chosen:
                conversation.language = response.outcome.language
            for number, reply in enumerate(response.replies):
                if conversation.holder == "counsellor" and reply.speaker == "bot":
                    continue  # a counsellor took over while the assistant was thinking
                cause = f"inbox:{row.id}:{number}"
                known = number in response.remembered
                outbox.put(session, conversation_id=conversation.id, cause=cause, message=reply, remembered=known)
            for effect in response.effects:
                self._apply(session, effect, row, conversation, response.outcome)
            session.flush()
            more = inbox.first_waiting(session, conversation_id=conversation.id) is not None
            if not more:
                inbox.release(session, conversation_id=conversation.id, worker=self.worker)
            return more

    def _apply(
        self, session: Session, effect: Effect, row: InboxMessage, conversation: Conversation, outcome: Outcome
    ) -> None:
        language = outcome.language or conversation.language or DEFAULT
        match effect.name:
            case "handoff":
                queue.request(
                    session,
                    conversation_id=conversation.id,
                    language=language,
                    cause=f"inbox:{row.id}",
                    hours=self.hours,
                    **effect.values,
                )
            case "language":
                conversation.language = effect.values["code"]
                conversation.language_chosen = effect.values["chosen"]
            case "place":
                conversation.host_country = effect.values.get("host", conversation.host_country)
                conversation.origin_country = effect.values.get("origin", conversation.origin_country)
            case "feedback":
                rated = session.scalar(
                    select(OutboxMessage).where(
                        OutboxMessage.id == effect.values["outbox_id"],
                        OutboxMessage.conversation_id == conversation.id,
                    )
                )
                if rated is not None:
                    rated.helpful = effect.values["helpful"]
            case "delete":
                erasure.erase(session, conversation=conversation, cause=f"inbox:{row.id}", language=language)


@dataclass(frozen=True, slots=True)
class _Waiting:
    inbox_id: int
    turn: Turn
    reading: Reading
    held: bool
    channel: str
    received_at: datetime
    first: bool  # greet before answering: this channel has no /start of its own


def _typed_choice(session: Session, row: InboxMessage) -> str | None:
    """The button of the last message that a person named in words."""
    if len(row.text) > typed.LONGEST:
        return None
    said = session.scalars(
        select(OutboxMessage.body)
        .where(OutboxMessage.conversation_id == row.conversation_id, OutboxMessage.speaker.in_(("bot", "system")))
        .order_by(OutboxMessage.id.desc())
        .limit(_LOOKED_BACK)
    )
    messages = (Outgoing.from_json(body) for body in said)
    # a notice of the service stands between a question and its answer without changing what was asked
    last = next((message for message in messages if message.buttons or message.speaker == "bot"), None)
    return typed.chosen(row.text, last.buttons) if last else None


def _waiting(session: Session, row: InboxMessage) -> _Waiting:
    conversation = session.get_one(Conversation, row.conversation_id)
    reading = read(row.kind, row.text, row.payload)
    if reading.text and (payload := _typed_choice(session, row)):
        reading = Reading(payload=payload)
    earlier = session.scalar(
        select(InboxMessage.id)
        .where(InboxMessage.conversation_id == row.conversation_id, InboxMessage.id < row.id)
        .limit(1)
    )
    turn = Turn(
        conversation_id=conversation.id,
        message_id=str(row.id),
        text=row.text or (row.payload if not reading.payload else ""),
        language=conversation.language,
        language_chosen=conversation.language_chosen,
        locale=conversation.locale,
        host=conversation.host_country,
        origin=conversation.origin_country,
        today=row.received_at.date(),
    )
    greet = earlier is None and reading.payload != "c:start" and row.channel != "rest" and row.kind != "group"
    held = conversation.holder == "counsellor"
    return _Waiting(row.id, turn, reading, held, row.channel, row.received_at, greet)
