import logging
from typing import Any

import pytest

from bot.channels.telegram import TelegramChannel
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.botapi import BotApi
from tests.support.rate import Rate

ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "


async def deliver(channel: TelegramChannel, message: Outgoing, to: str = "77", **content: bytes) -> str:
    """Plans a message and sends every part; returns the id of the last."""
    number = ""
    for part in channel.plan(message, outbox_id=12, document=content.get("document")):
        number = await channel.send(to, part, reference="12")
    return number


async def say(channel: TelegramChannel, text: str, *buttons: Button, listed: bool = False, to: str = "77") -> str:
    return await deliver(channel, Outgoing(text, "en", buttons, listed=listed), to)


async def failure(channel: TelegramChannel, text: str = "hello", *buttons: Button, to: str = "77") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, text, *buttons, to=to)
    return caught.value


async def test_a_text_is_sent_as_it_is(telegram: TelegramChannel, botapi: BotApi) -> None:
    text = "<b>5 < 6</b> & *stars* _under_ 👋🏽"
    assert await say(telegram, text) == "1"
    sent = botapi.of("sendMessage")[0]
    assert (sent["chat_id"], sent["text"]) == ("77", text)
    assert "parse_mode" not in sent


async def test_a_text_of_4097_characters_is_sent_in_two_messages(telegram: TelegramChannel, botapi: BotApi) -> None:
    assert await say(telegram, "x" * 4097) == "2"
    assert [len(sent["text"]) for sent in botapi.of("sendMessage")] == [4096, 1]


async def test_a_long_right_to_left_text_arrives_whole_and_in_order(telegram: TelegramChannel, botapi: BotApi) -> None:
    await say(telegram, ARABIC * 100)
    parts = [sent["text"] for sent in botapi.of("sendMessage")]
    assert len(parts) == 2
    assert " ".join(parts) == (ARABIC * 100).strip()
    assert parts[0].endswith(".")


async def test_buttons_stand_below_the_last_part(telegram: TelegramChannel, botapi: BotApi) -> None:
    await say(telegram, "x" * 5000, Button("Yes", "d:yes"))
    first, last = botapi.of("sendMessage")
    assert "reply_markup" not in first
    assert last["reply_markup"]["inline_keyboard"] == [[{"text": "Yes", "callback_data": "d:yes"}]]


