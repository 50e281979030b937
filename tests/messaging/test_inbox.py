from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import time_machine
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from bot.messaging import inbox
from bot.storage.conversation import Contact, Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from tests.conftest import NOON, lease_next, message


def accept(database: Database, incoming=None, per_minute: int = 20):
    try:
        with database.write() as session:
            return inbox.accept(session, incoming or message(), per_minute=per_minute)
    except IntegrityError:  # another thread stored it at the same instant
        return accept(database, incoming, per_minute)


def test_an_accepted_message_is_stored_with_its_text(database):
    accepted = accept(database, message("débouté de l'asile"))
    with database.read() as session:
        row = session.get_one(InboxMessage, accepted.inbox_id)
    assert (row.text, row.state, row.conversation_id) == ("débouté de l'asile", "waiting", accepted.conversation_id)


def test_a_message_that_comes_twice_is_stored_once(database):
    assert accept(database) is not None
    assert accept(database) is None
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(InboxMessage)) == 1


def test_a_message_that_comes_ten_times_at_once_is_stored_once(database):
    with ThreadPoolExecutor(10) as pool:
        results = list(pool.map(lambda _: accept(database), range(10)))
    assert sum(result is not None for result in results) == 1
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Conversation)) == 1


def test_the_same_address_in_two_channels_is_two_conversations(database):
    first = accept(database, message(channel="telegram"))
    second = accept(database, message(channel="whatsapp"))
    assert first.conversation_id != second.conversation_id


def test_the_address_stands_in_the_contact_table_alone(database):
    accepted = accept(database, message(address="+33600000000"))
    with database.read() as session:
        assert session.scalar(select(Contact.address)) == "+33600000000"
        conversation = session.get_one(Conversation, accepted.conversation_id)
        row = session.get_one(InboxMessage, accepted.inbox_id)
    assert "33600" not in repr([getattr(conversation, column.key) for column in Conversation.__table__.columns])
    assert row.conversation_id == accepted.conversation_id


def test_nul_bytes_and_lone_surrogates_are_stored_harmlessly(database):
    accepted = accept(database, message("a\x00b\ud800c"))
    with database.read() as session:
        assert session.get_one(InboxMessage, accepted.inbox_id).text == "ab?c"


def test_too_many_messages_are_kept_but_limited_and_one_word_a_minute_is_said(database):
    with time_machine.travel(NOON, tick=False):
        results = [accept(database, message(number=number), per_minute=3) for number in range(10)]
    assert [result.limited for result in results] == [False] * 3 + [True] * 7
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(InboxMessage)) == 10
        assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 1


def test_the_limit_of_one_sender_does_not_touch_another(database):
    with time_machine.travel(NOON, tick=False):
        for number in range(10):
            accept(database, message(number=number), per_minute=3)
        assert accept(database, message(address="b"), per_minute=3).limited is False


def test_after_a_quiet_minute_messages_pass_again(database):
    with time_machine.travel(NOON, tick=False):
        for number in range(10):
            accept(database, message(number=number), per_minute=3)
    with time_machine.travel(NOON + timedelta(minutes=1), tick=False):
        assert accept(database, message(number=11), per_minute=3).limited is False


def test_two_workers_never_hold_the_same_conversation(database):
    accept(database)
    with database.write() as session:
        assert lease_next(session, worker="one") is not None
    with database.write() as session:
        assert lease_next(session, worker="two") is None


def test_a_lease_of_a_dead_worker_runs_out(database):
    with time_machine.travel(NOON, tick=False):
        accept(database)
        with database.write() as session:
            held = lease_next(session, worker="dead")
    with time_machine.travel(NOON + inbox.LEASE + timedelta(seconds=1), tick=False), database.write() as session:
        assert lease_next(session, worker="alive") == held


def test_the_conversation_that_waits_longest_comes_first(database):
    first = accept(database, message(address="a"))
    accept(database, message(address="b"))
    with database.write() as session:
        assert lease_next(session, worker="one") == first.conversation_id


def test_a_message_that_fails_too_often_is_parked_with_its_reason(database):
    accepted = accept(database)
    with database.write() as session:
        parked = [
            inbox.failed(session, inbox_id=accepted.inbox_id, problem="ValueError") for _ in range(inbox.MAX_ATTEMPTS)
        ]
    assert parked == [False] * (inbox.MAX_ATTEMPTS - 1) + [True]
    with database.read() as session:
        row = session.get_one(InboxMessage, accepted.inbox_id)
    assert (row.state, row.problem) == ("parked", "ValueError")


def test_a_message_to_be_tried_later_is_not_handed_out_now(database):
    accepted = accept(database)
    with database.write() as session:
        inbox.failed(session, inbox_id=accepted.inbox_id, problem="x")
    with database.read() as session:
        assert inbox.next_waiting(session, conversation_id=accepted.conversation_id) is None


def test_messages_accepted_together_keep_their_order_and_are_stored_once(database):
    together = [message("one", number=1), message("two", number=2), message("one", number=1), message("x", address="b")]
    with database.write() as session:
        results = inbox.accept_all(session, together, per_minute=20)
    assert [result is not None for result in results] == [True, True, False, True]
    assert results[0].conversation_id == results[1].conversation_id != results[3].conversation_id
    with database.read() as session:
        assert list(session.scalars(select(InboxMessage.text).order_by(InboxMessage.id))) == ["one", "two", "x"]


def test_an_outage_of_something_else_is_not_held_against_a_message_for_a_day(database):
    with time_machine.travel(NOON, tick=False) as clock:
        with database.write() as session:
            accepted = inbox.accept(session, message(), per_minute=20)

        def fail() -> bool:
            with database.write() as session:
                return inbox.failed(session, inbox_id=accepted.inbox_id, problem="Unavailable", counts=False)

        assert not any(fail() for _ in range(inbox.MAX_ATTEMPTS * 2))
        clock.shift(inbox.LONGEST_OUTAGE + timedelta(seconds=1))
        assert fail()


def test_what_comes_behind_a_message_that_pauses_is_not_handed_out_before_it(database):
    with time_machine.travel(NOON, tick=False) as clock:
        with database.write() as session:
            first = inbox.accept(session, message(number=1), per_minute=20)
            inbox.accept(session, message(number=2), per_minute=20)
            inbox.failed(session, inbox_id=first.inbox_id, problem="ValueError")
        with database.write() as session:
            assert lease_next(session, worker="w") is None
        clock.shift(timedelta(seconds=3))
        with database.write() as session:
            assert lease_next(session, worker="w") == first.conversation_id
