"""WhatsApp by signed, real-shaped webhooks against a Graph API stand-in that keeps the limits."""

import hashlib
import hmac
import itertools
import json
import time

import httpx
from sqlalchemy import select

from bot.storage.conversation import Contact
from bot.storage.outbox import OutboxMessage
from tests.journeys.conftest import APP_SECRET, World
from tests.support.installation import eventually

NUMBERS = itertools.count(1)


def deliver(world: World, **value: object) -> httpx.Response:
    metadata = {"display_phone_number": "15550000000", "phone_number_id": world.graph.phone_id}
    content = {"messaging_product": "whatsapp", "metadata": metadata, **value}
    body = json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": content}]}],
        }
    ).encode()
    signature = "sha256=" + hmac.new(APP_SECRET.encode(), body, hashlib.sha256).hexdigest()
    return httpx.post(
        f"{world.waymark.url}/webhooks/whatsapp", content=body, headers={"x-hub-signature-256": signature}
    )


def message(world: World, sender: str, **kind: object) -> dict:
    contact = {"profile": {"name": "A"}, "wa_id": sender}
    one = {"from": sender, "id": f"wamid.{next(NUMBERS)}", "timestamp": str(int(time.time())), **kind}
    assert deliver(world, contacts=[contact], messages=[one]).status_code == 200
    return one


def text(world: World, sender: str, words: str) -> dict:
    return message(world, sender, type="text", text={"body": words})


def sent(world: World, to: str) -> list[dict]:
    return [body for body in world.graph.sent if body.get("to") == to]


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
    one = {"from": "33600000002", "id": "wamid.replayed", "timestamp": "1795000000", "type": "text"}
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
        with world.waymark.database().read() as session:
            to_them = select(OutboxMessage).join(Contact, Contact.conversation_id == OutboxMessage.conversation_id)
            settled = to_them.where(Contact.address == "33600000003", OutboxMessage.provider_id.is_not(None))
            return session.scalar(settled.order_by(OutboxMessage.id).limit(1))

    provider_id = eventually(row, "the provider's id").provider_id
    for state in ("read", "delivered"):
        status = {"id": provider_id, "status": state, "timestamp": "1795000000", "recipient_id": "33600000003"}
        assert deliver(world, statuses=[status]).status_code == 200
    eventually(lambda: row().provider_state == "read", "the receipt")


def test_an_image_gets_a_polite_word(world):
    message(world, "33600000004", type="image", image={"id": "m1", "mime_type": "image/jpeg", "sha256": "x"})
    eventually(lambda: sent(world, "33600000004"), "the polite word")
