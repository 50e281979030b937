import json
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from bot import accounts
from bot.handoff import queue
from bot.messaging import contacts, erasure, inbox, outbox
from bot.messaging.messages import Incoming, Outgoing, Shown
from bot.messaging.protocols import DeliveryError
from bot.storage.base import now
from bot.storage.conversation import Contact, Conversation
from bot.storage.inbox import InboxMessage, Tombstone
from bot.storage.models import Base
from bot.storage.outbox import OutboxMessage
from tests.conftest import NOON

ADDRESS = "+33612345678"
QUESTION = "débouté de l'asile, que faire"
ANSWER = "You can ask for help."
LINE = "I am Ana. Tell me more."
READABLE = (ADDRESS, QUESTION, ANSWER, LINE, "photo-reference", "provider-id-1")


def everything(session: Session) -> str:
    """All rows of all tables, as text."""
    rows = {table.name: session.execute(select(table)).all() for table in Base.metadata.sorted_tables}
    return json.dumps(
        {name: [list(row) for row in found] for name, found in rows.items()}, default=str, ensure_ascii=False
    )


def number_of_rows(session: Session, conversation_id: str) -> int:
    """Rows in all tables that name the conversation."""
    return everything(session).count(conversation_id)


@pytest.fixture
def talk(database, open_hours):
    """A conversation with a question, a photo, an answer, a case and a counsellor's line; gives its id."""

    def make(address: str = ADDRESS, channel: str = "telegram") -> str:
        with database.write() as session:
            first = Incoming(channel, f"{address}:1", address, text=QUESTION, locale="fr")
            photo = Incoming(
                channel, f"{address}:2", address, kind="media", text=QUESTION, media={"file": "photo-reference"}
            )
            taken = [inbox.accept(session, message, per_minute=20) for message in (first, photo)]
            conversation_id = taken[0].conversation_id
            session.execute(update(InboxMessage).values(state="done", done_at=now()))
            shown = Outgoing(ANSWER, "en", shown=Shown("eligibility_who", "en", 3))
            row = outbox.put(session, conversation_id=conversation_id, cause=f"{address}:answer", message=shown)
            session.get_one(OutboxMessage, row).provider_id = "provider-id-1"
            email = f"ana{conversation_id}@example.org"
            ana = accounts.create(session, email=email, name="Ana", roles=["counsellor"], password="x" * 12)
            case = queue.request(
                session, conversation_id=conversation_id, language="en", cause=address, hours=open_hours
            )
            queue.claim(session, case_id=case.id, account=ana)
            queue.reply(session, case_id=case.id, account=ana, text=LINE, key="1")
            return conversation_id

    return make


@pytest.fixture
def erase(database):
    def run(conversation_id: str, cause: str = "inbox:9") -> None:
        with database.write() as session:
            conversation = session.get_one(Conversation, conversation_id)
            erasure.erase(session, conversation=conversation, cause=cause, language="en")

    return run


def deliver(database, *, problem: DeliveryError | None = None) -> None:
    with database.write() as session:
        for row in session.scalars(select(OutboxMessage)):
            row.state, row.sent_at = ("failed" if problem else "sent"), now()


def finish(database) -> list[str]:
    with database.write() as session:
        return erasure.finish(session)


def test_what_is_looked_for_is_there_before_it_is_erased(database, talk):
    talk()
    with database.read() as session:
        kept = everything(session)
    assert [word for word in READABLE if word not in kept] == []


def test_after_erasing_nothing_that_was_said_is_left_in_any_table(database, talk, erase):
    erase(talk())
    with database.read() as session:
        kept = everything(session)
    assert [word for word in READABLE if word in kept and word != ADDRESS] == []


def test_after_erasing_the_person_is_told_so_and_nobody_holds_the_conversation(database, talk, erase):
    conversation_id = talk()
    erase(conversation_id)
    with database.read() as session:
        word = session.scalars(select(OutboxMessage)).one()
        conversation = session.get_one(Conversation, conversation_id)
    assert "has been deleted" in word.body["text"]
    assert word.remembered, "the transcript is erased too, and must not begin again with this word"
    assert (conversation.holder, conversation.leaving) == ("bot", True)


def test_the_address_stays_in_the_contact_table_until_the_last_word_is_delivered(database, talk, erase):
    erase(talk())
    with database.read() as session:
        assert session.scalar(select(Contact.address)) == ADDRESS
        session.execute(select(Contact))
        kept = everything(session)
    assert kept.count(ADDRESS) == 1


