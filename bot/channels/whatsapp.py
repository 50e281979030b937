"""WhatsApp through Meta's Cloud API."""

import asyncio
import hashlib
import hmac
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
from aiolimiter import AsyncLimiter
from pywa.errors import WhatsAppError
from pywa_async.client import WhatsApp

from bot.channels import limits, whatsapp_errors, whatsapp_templates, whatsapp_webhook
from bot.channels.base import BaseChannel, json_object
from bot.channels.whatsapp_content import plan
from bot.languages import launched
from bot.messaging import templates
from bot.messaging.hooks import Heard, Hook, HookRefused, TemplateState
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Check, DeliveryError, Pace, Part
from bot.settings import Settings

TIMEOUT = 20.0  # seconds without a sign of life
KEPT_SECONDS = 4.0  # for an idle connection; servers close theirs from 5 on, and what is sent meanwhile is in doubt
LONGEST = 60.0  # seconds for a whole answer; the outbox sends a message again that takes much longer

log = logging.getLogger(__name__)


class WhatsAppChannel(BaseChannel):
    """Sends and receives for one phone number of the Cloud API."""

    name = "whatsapp"
    label = "WhatsApp"
    service_window_hours: int | None = 24
    pace: Pace | None = limits.WHATSAPP_PACE
    settles = True

    def __init__(self, settings: Settings) -> None:
        for chatty in ("httpx", "httpcore", "pywa", "pywa_async"):  # they write what people say at debug level
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._phone_id = settings.whatsapp_phone_id
        self._account_id = settings.whatsapp_account_id
        self._secrets = [row.strip().encode() for row in settings.whatsapp_app_secret.split(",") if row.strip()]
        self._verify_token = settings.whatsapp_verify_token
        self._session = httpx.AsyncClient(timeout=TIMEOUT, limits=httpx.Limits(keepalive_expiry=KEPT_SECONDS))
        self._client = WhatsApp(
            phone_id=self._phone_id,
            token=settings.whatsapp_token,
            session=self._session,
            validate_updates=False,
        )
        # the library fixes the host; only its API version is kept
        self._session.base_url = httpx.URL(settings.whatsapp_api.rstrip("/") + self._session.base_url.path)
        self._throughput = AsyncLimiter(limits.WHATSAPP_PER_SECOND, 1)

    # --- receiving

    def receive(self, hook: Hook) -> Heard:
        """Answers Meta's handshake, or reads a body signed with one of our app secrets (see ``Channel.receive``)."""
        if hook.method == "GET":
            challenge = self.challenge(hook.query)
            if challenge is None:
                raise HookRefused(403)
            return Heard(answer=challenge)
        if not self.verify(hook.body, hook.headers.get("x-hub-signature-256")):
            raise HookRefused(401)
        try:
            return whatsapp_webhook.parse(json_object(hook.body), self._phone_id, self._account_id)
        except ValueError:
            raise HookRefused(400, "This is not a webhook of the Cloud API.") from None

    def challenge(self, query: Mapping[str, str]) -> str | None:
        """The answer to Meta's verification handshake, or ``None`` when it must be refused."""
        given = query.get("hub.verify_token", "").encode("utf-8", "surrogatepass")
        known = bool(self._verify_token) and hmac.compare_digest(given, self._verify_token.encode())
        return query.get("hub.challenge") if known and query.get("hub.mode") == "subscribe" else None

    def verify(self, body: bytes, header: str | None) -> bool:
        """Whether ``X-Hub-Signature-256`` signs the raw body with one of our app secrets."""
        if header is None or not header.startswith("sha256="):
            return False
        given = header.removeprefix("sha256=").encode("utf-8", "surrogatepass")
        return any(hmac.compare_digest(_signature(secret, body), given) for secret in self._secrets)

    # --- sending

    def plan(self, message: Outgoing, *, outbox_id: int, document: bytes | None = None) -> list[Part]:
        """The messages of the Cloud API (see ``Channel.plan``)."""
        return plan(message, outbox_id, document)

    async def send(self, address: str, part: Part, *, reference: str) -> str:
        """Sends one part (see ``Channel.send``); the reference comes back in its receipts."""
        content = part[part["type"]]
        if part["type"] == "document":
            content = await self._upload(part["name"], content)
        # The library takes a user id with letters for a group; an id that is not a number belongs in `recipient`.
        number = address.isdigit()
        async with self._throughput:
            with _delivery_errors(sending=True):
                async with asyncio.timeout(LONGEST):
                    answer = await self._client.api.send_message(
                        sender=self._phone_id,
                        to=address if number else None,
                        recipient=None if number else address,
                        recipient_type="individual",
                        typ=part["type"],
                        msg=content,
                        biz_opaque_callback_data=reference,
                    )
                return str(answer["messages"][0]["id"])

    async def _upload(self, name: str, content: bytes) -> dict[str, str]:
        filename, mime = limits.attachment(name)
        with _delivery_errors():
            async with asyncio.timeout(LONGEST):
                answer = await self._client.api.upload_media(self._phone_id, content, mime, filename)
            return {"id": str(answer["id"]), "filename": filename}

    async def typing(self, address: str, message_id: str) -> None:
        """Marks the person's message as read and shows that an answer is being written. Never raises."""
        try:
            await self._client.indicate_typing(message_id)
        except Exception as problem:  # a courtesy must not stop an answer
            log.debug("typing indicator failed: %s", type(problem).__name__)

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        """The content of a file (see ``Channel.fetch``); WhatsApp keeps files for 30 days."""
        if not media.get("ref", "").isdigit():
            raise DeliveryError("this is no file", permanent=True)
        with _delivery_errors():
            found = await self._client.api.get_media_url(media["ref"])
            if int(found.get("file_size") or 0) > limit:
                raise DeliveryError("the file is too large", permanent=True)
            return await self._download(str(found["url"]), limit)

    async def _download(self, address: str, limit: int) -> bytes:
        # the token goes with the request, so it goes to Meta's own hosts alone
        host = urlsplit(address).hostname or ""
        own = self._session.base_url.host
        if host != own and not host.endswith((".fbsbx.com", ".facebook.com", ".fbcdn.net", ".whatsapp.net")):
            raise DeliveryError("the file is at an unknown address", permanent=True)
        content = bytearray()
        async with self._session.stream("GET", address) as answer:
            answer.raise_for_status()
            async for chunk in answer.aiter_bytes():
                content += chunk
                if len(content) > limit:
                    raise DeliveryError("the file is too large", permanent=True)
        return bytes(content)

    # --- looking after itself

    async def check(self) -> list[Check]:
        """Whether the token is accepted and our app hears the account (see ``Channel.check``)."""
        with _delivery_errors():
            number = await self._client.get_business_phone_number()
        checks = [Check(f"the token is accepted ({number.display_phone_number})")]
        if not self._account_id:
            return checks
        with _delivery_errors():
            apps = await self._client.api.send_raw_request("GET", f"/{self._account_id}/subscribed_apps")
            subscribed = bool(apps["data"])
        fix = "subscribe your app to the WhatsApp Business Account, field messages"
        told = "webhooks are subscribed" if subscribed else "no app hears this account"
        return [*checks, Check(told, subscribed, fix)]

    async def templates(self) -> list[TemplateState]:
        """The states of our template (see ``Channel.templates``); needs ``WAYMARK_WHATSAPP_ACCOUNT_ID``."""
        told = [
            whatsapp_templates.state(row["name"], row["language"], row["status"], row.get("rejected_reason") or "")
            for row in await self._handed_in()
        ]
        return [state for state in told if state is not None]

    async def _handed_in(self) -> list[dict[str, Any]]:
        if not self._account_id:
            return []
        with _delivery_errors():
            answer = await self._client.api.get_templates(
                self._account_id,
                fields=("id", "name", "language", "status", "rejected_reason"),
                filters={"name": templates.REOPEN},
                pagination={"limit": str(len(launched()) * 4)},
            )
            return list(answer["data"])

    async def submit_template(self, name: str, language: str) -> TemplateState:
        """Hands the template in for approval, again if it was rejected (see ``Channel.submit_template``)."""
        if not self._account_id:
            raise DeliveryError("WAYMARK_WHATSAPP_ACCOUNT_ID is missing", permanent=True)
        wanted = whatsapp_templates.definition(language)
        same = ("name", "language")
        rows = await self._handed_in()
        known = next((row["id"] for row in rows if all(row[key] == wanted[key] for key in same)), None)
        with _delivery_errors():
            if known is None:
                answer = await self._client.api.create_template(self._account_id, wanted)
                return TemplateState(name, language, str(answer["status"]).lower())
            # what exists cannot be made again, only changed, which has it reviewed anew
            changed = {key: wanted[key] for key in ("category", "components")}
            await self._client.api.send_raw_request("POST", f"/{known}", json=changed)
            return TemplateState(name, language, "pending")

    async def close(self) -> None:
        """Frees connections."""
        await self._session.aclose()


def _signature(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


@contextmanager
def _delivery_errors(*, sending: bool = False) -> Iterator[None]:
    # a message may have arrived although its answer did not; for all else it makes no difference
    # no cause is chained: the library's errors carry addresses and answers
    try:
        yield
    except WhatsAppError as problem:
        raise whatsapp_errors.delivery_error(
            problem.code, problem.status_code, transient=problem.is_transient is True
        ) from None
    except (httpx.ConnectTimeout, httpx.PoolTimeout):
        raise DeliveryError("WhatsApp cannot be reached") from None
    except httpx.HTTPStatusError as problem:
        raise whatsapp_errors.delivery_error(problem.response.status_code, problem.response.status_code) from None
    except (httpx.TimeoutException, TimeoutError):
        raise DeliveryError("WhatsApp did not answer in time", uncertain=sending) from None
    except (httpx.ReadError, httpx.RemoteProtocolError):
        raise DeliveryError("WhatsApp broke the connection off", uncertain=sending) from None
    except httpx.HTTPError:
        raise DeliveryError("WhatsApp cannot be reached") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise DeliveryError("WhatsApp's answer was not understood", uncertain=sending) from None
