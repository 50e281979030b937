import json
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging.hooks import Heard, Hook, HookRefused
from bot.messaging.messages import Incoming
from bot.settings import Settings
from tests.support.graph import Graph
from tests.support.graph_hooks import body, signature, value

HANDSHAKE = {"hub.mode": "subscribe", "hub.verify_token": "handshake", "hub.challenge": "1158201444"}
UNSET = Settings(whatsapp_token="t", whatsapp_phone_id="1")


def hook(method: str = "POST", *, body: bytes = b"", header: str | None = None, **query: str) -> Hook:
    headers = {} if header is None else {"x-hub-signature-256": header}
    return Hook(method, "https://waymark.example.org/webhooks/whatsapp", query, headers, body)


def status(channel: WhatsAppChannel, request: Hook) -> int:
    """The status with which a request is refused."""
    with pytest.raises(HookRefused) as refused:
        channel.receive(request)
    return refused.value.status


# --- handshake


def test_the_handshake_is_answered_only_with_the_right_token(whatsapp: WhatsAppChannel) -> None:
    assert whatsapp.receive(hook("GET", **HANDSHAKE)) == Heard(answer="1158201444")
    for wrong in ({"hub.verify_token": "guess"}, {"hub.verify_token": "é"}, {"hub.mode": "unsubscribe"}):
        assert status(whatsapp, hook("GET", **HANDSHAKE | wrong)) == 403
    assert status(whatsapp, hook("GET")) == 403


async def test_without_a_verify_token_nobody_passes_the_handshake() -> None:
    channel = WhatsAppChannel(UNSET)
    assert status(channel, hook("GET", **HANDSHAKE | {"hub.verify_token": ""})) == 403
    await channel.close()


# --- signature


def test_a_signature_with_either_secret_is_accepted_during_rotation(whatsapp: WhatsAppChannel) -> None:
    content = json.dumps(body() | {"text": "مرحبا"}, ensure_ascii=False).encode()
    for secret in ("old-secret", "new-secret"):
        assert whatsapp.receive(hook(body=content, header=signature(secret, content))) == Heard()


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha256=é", "sha1=abc", signature("other", b"{}")])
def test_a_wrong_signature_is_refused(whatsapp: WhatsAppChannel, header: str | None) -> None:
    assert status(whatsapp, hook(body=b"{}", header=header)) == 401


def test_a_signature_holds_for_its_own_body_alone(whatsapp: WhatsAppChannel) -> None:
    assert status(whatsapp, hook(body=b'{"a": 1}', header=signature("new-secret", b'{"a": 2}'))) == 401
    bare = signature("new-secret", b"{}").removeprefix("sha256=")
    assert status(whatsapp, hook(body=b"{}", header=bare)) == 401


async def test_without_a_secret_nothing_is_accepted() -> None:
    channel = WhatsAppChannel(UNSET)
    assert status(channel, hook(body=b"{}", header=signature("", b"{}"))) == 401
    await channel.close()


# --- a signed body


def signed(content: Any) -> Hook:
    raw = content if isinstance(content, bytes) else json.dumps(content).encode()
    return hook(body=raw, header=signature("new-secret", raw))


def test_a_text_becomes_a_message(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    text = {"from": "32470000001", "id": "wamid.in1", "timestamp": "1700000000", "type": "text"}
    content = body(value(graph.phone_id, messages=[text | {"text": {"body": "كيف أعود؟ 👋🏽"}}]))
    expected = Incoming(
        "whatsapp",
        "wamid.in1",
        "32470000001",
        text="كيف أعود؟ 👋🏽",
        sent_at=datetime.fromtimestamp(1_700_000_000, UTC),
    )
    assert whatsapp.receive(signed(content)) == Heard(messages=(expected,))


@pytest.mark.parametrize(
    "rubbish",
    [b"{", b"[]", b"\xff\xfe", b"[" * 100_000, {}, {"object": "whatsapp_business_account"}, body({"messages": []})],
)
def test_signed_rubbish_is_a_bad_request(whatsapp: WhatsAppChannel, rubbish: Any) -> None:
    assert status(whatsapp, signed(rubbish)) == 400


def test_free_text_is_allowed_for_a_day_and_receipts_settle_what_is_uncertain(whatsapp: WhatsAppChannel) -> None:
    assert whatsapp.service_window_hours == 24
    assert whatsapp.settles
