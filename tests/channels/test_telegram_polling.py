import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from bot.channels import telegram as module
from bot.channels.telegram import TelegramChannel
from bot.messaging.hooks import Heard
from bot.settings import Settings
from tests.support.botapi import BotApi
from tests.support.telegram_updates import numbered, pressed

pytestmark = pytest.mark.filterwarnings("ignore:Please use 'Bot.getUpdates'")  # updates are fetched raw on purpose
Hear = Callable[[Heard], Awaitable[None]]


async def until(condition: Callable[[], Any], task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            assert not task.done()
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def running(work: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(work)
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def ear(texts: list[str]) -> Hear:
    """Stores the words of what is heard."""

    async def hear(heard: Heard) -> None:
        texts.extend(incoming.text for incoming in heard.messages)

    return hear


async def test_polling_takes_over_from_a_webhook_and_keeps_what_waits(polled: TelegramChannel, botapi: BotApi) -> None:
    botapi.updates = [numbered(10, "waited")]
    botapi.webhook["url"] = "https://elsewhere.example.org"
    texts: list[str] = []
    async with running(polled.poll(ear(texts), pause=0.01)) as task:
        await until(lambda: texts and not botapi.updates, task)
    assert texts == ["waited"]
    assert botapi.webhook["url"] == ""
    assert [call.get("drop_pending_updates", "false") for call in botapi.of("deleteWebhook")] == ["false"]


async def test_polling_drops_what_waited_where_the_settings_ask_for_it(telegram_url: str, botapi: BotApi) -> None:
    settings = Settings(telegram_token=botapi.token, telegram_api=telegram_url, telegram_drop_pending=True)
    channel = TelegramChannel(settings)
    botapi.updates = [numbered(10, "old")]
    texts: list[str] = []
    async with running(channel.poll(ear(texts), pause=0.01)) as task:
        await until(lambda: botapi.offsets, task)
        botapi.updates = [numbered(11, "new")]
        await until(lambda: texts, task)
    assert texts == ["new"]
    await channel.close()


async def test_polling_confirms_a_batch_only_when_all_of_it_is_stored(polled: TelegramChannel, botapi: BotApi) -> None:
    botapi.updates = [numbered(10, "first"), numbered(11, "second")]
    stored: list[str] = []
    failing = [True]

    async def hear(heard: Heard) -> None:
        (incoming,) = heard.messages
        if incoming.text == "second" and failing:
            failing.pop()
            raise OSError("disk full")
        stored.append(incoming.text)

    async with running(polled.poll(hear, pause=0.01)) as task:
        await until(lambda: not botapi.updates, task)
    assert stored == ["first", "first", "second"]
    assert botapi.offsets[:2] == [0, 0]
    assert 11 not in botapi.offsets


async def test_polling_goes_on_after_refusals_and_counts_what_is_unreadable(
    polled: TelegramChannel, botapi: BotApi
) -> None:
    botapi.fail("getUpdates", 502, "Bad Gateway")
    botapi.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    botapi.drop("getUpdates")
    botapi.updates = [{"update_id": 10, "message": {"text": "no chat"}}, numbered(11, "fine")]
    told: list[Heard] = []

    async def hear(heard: Heard) -> None:
        told.append(heard)

    async with running(polled.poll(hear, pause=0.01)) as task:
        await until(lambda: not botapi.updates, task)
    assert [(heard.unreadable, [row.text for row in heard.messages]) for heard in told] == [(1, []), (0, ["fine"])]


async def test_polling_ends_the_spinner_of_a_button_once_it_is_stored(polled: TelegramChannel, botapi: BotApi) -> None:
    botapi.updates = [pressed("h", text="Choose")]
    payloads: list[str] = []

    async def hear(heard: Heard) -> None:
        assert not botapi.of("answerCallbackQuery")
        payloads.extend(incoming.payload for incoming in heard.messages)

    async with running(polled.poll(hear, pause=0.01)) as task:
        await until(lambda: botapi.of("answerCallbackQuery") and not botapi.updates, task)
    assert payloads == ["h"]
    assert [call["callback_query_id"] for call in botapi.of("answerCallbackQuery")] == ["cb1"]


async def test_a_spinner_that_cannot_be_ended_stops_nothing(polled: TelegramChannel, botapi: BotApi) -> None:
    botapi.fail("answerCallbackQuery", 400, "Bad Request: query is too old")
    botapi.updates = [pressed("h", text="Choose"), numbered(902, "next")]
    texts: list[str] = []
    async with running(polled.poll(ear(texts), pause=0.01)) as task:
        await until(lambda: "next" in texts, task)
    assert texts == ["", "next"]


# --- the webhook, which is set where there is a public address


async def test_a_webhook_is_set_with_its_secret_and_nothing_is_fetched(
    telegram: TelegramChannel, botapi: BotApi
) -> None:
    await telegram.run(ear([]))
    (call,) = botapi.of("setWebhook")
    assert (call["url"], call["secret_token"]) == ("https://waymark.example.org/webhooks/telegram", "s3cret")
    assert call["allowed_updates"] == ["message", "edited_message", "callback_query"]
    assert call.get("drop_pending_updates", "false") == "false"
    assert not botapi.of("getUpdates")


async def test_a_webhook_drops_what_waited_where_the_settings_ask_for_it(telegram_url: str, botapi: BotApi) -> None:
    settings = Settings(
        telegram_token=botapi.token,
        telegram_api=telegram_url,
        telegram_secret="s3cret",
        public_url="https://waymark.example.org",
        telegram_drop_pending=True,
    )
    channel = TelegramChannel(settings)
    botapi.updates = [numbered(10, "old")]
    await channel.set_webhook()
    assert botapi.of("setWebhook")[0]["drop_pending_updates"] == "true"
    assert botapi.updates == []
    await channel.close()


async def test_a_webhook_that_is_refused_is_set_later(
    telegram: TelegramChannel, botapi: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WEBHOOK_RETRY_SECONDS", 0.01)
    botapi.fail("setWebhook", 429, "Too Many Requests", retry_after=1)
    botapi.fail("setWebhook", 502, "Bad Gateway")
    await telegram.run(ear([]))
    assert len(botapi.of("setWebhook")) == 1


async def test_without_a_public_address_running_means_polling(polled: TelegramChannel, botapi: BotApi) -> None:
    botapi.updates = [numbered(10, "hello")]
    texts: list[str] = []
    async with running(polled.run(ear(texts))) as task:
        await until(lambda: texts, task)
    assert not botapi.of("setWebhook")
    assert botapi.of("setMyCommands")
