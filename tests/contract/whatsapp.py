"""People on WhatsApp."""

import json
import time
from typing import Any

import httpx

from tests.contract.peer import Call, Choice, Failure, Peer, Seen
from tests.support.graph import Graph
from tests.support.graph_hooks import body, signature, status, value

SECRET = "app-secret"
_REFUSED, _TOO_MANY = 131026, 131056


class WhatsAppPeer(Peer):
    """A phone number of the Cloud API."""

    name = "whatsapp"
    module = "bot.channels.whatsapp"
    sending = "/messages"
    limit = 4096
    pause = 6.0
    settles = True

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._graph = Graph()

    @property
    def app(self) -> Any:
        return self._graph.app

    def environment(self) -> dict[str, str]:
        return self._graph.settings(self.url, SECRET)

    def address(self, number: int) -> str:
        return str(32470000000 + number)

    def written(self, address: str, text: str, number: int) -> Call:
        return self._message(address, number, type="text", text={"body": text})

    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        reply = {"type": "list_reply", "list_reply": {"id": choice.mark, "title": choice.title}}
        return self._message(address, number, type="interactive", interactive=reply)

    def _message(self, address: str, number: int, **content: Any) -> Call:
        message = {"from": address, "id": f"wamid.in{number}", "timestamp": str(int(time.time()))} | content
        return self._about(messages=[message], contacts=[{"profile": {"name": "A"}, "wa_id": address}])

    def _about(self, **content: Any) -> Call:
        return self.signed(json.dumps(body(value(self._graph.phone_id, **content))).encode())

    def signed(self, content: bytes) -> Call:
        return Call("/webhooks/whatsapp", content, {"x-hub-signature-256": signature(SECRET, content)})

    def forged(self, call: Call) -> list[Call]:
        proof = call.headers["x-hub-signature-256"]
        proofs = [{}, {"x-hub-signature-256": ""}, {"x-hub-signature-256": proof[:-1]}]
        changed = Call(call.path, call.content + b" ", call.headers)
        return [changed, *(Call(call.path, call.content, proof) for proof in proofs)]

    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        return [_seen(message) for message in self._graph.sent if message.get("to") == address]

    def fail_once(self, failure: Failure, after: int = 0) -> None:
        self._graph.fail(_REFUSED if failure == "refused" else _TOO_MANY, after=after)

    def receipts(self) -> list[Call]:
        return [
            self._about(statuses=[status(f"wamid.{number}", "delivered", message)])
            for number, message in enumerate(self._graph.sent, start=1)
        ]


def _seen(message: dict[str, Any]) -> Seen:
    if message["type"] == "text":
        return Seen(message["text"]["body"])
    content = message["interactive"]
    rows = [button["reply"] for button in content["action"].get("buttons", [])]
    rows += [row for section in content["action"].get("sections", []) for row in section["rows"]]
    return Seen(content["body"]["text"], tuple(Choice(row["title"], row["id"]) for row in rows))
