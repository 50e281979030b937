import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.telegram import TelegramChannel
from bot.messaging.hooks import Heard, HookRefused, Move
from bot.messaging.messages import Incoming
from bot.settings import Settings
from tests.support.rubbish import spoilt
from tests.support.telegram_updates import GROUP, SECRET, hook, pressed, update

UNCONNECTED = TelegramChannel(Settings(telegram_token="1:a", telegram_secret=SECRET))
WRITTEN = datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.fixture
def channel() -> TelegramChannel:
    """Reading needs no Telegram."""
    return UNCONNECTED


def heard(channel: TelegramChannel, content: Any) -> Incoming | None:
    """The message in an update, which holds nothing else."""
    found = channel.receive(hook(content))
    assert found.unreadable == 0
    assert len(found.messages) <= 1
    return found.messages[0] if found.messages else None


def only(channel: TelegramChannel, content: Any) -> Incoming:
    found = heard(channel, content)
    assert found is not None
    return found


# --- proof


@pytest.mark.parametrize("secret", [None, "", "s3creT", "s3cret ", "é"])
def test_an_update_without_the_right_secret_is_refused(channel: TelegramChannel, secret: str | None) -> None:
    with pytest.raises(HookRefused) as refused:
        channel.receive(hook(update(text="hi"), secret=secret))
    assert refused.value.status == 403


@pytest.mark.parametrize("secret", [None, "", "s3cret"])
def test_without_a_secret_of_ours_there_is_no_webhook(secret: str | None) -> None:
    with pytest.raises(HookRefused) as refused:
        TelegramChannel(Settings(telegram_token="1:a")).receive(hook(update(text="hi"), secret=secret))
    assert refused.value.status == 404


def test_there_is_nothing_to_see_for_a_browser(channel: TelegramChannel) -> None:
    with pytest.raises(HookRefused) as refused:
        channel.receive(hook(b"", method="GET"))
    assert refused.value.status == 404


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"5", b"\xff\xfe", b"[" * 100_000])
def test_what_is_no_json_object_is_a_bad_request(channel: TelegramChannel, content: bytes) -> None:
    with pytest.raises(HookRefused) as refused:
        channel.receive(hook(content))
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"update_id": 1, "message": {"text": "hi"}},
        {"update_id": 1, "message": 5},
        {"update_id": 1, "message": [1]},
        {"update_id": 1, "message": "hi"},
        {"update_id": 1, "callback_query": 5},
        update(text="hi", date=10**30),
    ],
)
def test_a_malformed_update_is_counted_and_not_asked_for_again(
    channel: TelegramChannel, broken: dict[str, Any]
) -> None:
    assert channel.receive(hook(broken)) == Heard(unreadable=1)


# --- reading


def test_a_text_becomes_a_message(channel: TelegramChannel) -> None:
    expected = Incoming("telegram", "900", "77", text="كيف أعود؟", locale="ar", sent_at=WRITTEN)
    assert channel.receive(hook(update(text="كيف أعود؟"))) == Heard(messages=(expected,))


def test_a_link_with_a_language_overrides_the_language_of_the_phone(channel: TelegramChannel) -> None:
    started = only(channel, update(text="/start fr"))
    assert (started.kind, started.payload, started.locale) == ("command", "start", "fr")


@pytest.mark.parametrize("argument", ["poster_12", "zz", ""])
def test_a_link_without_a_known_language_keeps_the_language_of_the_phone(
    channel: TelegramChannel, argument: str
) -> None:
    assert only(channel, update(text=f"/start {argument}")).locale == "ar"


@pytest.mark.parametrize("text", ["/help", "/help@WaymarkBot", "/HELP please"])
def test_a_command_is_named_without_slash_and_bot(channel: TelegramChannel, text: str) -> None:
    command = only(channel, update(text=text))
    assert (command.kind, command.payload) == ("command", "help")


@pytest.mark.parametrize("text", ["/", "/ help", "/مساعدة", "/var/log/syslog", "1/2"])
def test_a_slash_alone_makes_no_command(channel: TelegramChannel, text: str) -> None:
    assert only(channel, update(text=text)).kind == "text"


def test_an_edited_message_is_no_new_question(channel: TelegramChannel) -> None:
    edited = update(text="corrected", edit_date=1_700_000_100)
    edited["edited_message"] = edited.pop("message")
    incoming = only(channel, edited)
    assert (incoming.kind, incoming.text) == ("edited", "corrected")


# --- buttons


def test_a_pressed_button_carries_its_id(channel: TelegramChannel) -> None:
    expected = Incoming("telegram", "901", "77", "button", payload="t:who_can_apply", locale="ar")
    assert only(channel, pressed("t:who_can_apply", text="Choose")) == expected


def test_a_pressed_button_stops_spinning_by_the_answer_itself(channel: TelegramChannel) -> None:
    answer = channel.receive(hook(pressed("h", text="Choose"))).answer
    assert json.loads(answer) == {"method": "answerCallbackQuery", "callback_query_id": "cb1"}
    assert channel.receive(hook(update(text="hi"))).answer == ""


