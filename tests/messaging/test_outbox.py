from datetime import timedelta

import time_machine
from sqlalchemy import select

from bot.messaging import inbox, outbox
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from tests.conftest import NOON, message

HELLO = Outgoing("hello", "en")


def conversation(database: Database, channel: str = "telegram", address: str = "a") -> str:
    with database.write() as session:
        return inbox.conversation_of(session, channel=channel, address=address).id


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


def test_tries_are_bounded(database):
    outbox_id = put(database, conversation(database))
    for _ in range(outbox.MAX_ATTEMPTS):
        with database.write() as session:
            outbox.refused(session, outbox_id=outbox_id, error=DeliveryError("down", retry_after=0))
    assert row_of(database, outbox_id).state == "failed"


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


def test_receipts_in_any_order_end_at_the_furthest_state(database):
    outbox_id = put(database, conversation(database))
    claim(database)
    with database.write() as session:
        outbox.sent(session, outbox_id=outbox_id, provider_id="wamid.1")
    for state in ("read", "delivered", "sent"):
        with database.write() as session:
            assert outbox.receipt(session, channel="telegram", provider_id="wamid.1", reference="", state=state)
    assert row_of(database, outbox_id).provider_state == "read"


def test_a_receipt_settles_a_send_whose_answer_never_came(database):
    outbox_id = put(database, conversation(database))
    claim(database)
    with database.write() as session:
        outbox.receipt(session, channel="telegram", provider_id="wamid.2", reference=str(outbox_id), state="sent")
    assert (row_of(database, outbox_id).state, row_of(database, outbox_id).provider_id) == ("sent", "wamid.2")


def test_a_receipt_of_another_channel_changes_nothing(database):
    outbox_id = put(database, conversation(database))
    with database.write() as session:
        found = outbox.receipt(session, channel="whatsapp", provider_id="x", reference=str(outbox_id), state="sent")
    assert not found
    assert row_of(database, outbox_id).state == "due"


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
