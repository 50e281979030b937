import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bot.channels.telegram import TelegramChannel
from bot.languages import launched
from bot.messaging import payloads
from bot.messaging.messages import Button, Incoming, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.botapi import BotApi
from tests.support.server import serve

pytestmark = pytest.mark.filterwarnings("ignore:Please use 'Bot.getUpdates'")  # updates are fetched raw on purpose
ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "


@pytest.fixture
def api() -> BotApi:
    return BotApi()


@pytest.fixture
def address(api: BotApi) -> Iterator[str]:
    with serve(api.app) as url:
        yield url


@pytest.fixture
async def channel(api: BotApi, address: str) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(Settings(telegram_token=api.token, telegram_api=address))
    yield made
    await made.close()


def update(**message: Any) -> dict[str, Any]:
    person = {"id": 77, "is_bot": False, "first_name": "Amina", "language_code": "ar"}
    base = {"message_id": 5, "date": 1_700_000_000, "chat": {"id": 77, "type": "private"}, "from": person}
    return {"update_id": 900, "message": base | message}


def pressed(data: str, **message: Any) -> dict[str, Any]:
    sent = update(**message)["message"]
    return {
        "update_id": 901,
        "callback_query": {"id": "cb1", "chat_instance": "1", "from": sent["from"], "message": sent, "data": data},
    }


GROUP = {"id": -500, "type": "supergroup", "title": "Camp"}


# --- reading


def test_a_text_becomes_a_message(channel: TelegramChannel) -> None:
    expected = Incoming("telegram", "900", "77", text="كيف أعود؟", locale="ar")
    assert channel.parse(update(text="كيف أعود؟")) == expected


def test_a_link_with_a_language_overrides_the_language_of_the_phone(channel: TelegramChannel) -> None:
    started = channel.parse(update(text="/start fr"))
    assert started is not None
    assert (started.kind, started.payload, started.locale) == ("command", "start", "fr")


@pytest.mark.parametrize("argument", ["poster_12", "zz", ""])
def test_a_link_without_a_known_language_keeps_the_language_of_the_phone(
    channel: TelegramChannel, argument: str
) -> None:
    started = channel.parse(update(text=f"/start {argument}"))
    assert started is not None
    assert started.locale == "ar"


@pytest.mark.parametrize("text", ["/help", "/help@WaymarkBot", "/HELP please"])
def test_a_command_is_named_without_slash_and_bot(channel: TelegramChannel, text: str) -> None:
    command = channel.parse(update(text=text))
    assert command is not None
    assert (command.kind, command.payload) == ("command", "help")


@pytest.mark.parametrize("text", ["/", "/ help", "/مساعدة", "/var/log/syslog", "1/2"])
def test_a_slash_alone_makes_no_command(channel: TelegramChannel, text: str) -> None:
    message = channel.parse(update(text=text))
    assert message is not None
    assert message.kind == "text"


def test_a_pressed_button_carries_its_id(channel: TelegramChannel) -> None:
    expected = Incoming("telegram", "901", "77", "button", payload="t:who_can_apply", locale="ar")
    assert channel.parse(pressed("t:who_can_apply", text="Choose")) == expected


def test_a_button_of_a_message_too_old_to_be_shown_still_works(channel: TelegramChannel) -> None:
    old = pressed("h")
    old["callback_query"]["message"] = {"chat": {"id": 77, "type": "private"}, "message_id": 5, "date": 0}
    press = channel.parse(old)
    assert press is not None
    assert (press.address, press.payload) == ("77", "h")


FILE = {"file_id": "F1", "file_unique_id": "U1", "file_size": 2048}
SIZED = FILE | {"width": 10, "height": 10, "duration": 3, "length": 10}


@pytest.mark.parametrize(
    ("message", "kind", "reference"),
    [
        ({"voice": SIZED | {"mime_type": "audio/ogg"}}, "voice", "F1"),
        ({"video": SIZED}, "video", "F1"),
        ({"video_note": SIZED}, "video_note", "F1"),
        ({"document": FILE}, "document", "F1"),
        ({"animation": SIZED, "document": FILE}, "animation", "F1"),
        ({"sticker": SIZED | {"type": "regular", "is_animated": False, "is_video": False}}, "sticker", "F1"),
        ({"photo": [SIZED, SIZED | {"file_id": "BIG", "width": 99}]}, "photo", "BIG"),
        ({"location": {"latitude": 50.85, "longitude": 4.35}}, "location", "50.85,4.35"),
        ({"contact": {"phone_number": "+3221234567", "first_name": "Office"}}, "contact", "+3221234567"),
    ],
)
def test_what_is_not_text_is_kept_by_kind_and_reference(
    channel: TelegramChannel, message: dict[str, Any], kind: str, reference: str
) -> None:
    incoming = channel.parse(update(**message))
    assert incoming is not None
    assert incoming.kind == "media"
    assert (incoming.media["kind"], incoming.media["ref"]) == (kind, reference)


