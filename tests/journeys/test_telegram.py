"""Telegram through python-telegram-bot's real client against a Bot API, by polling and by webhook."""

import itertools

import httpx
import pytest

from tests.support.botapi import BotApi
from tests.support.installation import Installation, eventually
from tests.support.server import serve

NUMBERS = itertools.count(1)


def update(chat: int, text: str, language: str = "fr") -> dict:
    number = next(NUMBERS)
    message = {
        "message_id": number,
        "date": 1_795_000_000,
        "chat": {"id": chat, "type": "private", "first_name": "A"},
        "from": {"id": chat, "is_bot": False, "first_name": "A", "language_code": language},
        "text": text,
    }
    if text.startswith("/"):
        message["entities"] = [{"type": "bot_command", "offset": 0, "length": len(text.split()[0])}]
    return {"update_id": number, "message": message}


def press(chat: int, data: str) -> dict:
    number = next(NUMBERS)
    return {
        "update_id": number,
        "callback_query": {
            "id": str(number),
            "from": {"id": chat, "is_bot": False, "first_name": "A", "language_code": "fr"},
            "chat_instance": "1",
            "data": data,
            "message": {"message_id": 1, "date": 1_795_000_000, "chat": {"id": chat, "type": "private"}, "text": "x"},
        },
    }


def said(telegram: BotApi, chat: int) -> list[dict]:
    return [call for call in telegram.of("sendMessage") if str(call["chat_id"]) == str(chat)]


def test_a_conversation_by_polling(world):
    world.telegram.updates.append(update(71, "/start"))
    eventually(lambda: len(said(world.telegram, 71)) >= 2, "the welcome")
    assert "Waymark" in said(world.telegram, 71)[0]["text"]

    world.telegram.updates.append(update(71, "débouté de l'asile je peux avoir l'aide ?"))
    eventually(lambda: len(said(world.telegram, 71)) >= 3, "the answer")
    answer = said(world.telegram, 71)[-1]
    assert "Source" in answer["text"]
    buttons = [button for row in answer["reply_markup"]["inline_keyboard"] for button in row]
    assert any(button["callback_data"] == "h" for button in buttons)

    world.telegram.updates.append(press(71, "h"))
    eventually(lambda: "W-" in said(world.telegram, 71)[-1]["text"], "the case number")
    assert world.telegram.of("answerCallbackQuery")


def test_the_same_update_twice_is_answered_once(world):
    twice = update(72, "c'est gratuit ?")
    world.telegram.updates += [twice, twice]
    eventually(lambda: said(world.telegram, 72), "the answer")
    world.telegram.updates.append(update(72, "merci"))
    eventually(lambda: len(said(world.telegram, 72)) >= 3, "the answer to the next message")
    assert len([call for call in said(world.telegram, 72) if "Source" in call["text"]]) == 1


def test_a_voice_message_gets_a_polite_word_and_is_kept(world):
    voice = update(73, "")
    del voice["message"]["text"]
    voice["message"]["voice"] = {"file_id": "f1", "file_unique_id": "u1", "duration": 3, "mime_type": "audio/ogg"}
    world.telegram.updates.append(voice)
    eventually(lambda: said(world.telegram, 73), "the polite word")
    with world.waymark.database().read() as session:
        from sqlalchemy import select

        from bot.storage.inbox import InboxMessage

        kept = session.scalars(select(InboxMessage).where(InboxMessage.kind == "media")).all()
    assert any(row.media.get("ref") == "f1" for row in kept)


@pytest.fixture
def by_webhook(trained, tmp_path):
    telegram = BotApi()
    with serve(telegram.app) as url:
        waymark = Installation(
            tmp_path / "home",
            WAYMARK_TELEGRAM_TOKEN=telegram.token,
            WAYMARK_TELEGRAM_API=url,
            WAYMARK_TELEGRAM_SECRET="s3cret",
            WAYMARK_PUBLIC_URL="https://waymark.example.org",
        )
        waymark.prepare()
        waymark.start()
        yield telegram, waymark
        waymark.stop()


def test_a_conversation_by_webhook(by_webhook):
    telegram, waymark = by_webhook
    eventually(lambda: telegram.of("setWebhook"), "the webhook to be set")
    assert telegram.of("setWebhook")[0]["url"] == "https://waymark.example.org/webhooks/telegram"
    url, message = f"{waymark.url}/webhooks/telegram", update(81, "c'est gratuit ?")

    assert httpx.post(url, json=message).status_code == 403
    wrong = {"x-telegram-bot-api-secret-token": "s3creT"}
    assert httpx.post(url, json=message, headers=wrong).status_code == 403
    assert not said(telegram, 81)

    right = {"x-telegram-bot-api-secret-token": "s3cret"}
    assert httpx.post(url, content=b"{", headers=right).status_code == 400
    for _ in range(2):
        assert httpx.post(url, json=message, headers=right).status_code == 200
    eventually(lambda: any("Source" in call["text"] for call in said(telegram, 81)), "the answer")
    waymark.ask("hello")  # once more through the whole machine: nothing of the repeated update is left
    assert len([call for call in said(telegram, 81) if "Source" in call["text"]]) == 1

    pressed = press(81, "h")
    answer = httpx.post(url, json=pressed, headers=right).json()
    assert answer == {"method": "answerCallbackQuery", "callback_query_id": pressed["callback_query"]["id"]}
    eventually(lambda: any("W-" in call["text"] for call in said(telegram, 81)), "the case number")
    assert not telegram.of("answerCallbackQuery")
    assert httpx.post(url, json={"update_id": 1, "message": 5}, headers=right).status_code == 200


def test_an_answer_is_sent_although_telegram_is_away_for_a_moment(by_webhook):
    telegram, waymark = by_webhook
    telegram.fail("sendMessage", 502, "Bad Gateway")
    telegram.fail("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
    right = {"x-telegram-bot-api-secret-token": "s3cret"}
    assert httpx.post(f"{waymark.url}/webhooks/telegram", json=update(83, "merci"), headers=right).status_code == 200
    eventually(lambda: said(telegram, 83), "the answer")


def test_commands_and_descriptions_are_published_in_every_launched_language(world):
    eventually(lambda: len(world.telegram.of("setMyDescription")) >= 4, "the profile")
    codes = {call.get("language_code") for call in world.telegram.of("setMyCommands")}
    assert {"fr", "es", "ar"} <= codes
