import pytest
from sqlalchemy import func, select

from bot.handoff import queue
from bot.messaging import inbox, parked
from bot.messaging.messages import Incoming
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from tests.conftest import lease_next


def write(database: Database, number: int = 1, *, address: str = "a", kind: str = "text") -> int:
    with database.write() as session:
        message = Incoming("telegram", f"m{number}", address, kind=kind, text="my secret")
        accepted = inbox.accept(session, message, per_minute=20)
        return accepted.inbox_id


def park(database: Database, inbox_id: int, problem: str = "ValueError") -> None:
    with database.write() as session:
        for _ in range(inbox.MAX_ATTEMPTS):
            inbox.failed(session, inbox_id=inbox_id, problem=problem)


def row(database: Database, inbox_id: int) -> InboxMessage:
    with database.read() as session:
        return session.get_one(InboxMessage, inbox_id)


def test_what_was_given_up_is_listed_newest_first_with_its_reason(database):
    first, second, other = write(database, 1), write(database, 2, kind="media"), write(database, 3)
    park(database, first, "TimeoutError")
    park(database, second)
    with database.read() as session:
        found = parked.listed(session)
        assert parked.count(session) == 2
    assert [(item.inbox_id, item.kind, item.problem, item.attempts) for item in found] == [
        (second, "media", "ValueError", 5),
        (first, "text", "TimeoutError", 5),
    ]
    assert row(database, other).state == "waiting"


def test_the_list_is_cut_at_its_limit_and_the_count_is_not(database):
    for number in range(4):
        park(database, write(database, number))
    with database.read() as session:
        assert (len(parked.listed(session, limit=3)), parked.count(session)) == (3, 4)


def test_a_listed_message_has_its_conversations_newest_case_and_none_of_its_words(database, open_hours):
    parked_id, lonely = write(database), write(database, 2, address="b")
    for inbox_id in (parked_id, lonely):
        park(database, inbox_id)
    with database.write() as session:
        where = session.get_one(InboxMessage, parked_id).conversation_id
        case = queue.request(session, conversation_id=where, language="en", cause="c", hours=open_hours)
    with database.read() as session:
        alone, helped = parked.listed(session)
    assert (alone.case, helped.case.number) == (None, case.number)
    assert "secret" not in repr(helped)


def test_trying_again_gives_a_message_all_its_tries_back(database):
    inbox_id = write(database)
    park(database, inbox_id)
    with database.write() as session:
        assert parked.try_again(session, inbox_id=inbox_id)
    found = row(database, inbox_id)
    assert (found.state, found.attempts, found.retry_at, found.done_at, found.problem) == (
        "waiting",
        0,
        None,
        None,
        None,
    )
    with database.write() as session:
        where = lease_next(session, worker="w")
        assert inbox.next_waiting(session, conversation_id=where).id == inbox_id


def test_a_message_that_is_set_aside_is_done_without_an_answer(database):
    inbox_id = write(database)
    park(database, inbox_id)
    with database.write() as session:
        assert parked.set_aside(session, inbox_id=inbox_id)
        assert lease_next(session, worker="w") is None
    found = row(database, inbox_id)
    assert (found.state, found.outcome, found.problem) == ("done", "set_aside", "ValueError")
    assert found.done_at is not None


@pytest.mark.parametrize("decide", [parked.try_again, parked.set_aside])
def test_of_two_decisions_the_first_counts(database, decide):
    inbox_id = write(database)
    park(database, inbox_id)
    with database.write() as session:
        assert parked.set_aside(session, inbox_id=inbox_id)
    with database.write() as session:
        assert not decide(session, inbox_id=inbox_id)
    assert row(database, inbox_id).state == "done"


@pytest.mark.parametrize("decide", [parked.try_again, parked.set_aside])
def test_a_message_that_is_not_parked_stays_as_it_is(database, decide):
    inbox_id = write(database)
    with database.write() as session:
        assert not decide(session, inbox_id=inbox_id)
        assert not decide(session, inbox_id=99)
        assert session.scalar(select(func.count()).where(InboxMessage.state == "waiting")) == 1
