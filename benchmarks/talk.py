"""People who write to an assistant and wait for its answer, over Rasa's REST channel or WhatsApp's webhook."""

import asyncio
import contextlib
import hashlib
import hmac
import json
import time
import uuid
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from benchmarks.wire import Wire

SECRET = "app-secret"
PHONE_ID = "106540352242922"
_QUIET = 4.0  # seconds without a reply after which none comes; a lost wake-up is made good after two


@dataclass
class Person:
    """Somebody who says the lines of a script, one after another.

    Attributes:
        owed: Replies that what was said so far should bring.
        got: Replies that came.
    """

    script: int
    address: str = field(default_factory=lambda: str(10**14 + uuid.uuid4().int % 10**14))
    said: int = 0
    owed: int = 0
    got: int = 0
    news: asyncio.Event = field(default_factory=asyncio.Event)


class Line(Protocol):
    """A way to reach the assistant."""

    duplicated: int

    async def say(self, person: Person) -> float:
        """Says the person's next line.

        Returns:
            The moment at which the whole answer had arrived.

        Raises:
            OSError: The message was not accepted.
        """
        ...

    async def finish(self) -> None:
        """Waits for what should not come any more, and counts it."""
        ...


class RestLine:
    """Rasa's REST channel: the answer to the request is the answer to the message."""

    def __init__(self, port: int, scripts: Sequence[Sequence[str]]) -> None:
        self._wire, self._scripts = Wire(port), scripts
        self.duplicated = 0

    async def say(self, person: Person) -> float:
        """See ``Line``."""
        text = self._scripts[person.script][person.said]
        body = json.dumps({"sender": person.address, "message": text}).encode()
        status, content = await self._wire.post("/webhooks/rest/webhook", body)
        moment = time.perf_counter()
        texts = [row.get("text") for row in json.loads(content)] if status == 200 else []
        if not texts:
            raise ConnectionError(f"no answer, status {status}")
        self.duplicated += len(texts) - len(set(texts))
        person.said += 1
        return moment

    async def finish(self) -> None:
        """See ``Line``."""
        self._wire.close()


class WhatsAppLine:
    """Signed webhooks one way; what reaches the stand-in of the Graph API is the other."""

    def __init__(self, port: int, scripts: Sequence[Sequence[str]]) -> None:
        self._wire, self._scripts = Wire(port), scripts
        self._people: dict[str, Person] = {}
        self._moments: dict[str, float] = {}
        self._replies: dict[tuple[int, int], int] = {}  # of each line of each script
        self._listening: asyncio.Task[None] | None = None
        self._writer: asyncio.StreamWriter | None = None
        self.duplicated = 0

    async def listen(self, path: str) -> None:
        """Connects to the stand-in, and learns how many replies each line of the scripts brings."""
        reader, self._writer = await asyncio.open_unix_connection(path)  # one that nobody holds closes itself
        self._listening = asyncio.create_task(self._hear(reader))
        await asyncio.gather(*(self._learn(number) for number in range(len(self._scripts))))

    async def _hear(self, reader: asyncio.StreamReader) -> None:
        while line := await reader.readline():
            address, moment = line.decode().split()
            if (person := self._people.get(address)) is not None:
                person.got += 1
                self._moments[address] = float(moment)
                person.news.set()

    async def _learn(self, script: int) -> None:
        person = self._known(Person(script))
        for number in range(len(self._scripts[script])):
            before = person.got
            await self._post(person)
            async with asyncio.timeout(30):
                await person.news.wait()
            with contextlib.suppress(TimeoutError):
                while True:
                    person.news.clear()
                    await asyncio.wait_for(person.news.wait(), _QUIET)
            self._replies[script, number] = person.got - before
            person.said += 1
        person.owed = person.got

    def _known(self, person: Person) -> Person:
        return self._people.setdefault(person.address, person)

    async def say(self, person: Person) -> float:
        """See ``Line``."""
        self._known(person).owed += self._replies[person.script, person.said]
        await self._post(person)
        while person.got < person.owed:
            await person.news.wait()
            person.news.clear()
        person.said += 1
        return self._moments[person.address]

    async def _post(self, person: Person) -> None:
        text = self._scripts[person.script][person.said]
        body, headers = webhook(person.address, f"wamid.{person.address}.{person.said}", text)
        status, _ = await self._wire.post("/webhooks/whatsapp", body, headers)
        if status != 200:
            raise ConnectionError(f"refused with status {status}")

    async def finish(self) -> None:
        """See ``Line``."""
        await asyncio.sleep(2)
        self._wire.close()
        if self._listening is not None and self._writer is not None:
            self._listening.cancel()
            self._writer.close()
        self.duplicated = sum(max(0, person.got - person.owed) for person in self._people.values())

    @property
    def replies(self) -> dict[str, int]:
        """How many lines bring how many replies."""
        return {str(number): lines for number, lines in sorted(Counter(self._replies.values()).items())}


def webhook(sender: str, number: str, words: str) -> tuple[bytes, dict[str, str]]:
    """A signed webhook with one message."""
    moment = str(int(time.time()))  # an answer to an old message would not be sent
    text = {"from": sender, "id": number, "timestamp": moment, "type": "text", "text": {"body": words}}
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550000000", "phone_number_id": PHONE_ID},
        "contacts": [{"profile": {"name": "A"}, "wa_id": sender}],
        "messages": [text],
    }
    entry = {"id": "1", "changes": [{"field": "messages", "value": value}]}
    body = json.dumps({"object": "whatsapp_business_account", "entry": [entry]}).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"x-hub-signature-256": signature}
