"""Actions that answer: topics, asking back, honest fallback, small talk."""

from rasa_sdk import Action, Tracker
from rasa_sdk.executor import CollectingDispatcher

from actions import context, places, precheck
from actions.speech import Domain, Events, entity, intent_of, language_of, outcome, say, today_of
from bot.dialogue import precheck as precheck_words
from bot.dialogue import replies
from bot.languages import DEFAULT
from bot.messaging.messages import Outgoing


class ActionAnswer(Action):
    """Shows the answer to the topic that the intent names."""

    def name(self) -> str:
        return "action_answer"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        topic = intent_of(tracker)
        language = language_of(tracker)
        shown = replies.answer(context.get().catalogue, topic, language, today=today_of(tracker))
        more, effects, slots = places.follow_up(tracker, topic)
        first = (
            precheck_words.start_button(language) if topic == precheck.TOPIC else places.choose_button(tracker, topic)
        )
        if first is not None:
            shown = replies.with_button(shown, first)
        say(dispatcher, *_resumable(tracker, [shown, *more]))
        runners_up = tuple(tracker.latest_message.get("candidates") or ())
        return [*outcome(tracker, "answer", topic=topic, candidates=runners_up, effects=effects), *slots]


def _resumable(tracker: Tracker, said: list[Outgoing]) -> list[Outgoing]:
    """What is said, with a button to go on with the pre-check that the question interrupted."""
    if precheck.pending(tracker) is None:
        return said
    return [*said[:-1], replies.with_button(said[-1], precheck_words.resume_button(language_of(tracker)))]


class ActionAnswerOriginal(Action):
    """Shows a topic in its original language, for who does not trust a translation."""

    def name(self) -> str:
        return "action_answer_original"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        topic = entity(tracker, "topic") or ""
        say(dispatcher, replies.answer(context.get().catalogue, topic, DEFAULT, today=today_of(tracker)))
        return outcome(tracker, "answer", topic=topic)


class ActionClarify(Action):
    """Asks back with the topics that come close."""

    def name(self) -> str:
        return "action_clarify"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        topics = tuple(tracker.latest_message.get("candidates") or ())
        asked = replies.did_you_mean(context.get().catalogue, topics, language_of(tracker))
        say(dispatcher, *_resumable(tracker, [asked]))
        return outcome(tracker, "clarify", candidates=topics)


class ActionFallback(Action):
    """Says honestly that this was not understood, or is not what this assistant is for."""

    def name(self) -> str:
        return "action_fallback"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        language = language_of(tracker)
        if (tracker.latest_message.get("language") or {}).get("unsure"):
            say(dispatcher, replies.unlaunched(language))
        else:
            key = "out_of_scope" if intent_of(tracker) == "out_of_scope" else "fallback"
            said = replies.fallback(context.get().catalogue, language, key=key)
            say(dispatcher, *_resumable(tracker, [said]))
        return outcome(tracker, "fallback")


class ActionUnlaunchedLanguage(Action):
    """Tells which languages this assistant speaks, and offers a person."""

    def name(self) -> str:
        return "action_unlaunched_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        say(dispatcher, replies.unlaunched(language_of(tracker)))
        return outcome(tracker, "fallback")


class ActionSmalltalk(Action):
    """Answers small talk briefly."""

    def name(self) -> str:
        return "action_smalltalk"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        say(dispatcher, replies.smalltalk(intent_of(tracker).removeprefix("smalltalk_"), language_of(tracker)))
        return outcome(tracker, "smalltalk")