def test_media_tell_type_size_and_caption(channel: TelegramChannel) -> None:
    incoming = channel.parse(update(voice=SIZED | {"mime_type": "audio/ogg"}, caption="Écoutez"))
    assert incoming is not None
    assert incoming.text == "Écoutez"
    assert incoming.media == {"kind": "voice", "ref": "F1", "mime": "audio/ogg", "size": "2048"}


def test_a_poll_is_media(channel: TelegramChannel) -> None:
    poll = {
        "id": "P1",
        "question": "Go?",
        "options": [],
        "total_voter_count": 0,
        "is_closed": False,
        "is_anonymous": True,
        "type": "regular",
        "allows_multiple_answers": False,
        "allows_revoting": False,
        "members_only": False,
    }
    incoming = channel.parse(update(poll=poll))
    assert incoming is not None
    assert (incoming.kind, incoming.media["kind"]) == ("media", "poll")


def test_an_edited_message_is_no_new_question(channel: TelegramChannel) -> None:
    edited = update(text="corrected", edit_date=1_700_000_100)
    edited["edited_message"] = edited.pop("message")
    incoming = channel.parse(edited)
    assert incoming is not None
    assert (incoming.kind, incoming.text) == ("edited", "corrected")


async def test_a_group_is_answered_only_when_it_calls_the_bot(channel: TelegramChannel) -> None:
    await channel.start()
    for text in ("hello all", "/help@OtherBot", "mail me@WaymarkBotany.org"):
        assert channel.parse(update(text=text, chat=GROUP)) is None
    for text in ("/help", "/help@WaymarkBot", "what about @waymarkbot ?"):
        called = channel.parse(update(text=text, chat=GROUP))
        assert called is not None
        assert (called.kind, called.address, called.text) == ("group", "-500", "")


@pytest.mark.parametrize(
    "other",
    [
        {"channel_post": update(text="news", chat={"id": -1, "type": "channel", "title": "N"})["message"]},
        {"poll": {"id": "1"}},
        {"some_future_kind": {}},
    ],
)
def test_what_nobody_asks_is_left_out(channel: TelegramChannel, other: dict[str, Any]) -> None:
    other.pop("poll", None)
    assert channel.parse({"update_id": 3} | other) is None


def test_a_notice_of_the_chat_itself_is_left_out(channel: TelegramChannel) -> None:
    assert channel.parse(update(new_chat_title="Camp 2")) is None


@pytest.mark.parametrize("broken", [{}, {"update_id": 1, "message": {"text": "hi"}}, {"update_id": 1, "message": 5}])
def test_a_malformed_update_is_refused(channel: TelegramChannel, broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="malformed update"):
        channel.parse(broken)


# --- sending


async def say(channel: TelegramChannel, text: str, *buttons: Button, listed: bool = False, to: str = "77") -> str:
    return await channel.send(to, Outgoing(text, "en", buttons, listed=listed), reference="12")


async def test_a_text_is_sent_as_it_is(channel: TelegramChannel, api: BotApi) -> None:
    text = "<b>5 < 6</b> & *stars* _under_ 👋🏽"
    assert await say(channel, text) == "1"
    sent = api.of("sendMessage")[0]
    assert (sent["chat_id"], sent["text"]) == ("77", text)
    assert "parse_mode" not in sent


async def test_a_text_of_4097_characters_is_sent_in_two_messages(channel: TelegramChannel, api: BotApi) -> None:
    assert await say(channel, "x" * 4097) == "2"
    assert [len(sent["text"]) for sent in api.of("sendMessage")] == [4096, 1]


async def test_a_long_right_to_left_text_arrives_whole_and_in_order(channel: TelegramChannel, api: BotApi) -> None:
    await say(channel, ARABIC * 100)
    parts = [sent["text"] for sent in api.of("sendMessage")]
    assert len(parts) == 2
    assert " ".join(parts) == (ARABIC * 100).strip()
    assert parts[0].endswith(".")


async def test_buttons_stand_below_the_last_part(channel: TelegramChannel, api: BotApi) -> None:
    await say(channel, "x" * 5000, Button("Yes", "d:yes"))
    first, last = api.of("sendMessage")
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
    channel: TelegramChannel, api: BotApi, titles: list[str], listed: bool, rows: list[int]
) -> None:
    await say(channel, "Well?", *(Button(title, f"l:{title.lower()[:2]}") for title in titles), listed=listed)
    keyboard = api.of("sendMessage")[0]["reply_markup"]["inline_keyboard"]
    assert [len(row) for row in keyboard] == rows


