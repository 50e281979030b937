"""People who get text messages through the gateway that ``docs/adding-a-channel.md`` is about."""

import hashlib
import hmac
import json
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.contract.peer import Call, Choice, Failure, Peer, Seen, numbered

DOC = Path(__file__).parents[2] / "docs" / "adding-a-channel.md"
LONGEST = 160
KEY, SECRET = "postino-key", "postino-secret"


def source() -> str:
    """The channel's code, as the document shows it."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", DOC.read_text(), re.MULTILINE | re.DOTALL)
    return str(code)


@dataclass
class Gateway:
    """The invented gateway's API: 160 characters a message, refusals on demand."""

    sent: list[dict[str, str]] = field(default_factory=list)
    refusals: list[Response | None] = field(default_factory=list)

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        routes = [Route("/messages", self._send, methods=["POST"]), Route("/account", self._account)]
        return Starlette(routes=routes)

    async def _send(self, request: Request) -> Response:
        if request.headers.get("authorization") != f"Bearer {KEY}":
            return JSONResponse({"error": "key"}, 401)
        if self.refusals and (refusal := self.refusals.pop(0)):
            return refusal
        message = await request.json()
        if not 1 <= len(message["text"]) <= LONGEST:
            return JSONResponse({"error": "length"}, 422)
        self.sent.append(message)
        return JSONResponse({"id": f"p{len(self.sent)}"}, 202)

    async def _account(self, request: Request) -> Response:
        known = request.headers.get("authorization") == f"Bearer {KEY}"
        return JSONResponse({"number": "+3200"} if known else {}, 200 if known else 401)


class PostinoPeer(Peer):
    """Mobile phones without any app."""

    name = "postino"
    module = "postino"
    sending = "/messages"
    limit = LONGEST

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._gateway = Gateway()

    @property
    def app(self) -> Any:
        return self._gateway.app

    def environment(self) -> dict[str, str]:
        return {
            "WAYMARK_CHANNELS": "postino:PostinoChannel",
            "POSTINO_URL": self.url,
            "POSTINO_KEY": KEY,
            "POSTINO_SECRET": SECRET,
        }

    def address(self, number: int) -> str:
        return f"+{32470000000 + number}"

    def written(self, address: str, text: str, number: int) -> Call:
        return self.signed(json.dumps({"id": f"in{number}", "from": address, "text": text}).encode())

    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        return self.written(address, choice.mark, number)

    def signed(self, content: bytes) -> Call:
        proof = hmac.new(SECRET.encode(), content, hashlib.sha256).hexdigest()
        return Call("/webhooks/postino", content, {"x-postino-signature": proof})

    def forged(self, call: Call) -> list[Call]:
        proofs: list[dict[str, str]] = [{}, {"x-postino-signature": ""}, {"x-postino-signature": "0" * 64}]
        changed = Call(call.path, call.content + b" ", call.headers)
        return [changed, *(Call(call.path, call.content, proof) for proof in proofs)]

    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        return [Seen(message["text"]) for message in self._gateway.sent if message["to"] == address]

    def choices(self, seen: Sequence[Seen]) -> tuple[Choice, ...]:
        return numbered(seen)

    def fail_once(self, failure: Failure, after: int = 0) -> None:
        self._gateway.refusals.extend([None] * after)
        wait = {"retry-after": f"{self.pause:.0f}"}
        refusals = {"refused": JSONResponse({}, 410), "wait": JSONResponse({}, 429, headers=wait)}
        self._gateway.refusals.append(refusals[failure])
