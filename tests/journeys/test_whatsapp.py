"""WhatsApp by signed, real-shaped webhooks against a Graph API stand-in that keeps the limits."""

import itertools
import json
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from bot.messaging import payloads
from bot.messaging.templates import REOPEN
from bot.storage.conversation import Contact
from bot.storage.outbox import OutboxMessage
from tests.journeys.conftest import APP_SECRET, World
from tests.support import graph_hooks as hooks
from tests.support.graph_hooks import Reporter, signature
from tests.support.installation import eventually

NUMBERS = itertools.count(1)


@pytest.fixture
def reported(world: World) -> Iterator[Reporter]:
    """Receipts come for everything that is sent meanwhile."""
    world.graph.reporter = Reporter(f"{world.waymark.url}/webhooks/whatsapp", APP_SECRET, world.graph.phone_id)
    yield world.graph.reporter
    world.graph.reporter, world.graph.spares_reads = None, False


def post(world: World, content: dict[str, Any]) -> httpx.Response:
    body = json.dumps(content).encode()
    headers = {"x-hub-signature-256": signature(APP_SECRET, body)}
    return httpx.post(f"{world.waymark.url}/webhooks/whatsapp", content=body, headers=headers)


def deliver(world: World, **fields: object) -> httpx.Response:
    return post(world, hooks.body(hooks.value(world.graph.phone_id, **fields)))


def message(world: World, sender: str, **kind: object) -> dict:
    contact = {"profile": {"name": "A"}, "wa_id": sender}
    one = {"from": sender, "id": f"wamid.{next(NUMBERS)}", "timestamp": str(int(time.time())), **kind}
    assert deliver(world, contacts=[contact], messages=[one]).status_code == 200
    return one


def text(world: World, sender: str, words: str) -> dict:
    return message(world, sender, type="text", text={"body": words})


def sent(world: World, to: str) -> list[dict]:
    return [body for body in world.graph.sent if body.get("to") == to]


def rows(world: World, address: str) -> list[OutboxMessage]:
    """What the outbox holds for somebody."""
    with world.waymark.database().read() as session:
        to_them = select(OutboxMessage).join(Contact, Contact.conversation_id == OutboxMessage.conversation_id)
        return list(session.scalars(to_them.where(Contact.address == address).order_by(OutboxMessage.id)))


def words_of(body: dict) -> str:
    return body.get("text", {}).get("body") or body.get("interactive", {}).get("body", {}).get("text", "")


def test_a_conversation(world):
    text(world, "33600000001", "c'est gratuit ?")
    eventually(lambda: any("Source" in words_of(body) for body in sent(world, "33600000001")), "the answer")
    listed = next(
        body for body in sent(world, "33600000001") if body["type"] == "interactive" and "Source" in words_of(body)
    )
    rows = listed["interactive"]["action"]["sections"][0]["rows"]
    assert "h" in [row["id"] for row in rows]

    reply = {"type": "list_reply", "list_reply": {"id": "h", "title": "Parler"}}
    message(world, "33600000001", type="interactive", interactive=reply)
    eventually(lambda: "W-" in words_of(sent(world, "33600000001")[-1]), "the case number")


def test_a_replayed_webhook_is_answered_once(world):
    contact = {"profile": {"name": "A"}, "wa_id": "33600000002"}
    one = {"from": "33600000002", "id": "wamid.replayed", "timestamp": str(int(time.time())), "type": "text"}
    one["text"] = {"body": "c'est gratuit ?"}
    for _ in range(3):
        assert deliver(world, contacts=[contact], messages=[one]).status_code == 200
    eventually(lambda: any("Source" in words_of(body) for body in sent(world, "33600000002")), "the answer")
    text(world, "33600000002", "merci")
    eventually(lambda: "Source" not in words_of(sent(world, "33600000002")[-1]), "the next answer")
    assert len([body for body in sent(world, "33600000002") if "Source" in words_of(body)]) == 1


