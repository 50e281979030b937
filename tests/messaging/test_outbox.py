from datetime import timedelta

import time_machine
from sqlalchemy import select

from bot.messaging import contacts, inbox, outbox
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from tests.conftest import NOON, message

HELLO = Outgoing("hello", "en")


def conversation(database: Database, channel: str = "telegram", address: str = "a") -> str:
    with database.write() as session:
        return contacts.conversation_of(session, channel=channel, address=address).id


def put(database: Database, conversation_id: str, cause: str = "c:1", message: Outgoing = HELLO) -> int:
    with database.write() as session:
        return outbox.put(session, conversation_id=conversation_id, cause=cause, message=message)


def claim(database: Database, worker: str = "w"):
    with database.write() as session:
        return outbox.claim(session, worker=worker, channels=["telegram"])


def row_of(database: Database, outbox_id: int) -> OutboxMessage:
    with database.read() as session:
        return session.get_one(OutboxMessage, outbox_id)


def test_the_same_cause_speaks_once(database):
    where = conversation(database)
    assert put(database, where) == put(database, where)
    with database.read() as session:
        assert len(session.scalars(select(OutboxMessage)).all()) == 1


def test_a_claimed_message_is_not_claimed_again(database):
    put(database, conversation(database))
    assert len(claim(database)) == 1
    assert claim(database, "other") == []


def test_messages_of_a_conversation_go_out_in_order(database):
    where = conversation(database)
    first, second = put(database, where, "c:1"), put(database, where, "c:2")
    assert [row.outbox_id for row in claim(database)] == [first]
    with database.write() as session:
        outbox.sent(session, outbox_id=first, provider_id="p")
    assert [row.outbox_id for row in claim(database)] == [second]


def test_a_message_that_waits_for_its_retry_holds_back_later_ones(database):
    where = conversation(database)
    first = put(database, where, "c:1")
    put(database, where, "c:2")
    claim(database)
    with database.write() as session:
        outbox.refused(session, outbox_id=first, error=DeliveryError("busy", retry_after=60))
    assert claim(database) == []


def test_a_permanent_failure_ends_with_its_reason_and_lets_later_ones_go(database):
    where = conversation(database)
    first, second = put(database, where, "c:1"), put(database, where, "c:2")
    claim(database)
    with database.write() as session:
        outbox.refused(session, outbox_id=first, error=DeliveryError("blocked by the person", permanent=True))
    assert (row_of(database, first).state, row_of(database, first).problem) == ("failed", "blocked by the person")
    assert [row.outbox_id for row in claim(database)] == [second]


def test_the_pause_that_the_provider_asks_for_is_kept(database):
    with time_machine.travel(NOON, tick=False):
        outbox_id = put(database, conversation(database))
        claim(database)
        with database.write() as session:
            outbox.refused(session, outbox_id=outbox_id, error=DeliveryError("slow down", retry_after=30))
    with time_machine.travel(NOON + timedelta(seconds=29), tick=False):
        assert claim(database) == []
    with time_machine.travel(NOON + timedelta(seconds=31), tick=False):
        assert len(claim(database)) == 1


def refuse(database: Database, outbox_id: int, error: DeliveryError, limit: int = outbox.MAX_ATTEMPTS) -> str:
    with database.write() as session:
        return outbox.refused(session, outbox_id=outbox_id, error=error, limit=limit)


def test_tries_are_bounded(database):
    outbox_id = put(database, conversation(database))
    states = [refuse(database, outbox_id, DeliveryError("down"), limit=3) for _ in range(3)]
    assert states == ["due", "due", "failed"]


def test_a_message_outlives_a_provider_that_is_away_for_most_of_a_day(database):
    with time_machine.travel(NOON, tick=False) as clock:
        outbox_id = put(database, conversation(database))
        for _ in range(outbox.MAX_ATTEMPTS - 1):
            assert refuse(database, outbox_id, DeliveryError("cannot be reached")) == "due"
            clock.move_to(row_of(database, outbox_id).retry_at)
        assert row_of(database, outbox_id).retry_at > NOON + timedelta(hours=23)


def test_a_try_that_came_too_early_does_not_count(database):
    outbox_id = put(database, conversation(database))
    for _ in range(outbox.MAX_ATTEMPTS + 1):
        assert refuse(database, outbox_id, DeliveryError("too many messages", retry_after=1)) == "due"


