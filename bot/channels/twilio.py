"""WhatsApp through Twilio, for organisations that have their number there."""

import logging
import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import parse_qsl, quote, urljoin, urlsplit

from aiohttp import BasicAuth, ClientResponse
from aiolimiter import AsyncLimiter
from twilio.request_validator import RequestValidator
from twilio.rest import Client
from twilio.rest.content.v1.content import ContentList
from twilio.rest.content.v1.content.approval_create import ApprovalCreateList

from bot.channels import limits, twilio_content, twilio_templates, twilio_webhook
from bot.channels.base import BaseChannel
from bot.channels.twilio_client import TwilioHttp
from bot.channels.twilio_errors import delivery_error, delivery_errors
from bot.messaging.hooks import Heard, Hook, HookRefused, TemplateState
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Check, DeliveryError, Pace, Part
from bot.settings import Settings

REDIRECTS = 3
CHUNK = 64 * 1024  # bytes

log = logging.getLogger(__name__)


class TwilioChannel(BaseChannel):
    """Sends and receives for one WhatsApp number of a Twilio account."""

    name = "twilio"
    label = "WhatsApp (Twilio)"
    service_window_hours: int | None = 24
    pace: Pace | None = limits.WHATSAPP_PACE
    settles = True

    def __init__(self, settings: Settings) -> None:
        tokens = [row.strip() for row in settings.twilio_auth_token.split(",") if row.strip()]
        self._account = settings.twilio_account_sid
        self._token = tokens[0] if tokens else ""
        self._validators = [RequestValidator(token) for token in tokens]
        self._number = re.sub(r"\D", "", settings.twilio_number)
        self._webhook = f"{settings.public_url.rstrip('/')}/webhooks/twilio"
        self._http = TwilioHttp(settings.twilio_api)
        self._client = Client(self._account, self._token, http_client=self._http)
        self._throughput = AsyncLimiter(limits.WHATSAPP_PER_SECOND, 1)

    # --- receiving

    def receive(self, hook: Hook) -> Heard:
        """Reads a form signed with one of our tokens (see ``Channel.receive``).

        The answer is an empty TwiML document, so that Twilio itself says nothing to the person.
        """
        if hook.method != "POST":
            raise HookRefused(405)
        try:
            form = dict(parse_qsl(hook.body.decode(), keep_blank_values=True, max_num_fields=500))
            signed = self.verify(hook.url, form, hook.headers.get("x-twilio-signature", ""))
        except ValueError:
            raise HookRefused(400, "This is not a webhook of Twilio.") from None
        if not signed:
            raise HookRefused(401)
        try:
            heard = twilio_webhook.parse(form, hook.query.get("ref", ""), self._number)
        except ValueError:
            raise HookRefused(400, "This is not a webhook of Twilio.") from None
        return replace(heard, answer="<Response/>")

    def verify(self, url: str, form: Mapping[str, str], signature: str) -> bool:
        """Whether ``X-Twilio-Signature`` signs the address and the form with one of our tokens."""
        return any(validator.validate(url, form, signature) for validator in self._validators)

    # --- sending

    def plan(self, message: Outgoing, *, outbox_id: int, document: bytes | None = None) -> list[Part]:
        """The messages of Twilio's API (see ``Channel.plan``); choices are numbered lines."""
        return twilio_content.plan(message, document)

    async def send(self, address: str, part: Part, *, reference: str) -> str:
        """Sends one part (see ``Channel.send``); the reference is in the address of its status callbacks."""
        async with self._throughput:
            with delivery_errors():
                made = await self._client.messages.create_async(
                    from_=twilio_webhook.recipient(self._number),
                    to=twilio_webhook.recipient(address),
                    status_callback=f"{self._webhook}?ref={quote(reference)}",
                    **part,
                )
                if not made.sid:
                    raise ValueError("no id")
                return str(made.sid)

    async def typing(self, address: str, message_id: str) -> None:
        """Marks the person's message as read and shows that an answer is being written. Never raises.

        Source: https://www.twilio.com/docs/whatsapp/api/typing-indicators-resource (public beta)
        """
        try:
            await self._client.messaging.v2.typing_indicator.create_async(channel="whatsapp", message_id=message_id)
        except Exception as problem:  # a courtesy must not stop an answer
            log.debug("typing indicator failed: %s", type(problem).__name__)

    # --- files

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        """The content of a file (see ``Channel.fetch``); Twilio keeps files until they are deleted there."""
        address = media.get("ref", "")
        if not self._is_own(address):
            raise DeliveryError("the file is at an unknown address", permanent=True)
        with delivery_errors():
            for _ in range(REDIRECTS + 1):
                # the token goes with the request, so it goes to Twilio's own hosts alone
                own = self._is_own(address)
                auth = BasicAuth(self._account, self._token) if own else None
                target = self._http.address(address) if own else address
                async with self._http.pool.get(target, auth=auth, allow_redirects=False) as answer:
                    if answer.status not in (301, 302, 303, 307, 308):
                        return await _content(answer, limit)
                    address = urljoin(target, answer.headers["location"])
        raise DeliveryError("the file is not where Twilio says", permanent=True)

    def _is_own(self, address: str) -> bool:
        try:
            parts = urlsplit(address)
        except ValueError:
            return False
        if self._http.base and address.startswith(f"{self._http.base}/"):
            return True
        return parts.scheme == "https" and (parts.hostname or "").endswith(".twilio.com")

    # --- looking after itself

    async def check(self) -> list[Check]:
        """Whether the token is accepted and the account is active (see ``Channel.check``)."""
        with delivery_errors():
            account = await self._client.api.v2010.accounts(self._account).fetch_async()
            active = account.status == "active"
        if not active:
            return [Check(f"the Twilio account is {account.status}", False, "look at the account in Twilio's console")]
        return [Check("the token is accepted")]

    async def templates(self) -> list[TemplateState]:
        """The states of our template (see ``Channel.templates``)."""
        with delivery_errors():
            return twilio_templates.states(await self._client.content.v1.content_and_approvals.list_async())

    async def submit_template(self, name: str, language: str) -> TemplateState:
        """Makes the content and hands it in for approval (see ``Channel.submit_template``)."""
        with delivery_errors():
            wanted = ContentList.ContentCreateRequest(twilio_templates.definition(language))
            content = await self._client.content.v1.contents.create_async(wanted)
            asked = {"name": name, "category": twilio_templates.CATEGORY}
            approval = await self._client.content.v1.contents(content.sid).approval_create.create_async(
                ApprovalCreateList.ContentApprovalRequest(asked)
            )
            state = str(approval.status or "received").lower()
            return TemplateState(name, language, state, approval.rejection_reason or "", str(content.sid))

    async def close(self) -> None:
        """Frees connections."""
        await self._http.close()


async def _content(answer: ClientResponse, limit: int) -> bytes:
    if answer.status == 404:
        raise DeliveryError("the file is gone", permanent=True)
    if answer.status != 200:
        raise delivery_error(answer.status, answer.status)
    content = bytearray()
    async for chunk in answer.content.iter_chunked(CHUNK):
        content += chunk
        if len(content) > limit:
            raise DeliveryError("the file is too large", permanent=True)
    return bytes(content)
