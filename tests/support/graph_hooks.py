"""Webhooks as Meta signs and sends them."""

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx


def value(phone_id: str, **fields: Any) -> dict[str, Any]:
    """What happened at one phone number."""
    metadata = {"display_phone_number": "15550000000", "phone_number_id": phone_id}
    return {"messaging_product": "whatsapp", "metadata": metadata} | fields


def body(*values: dict[str, Any], field: str = "messages", account_id: str = "215589313241560883") -> dict[str, Any]:
    """A webhook of a WhatsApp Business Account."""
    changes = [{"field": field, "value": row} for row in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": account_id, "changes": changes}]}


def signature(secret: str, content: bytes) -> str:
    """The value of ``X-Hub-Signature-256``."""
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


@dataclass
class Reporter:
    """Tells a webhook what became of messages, a while after they were accepted.

    Attributes:
        url: The webhook.
        secret: The app secret that signs.
        states: What is told of each message, in this order.
        delay: Seconds before the first is told.
        answers: What the webhook answered.
    """

    url: str
    secret: str
    phone_id: str
    states: Sequence[str] = ("sent", "delivered")
    delay: float = 0.0
    answers: list[int] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accepted(self, provider_id: str, message: dict[str, Any]) -> None:
        """Tells of a message soon; the provider's own answer does not wait for it."""
        task = asyncio.create_task(self._report(provider_id, message))
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _report(self, provider_id: str, message: dict[str, Any]) -> None:
        await asyncio.sleep(self.delay)
        async with httpx.AsyncClient(timeout=30) as client:
            for state in self.states:
                content = json.dumps(body(value(self.phone_id, statuses=[status(provider_id, state, message)])))
                headers = {"x-hub-signature-256": signature(self.secret, content.encode())}
                self.answers.append((await client.post(self.url, content=content, headers=headers)).status_code)


def status(provider_id: str, state: str, message: dict[str, Any]) -> dict[str, Any]:
    """What became of a message; it carries what the message carried."""
    address = message.get("to") or message["recipient"]
    made = {"id": provider_id, "status": state, "timestamp": str(int(time.time())), "recipient_id": address}
    if reference := message.get("biz_opaque_callback_data"):
        made["biz_opaque_callback_data"] = reference
    return made


def message(kind: str, number: int = 1, /, **fields: Any) -> dict[str, Any]:
    """A person's message; what is given replaces or adds to what it holds."""
    base = {"from": "32470000001", "id": f"wamid.in{number}", "timestamp": "1700000000", "type": kind}
    return base | fields
