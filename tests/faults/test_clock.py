from datetime import UTC, datetime, timedelta

import pytest

from bot.messaging import outbox
from tests.conftest import NOON
from tests.faults.conftest import Desk


@pytest.mark.parametrize(
    "sent_at", [NOON + timedelta(days=3), datetime(1970, 1, 1, tzinfo=UTC), datetime.max.replace(tzinfo=UTC)]
)
async def test_a_providers_clock_that_is_wrong_does_not_stop_a_message(desk: Desk, sent_at):
    where = desk.hear(sent_at=sent_at)
    row = desk.say(where)
    await desk.deliver()
    assert desk.row(row).state in ("sent", "held")


async def test_a_clock_ahead_of_ours_does_not_lengthen_the_window(desk: Desk, graph):
    where = desk.hear(sent_at=NOON + timedelta(hours=5))
    desk.clock.shift(timedelta(hours=25))
    row = desk.say(where)
    await desk.deliver()
    assert (desk.row(row).state, graph.sent) == ("held", [])


async def test_a_webhook_that_comes_late_does_not_open_a_window_that_the_platform_has_closed(desk: Desk, graph):
    where = desk.hear(sent_at=NOON - timedelta(hours=30))
    row = desk.say(where)
    await desk.deliver()
    assert (desk.row(row).state, graph.sent) == ("held", [])


async def test_an_old_message_that_comes_after_a_new_one_does_not_close_the_window(desk: Desk, graph):
    where = desk.hear()
    desk.hear(number=2, sent_at=NOON - timedelta(hours=30))
    desk.say(where)
    await desk.deliver()
    assert len(graph.sent) == 1


async def test_a_machine_whose_clock_is_a_minute_ahead_does_not_take_what_another_is_sending(desk: Desk, graph):
    row = desk.say(desk.hear())
    with desk.database.write() as session:
        assert outbox.claim(session, worker="other", channels=["whatsapp"])
    desk.clock.shift(timedelta(minutes=1))
    await desk.deliver()
    assert (desk.row(row).state, graph.sent) == ("sending", [])


async def test_a_clock_that_jumps_back_delays_no_new_message(desk: Desk, graph):
    where = desk.hear()
    desk.clock.shift(timedelta(hours=-2))
    desk.say(where)
    await desk.deliver()
    assert len(graph.sent) == 1
