"""Rasa behind the ``Assistant`` protocol: the agent embedded, its actions run in this process."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from sqlalchemy import text as sql

from bot import rasa_without_tensorflow

rasa_without_tensorflow.install()

from rasa.core.actions.action import RemoteAction  # noqa: E402  # everything below needs the line above first
from rasa.core.agent import Agent  # noqa: E402
from rasa.core.channels.channel import OutputChannel, UserMessage  # noqa: E402
from rasa.core.lock_store import InMemoryLockStore, LockStore, RedisLockStore  # noqa: E402
from rasa.core.tracker_store import FailSafeTrackerStore, InMemoryTrackerStore, SQLTrackerStore, TrackerStore  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import BotUttered, Event, SlotSet, UserUttered  # noqa: E402
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.utils.endpoints import ClientResponseError, EndpointConfig  # noqa: E402
from rasa.utils.log_utils import configure_structlog  # noqa: E402
from rasa_sdk.executor import ActionExecutor  # noqa: E402
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException  # noqa: E402

from bot.assistant_model import find_model  # noqa: E402
from bot.messaging import payloads  # noqa: E402
from bot.messaging.messages import Effect, Outcome, Outgoing, Response, Turn  # noqa: E402
from bot.messaging.protocols import Unavailable  # noqa: E402

logger = logging.getLogger(__name__)


class TranscriptUnavailable(Unavailable):
    """The tracker store cannot be reached; the message must be tried again later."""


class _LoudTrackerStore(FailSafeTrackerStore):
    """A store that passes errors on (Rasa would go on with a tracker in memory and forget it).

    It also spares the database: within one turn, under the conversation's lease, the tracker that was just
    read or written is not read again.
    """

    def __init__(self, store: TrackerStore) -> None:
        super().__init__(store)
        self._fresh: dict[str, DialogueStateTracker] = {}

    def on_tracker_store_error(self, error: Exception) -> None:
        raise TranscriptUnavailable(type(error).__name__) from error

    async def retrieve(self, sender_id: str) -> DialogueStateTracker | None:
        return self._fresh.get(sender_id) or await super().retrieve(sender_id)

    async def save(self, tracker: DialogueStateTracker) -> None:
        self._fresh.pop(tracker.sender_id, None)  # if saving fails, what is in memory is not true
        await super().save(tracker)
        self._fresh[tracker.sender_id] = tracker

    def keep(self, tracker: DialogueStateTracker) -> None:
        """Serves this tracker until ``drop``."""
        self._fresh[tracker.sender_id] = tracker

    def drop(self, sender_id: str) -> None:
        """Ends a turn: the database is asked again next time."""
        self._fresh.pop(sender_id, None)


class _Silent(OutputChannel):
    """Rasa's own sending is not used: replies are read from the tracker and go through the outbox."""

    @classmethod
    def name(cls) -> str:
        return "waymark"

    async def send_response(self, recipient_id: str, message: dict[str, Any]) -> None:
        return None


class _InProcessActions(EndpointConfig):
    """An action server without the network."""

    def __init__(self, package: str) -> None:
        super().__init__(url=f"inprocess://{package}")
        self._executor = ActionExecutor()
        self._executor.register_package(package)

    async def request(self, *args: Any, **kwargs: Any) -> Any:
        call = kwargs["json"]
        try:
            return await self._executor.run(call)
        except ActionExecutionRejection as problem:
            reply = {"error": problem.message, "action_name": problem.action_name}
            raise ClientResponseError(400, "rejected", json.dumps(reply)) from problem
        except ActionNotFoundException as problem:
            reply = {"error": problem.message, "action_name": problem.action_name}
            raise ClientResponseError(404, "unknown action", json.dumps(reply)) from problem


def _trust_own_actions() -> None:
    # Rasa checks the result of every action, and its JSON schema anew, which costs more than the action;
    # these results come from this process, and the tests of the actions check them
    RemoteAction._validate_action_result = lambda _self, _result: True


