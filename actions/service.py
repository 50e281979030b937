"""Actions around the conversation itself: welcome, language, privacy, deletion, ratings, a person, a crisis."""

from rasa_sdk import Action, Tracker
from rasa_sdk.events import SlotSet
from rasa_sdk.executor import CollectingDispatcher

from actions import context
from actions.speech import Domain, Events, entity, known, language_of, outcome, say, today_of
from bot.dialogue import replies
from bot.languages import is_launched
from bot.messaging.messages import Effect


class ActionWelcome(Action):
    """Welcomes a person; a deep link may carry the language."""

    def name(self) -> str:
        return "action_welcome"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        about = context.get()
        say(dispatcher, *replies.welcome(about.catalogue, language_of(tracker), retention_days=about.retention_days))
        return outcome(tracker, "smalltalk")


class ActionHelp(Action):
    """Explains how to use the assistant."""

    def name(self) -> str:
        return "action_help"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        say(dispatcher, replies.plain("help", language_of(tracker)))
        return outcome(tracker, "smalltalk")


class ActionLanguage(Action):
    """Changes the language, or shows the languages there are."""

    def name(self) -> str:
        return "action_language"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        code = entity(tracker, "language")
        if not is_launched(code):
            say(dispatcher, replies.choose_language(language_of(tracker)))
            return outcome(tracker, "smalltalk")
        assert code is not None
        say(dispatcher, replies.language_changed(code))
        change = Effect("language", {"code": code, "chosen": True})
        return [*outcome(tracker, "smalltalk", effects=(change,)), SlotSet("language", code)]


class ActionPrivacy(Action):
    """Tells what is kept, how long, and who reads it."""

    def name(self) -> str:
        return "action_privacy"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        say(dispatcher, replies.privacy(language_of(tracker), retention_days=context.get().retention_days))
        return outcome(tracker, "smalltalk")


class ActionDelete(Action):
    """Asks before erasing; erases when the person says yes."""

    def name(self) -> str:
        return "action_delete"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        language, answer = language_of(tracker), entity(tracker, "answer")
        if answer is None:
            say(dispatcher, replies.delete_question(language))
            return outcome(tracker, "smalltalk")
        if answer != "yes":
            say(dispatcher, replies.plain("delete.kept", language, system=True))
            return outcome(tracker, "smalltalk")
        # the last word is said by the worker, after the rows are gone
        return outcome(tracker, "smalltalk", effects=(Effect("delete"),))


class ActionExport(Action):
    """Sends a copy of everything kept about the conversation."""

    def name(self) -> str:
        return "action_export"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        say(dispatcher, replies.export(language_of(tracker)))
        return outcome(tracker, "smalltalk")


class ActionFeedback(Action):
    """Thanks for a rating and has it stored with the reply it rates."""

    def name(self) -> str:
        return "action_feedback"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        helpful = entity(tracker, "helpful") == "+"
        language = language_of(tracker)
        if helpful:
            say(dispatcher, replies.plain("feedback.helpful", language))
        else:
            say(dispatcher, replies.fallback(context.get().catalogue, language, key="feedback.not_helpful"))
        values = {"outbox_id": int(entity(tracker, "reply") or 0), "helpful": helpful}
        return outcome(tracker, "smalltalk", effects=(Effect("feedback", values),))


class ActionHandoff(Action):
    """Asks for a counsellor. The person is told so by the worker, once the case is registered."""

    def name(self) -> str:
        return "action_handoff"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        return outcome(tracker, "handoff", effects=(Effect("handoff", {"urgent": False, "reason": "asked"}),))


class ActionCrisis(Action):
    """Says the safety text first and calls a counsellor urgently."""

    def name(self) -> str:
        return "action_crisis"

    def run(self, dispatcher: CollectingDispatcher, tracker: Tracker, domain: Domain) -> Events:
        kind = str((tracker.latest_message.get("crisis") or {}).get("kind") or "violence")
        day, places = today_of(tracker), context.get().places.folder
        country = known(tracker, "host")
        say(dispatcher, replies.crisis(kind, language_of(tracker), country=country, today=day, places=places))
        return outcome(tracker, "crisis", effects=(Effect("handoff", {"urgent": True, "reason": kind}),))
