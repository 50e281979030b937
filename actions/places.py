"""Actions about countries: ask for one, remember it, answer for it."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import EventType, SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import context, precheck
from actions.speech import Domain, Events, entities, entity, known, language_of, outcome, say, today_of
from bot.content import precheck as rules
from bot.dialogue import countries, replies
from bot.dialogue.countries import HOST
from bot.messaging.messages import Button, Effect, Outgoing

PLACE = "place"  # the entity
ASKED = "asked_country"  # slot: {"topic": for which a country was asked last, "about": kinds asked for so far}


def follow_up(tracker: Tracker, topic: str) -> tuple[list[Outgoing], tuple[Effect, ...], Events]:
    """What the answer to a topic needs besides: the country's own facts, or the question which country it is.

    The question is put once; whoever leaves it open finds a button instead.
    """
    about = context.get().places
    if topic not in about.topics:
        return [], (), []
    kind, ask = about.topics[topic].country, about.topics[topic].ask
    language, today = language_of(tracker), today_of(tracker)
    code = _named(entities(tracker, PLACE), kind) or (known(tracker, kind) if ask else None)
    if code is not None:
        effects = (Effect("place", {kind: code}),)
        return [countries.about(about, topic, code, language, today=today)], effects, [_asked(tracker, None)]
    if not ask or kind in _state(tracker)["about"]:
        return [], (), [_asked(tracker, topic)]
    return [countries.ask(about, topic, language, today=today)], (), [_asked(tracker, topic, kind)]


def _state(tracker: Tracker) -> dict[str, Any]:
    return tracker.get_slot(ASKED) or {"topic": None, "about": []}


def _asked(tracker: Tracker, topic: str | None, *kinds: str) -> EventType:
    return SlotSet(ASKED, {"topic": topic, "about": sorted({*_state(tracker)["about"], *kinds})})


def choose_button(tracker: Tracker, topic: str) -> Button | None:
    """A button to name the country that a topic depends on, where it was asked for before and not told."""
    about = context.get().places.topics.get(topic)
    if about is None or known(tracker, about.country) or about.country not in _state(tracker)["about"]:
        return None
    return countries.choose_button(about.country, topic, language_of(tracker))


def _named(codes: list[str], about: str) -> str | None:
    """The country among those a message names that is meant: a host country for ``host``, another for ``origin``."""
    hosts = context.get().places.all_hosts
    fitting = [code for code in codes if (code in hosts) == (about == HOST)]
    return next(iter(fitting or codes), None)


class ActionPlace(Action):
    """Takes a country that a person named, by a button or in words."""

    def name(self) -> str:
        return "action_place"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        places, today, language = context.get().places, today_of(tracker), language_of(tracker)
        code = entity(tracker, "country") or next(iter(entities(tracker, PLACE)), "")
        topic = entity(tracker, "topic") or _state(tracker)["topic"]
        pending = precheck.pending(tracker)
        if not countries.exists(code):
            say(dispatcher, replies.fallback(context.get().catalogue, language))
            return outcome(tracker, "fallback")
        if topic is None and pending in rules.COUNTRY_QUESTIONS:
            return precheck.take(dispatcher, tracker, pending, code)
        if topic not in places.topics:
            say(dispatcher, countries.which(code, language))
            return outcome(tracker, "clarify", candidates=countries.ABOUT_A_COUNTRY)
        about = places.topics[topic].country
        say(dispatcher, countries.about(places, topic, code, language, today=today))
        done = outcome(tracker, "answer", topic=topic, effects=(Effect("place", {about: code}),))
        return [*done, _asked(tracker, None)]


class ActionAskCountry(Action):
    """Asks again which country it is."""

    def name(self) -> str:
        return "action_ask_country"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        places, topic = context.get().places, entity(tracker, "topic") or ""
        if topic not in places.topics:
            topic = countries.ABOUT_A_COUNTRY[0]
        say(dispatcher, countries.ask(places, topic, language_of(tracker), today=today_of(tracker)))
        return [*outcome(tracker, "clarify", candidates=(topic,)), _asked(tracker, topic)]
