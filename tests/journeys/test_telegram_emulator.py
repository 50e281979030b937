"""Telegram through a Bot API that others wrote, by webhook."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.emulator import Emulator, Relay, emulate, missing
from tests.support.installation import Installation, eventually
from tests.support.server import serve

CHAT = secrets.randbelow(10**9) + 1  # the emulator's Redis may serve another run of the tests as well
SECONDS = 60  # an answer may take that long on a busy machine

pytestmark = pytest.mark.timeout(400)


@pytest.fixture
def relay() -> Relay:
    return Relay("s3cret")


@pytest.fixture
def emulator(trained: None, relay: Relay, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    if reason := missing():
        pytest.skip(reason)
    with emulate(tmp_path_factory.mktemp("emulator")) as emulator, serve(relay.app) as relay_url:
        waymark = Installation(
            tmp_path_factory.mktemp("home"),
            WAYMARK_TELEGRAM_TOKEN=emulator.token,
            WAYMARK_TELEGRAM_API=emulator.url,
            WAYMARK_TELEGRAM_SECRET=relay.secret,
            WAYMARK_PUBLIC_URL=relay_url,
        )
        relay.target = waymark.url
        waymark.prepare()
        try:
            waymark.start()
            eventually(lambda: emulator.webhook() == f"{relay_url}/webhooks/telegram", "the webhook", SECONDS)
            yield emulator
        finally:
            waymark.stop()


def said(emulator: Emulator, words: str) -> list[dict[str, Any]]:
    """Messages to the person that hold ``words``."""
    return [call for call in emulator.calls("sendMessage") if call["chat_id"] == CHAT and words in call["text"]]


def test_a_question_and_a_pressed_button_lead_to_a_case(emulator: Emulator, relay: Relay) -> None:
    emulator.write(CHAT, "débouté de l'asile je peux avoir l'aide ?")
    answer = eventually(lambda: said(emulator, "Source"), "the answer", SECONDS)[0]
    assert not said(emulator, "W-")
    assert {call["action"] for call in emulator.calls("sendChatAction")} == {"typing"}

    buttons = {key["callback_data"]: key["text"] for row in answer["reply_markup"]["inline_keyboard"] for key in row}
    assert buttons["h"]
    pressed = emulator.press(CHAT, answer["message_id"], "h")
    eventually(lambda: said(emulator, "W-"), "the case number", SECONDS)
    ended = {"method": "answerCallbackQuery", "callback_query_id": pressed["callback_query"]["id"]}
    assert relay.answers == [ended]
    assert len(said(emulator, "W-")) == 1
    assert len(said(emulator, "Source")) == 1
