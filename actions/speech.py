"""Reading a tracker and speaking through a dispatcher, the same way in every action."""

from datetime import UTC, date, datetime
from typing import Any

from rasa_sdk import Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from bot.languages import DEFAULT, from_hint, is_launched
from bot.messaging import payloads
from bot.messaging.messages import Effect, Outgoing


def language_of(tracker: Tracker) -> str:
    """The language to answer in, as the pipeline decided it; for a pressed button, the conversation's."""
    found = (tracker.latest_message.get("language") or {}).get("reply")
    known = tracker.latest_message.get("metadata") or {}
    for code in (found, known.get("language"), from_hint(known.get("locale"))):
        if is_launched(code):
            return str(code)
    return DEFAULT


def today_of(tracker: Tracker) -> date:
    """The day for which dates are judged: the message's, so that a replay gives the same answer."""
    given = (tracker.latest_message.get("metadata") or {}).get("today")
    return date.fromisoformat(given) if given else datetime.now(UTC).date()


def intent_of(tracker: Tracker) -> str:
    """Name of the latest intent."""
    return str((tracker.latest_message.get("intent") or {}).get("name") or "")


def entity(tracker: Tracker, name: str) -> str | None:
    """The value of an entity in the latest message."""
    return next((str(value) for value in tracker.get_latest_entity_values(name)), None)


def entities(tracker: Tracker, name: str) -> list[str]:
    """All values of an entity in the latest message, in their order."""
    return [str(value) for value in tracker.get_latest_entity_values(name)]


def known(tracker: Tracker, about: str) -> str | None:
    """The country (``host`` or ``origin``) that the person told earlier in this conversation."""
    found = (tracker.latest_message.get("metadata") or {}).get(about)
    return str(found) if found else None


def say(dispatcher: CollectingDispatcher, *messages: Outgoing) -> None:
    """Utters messages: text and buttons in Rasa's form, the full message in the metadata."""
    for message in messages:
        buttons = [{"title": b.title, "payload": payloads.to_rasa(b.payload) or b.payload} for b in message.buttons]
        dispatcher.utter_message(text=message.text, buttons=buttons, waymark=message.to_json())


def outcome(
    tracker: Tracker,
    kind: str,
    *,
    topic: str | None = None,
    candidates: tuple[str, ...] = (),
    effects: tuple[Effect, ...] = (),
) -> list[EventType]:
    """Records how the message was understood and what is to be done besides answering."""
    return [
        SlotSet("language", language_of(tracker)),
        SlotSet("outcome", {"kind": kind, "topic": topic, "candidates": list(candidates)}),
        SlotSet("effects", [{"name": effect.name, "values": effect.values} for effect in effects]),
    ]


Events = list[EventType]
Domain = dict[str, Any]
