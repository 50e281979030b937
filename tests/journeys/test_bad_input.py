"""Rubbish, forgeries and floods."""

import hashlib
import hmac
import json
import sqlite3
import uuid

import httpx
import pytest
from sqlalchemy import func, select

from bot.storage.inbox import InboxMessage
from tests.journeys.conftest import APP_SECRET
from tests.support.installation import eventually


def stored(waymark) -> int:
    with waymark.database().read() as session:
        return session.scalar(select(func.count()).select_from(InboxMessage)) or 0


def signature(body: bytes, secret: str = APP_SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


@pytest.mark.parametrize(
    "header", [None, "", "sha256=", "sha256=00", "sha1=abc", signature(b"other"), signature(b"{}", "wrong")]
)
def test_a_whatsapp_webhook_without_a_valid_signature_is_refused_and_nothing_stored(waymark, header):
    before = stored(waymark)
    headers = {"x-hub-signature-256": header} if header is not None else {}
    answer = httpx.post(f"{waymark.url}/webhooks/whatsapp", content=b'{"entry": []}', headers=headers)
    assert answer.status_code == 401
    assert stored(waymark) == before


def test_signed_rubbish_is_a_bad_request(waymark):
    for body in (b"{", b"[]", b"\xff\xfe", b'{"object": 1}', b"[" * 100_000):
        answer = httpx.post(
            f"{waymark.url}/webhooks/whatsapp", content=body, headers={"x-hub-signature-256": signature(body)}
        )
        assert answer.status_code == 400, body[:20]


def test_a_telegram_webhook_without_a_configured_secret_does_not_exist(waymark):
    assert httpx.post(f"{waymark.url}/webhooks/telegram", json={"update_id": 1}).status_code == 404


def test_the_verification_handshake_needs_our_token(waymark):
    query = {"hub.mode": "subscribe", "hub.challenge": "42", "hub.verify_token": "verify-me"}
    assert httpx.get(f"{waymark.url}/webhooks/whatsapp", params=query).text == "42"
    assert httpx.get(f"{waymark.url}/webhooks/whatsapp", params=query | {"hub.verify_token": "x"}).status_code == 403


def test_malformed_json_is_a_bad_request(waymark):
    for path in ("/webhooks/rest/webhook", "/chat/messages"):
        headers = {"authorization": f"Bearer {uuid.uuid4().hex}"}
        assert httpx.post(f"{waymark.url}{path}", content=b"{", headers=headers).status_code == 400


def test_a_megabyte_of_text_is_answered_or_refused_politely(waymark):
    assert waymark.ask("asylum " * 150_000)
    refused = httpx.post(
        f"{waymark.url}/chat/messages",
        json={"id": uuid.uuid4().hex, "text": "x" * 1_000_000},
        headers={"authorization": f"Bearer {uuid.uuid4().hex}"},
    )
    assert refused.status_code == 413


@pytest.mark.parametrize("text", ["🙂🙂🙂", "\u202e\u202d", "\x01\x02\x03", "......", "?", "\u0000", "ﷺ" * 500])
def test_messages_without_a_question_get_a_polite_word(waymark, text):
    assert waymark.ask(text)[-1]["text"]


@pytest.mark.parametrize("text", ["/restart", "/session_start", "/back"])
def test_commands_to_the_engine_are_only_words_when_a_person_types_them(waymark, text):
    waymark.ask("how much does it cost", sender="typist")
    assert waymark.ask(text, sender="typist")
    with sqlite3.connect(waymark.home / "tracker.db") as tracker:
        intents = [row[0] for row in tracker.execute("SELECT intent_name FROM events WHERE type_name = 'user'")]
        kinds = {row[0] for row in tracker.execute("SELECT DISTINCT type_name FROM events")}
    assert text.removeprefix("/") not in intents
    assert not kinds & {"restart", "rewind", "undo"}


def test_a_flood_from_one_sender_is_limited_and_others_are_served(trained, tmp_path):
    from tests.support.installation import Installation

    waymark = Installation(tmp_path / "home", WAYMARK_MESSAGES_PER_MINUTE="20")
    waymark.prepare()
    waymark.start()
    try:
        token = uuid.uuid4().hex
        with httpx.Client(base_url=waymark.url, headers={"authorization": f"Bearer {token}"}) as flood:
            codes = {
                flood.post("/chat/messages", json={"id": uuid.uuid4().hex, "text": f"hello {n}"}).status_code
                for n in range(300)
            }
        assert codes == {202}
        assert "Source" in waymark.person().ask("how many bags can i take")[-1]["text"]
        eventually(lambda: _waiting(waymark) == 0, "the flood to be worked off")
        with waymark.database().read() as session:
            states = dict(session.execute(select(InboxMessage.state, func.count()).group_by(InboxMessage.state)).all())
        assert states["limited"] >= 270
        assert states["limited"] + states["done"] == 302  # nothing is lost
    finally:
        waymark.stop()


def _waiting(waymark) -> int:
    with waymark.database().read() as session:
        return session.scalar(select(func.count()).where(InboxMessage.state == "waiting")) or 0


def test_no_words_of_people_are_in_the_log(waymark):
    waymark.person().ask("my secret word is xylophone")
    assert "xylophone" not in waymark.log.read_text(errors="replace")
    assert json.dumps("xylophone") not in waymark.log.read_text(errors="replace")