def test_a_button_in_a_group_stops_spinning_and_asks_nothing(channel: TelegramChannel) -> None:
    found = channel.receive(hook(pressed("h", text="Choose", chat=GROUP)))
    assert found.messages == ()
    assert "cb1" in found.answer


def test_a_button_of_a_message_too_old_to_be_shown_still_works(channel: TelegramChannel) -> None:
    old = pressed("h")
    old["callback_query"]["message"] = {"chat": {"id": 77, "type": "private"}, "message_id": 5, "date": 0}
    press = only(channel, old)
    assert (press.address, press.payload) == ("77", "h")


# --- what is not text

FILE = {"file_id": "F1", "file_unique_id": "U1", "file_size": 2048}
SIZED = FILE | {"width": 10, "height": 10, "duration": 3, "length": 10}
PLACE = {"latitude": 50.85, "longitude": 4.35}


@pytest.mark.parametrize(
    ("message", "kind", "reference"),
    [
        ({"voice": SIZED | {"mime_type": "audio/ogg"}}, "voice", "F1"),
        ({"audio": SIZED}, "audio", "F1"),
        ({"video": SIZED}, "video", "F1"),
        ({"video_note": SIZED}, "video_note", "F1"),
        ({"document": FILE}, "document", "F1"),
        ({"animation": SIZED, "document": FILE}, "animation", "F1"),
        ({"sticker": SIZED | {"type": "regular", "is_animated": False, "is_video": False}}, "sticker", "F1"),
        ({"photo": [SIZED, SIZED | {"file_id": "BIG", "width": 99}]}, "photo", "BIG"),
        ({"location": PLACE}, "location", "50.85,4.35"),
        ({"venue": {"location": PLACE, "title": "Office", "address": "1"}, "location": PLACE}, "venue", "50.85,4.35"),
        ({"contact": {"phone_number": "+3221234567", "first_name": "Office"}}, "contact", "+3221234567"),
        ({"dice": {"emoji": "🎲", "value": 3}}, "dice", ""),
    ],
)
def test_what_is_not_text_is_kept_by_kind_and_reference(
    channel: TelegramChannel, message: dict[str, Any], kind: str, reference: str
) -> None:
    incoming = only(channel, update(**message))
    assert incoming.kind == "media"
    assert (incoming.media["kind"], incoming.media["ref"]) == (kind, reference)


def test_media_tell_type_size_and_caption(channel: TelegramChannel) -> None:
    incoming = only(channel, update(voice=SIZED | {"mime_type": "audio/ogg"}, caption="Écoutez"))
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
    incoming = only(channel, update(poll=poll))
    assert (incoming.kind, incoming.media["kind"]) == ("media", "poll")


# --- groups, and what asks nothing


async def test_a_group_is_answered_only_when_it_calls_the_bot(telegram: TelegramChannel) -> None:
    await telegram.start()
    for text in ("hello all", "/help@OtherBot", "mail me@WaymarkBotany.org"):
        assert heard(telegram, update(text=text, chat=GROUP)) is None
    for text in ("/help", "/help@WaymarkBot", "what about @waymarkbot ?"):
        called = only(telegram, update(text=text, chat=GROUP))
        assert (called.kind, called.address, called.text) == ("group", "-500", "")


def test_a_group_that_becomes_a_supergroup_is_reached_under_its_new_address(channel: TelegramChannel) -> None:
    small = {"id": -500, "type": "group", "title": "Camp"}
    moved = channel.receive(hook(update(chat=small, migrate_to_chat_id=-1009)))
    assert moved == Heard(moves=(Move("telegram", "-500", "-1009"),))


@pytest.mark.parametrize(
    "other",
    [
        {"channel_post": update(text="news", chat={"id": -1, "type": "channel", "title": "N"})["message"]},
        {"some_future_kind": {}},
    ],
)
def test_what_nobody_asks_is_left_out(channel: TelegramChannel, other: dict[str, Any]) -> None:
    assert channel.receive(hook({"update_id": 3} | other)) == Heard()


@pytest.mark.parametrize("notice", [{"new_chat_title": "Camp 2"}, {"pinned_message": update(text="x")["message"]}])
def test_a_notice_of_the_chat_itself_is_left_out(channel: TelegramChannel, notice: dict[str, Any]) -> None:
    assert channel.receive(hook(update(**notice))) == Heard()


def test_what_another_bot_says_is_left_out(channel: TelegramChannel) -> None:
    said = update(text="hi")
    said["message"]["from"] = {"id": 5, "is_bot": True, "first_name": "Other"}
    assert channel.receive(hook(said)) == Heard()


SOUND = [
    update(text="/help", migrate_to_chat_id=-1),
    update(photo=[SIZED], caption="x", chat=GROUP),
    update(location=PLACE),
    pressed("h", text="Choose"),
]


@given(st.sampled_from(SOUND).flatmap(spoilt))
def test_no_update_however_wrong_does_more_than_not_being_read(content: dict[str, Any]) -> None:
    found = UNCONNECTED.receive(hook(content))
    assert all(isinstance(row.address, str) and row.address for row in found.messages)
    assert all(isinstance(row.media.get("ref", ""), str) for row in found.messages)
