"""Rasa behind the ``Assistant`` protocol: the agent embedded, its actions run in this process."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

from sqlalchemy import text as sql

from bot import rasa_without_tensorflow

rasa_without_tensorflow.install()

from jsonschema import Draft7Validator  # noqa: E402  # everything below needs the line above first
from rasa.core.actions.action import RemoteAction  # noqa: E402
from rasa.core.agent import Agent  # noqa: E402
from rasa.core.channels.channel import OutputChannel, UserMessage  # noqa: E402
from rasa.core.lock_store import InMemoryLockStore, LockStore, RedisLockStore  # noqa: E402
from rasa.core.tracker_store import FailSafeTrackerStore, SQLTrackerStore  # noqa: E402
from rasa.shared.core.domain import Domain  # noqa: E402
from rasa.shared.core.events import BotUttered, UserUttered  # noqa: E402
from rasa.shared.core.trackers import DialogueStateTracker  # noqa: E402
from rasa.utils.endpoints import ClientResponseError, EndpointConfig  # noqa: E402
from rasa.utils.log_utils import configure_structlog  # noqa: E402
from rasa_sdk.executor import ActionExecutor  # noqa: E402
from rasa_sdk.interfaces import ActionExecutionRejection, ActionNotFoundException  # noqa: E402

from bot.assistant_model import find_model  # noqa: E402
from bot.messaging import payloads  # noqa: E402
from bot.messaging.messages import Effect, Outcome, Outgoing, Response, Turn  # noqa: E402

logger = logging.getLogger(__name__)


class TranscriptUnavailable(RuntimeError):
    """The tracker store cannot be reached; the message must be tried again later."""


class _LoudTrackerStore(FailSafeTrackerStore):
    """Rasa would go on with a tracker in memory and forget it; here the error is passed on."""

    def on_tracker_store_error(self, error: Exception) -> None:
        raise TranscriptUnavailable(type(error).__name__) from error


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


def _compile_action_validation() -> None:
    # Rasa re-checks its JSON schema itself on every action, which costs more than the action
    validator = Draft7Validator(RemoteAction.action_response_format_spec())

    def validate(_self: RemoteAction, result: Any) -> bool:
        validator.validate(result)
        return True

    RemoteAction._validate_action_result = validate


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
        _compile_action_validation()
        self._sql = SQLTrackerStore(url=tracker_url, domain=Domain.empty()) if tracker_url else None
        store = _LoudTrackerStore(self._sql) if self._sql else None
        if self._sql is not None and tracker_url and tracker_url.startswith("sqlite"):
            with self._sql.engine.begin() as connection:
                connection.execute(sql("PRAGMA journal_mode=WAL"))
        self._agent = Agent.load(
            str(find_model(model)),
            tracker_store=store,
            lock_store=_lock_store(redis_url),
            action_endpoint=_InProcessActions("actions"),
        )
        self._output = _Silent()

    async def respond(self, turn: Turn) -> Response:
        """See ``Assistant``. A message that was answered before gets the same answer again, not a new one."""
        tracker = await self._tracker(turn.conversation_id)
        position = _position(tracker, turn.message_id)
        if position is None:
            await self._agent.handle_message(self._message(turn))
            tracker = await self._tracker(turn.conversation_id)
            position = _position(tracker, turn.message_id)
        if position is None:
            raise TranscriptUnavailable("the message is not in the transcript")
        return _response(tracker, position)

    def _message(self, turn: Turn) -> UserMessage:
        command = payloads.to_rasa(turn.payload) if turn.payload else None
        metadata = {
            "language": turn.language,
            "language_chosen": turn.language_chosen,
            "locale": turn.locale,
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
            tracker = await self._tracker(conversation_id)
            if speaker == "person":
                if _position(tracker, key) is None:
                    tracker.update(UserUttered(text, message_id=key, input_channel="waymark"))
                    await self._agent.tracker_store.save(tracker)
            elif not any(isinstance(e, BotUttered) and e.metadata.get("key") == key for e in tracker.events):
                tracker.update(BotUttered(text, metadata={"key": key, "speaker": speaker}))
                await self._agent.tracker_store.save(tracker)

    async def forget(self, conversation_id: str) -> None:
        """See ``Assistant``."""
        if self._sql is None:
            return
        await asyncio.to_thread(self._delete_events, conversation_id)

    def _delete_events(self, conversation_id: str) -> None:
        assert self._sql is not None
        with self._sql.engine.begin() as connection:
            connection.execute(sql("DELETE FROM events WHERE sender_id = :id"), {"id": conversation_id})

    async def _tracker(self, conversation_id: str) -> DialogueStateTracker:
        store = self._agent.tracker_store
        return await store.get_or_create_tracker(conversation_id, append_action_listen=False)


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
    )


def _position(tracker: DialogueStateTracker, message_id: str) -> int | None:
    for index in range(len(tracker.events) - 1, -1, -1):
        event = tracker.events[index]
        if isinstance(event, UserUttered) and event.message_id == message_id:
            return index
    return None


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
