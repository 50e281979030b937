import pytest

from bot.messaging import contacts, outbox, receipts
from bot.messaging.hooks import Receipt
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import DeliveryError
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database

GONE = DeliveryError("not reachable on WhatsApp", permanent=True)
BUSY = DeliveryError("WhatsApp is unavailable (131000)")


@pytest.fixture
def outbox_id(database: Database) -> int:
    with database.write() as session:
        where = contacts.conversation_of(session, channel="whatsapp", address="32470000001").id
        return outbox.put(session, conversation_id=where, cause="c:1", message=Outgoing("hello", "en"))


def claim(database: Database) -> None:
    with database.write() as session:
        assert outbox.claim(session, worker="w", channels=["whatsapp"])


def sent(database: Database, outbox_id: int, provider_id: str = "wamid.1") -> None:
    with database.write() as session:
        outbox.sent(session, outbox_id=outbox_id, provider_id=provider_id)


def note(database: Database, *told: Receipt, channel: str = "whatsapp") -> list[bool]:
    with database.write() as session:
        return [receipts.note(session, channel=channel, receipt=receipt) for receipt in told]


def row_of(database: Database, outbox_id: int) -> OutboxMessage:
    with database.read() as session:
        return session.get_one(OutboxMessage, outbox_id)


def test_receipts_in_any_order_end_at_the_furthest_state(database, outbox_id):
    claim(database)
    sent(database, outbox_id)
    for state in ("read", "delivered", "sent"):
        assert note(database, Receipt("wamid.1", state)) == [True]
    assert row_of(database, outbox_id).provider_state == "read"


@pytest.mark.parametrize("before", ["sending", "due"])
def test_a_receipt_settles_a_send_whose_answer_never_came(database, outbox_id, before):
    claim(database)
    if before == "due":
        with database.write() as session:
            outbox.refused(session, outbox_id=outbox_id, error=DeliveryError("no answer", uncertain=True))
    note(database, Receipt("wamid.2", "sent", str(outbox_id)))
    assert (row_of(database, outbox_id).state, row_of(database, outbox_id).provider_id) == ("sent", "wamid.2")


def test_a_receipt_proves_that_a_message_given_up_had_arrived(database, outbox_id):
    claim(database)
    with database.write() as session:
        outbox.refused(session, outbox_id=outbox_id, error=DeliveryError("no answer", uncertain=True), limit=1)
    note(database, Receipt("wamid.2", "delivered", str(outbox_id)))
    assert (row_of(database, outbox_id).state, row_of(database, outbox_id).provider_state) == ("sent", "delivered")


def test_the_receipt_of_an_earlier_part_does_not_settle_the_whole(database, outbox_id):
    claim(database)
    note(database, Receipt("wamid.a", "delivered", f"{outbox_id}.2"))
    assert (row_of(database, outbox_id).state, row_of(database, outbox_id).parts_sent) == ("sending", 2)


def test_a_receipt_of_another_channel_changes_nothing(database, outbox_id):
    assert note(database, Receipt("x", "sent", str(outbox_id)), channel="telegram") == [False]
    assert row_of(database, outbox_id).state == "due"


@pytest.mark.parametrize("reference", ["", "rubbish", "9" * 30, "12.x", "-1", "."])
def test_receipts_of_messages_that_are_not_ours_are_ignored(database, outbox_id, reference):
    assert note(database, Receipt("wamid.unknown", "delivered", reference)) == [False]


def test_a_late_failure_ends_the_message_with_its_reason(database, outbox_id):
    claim(database)
    sent(database, outbox_id)
    note(database, Receipt("wamid.1", "failed", str(outbox_id), GONE))
    assert (row_of(database, outbox_id).state, row_of(database, outbox_id).problem) == ("failed", GONE.reason)


def test_a_late_failure_that_may_pass_is_tried_again_and_counts_once(database, outbox_id):
    claim(database)
    sent(database, outbox_id)
    failed = Receipt("wamid.1", "failed", str(outbox_id), BUSY)
    note(database, failed, failed)
    row = row_of(database, outbox_id)
    assert (row.state, row.attempts) == ("due", 1)


def test_a_failure_of_an_earlier_try_does_not_undo_a_later_one(database, outbox_id):
    claim(database)
    sent(database, outbox_id)
    note(database, Receipt("wamid.1", "failed", str(outbox_id), BUSY))
    with database.write() as session:
        session.get_one(OutboxMessage, outbox_id).retry_at = None
    claim(database)
    sent(database, outbox_id, "wamid.2")
    note(database, Receipt("wamid.1", "failed", str(outbox_id), BUSY), Receipt("wamid.2", "delivered", str(outbox_id)))
    row = row_of(database, outbox_id)
    assert (row.state, row.provider_id, row.provider_state) == ("sent", "wamid.2", "delivered")


def test_a_failure_that_is_faster_than_the_answer_stays(database, outbox_id):
    claim(database)
    note(database, Receipt("wamid.1", "failed", str(outbox_id), GONE))
    sent(database, outbox_id)
    assert row_of(database, outbox_id).state == "failed"


def test_a_failure_outside_the_window_holds_the_message_until_the_person_writes(database, outbox_id):
    claim(database)
    sent(database, outbox_id)
    note(database, Receipt("wamid.1", "failed", str(outbox_id), DeliveryError("outside", outside_window=True)))
    assert row_of(database, outbox_id).state == "held"
