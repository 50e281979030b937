from datetime import timedelta

from sqlalchemy.exc import OperationalError

from bot.messaging import outbox, receipts
from bot.messaging.hooks import Receipt
from bot.messaging.protocols import DeliveryError
from bot.storage.outbox import OutboxMessage
from tests.conftest import NOON
from tests.faults.conftest import Desk


def texts(graph) -> list[str]:
    return [body["text"]["body"] for body in graph.sent]


async def test_a_provider_that_is_down_for_an_hour_gets_everything_once_and_in_order(desk: Desk, graph, line):
    where = desk.hear()
    rows = [desk.say(where, f"reply {number}") for number in range(5)]
    line.mode = "down"
    await desk.deliver_until(NOON + timedelta(hours=1))
    assert graph.sent == []
    assert desk.row(rows[0]).state == "due"
    line.mode = "up"
    await desk.deliver_until(NOON + timedelta(hours=1, minutes=11))
    assert texts(graph) == [f"reply {number}" for number in range(5)]
    assert {desk.row(row).state for row in rows} == {"sent"}


async def test_one_persons_outage_does_not_hold_up_another(desk: Desk, graph):
    first, second = desk.hear(), desk.hear(person="32470000002")
    stuck = desk.say(first, "stuck")
    graph.fail(131056)  # too many messages to this person
    await desk.deliver()
    desk.say(second, "goes")
    await desk.deliver()
    assert texts(graph) == ["goes"]
    assert desk.row(stuck).state == "due"


async def test_a_provider_that_is_away_for_more_than_a_day_leaves_a_failure_to_be_retried(desk: Desk, graph, line):
    row = desk.say(desk.hear())
    line.mode = "down"
    # the window is open again and again, because the person goes on writing
    for hour in range(0, 28, 4):
        desk.hear(number=hour + 2)
        await desk.deliver_until(NOON + timedelta(hours=hour + 4))
    assert (desk.row(row).state, desk.row(row).attempts) == ("failed", outbox.MAX_ATTEMPTS)
    line.mode = "up"
    with desk.database.write() as session:
        assert outbox.retry(session, outbox_id=row)
    await desk.deliver()
    assert len(graph.sent) == 1


async def test_an_answer_that_outlives_the_window_waits_for_the_person(desk: Desk, graph, line):
    where = desk.hear()
    row = desk.say(where, "late")
    line.mode = "down"
    await desk.deliver_until(NOON + timedelta(hours=25))
    line.mode = "up"
    await desk.deliver_until(NOON + timedelta(hours=26))
    assert desk.row(row).state == "held"
    desk.hear(number=2)
    await desk.deliver()
    assert texts(graph) == ["late"]


async def test_a_pace_that_the_platform_sets_is_kept_without_its_help(desk: Desk, graph):
    where = desk.hear()
    for number in range(60):
        desk.say(where, f"{number}")
    await desk.deliver()
    assert len(graph.sent) == 45
    await desk.deliver_until(NOON + timedelta(seconds=300))
    assert texts(graph) == [str(number) for number in range(60)]


async def test_a_database_away_while_a_message_is_sent_does_not_send_it_twice(desk, graph, monkeypatch):
    row = desk.say(desk.hear())
    note, failures = outbox.sent, [OperationalError("UPDATE", {}, Exception("connection lost"))] * 2

    def away(*arguments: object, **named: object) -> None:
        if failures:
            raise failures.pop()
        note(*arguments, **named)

    monkeypatch.setattr(outbox, "sent", away)
    await desk.deliver()
    desk.clock.shift(outbox.LEASE * 2)
    await desk.deliver()
    assert (len(graph.sent), desk.row(row).state) == (1, "sent")


async def test_a_send_whose_worker_died_before_it_was_noted_is_settled_by_its_receipt(desk: Desk, graph):
    row = desk.say(desk.hear())
    with desk.database.write() as session:
        (claimed,) = outbox.claim(session, worker="dead", channels=["whatsapp"])
    channel = desk.delivery.channels["whatsapp"]
    (part,) = channel.plan(claimed.message, outbox_id=row)
    provider_id = await channel.send(claimed.address, part, reference=outbox.reference(row, 1, 1))
    with desk.database.write() as session:
        receipts.note(session, channel="whatsapp", receipt=Receipt(provider_id, "delivered", str(row)))
    desk.clock.shift(outbox.LEASE * 2)
    await desk.deliver()
    assert (len(graph.sent), desk.row(row).state) == (1, "sent")


async def test_a_worker_whose_lease_ran_out_does_not_undo_what_another_did(desk: Desk, graph):
    row = desk.say(desk.hear())
    with desk.database.write() as session:
        (slow,) = outbox.claim(session, worker="slow", channels=["whatsapp"])
    desk.clock.shift(outbox.LEASE + timedelta(seconds=1))
    await desk.deliver()
    with desk.database.write() as session:
        outbox.refused(session, outbox_id=slow.outbox_id, error=DeliveryError("no answer", uncertain=True))
        assert session.get_one(OutboxMessage, row).state == "sent"