async def test_buttons_without_a_text_get_one(channel: TelegramChannel, api: BotApi) -> None:
    await say(channel, "", Button("Yes", "d:yes"))
    assert api.of("sendMessage")[0]["text"] == "Choose"


async def test_a_document_is_sent_with_its_text_as_caption(channel: TelegramChannel, api: BotApi) -> None:
    message = Outgoing("Your copy", "en", document="export")
    await channel.send("77", message, reference="12", document="يوم".encode())
    sent = api.of("sendDocument")[0]
    assert sent["caption"] == "Your copy"
    assert ("export.txt", "يوم".encode()) in sent.values()


async def test_a_long_text_goes_before_its_document(channel: TelegramChannel, api: BotApi) -> None:
    await channel.send("77", Outgoing("x" * 1025, "en", document="export"), reference="12", document=b"copy")
    assert [method for method, _ in api.calls if method.startswith("send")] == ["sendMessage", "sendDocument"]


async def test_a_document_that_is_missing_is_not_announced(channel: TelegramChannel, api: BotApi) -> None:
    with pytest.raises(DeliveryError) as caught:
        await channel.send("77", Outgoing("Your copy", "en", document="export"), reference="12")
    assert caught.value.permanent
    assert api.calls == []


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
    channel: TelegramChannel, api: BotApi, status: int, description: str, reason: str, permanent: bool
) -> None:
    api.fail("sendMessage", status, description)
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent) == (reason, permanent)


async def test_too_many_messages_wait_as_long_as_asked(channel: TelegramChannel, api: BotApi) -> None:
    api.fail("sendMessage", 429, "Too Many Requests: retry after 31", retry_after=31)
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.retry_after, caught.value.permanent) == (31, False)


async def test_a_group_that_moved_is_written_to_at_its_new_address(channel: TelegramChannel, api: BotApi) -> None:
    api.fail("sendMessage", 400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009)
    await say(channel, "hello", to="-500")
    assert [sent["chat_id"] for sent in api.of("sendMessage")] == ["-1009"]


async def test_a_group_that_moves_twice_is_left_for_later(channel: TelegramChannel, api: BotApi) -> None:
    for _ in range(2):
        api.fail("sendMessage", 400, "Bad Request: group chat was upgraded", migrate_to_chat_id=-1009)
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello", to="-500")
    assert not caught.value.permanent


async def test_a_button_id_over_64_bytes_fails_for_good(channel: TelegramChannel) -> None:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "Well?", Button("Yes", "x" * 65))
    assert (caught.value.reason, caught.value.permanent) == ("button too long", True)


async def test_a_wrong_token_is_no_fault_of_the_message_and_stays_secret(address: str) -> None:
    channel = TelegramChannel(Settings(telegram_token="999:wrong", telegram_api=address))
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent) == ("token refused", False)
    assert caught.value.__suppress_context__
    await channel.close()


async def test_nothing_to_say_is_never_reported_as_sent(channel: TelegramChannel) -> None:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, " \n")
    assert caught.value.permanent


async def test_no_connection_is_tried_again() -> None:
    channel = TelegramChannel(Settings(telegram_token="1:a", telegram_api="http://127.0.0.1:9"))
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent) == ("Telegram cannot be reached", False)
    await channel.close()


async def test_an_address_of_another_channel_fails_for_good(channel: TelegramChannel) -> None:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello", to="US.134912")
    assert caught.value.permanent
    assert "US" not in caught.value.reason


async def test_a_second_try_sends_only_what_is_missing(channel: TelegramChannel, api: BotApi) -> None:
    api.fail("sendMessage", 500, "Internal Server Error", after=1)
    with pytest.raises(DeliveryError):
        await say(channel, "x" * 4096 + "y")
    await say(channel, "x" * 4096 + "y")
    assert [sent["text"][-1] for sent in api.of("sendMessage")] == ["x", "y"]


# --- courtesies


async def test_a_pressed_button_stops_spinning_once(channel: TelegramChannel, api: BotApi) -> None:
    press = channel.parse(pressed("h", text="Choose"))
    assert press is not None
    await channel.acknowledge(press)
    await channel.typing(press.address, press.message_id)
    assert [call["callback_query_id"] for call in api.of("answerCallbackQuery")] == ["cb1"]
    assert [call["chat_id"] for call in api.of("sendChatAction")] == ["77"]