@pytest.mark.parametrize(
    ("titles", "listed", "rows"),
    [
        (["Yes", "No", "Back"], False, [2, 1]),
        (["Yes", "No"], True, [1, 1]),
        (["Yes", "Talk to a person"], False, [1, 1]),
    ],
)
async def test_short_buttons_stand_two_in_a_row(
    telegram: TelegramChannel, botapi: BotApi, titles: list[str], listed: bool, rows: list[int]
) -> None:
    await say(telegram, "Well?", *(Button(title, f"l:{title.lower()[:2]}") for title in titles), listed=listed)
    keyboard = botapi.of("sendMessage")[0]["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in keyboard] == rows


async def test_buttons_without_a_text_get_one(telegram: TelegramChannel, botapi: BotApi) -> None:
    await say(telegram, "", Button("Yes", "d:yes"))
    assert botapi.of("sendMessage")[0]["text"] == "Choose"


# --- documents


async def test_a_document_is_sent_with_its_text_as_caption(telegram: TelegramChannel, botapi: BotApi) -> None:
    await deliver(telegram, Outgoing("Your copy", "en", document="export"), document="يوم".encode())
    sent = botapi.of("sendDocument")[0]
    assert sent["caption"] == "Your copy"
    assert ("export.txt", "يوم".encode()) in sent.values()


async def test_a_long_text_goes_before_its_document(telegram: TelegramChannel, botapi: BotApi) -> None:
    await deliver(telegram, Outgoing("x" * 1025, "en", document="export"), document=b"copy")
    assert [method for method, _ in botapi.calls if method.startswith("send")] == ["sendMessage", "sendDocument"]


async def test_a_document_that_is_missing_is_not_announced(telegram: TelegramChannel, botapi: BotApi) -> None:
    with pytest.raises(DeliveryError) as caught:
        await deliver(telegram, Outgoing("Your copy", "en", document="export"))
    assert caught.value.permanent
    assert botapi.calls == []


# --- failing


@pytest.mark.parametrize(
    ("status", "description", "reason", "permanent"),
    [
        (403, "Forbidden: bot was blocked by the user", "blocked by the person", True),
        (403, "Forbidden: user is deactivated", "blocked by the person", True),
        (400, "Bad Request: chat not found", "chat not found", True),
        (400, "Bad Request: secret words of somebody", "refused by Telegram", True),
        (401, "Unauthorized", "token refused", False),
        (500, "Internal Server Error", "Telegram cannot be reached", False),
        (502, "Bad Gateway", "Telegram cannot be reached", False),
    ],
)
async def test_each_refusal_has_a_reason_and_says_whether_to_try_again(
    telegram: TelegramChannel, botapi: BotApi, status: int, description: str, reason: str, permanent: bool
) -> None:
    botapi.fail("sendMessage", status, description)
    error = await failure(telegram)
    assert (error.reason, error.permanent) == (reason, permanent)


async def test_a_person_who_blocked_the_bot_is_not_written_to_again(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.blocked.add(77)
    error = await failure(telegram)
    assert (error.reason, error.permanent) == ("blocked by the person", True)
    assert await say(telegram, "hello", to="78")


async def test_too_many_messages_wait_as_long_as_asked(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.fail("sendMessage", 429, "Too Many Requests: retry after 31", retry_after=31)
    error = await failure(telegram)
    assert (error.retry_after, error.permanent) == (31, False)


async def test_a_chat_that_is_written_to_too_fast_is_left_for_a_second(
    telegram: TelegramChannel, botapi: BotApi
) -> None:
    botapi.per_chat = Rate(1, 1.0)
    await say(telegram, "hello")
    assert (await failure(telegram)).retry_after == 1
    await say(telegram, "hello", to="78")


async def test_a_group_that_moved_is_written_to_at_its_new_address(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.moved[-500] = -1009
    await say(telegram, "hello", to="-500")
    assert [sent["chat_id"] for sent in botapi.of("sendMessage")] == ["-1009"]


async def test_a_group_that_moves_twice_is_left_for_later(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.moved |= {-500: -1009, -1009: -1010}
    assert not (await failure(telegram, to="-500")).permanent


async def test_a_button_id_over_64_bytes_fails_for_good(telegram: TelegramChannel) -> None:
    error = await failure(telegram, "Well?", Button("Yes", "x" * 65))
    assert (error.reason, error.permanent) == ("button too long", True)


async def test_a_wrong_token_is_no_fault_of_the_message_and_stays_secret(telegram_url: str) -> None:
    channel = TelegramChannel(Settings(telegram_token="999:wrong", telegram_api=telegram_url))
    error = await failure(channel)
    assert (error.reason, error.permanent) == ("token refused", False)
    assert error.__suppress_context__
    await channel.close()


async def test_nothing_to_say_is_never_reported_as_sent(telegram: TelegramChannel) -> None:
    assert (await failure(telegram, " \n")).permanent


async def test_no_connection_is_tried_again() -> None:
    channel = TelegramChannel(Settings(telegram_token="1:a", telegram_api="http://127.0.0.1:9"))
    error = await failure(channel)
    assert (error.reason, error.permanent) == ("Telegram cannot be reached", False)
    await channel.close()


async def test_an_answer_that_never_comes_is_tried_again(
    telegram_url: str, botapi: BotApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.telegram.TIMEOUT", 0.3)
    channel = TelegramChannel(Settings(telegram_token=botapi.token, telegram_api=telegram_url))
    botapi.hang("sendMessage", 1.0)
    error = await failure(channel)
    assert (error.reason, error.permanent) == ("Telegram did not answer in time", False)
    await channel.close()


async def test_a_connection_that_breaks_off_is_tried_again(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.drop("sendMessage")
    error = await failure(telegram)
    assert (error.reason, error.permanent) == ("Telegram cannot be reached", False)


async def test_an_address_of_another_channel_fails_for_good(telegram: TelegramChannel) -> None:
    error = await failure(telegram, to="US.134912")
    assert error.permanent
    assert "US" not in error.reason


async def test_a_part_that_fails_leaves_the_earlier_ones_sent(telegram: TelegramChannel, botapi: BotApi) -> None:
    first, second = telegram.plan(Outgoing("x" * 4096 + "y", "en"), outbox_id=12)
    await telegram.send("77", first, reference="12.1")
    botapi.fail("sendMessage", 500, "Internal Server Error")
    with pytest.raises(DeliveryError):
        await telegram.send("77", second, reference="12")
    assert await telegram.send("77", second, reference="12") == "2"
    assert [sent["text"][-1] for sent in botapi.of("sendMessage")] == ["x", "y"]


def test_the_same_message_is_planned_the_same_way_again(telegram: TelegramChannel) -> None:
    message = Outgoing(ARABIC * 100, "ar", (Button("نعم", "d:yes"),), document="export")
    first: Any = telegram.plan(message, outbox_id=12, document=b"copy")
    assert first == telegram.plan(message, outbox_id=12, document=b"copy")
    assert len(first) == 3


# --- courtesies


async def test_an_answer_in_the_making_is_shown(telegram: TelegramChannel, botapi: BotApi) -> None:
    await telegram.typing("77", "901")
    assert [(call["chat_id"], call["action"]) for call in botapi.of("sendChatAction")] == [("77", "typing")]


async def test_courtesies_never_fail(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.fail("sendChatAction", 403, "Forbidden: bot was blocked by the user")
    await telegram.typing("77", "901")
    await telegram.typing("not a number", "901")


async def test_nothing_of_a_message_or_the_token_is_logged(
    telegram: TelegramChannel, botapi: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    botapi.fail("sendMessage", 500, "Internal Server Error")
    await failure(telegram, "words of a counsellor")
    await say(telegram, "words of a counsellor")
    assert "words of a counsellor" not in caplog.text
    assert botapi.token not in caplog.text
