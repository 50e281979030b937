from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from bot import accounts
from bot.handoff import queue
from bot.handoff.states import TransitionRefused
from bot.messaging import contacts
from bot.storage.account import Account
from bot.storage.conversation import Conversation
from bot.storage.handoff import CaseEvent
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database


@pytest.fixture
def conversation_id(database: Database) -> str:
    with database.write() as session:
        return contacts.conversation_of(session, channel="web", address="a").id


@pytest.fixture
def counsellors(database: Database) -> tuple[Account, Account]:
    with database.write() as session:
        made = [
            accounts.create(session, email=f"{name}@example.org", name=name, roles=["counsellor"], password="x" * 12)
            for name in ("Ana", "Bilal")
        ]
    return made[0], made[1]


@pytest.fixture
def request_case(database, conversation_id, open_hours):
    def request(**values):
        with database.write() as session:
            given = {"language": "en", "cause": "inbox:1", "hours": open_hours} | values
            return queue.request(session, conversation_id=conversation_id, **given).id

    return request


def said(database: Database) -> list[str]:
    with database.read() as session:
        return [row.body["text"] for row in session.scalars(select(OutboxMessage).order_by(OutboxMessage.id))]


def test_a_request_is_told_with_its_case_number(database, request_case, open_hours):
    case_id = request_case()
    assert f"W-{1000 + case_id}" in said(database)[0]


def test_the_wait_that_is_told_is_true(database, request_case, open_hours):
    with database.write() as session:
        for address in "bc":
            other = contacts.conversation_of(session, channel="web", address=address).id
            queue.request(session, conversation_id=other, language="en", cause=f"other:{address}", hours=open_hours)
    request_case()
    assert "2 people are waiting before you" in said(database)[-1]


def test_asking_twice_keeps_one_case(database, request_case, open_hours):
    assert request_case() == request_case(cause="inbox:2")
    assert "already" in said(database)[1]


def test_an_urgent_request_makes_the_open_case_urgent(database, request_case, open_hours):
    request_case()
    request_case(cause="inbox:2", urgent=True, reason="self_harm")
    with database.read() as session:
        case = queue.waiting(session)[0]
    assert (case.urgent, case.reason) == (True, "self_harm")


def test_a_claim_silences_the_assistant_and_is_told(database, request_case, counsellors, conversation_id):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
    with database.read() as session:
        assert session.get_one(Conversation, conversation_id).holder == "counsellor"
    assert "Ana" in said(database)[-1]


def test_claim_is_refused_when_another_counsellor_holds_it(database, request_case, counsellors):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
    with pytest.raises(TransitionRefused), database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[1])


def test_of_many_claims_at_once_one_wins(database, request_case, counsellors):
    case_id = request_case()

    def claim(number: int) -> bool:
        try:
            with database.write() as session:
                queue.claim(session, case_id=case_id, account=counsellors[number % 2])
        except TransitionRefused:
            return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(claim, range(8))) == 1


def test_only_the_holder_can_reply(database, request_case, counsellors):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
    with pytest.raises(TransitionRefused), database.write() as session:
        queue.reply(session, case_id=case_id, account=counsellors[1], text="hi", key="k")


def test_a_reply_sent_twice_by_the_form_is_queued_once(database, request_case, counsellors):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
    for _ in range(2):
        with database.write() as session:
            queue.reply(session, case_id=case_id, account=counsellors[0], text="how can I help", key="k1")
    assert said(database).count("how can I help") == 1


def test_closing_gives_the_person_back_to_the_assistant_with_a_word(
    database, request_case, counsellors, conversation_id
):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
        queue.close(session, case_id=case_id, account=counsellors[0])
    with database.read() as session:
        assert session.get_one(Conversation, conversation_id).holder == "bot"
    assert "ended" in said(database)[-1]


def test_a_case_handed_back_waits_again_and_the_assistant_speaks(database, request_case, counsellors, conversation_id):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
        queue.hand_back(session, case_id=case_id, account=counsellors[0])
    with database.read() as session:
        assert [case.id for case in queue.waiting(session)] == [case_id]
        assert session.get_one(Conversation, conversation_id).holder == "bot"


def test_a_closed_case_cannot_be_claimed(database, request_case, counsellors):
    case_id = request_case()
    with database.write() as session:
        queue.close(session, case_id=case_id, account=counsellors[0])
    with pytest.raises(TransitionRefused), database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])


def test_every_move_leaves_an_audit_row(database, request_case, counsellors):
    case_id = request_case()
    with database.write() as session:
        queue.claim(session, case_id=case_id, account=counsellors[0])
        queue.close(session, case_id=case_id, account=counsellors[0])
    with database.read() as session:
        events = session.scalars(select(CaseEvent).order_by(CaseEvent.id)).all()
    assert [(event.action, event.before, event.after) for event in events] == [
        ("request", None, "waiting"),
        ("claim", "waiting", "held"),
        ("close", "held", "closed"),
    ]


def test_urgent_cases_come_first(database, request_case, open_hours):
    request_case()
    with database.write() as session:
        other = contacts.conversation_of(session, channel="web", address="b").id
        urgent = queue.request(
            session, conversation_id=other, language="en", cause="x", hours=open_hours, urgent=True, reason="medical"
        ).id
    with database.read() as session:
        assert queue.waiting(session)[0].id == urgent