def test_receipts_are_stored_on_the_message_they_concern(world):
    text(world, "33600000003", "merci")
    eventually(lambda: sent(world, "33600000003"), "the answer")

    def row() -> OutboxMessage | None:
        return next((row for row in rows(world, "33600000003") if row.provider_id), None)

    provider_id = eventually(row, "the provider's id").provider_id
    for state in ("read", "delivered"):
        status = {"id": provider_id, "status": state, "timestamp": "1795000000", "recipient_id": "33600000003"}
        assert deliver(world, statuses=[status]).status_code == 200
    eventually(lambda: row().provider_state == "read", "the receipt")


def test_an_image_gets_a_polite_word(world):
    message(world, "33600000004", type="image", image={"id": "m1", "mime_type": "image/jpeg", "sha256": "x"})
    eventually(lambda: sent(world, "33600000004"), "the polite word")


def test_an_answer_that_arrived_without_our_knowing_is_not_repeated(world, reported):
    text(world, "33600000005", "je suis arrivé hier et je voudrais rentrer dans mon pays")
    eventually(lambda: _settled(world, "33600000005"), "the first answer and its receipts")
    before = len(sent(world, "33600000005"))
    reported.delay = 1.0  # the connection breaks off before the receipt comes
    world.graph.spares_reads = True
    world.graph.drop()
    text(world, "33600000005", "c'est gratuit ?")
    eventually(lambda: _settled(world, "33600000005", "Source"), "the receipt")
    again = [words_of(body) for body in sent(world, "33600000005")[before:]]
    assert len([words for words in again if "Source" in words]) == 1
    assert sum(row.attempts for row in rows(world, "33600000005")) == 1  # the one that broke off
    assert set(reported.answers) == {200}


def _settled(world: World, address: str, words: str = "") -> bool:
    found = rows(world, address)
    told = any(words in row.body["text"] for row in found)
    return bool(found) and told and all(row.provider_state == "delivered" for row in found)


def test_an_answer_outside_the_window_waits_for_the_person_whom_a_template_asks_to_write(world):
    world.graph.decide(REOPEN, "fr", "APPROVED")
    approved = {"message_template_name": REOPEN, "message_template_language": "fr", "event": "APPROVED"}
    told = hooks.body(approved, field="message_template_status_update", account_id=world.graph.account_id)
    assert post(world, told).status_code == 200
    text(world, "33600000006", "je suis arrivé hier et je voudrais rentrer dans mon pays")
    eventually(lambda: len(sent(world, "33600000006")) >= 2, "the greeting and an answer")

    world.graph.silent.add("33600000006")
    text(world, "33600000006", "c'est gratuit ?")
    template = eventually(
        lambda: [body for body in sent(world, "33600000006") if body["type"] == "template"], "the template"
    )
    assert "held" in [row.state for row in rows(world, "33600000006")]

    world.graph.silent.discard("33600000006")
    pressed = template[0]["template"]["components"][0]["parameters"][0]["payload"]
    assert pressed == payloads.READ
    message(world, "33600000006", type="button", button={"payload": pressed, "text": "Lire"})
    eventually(lambda: any("Source" in words_of(body) for body in sent(world, "33600000006")), "what was held")
    eventually(lambda: {row.state for row in rows(world, "33600000006")} == {"sent"}, "nothing to be left")
    assert len([body for body in sent(world, "33600000006") if body["type"] == "template"]) == 1


def test_a_person_with_a_new_number_goes_on_where_they_were(world):
    text(world, "33600000007", "merci")
    eventually(lambda: sent(world, "33600000007"), "the answer")
    before = [row.conversation_id for row in rows(world, "33600000007")]
    changed = {"type": "user_changed_number", "wa_id": "33600000008", "body": "A changed their number"}
    message(world, "33600000007", type="system", system=changed)
    text(world, "33600000008", "merci")
    eventually(lambda: sent(world, "33600000008"), "the answer to the new number")
    assert {row.conversation_id for row in rows(world, "33600000008")} == set(before)