def test_an_uncertain_send_waits_for_its_receipt_before_it_is_repeated(database):
    with time_machine.travel(NOON, tick=False) as clock:
        outbox_id = put(database, conversation(database))
        claim(database)
        refuse(database, outbox_id, DeliveryError("did not answer in time", uncertain=True))
        clock.shift(timedelta(seconds=outbox.SETTLING - 1))
        assert claim(database) == []
        clock.shift(timedelta(seconds=2))
        assert len(claim(database)) == 1


def test_a_refusal_that_comes_after_the_receipt_changes_nothing(database):
    outbox_id = put(database, conversation(database))
    claim(database)
    with database.write() as session:
        outbox.sent(session, outbox_id=outbox_id, provider_id="p")
    assert refuse(database, outbox_id, DeliveryError("did not answer in time", uncertain=True)) == "sent"


def test_parts_that_went_out_are_not_planned_again(database):
    where = conversation(database)
    outbox_id = put(database, where)
    claim(database)
    with database.write() as session:
        outbox.part_sent(session, outbox_id=outbox_id, parts=2)
        outbox.part_sent(session, outbox_id=outbox_id, parts=1)
    refuse(database, outbox_id, DeliveryError("busy", retry_after=0))
    assert claim(database)[0].parts_sent == 2


def test_references_tell_the_part_except_for_the_last(database):
    assert [outbox.reference(12, part, 3) for part in (1, 2, 3)] == ["12.1", "12.2", "12"]


def test_after_a_crash_channels_with_receipts_wait_for_them_and_others_go_on_at_once(database):
    with time_machine.travel(NOON, tick=False) as clock:
        patient = put(database, conversation(database), "c:1")
        hasty = put(database, conversation(database, "whatsapp"), "c:2")
        with database.write() as session:
            assert len(outbox.claim(session, worker="dead", channels=["telegram", "whatsapp"])) == 2
            outbox.free_leases(session, settling=["telegram"])
        with database.write() as session:
            found = outbox.claim(session, worker="alive", channels=["telegram", "whatsapp"])
        assert [row.outbox_id for row in found] == [hasty]
        clock.shift(timedelta(seconds=outbox.SETTLING + 1))
        assert [row.outbox_id for row in claim(database)] == [patient]


def test_a_failed_message_is_due_again_when_a_colleague_asks_for_it(database):
    outbox_id = put(database, conversation(database))
    refuse(database, outbox_id, DeliveryError("refused", permanent=True))
    with database.write() as session:
        assert outbox.retry(session, outbox_id=outbox_id)
        assert not outbox.retry(session, outbox_id=outbox_id)
    assert row_of(database, outbox_id).state == "due"


def test_a_send_whose_process_died_becomes_due_when_its_lease_runs_out(database):
    with time_machine.travel(NOON, tick=False):
        put(database, conversation(database))
        claim(database)
    with time_machine.travel(NOON + outbox.LEASE + timedelta(seconds=1), tick=False):
        assert len(claim(database, "alive")) == 1


def test_messages_of_pulled_channels_are_sent_when_stored(database):
    outbox_id = put(database, conversation(database, channel="web"))
    assert row_of(database, outbox_id).state == "sent"


def test_rating_buttons_carry_the_id_of_their_own_row(database):
    rated = Outgoing("answer", "en", (Button("good", "f:+:0"), Button("bad", "f:-:0"), Button("human", "h")))
    outbox_id = put(database, conversation(database), message=rated)
    payloads = [button["payload"] for button in row_of(database, outbox_id).body["buttons"]]
    assert payloads == [f"f:+:{outbox_id}", f"f:-:{outbox_id}", "h"]


def test_accepting_a_message_opens_the_way_for_its_reply(database):
    with database.write() as session:
        accepted = inbox.accept(session, message(channel="telegram"), per_minute=20)
    put(database, accepted.conversation_id)
    assert claim(database)[0].address == "a"


def test_an_id_is_never_given_again(database):
    where = conversation(database)
    first = put(database, where, "c:1")
    with database.write() as session:
        session.delete(session.get_one(OutboxMessage, first))
    assert put(database, where, "c:2") > first
