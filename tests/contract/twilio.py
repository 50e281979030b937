"""People on WhatsApp whose messages come through Twilio."""

from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

import httpx

from tests.contract.peer import PUBLIC, Call, Choice, Failure, Peer, Seen, numbered
from tests.support.twilio import Twilio
from tests.support.twilio_hooks import message, signature, status

PATH = "/webhooks/twilio"
_REFUSED, _TOO_MANY = 63024, 63018


class TwilioPeer(Peer):
    """A WhatsApp number of a Twilio account."""

    name = "twilio"
    module = "bot.channels.twilio_client"
    sending = "/Messages.json"
    limit = 1600
    pause = 60.0
    settles = True

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._twilio = Twilio()

    @property
    def app(self) -> Any:
        return self._twilio.app

    def environment(self) -> dict[str, str]:
        return self._twilio.settings(self.url, PUBLIC)

    def address(self, number: int) -> str:
        return str(32470000000 + number)

    def written(self, address: str, text: str, number: int) -> Call:
        return self._signed(PATH, message(number, From=f"whatsapp:+{address}", WaId=address, Body=text))

    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        return self.written(address, choice.mark, number)

    def signed(self, content: bytes) -> Call:
        form = dict(parse_qsl(content.decode("utf-8", "replace"), keep_blank_values=True))
        return Call(PATH, content, self._proof(PATH, form))

    def _signed(self, path: str, form: Mapping[str, str]) -> Call:
        return Call(path, urlencode(form).encode(), self._proof(path, form))

    def _proof(self, path: str, form: Mapping[str, str]) -> dict[str, str]:
        proof = signature(self._twilio.token, PUBLIC + path, form)
        return {"x-twilio-signature": proof, "content-type": "application/x-www-form-urlencoded"}

    def forged(self, call: Call) -> list[Call]:
        proof = call.headers["x-twilio-signature"]
        proofs: list[dict[str, str]] = [{}, {"x-twilio-signature": ""}, {"x-twilio-signature": proof[:-2]}]
        changed = [
            Call(call.path, call.content + b"&Extra=1", call.headers),
            Call(f"{call.path}?ref=1", call.content, call.headers),
        ]
        return [*changed, *(Call(call.path, call.content, proof) for proof in proofs)]

    def mangled(self, call: Call) -> list[Call]:
        form = dict(parse_qsl(call.content.decode(), keep_blank_values=True))
        gone = [{name: form[name] for name in form if name != left_out} for left_out in form]
        wrong = [form | {name: value} for name in form for value in ("", "x", "-1", "9" * 400, "\x00\ud7ff")]
        return [self._signed(call.path, row) for row in (*gone, *wrong)]

    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        return [Seen(form["Body"]) for form in self._twilio.sent if form["To"] == f"whatsapp:+{address}"]

    def choices(self, seen: Sequence[Seen]) -> tuple[Choice, ...]:
        return numbered(seen)

    def fail_once(self, failure: Failure, after: int = 0) -> None:
        if failure == "refused":
            self._twilio.fail(_REFUSED, after=after)
        else:
            self._twilio.fail(_TOO_MANY, status=429, after=after)

    def receipts(self) -> list[Call]:
        return [
            self._signed(form["StatusCallback"].removeprefix(PUBLIC), status(f"SM{number:032x}", "delivered"))
            for number, form in enumerate(self._twilio.sent, start=1)
        ]
