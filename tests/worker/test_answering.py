import pytest

from bot.messaging import inbox, outbox
from bot.messaging.messages import Button, Incoming, Outgoing
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.worker.answering import _typed_choice

TOPICS = Outgoing("Did you mean?", "en", (Button("Costs", "t:about_cost"), Button("Papers", "t:documents_lost")))
SURE = Outgoing("Delete everything?", "en", (Button("Yes, delete", "d:yes"), Button("No", "d:no")), speaker="system")
NOTICE = Outgoing("Please wait a moment.", "en", speaker="system")
ANSWER = Outgoing("It costs nothing.", "en")


def typed(database: Database, text: str, *said: Outgoing) -> str | None:
    """The button that a person who writes ``text`` means, after these messages."""
    with database.write() as session:
        accepted = inbox.accept(session, Incoming("twilio", "SM1", "32470000001", text=text), per_minute=20)
        for number, message in enumerate(said):
            where = accepted.conversation_id
            outbox.put(session, conversation_id=where, cause=f"c:{number}", message=message)
        return _typed_choice(session, session.get_one(InboxMessage, accepted.inbox_id))


@pytest.mark.parametrize(("text", "payload"), [("1", "d:yes"), ("٢", "d:no"), ("yes, delete", "d:yes"), ("3", None)])
def test_a_number_after_the_question_before_deleting_is_its_button_and_no_earlier_one(sqlite_database, text, payload):
    assert typed(sqlite_database, text, TOPICS, SURE) == payload


def test_a_notice_of_the_service_does_not_hide_what_was_asked(sqlite_database):
    assert typed(sqlite_database, "2", TOPICS, NOTICE) == "t:documents_lost"


def test_an_answer_without_choices_ends_those_before_it(sqlite_database):
    assert typed(sqlite_database, "2", TOPICS, ANSWER) is None


def test_a_number_before_anything_was_said_is_only_a_number(sqlite_database):
    assert typed(sqlite_database, "1") is None
