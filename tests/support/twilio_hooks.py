"""Webhooks as Twilio signs and sends them."""

import asyncio
import base64
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from urllib.parse import urlencode

import httpx


def signature(token: str, url: str, form: Mapping[str, str]) -> str:
    """The value of ``X-Twilio-Signature``: over the address, then names and values sorted by name."""
    signed = url + "".join(f"{name}{form[name]}" for name in sorted(form))
    return base64.b64encode(hmac.new(token.encode(), signed.encode(), hashlib.sha1).digest()).decode()


def message(number: int = 1, **fields: str) -> dict[str, str]:
    """A message of a person, as a form."""
    sid = f"SM{number:032x}"
    told = {"MessageSid": sid, "SmsMessageSid": sid, "SmsSid": sid, "SmsStatus": "received", "NumSegments": "1"}
    told |= {"From": "whatsapp:+32470000001", "To": "whatsapp:+3221234567", "WaId": "32470000001"}
    told |= {"AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01", "ProfileName": "Amina", "Body": ""}
    return told | {"NumMedia": "0", "MessageType": "text"} | fields


def status(sid: str, state: str, **fields: str) -> dict[str, str]:
    """What became of a message we sent, as a form."""
    told = {"MessageSid": sid, "MessageStatus": state, "SmsSid": sid, "SmsStatus": state}
    told |= {"From": "whatsapp:+3221234567", "To": "whatsapp:+32470000001", "ChannelPrefix": "whatsapp"}
    return told | {"AccountSid": "AC" + "0" * 32, "ApiVersion": "2010-04-01"} | fields


@dataclass
class Reporter:
    """Tells a webhook what became of messages, a while after they were accepted.

    Attributes:
        token: The auth token that signs.
        url: Where the installation really is, when its public address cannot be reached.
        states: What is told of each message, in this order.
        delay: Seconds before the first is told.
        answers: What the webhook answered.
    """

    token: str
    url: str = ""
    states: Sequence[str] = ("sent", "delivered")
    delay: float = 0.0
    answers: list[int] = field(default_factory=list)
    _tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def accepted(self, sid: str, form: Mapping[str, str]) -> None:
        """Tells of a message soon; the answer does not wait for it."""
        task = asyncio.create_task(self._report(sid, form["StatusCallback"]))
        self._tasks.add(task)  # the loop itself keeps only a weak reference
        task.add_done_callback(self._tasks.discard)

    async def _report(self, sid: str, callback: str) -> None:
        await asyncio.sleep(self.delay)
        target = f"{self.url}/{callback.split('/', 3)[3]}" if self.url else callback
        async with httpx.AsyncClient(timeout=30) as client:
            for state in self.states:
                form = status(sid, state)
                headers = {"x-twilio-signature": signature(self.token, callback, form)}
                headers["content-type"] = "application/x-www-form-urlencoded"
                answer = await client.post(target, content=urlencode(form), headers=headers)
                self.answers.append(answer.status_code)
