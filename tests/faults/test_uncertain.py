"""A provider that acted, and whose answer never came: sent, but we do not know."""

from datetime import timedelta

import httpx
import pytest

from bot.channels.telegram import TelegramChannel
from bot.messaging import contacts, outbox, receipts
from bot.messaging.hooks import Receipt
from bot.messaging.messages import Outgoing
from bot.settings import Settings
from bot.storage.outbox import OutboxMessage
from bot.worker.delivery import Delivery
from tests.conftest import NOON
from tests.faults.conftest import Desk
from tests.support.botapi import BotApi
from tests.support.line import Line
from tests.support.server import serve


@pytest.mark.parametrize("mode", ["late", "cut"])
async def test_a_receipt_settles_what_the_providers_answer_did_not(desk: Desk, graph, line, channel, mode):
    channel._session.timeout = httpx.Timeout(0.2)
    row = desk.say(desk.hear())
    line.mode = mode
    await desk.deliver()
    line.mode = "up"
    assert (len(graph.sent), desk.row(row).state) == (1, "due")
    with desk.database.write() as session:
        told = Receipt("wamid.1", "sent", graph.sent[0]["biz_opaque_callback_data"])
        receipts.note(session, channel="whatsapp", receipt=told)
    await desk.deliver_until(NOON + timedelta(hours=1))
    assert (len(graph.sent), desk.row(row).state) == (1, "sent")


async def test_without_a_receipt_it_is_sent_again_after_a_while(desk: Desk, graph, line, channel):
    channel._session.timeout = httpx.Timeout(0.2)
    desk.say(desk.hear())
    line.mode = "late"
    await desk.deliver()
    line.mode = "up"
    await desk.deliver_until(NOON + timedelta(seconds=outbox.SETTLING - 1))
    assert len(graph.sent) == 1
    await desk.deliver_until(NOON + timedelta(seconds=outbox.SETTLING + 1))
    assert len(graph.sent) == 2


async def test_of_a_long_message_only_the_part_in_doubt_is_repeated(desk: Desk, graph, line, channel):
    channel._session.timeout = httpx.Timeout(0.2)
    where = desk.hear()
    row = desk.say(where, "a. " * 1300 + "b" * 3000)
    graph.fail(131016, after=1)
    await desk.deliver()
    line.mode = "late"
    await desk.deliver_until(NOON + timedelta(seconds=5))
    line.mode = "up"
    await desk.deliver_until(NOON + timedelta(minutes=5))
    first, *second = [body["text"]["body"] for body in graph.sent]
    assert first.startswith("a.")
    assert len(second) == 2
    assert second[0] == second[1]
    assert desk.row(row).state == "sent"


async def test_telegram_tells_nothing_so_that_an_answer_in_doubt_is_sent_again(database, clock):
    api = BotApi()
    line = Line(api.app)
    with serve(line) as url:
        channel = TelegramChannel(Settings(telegram_token=api.token, telegram_api=url))
        await channel.start()
        desk = Desk(database, Delivery(database, {"telegram": channel}, "w"), clock)
        with database.write() as session:
            where = contacts.conversation_of(session, channel="telegram", address="77").id
            row = outbox.put(session, conversation_id=where, cause="c", message=Outgoing("hello", "en"))
        line.mode = "cut"
        await desk.deliver()
        line.mode = "up"
        await desk.deliver_until(NOON + timedelta(minutes=1))
        assert len(api.of("sendMessage")) == 2
        with database.read() as session:
            assert session.get_one(OutboxMessage, row).state == "sent"
        await channel.close()