async def test_courtesies_never_fail(channel: TelegramChannel, api: BotApi) -> None:
    channel.parse(pressed("h", text="Choose"))
    api.fail("answerCallbackQuery", 400, "Bad Request: query is too old")
    api.fail("sendChatAction", 403, "Forbidden: bot was blocked by the user")
    await channel.typing("77", "901")
    await channel.typing("not a number", "901")


async def test_nothing_of_a_message_or_the_token_is_logged(
    channel: TelegramChannel, api: BotApi, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    api.fail("sendMessage", 500, "Internal Server Error")
    with pytest.raises(DeliveryError):
        await say(channel, "words of a counsellor")
    await say(channel, "words of a counsellor")
    assert "words of a counsellor" not in caplog.text
    assert api.token not in caplog.text


# --- polling, webhook and profile


async def until(condition: Any, task: asyncio.Task[None]) -> None:
    async with asyncio.timeout(20):
        while not condition():
            assert not task.done()
            await asyncio.sleep(0.005)


@contextlib.asynccontextmanager
async def polling(channel: TelegramChannel, accept: Any) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.create_task(channel.poll(accept, pause=0.01))
    yield task
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


def numbered(number: int, text: str) -> dict[str, Any]:
    return update(text=text) | {"update_id": number}


async def test_polling_takes_over_from_a_webhook_and_keeps_what_waits(channel: TelegramChannel, api: BotApi) -> None:
    api.updates = [numbered(10, "waited")]
    accepted: list[str] = []

    async def accept(incoming: Incoming) -> None:
        accepted.append(incoming.text)

    async with polling(channel, accept) as task:
        await until(lambda: accepted and not api.updates, task)
    assert accepted == ["waited"]
    assert [call.get("drop_pending_updates", "false") for call in api.of("deleteWebhook")] == ["false"]


async def test_polling_confirms_a_batch_only_when_all_of_it_is_accepted(channel: TelegramChannel, api: BotApi) -> None:
    api.updates = [numbered(10, "first"), numbered(11, "second")]
    accepted: list[str] = []
    failing = [True]

    async def accept(incoming: Incoming) -> None:
        if incoming.text == "second" and failing:
            failing.pop()
            raise OSError("disk full")
        accepted.append(incoming.text)

    async with polling(channel, accept) as task:
        await until(lambda: not api.updates, task)
    assert accepted == ["first", "first", "second"]
    assert api.offsets[:2] == [0, 0]
    assert 11 not in api.offsets


async def test_polling_goes_on_after_refusals_and_unreadable_updates(channel: TelegramChannel, api: BotApi) -> None:
    api.fail("getUpdates", 502, "Bad Gateway")
    api.fail("getUpdates", 409, "Conflict: terminated by other getUpdates request")
    api.updates = [{"update_id": 10, "message": {"text": "no chat"}}, numbered(11, "fine")]
    accepted: list[str] = []

    async def accept(incoming: Incoming) -> None:
        accepted.append(incoming.text)

    async with polling(channel, accept) as task:
        await until(lambda: not api.updates, task)
    assert accepted == ["fine"]


async def test_polling_ends_the_spinner_of_a_button_it_accepted(channel: TelegramChannel, api: BotApi) -> None:
    api.updates = [pressed("h", text="Choose")]

    async def accept(incoming: Incoming) -> None:
        assert incoming.payload == "h"

    async with polling(channel, accept) as task:
        await until(lambda: api.of("answerCallbackQuery"), task)


async def test_a_webhook_is_set_with_its_secret(channel: TelegramChannel, api: BotApi) -> None:
    await channel.set_webhook("https://example.org/webhooks/telegram", "s3cret")
    call = api.of("setWebhook")[0]
    assert (call["url"], call["secret_token"]) == ("https://example.org/webhooks/telegram", "s3cret")
    assert call["allowed_updates"] == ["message", "edited_message", "callback_query"]


async def test_the_profile_is_published_in_every_launched_language(channel: TelegramChannel, api: BotApi) -> None:
    await channel.publish_profile()
    expected = {language.code for language in launched()} - {"en"} | {""}
    for method in ("setMyCommands", "setMyShortDescription", "setMyDescription"):
        assert {call.get("language_code", "") for call in api.of(method)} == expected
    commands = api.of("setMyCommands")[0]["commands"]
    assert [row["command"] for row in commands] == list(payloads.COMMANDS)


async def test_a_profile_that_is_refused_stops_nothing(channel: TelegramChannel, api: BotApi) -> None:
    api.fail("setMyCommands", 429, "Too Many Requests", retry_after=5)
    await channel.publish_profile()
    assert len(api.of("setMyCommands")) == len(launched()) - 1