class RasaAssistant:
    """Understands messages with a trained Rasa model and keeps Rasa's tracker as the transcript."""

    def __init__(self, *, model: Path, tracker_url: str | None, redis_url: str = "") -> None:
        """Loads the model.

        Args:
            model: The model file, or a folder with models.
            tracker_url: SQLAlchemy URL of the tracker store; ``None`` keeps trackers in memory.
            redis_url: Redis for conversation locks, when several processes answer.
        """
        configure_structlog(logging.WARNING)  # at the debug level Rasa writes people's words to the log
        _trust_own_actions()
        self._sql = SQLTrackerStore(domain=Domain.empty(), host=tracker_url) if tracker_url else None
        self._store = _LoudTrackerStore(self._sql or InMemoryTrackerStore(Domain.empty()))
        if self._sql is not None and tracker_url and tracker_url.startswith("sqlite"):
            with self._sql.engine.begin() as connection:
                connection.execute(sql("PRAGMA journal_mode=WAL"))
        self._agent = Agent.load(
            str(find_model(model)),
            tracker_store=self._store,
            lock_store=_lock_store(redis_url),
            action_endpoint=_InProcessActions("actions"),
        )
        self._output = _Silent()

    async def respond(self, turn: Turn) -> Response:
        """See ``Assistant``. A message that was answered before gets the same answer again, not a new one."""
        try:
            tracker = await self._store.retrieve(turn.conversation_id)
            position = _position(tracker, turn.message_id)
            if position is None or not _answered(tracker, position):
                if tracker is not None:
                    self._store.keep(tracker)
                await self._agent.handle_message(self._message(turn))
                tracker = await self._store.retrieve(turn.conversation_id)
                position = _position(tracker, turn.message_id)
        finally:
            self._store.drop(turn.conversation_id)
        if tracker is None or position is None:
            raise RuntimeError("the message is not in the transcript")
        return _response(tracker, position)

    def _message(self, turn: Turn) -> UserMessage:
        command = payloads.to_rasa(turn.payload) if turn.payload else None
        metadata = {
            "language": turn.language,
            "language_chosen": turn.language_chosen,
            "locale": turn.locale,
            "host": turn.host,
            "origin": turn.origin,
            "today": turn.today.isoformat() if turn.today else None,
        }
        return UserMessage(
            # what a person types is never a command to Rasa, only our own buttons are
            text=command or turn.text.lstrip("/ \n\t") or "?",
            output_channel=self._output,
            sender_id=turn.conversation_id,
            input_channel="waymark",
            message_id=turn.message_id,
            metadata=metadata,
        )

    async def remember(self, conversation_id: str, *, key: str, text: str, speaker: str) -> None:
        """See ``Assistant``."""
        async with self._agent.lock_store.lock(conversation_id):
            tracker = await self._store.get_or_create_tracker(conversation_id, append_action_listen=False)
            if speaker == "person":
                known = _position(tracker, key) is not None
                event: Event = UserUttered(text, message_id=key, input_channel="waymark")
            else:
                known = any(isinstance(e, BotUttered) and e.metadata.get("key") == key for e in tracker.events)
                event = BotUttered(text, metadata={"key": key, "speaker": speaker})
            if not known:
                tracker.update(event)
                await self._store.save(tracker)
            self._store.drop(conversation_id)

    async def forget(self, conversation_id: str) -> None:
        """See ``Assistant``."""
        if self._sql is None:
            return
        await asyncio.to_thread(self._delete_events, conversation_id)

    def _delete_events(self, conversation_id: str) -> None:
        assert self._sql is not None
        with self._sql.engine.begin() as connection:
            connection.execute(sql("DELETE FROM events WHERE sender_id = :id"), {"id": conversation_id})


def _lock_store(redis_url: str) -> LockStore:
    if not redis_url:
        return InMemoryLockStore()
    from redis.connection import parse_url

    parts = parse_url(redis_url)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
    return RedisLockStore(
        host=parts.get("host", "localhost"),
        port=parts.get("port", 6379),
        db=parts.get("db", 1),
        username=parts.get("username"),
        password=parts.get("password"),
        use_ssl=redis_url.startswith("rediss:"),
    )


def _position(tracker: DialogueStateTracker | None, message_id: str) -> int | None:
    if tracker is None:
        return None
    for index in range(len(tracker.events) - 1, -1, -1):
        event = tracker.events[index]
        if isinstance(event, UserUttered) and event.message_id == message_id:
            return index
    return None


def _answered(tracker: DialogueStateTracker | None, position: int) -> bool:
    """Whether the assistant decided on a message; one noted while a counsellor spoke was only remembered."""
    for event in list(tracker.events)[position + 1 :] if tracker else ():
        if isinstance(event, UserUttered):
            return False
        if isinstance(event, SlotSet) and event.key == "outcome":
            return True
    return False


def _response(tracker: DialogueStateTracker, position: int) -> Response:
    events = list(tracker.events)
    heard = events[position]
    replies, slots = [], {}
    for event in events[position + 1 :]:
        if isinstance(event, UserUttered):
            break
        if isinstance(event, BotUttered) and "waymark" in event.metadata:
            replies.append(Outgoing.from_json(event.metadata["waymark"]))
        if event.type_name == "slot":
            slots[event.key] = event.value
    found = slots.get("outcome") or {"kind": "fallback"}
    language = heard.parse_data.get("language") or {}
    return Response(
        replies=tuple(replies),
        remembered=frozenset(range(len(replies))),
        effects=tuple(Effect(effect["name"], effect["values"]) for effect in slots.get("effects") or ()),
        outcome=Outcome(
            kind=found["kind"],
            topic=found.get("topic"),
            candidates=tuple(found.get("candidates") or ()),
            crisis=(heard.parse_data.get("crisis") or {}).get("kind"),
            confidence=float((heard.intent or {}).get("confidence") or 0.0),
            language=slots.get("language") or "",
            detected=language.get("detected") or "",
        ),
    )