def test_finishing_removes_address_and_conversation_once_the_last_word_had_time_to_arrive(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        conversation_id = talk()
        erase(conversation_id)
        deliver(database)
        assert finish(database) == []
        clock.shift(erasure.LAST_WORD + timedelta(seconds=1))
        assert finish(database) == [conversation_id]
    with database.read() as session:
        kept = everything(session)
        assert number_of_rows(session, conversation_id) == kept.count(f"ana{conversation_id}@")  # her account alone
    assert [word for word in READABLE if word in kept] == []


def test_finishing_waits_for_a_last_word_that_is_still_to_be_sent(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        erase(talk())
        clock.shift(timedelta(hours=2))
        assert finish(database) == []


def test_a_last_word_that_cannot_be_delivered_does_not_keep_the_address(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        conversation_id = talk()
        erase(conversation_id)
        deliver(database, problem=DeliveryError("blocked", permanent=True))
        clock.shift(erasure.LAST_WORD + timedelta(seconds=1))
        assert finish(database) == [conversation_id]


def test_a_person_who_writes_again_before_the_end_stays(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        conversation_id = talk()
        erase(conversation_id)
        deliver(database)
        clock.shift(timedelta(minutes=5))
        with database.write() as session:
            again = Incoming("telegram", "again", ADDRESS, text="hello again")
            assert inbox.accept(session, again, per_minute=20).conversation_id == conversation_id
        clock.shift(timedelta(minutes=10))
        assert finish(database) == []
    with database.read() as session:
        assert session.get_one(Conversation, conversation_id).leaving is False
        assert session.scalar(select(InboxMessage.text)) == "hello again"


def test_a_person_who_wrote_again_and_was_answered_stays(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        conversation_id = talk()
        erase(conversation_id)
        deliver(database)
        clock.shift(timedelta(minutes=5))
        with database.write() as session:
            inbox.accept(session, Incoming("telegram", "again", ADDRESS, text="hello again"), per_minute=20)
            session.execute(update(InboxMessage).values(state="done", done_at=now()))
        clock.shift(timedelta(minutes=20))
        assert finish(database) == []
    with database.read() as session:
        assert session.get(Conversation, conversation_id) is not None
        assert session.scalar(select(InboxMessage.text)) == "hello again"


def test_erasing_leaves_another_person_alone(database, talk, erase):
    conversation_id, other = talk(), talk("+32477000000")
    erase(conversation_id)
    with database.read() as session:
        texts = list(session.scalars(select(InboxMessage.text).where(InboxMessage.conversation_id == other)))
        assert session.get_one(Conversation, other).leaving is False
    assert texts == [QUESTION, QUESTION]


def test_a_message_that_came_while_erasing_is_still_answered(database, talk, erase):
    conversation_id = talk()
    with database.write() as session:
        inbox.accept(session, Incoming("telegram", "late", ADDRESS, text="one more"), per_minute=20)
    erase(conversation_id)
    with database.read() as session:
        assert list(session.scalars(select(InboxMessage.text))) == ["one more"]


def test_expiry_erases_the_silent_and_keeps_the_young(database, talk):
    with time_machine.travel(NOON, tick=False) as clock:
        old = talk()
        clock.shift(timedelta(days=80))
        young = talk("+32477000000")
        clock.shift(timedelta(days=10, seconds=1))
        with database.write() as session:
            assert erasure.expire(session, days=90) == [old]
    with database.read() as session:
        assert list(session.scalars(select(Conversation.id))) == [young]
        kept = everything(session)
    assert ADDRESS not in kept
    assert "+32477000000" in kept


def test_expiry_counts_from_the_last_message_not_from_the_first(database, talk):
    with time_machine.travel(NOON, tick=False) as clock:
        talk()
        clock.shift(timedelta(days=80))
        with database.write() as session:
            inbox.accept(session, Incoming("telegram", "later", ADDRESS, text="still here"), per_minute=20)
        clock.shift(timedelta(days=80))
        with database.write() as session:
            assert erasure.expire(session, days=90) == []


def test_expiry_erases_who_never_wrote_by_the_day_of_creation(database):
    with time_machine.travel(NOON, tick=False) as clock:
        with database.write() as session:
            made = contacts.conversation_of(session, channel="web", address="opened the page").id
        clock.shift(timedelta(days=91))
        with database.write() as session:
            assert erasure.expire(session, days=90) == [made]


def test_an_export_holds_everything_said_in_order_and_nothing_of_the_address(database, talk):
    conversation_id = talk()
    with database.read() as session:
        raw = erasure.export(session, conversation_id=conversation_id).decode()
    exported = json.loads(raw)
    texts = [message["text"] for message in exported["messages"]]
    assert {QUESTION, ANSWER, LINE} <= set(texts)
    assert texts.index(QUESTION) < texts.index(ANSWER) < texts.index(LINE)
    assert {message["from"] for message in exported["messages"]} == {"you", "bot", "system", "counsellor"}
    assert [message["shown"] for message in exported["messages"] if message.get("shown")] == [
        {"entry": "eligibility_who", "language": "en", "version": 3}
    ]
    assert [case["number"] for case in exported["cases"]] == ["W-1001"]
    assert "débouté" in raw, "people read this file: no escapes"
    assert "photo-reference" in raw
    assert ADDRESS not in raw


def test_an_export_holds_only_ones_own_conversation(database, talk):
    conversation_id, _other = talk(), talk("+32477000000")
    with database.read() as session:
        alone = json.loads(erasure.export(session, conversation_id=conversation_id))
    assert len(alone["cases"]) == 1
    assert sum(message["text"] == QUESTION for message in alone["messages"]) == 2


def test_a_provider_that_repeats_an_erased_message_brings_nothing_back(database, talk, erase):
    with time_machine.travel(NOON, tick=False) as clock:
        erase(talk())
        clock.shift(erasure.LAST_WORD + timedelta(seconds=1))
        with database.write() as session:
            for row in session.scalars(select(OutboxMessage)):
                outbox.sent(session, outbox_id=row.id, provider_id="p")
            assert erasure.finish(session)
        clock.shift(timedelta(days=7))
        again = Incoming("telegram", f"{ADDRESS}:1", ADDRESS, text=QUESTION)
        with database.write() as session:
            assert inbox.accept(session, again, per_minute=20) is None
            erasure.expire(session, days=90)
        with database.read() as session:
            assert ADDRESS not in everything(session)
            assert QUESTION not in everything(session)


def test_what_tells_repetitions_of_erased_messages_is_forgotten_when_no_provider_repeats_any_more(
    database, talk, erase
):
    with time_machine.travel(NOON, tick=False) as clock:
        erase(talk())
        with database.read() as session:
            assert session.scalars(select(Tombstone)).all()
        clock.shift(erasure.REPEATS + timedelta(seconds=1))
        with database.write() as session:
            erasure.expire(session, days=90)
            assert not session.scalars(select(Tombstone)).all()
