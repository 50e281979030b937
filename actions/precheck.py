"""The pre-check: a short guided conversation over the rules; can be left, interrupted and taken up again."""

from typing import Any

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import context
from actions.speech import Domain, Events, entity, known, language_of, outcome, say, today_of
from bot.content import precheck as rules
from bot.dialogue import precheck, replies
from bot.messaging.messages import Effect

TOPIC = "eligibility_who"  # the topic that leads to it, and under which it is counted
SLOT = "precheck"  # the answers so far; None when no pre-check is going on


def answers_of(tracker: Tracker) -> dict[str, str] | None:
    """The answers so far; ``None`` when no pre-check was begun."""
    found: dict[str, str] | None = tracker.get_slot(SLOT)
    return found


def pending(tracker: Tracker) -> str | None:
    """The question that waits for an answer, if a pre-check is going on."""
    answers = answers_of(tracker)
    return None if answers is None else rules.next_question(answers)


def take(dispatcher: CollectingDispatcher, tracker: Tracker, question: str, value: str) -> Events:
    """Takes an answer and asks the next question, or says what the rules say."""
    answers = dict(answers_of(tracker) or {})
    if not rules.accepts(question, value):
        say(dispatcher, replies.plain("precheck.unclear", language_of(tracker)))
        return _go_on(dispatcher, tracker, answers)
    effects: tuple[Effect, ...] = ()
    if question == "host" and rules.is_country(value):
        effects = (Effect("place", {"host": value}),)
    return _go_on(dispatcher, tracker, answers | {question: value}, effects=effects)


def _go_on(
    dispatcher: CollectingDispatcher,
    tracker: Tracker,
    answers: dict[str, str],
    *,
    effects: tuple[Effect, ...] = (),
    first: bool = False,
) -> Events:
    about, language, today = context.get(), language_of(tracker), today_of(tracker)
    question = rules.next_question(answers)
    if question is not None:
        say(dispatcher, precheck.question(question, language, places=about.places, today=today, first=first))
    else:
        found = about.rules.judge(answers, today=today)
        say(dispatcher, precheck.result(found, answers, language, book=about.rules))
    done = outcome(tracker, "answer", topic=TOPIC, effects=effects)
    return [*done, SlotSet(SLOT, answers)]


class ActionPrecheck(Action):
    """Begins, goes on with, or ends the pre-check."""

    def name(self) -> str:
        return "action_precheck"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        question, value = entity(tracker, "question"), entity(tracker, "value")
        if question and value:
            return take(dispatcher, tracker, question, value)
        step, answers = entity(tracker, "step"), answers_of(tracker)
        if step == "stop":
            say(dispatcher, replies.plain("precheck.stopped", language_of(tracker)))
            return [*outcome(tracker, "smalltalk"), SlotSet(SLOT, None)]
        if step in ("share", "alone"):
            return self._hand_over(tracker, answers or {}, shared=step == "share")
        if answers is None or step == "again":
            host = known(tracker, "host")
            return _go_on(dispatcher, tracker, {"host": host} if host else {}, first=True)
        return _go_on(dispatcher, tracker, answers)

    @staticmethod
    def _hand_over(tracker: Tracker, answers: dict[str, str], *, shared: bool) -> Events:
        values: dict[str, Any] = {"urgent": False, "reason": "precheck"}
        if shared and answers:
            book = context.get().rules
            found = book.judge(answers, today=today_of(tracker))
            values["facts"] = precheck.facts(answers, found, book=book)
        return [*outcome(tracker, "handoff", effects=(Effect("handoff", values),)), SlotSet(SLOT, None)]
