"""WhatsApp through Meta's Cloud API."""

import hashlib
import hmac
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import httpx
from pywa.errors import WhatsAppError
from pywa.types.callback import Button as ReplyButton
from pywa.types.callback import Section, SectionList, SectionRow
from pywa_async.client import WhatsApp

from bot import texts
from bot.channels import limits, whatsapp_errors, whatsapp_webhook
from bot.channels.progress import Progress
from bot.channels.whatsapp_webhook import Receipt
from bot.messaging.messages import Button, Incoming, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings

__all__ = ["Receipt", "WhatsAppChannel"]

BODY = 1024  # characters of a message with buttons
REPLY_BUTTONS = 3
REPLY_TITLE = 20
ROW_TITLE = 24
ROW_DESCRIPTION = 72
CAPTION = 1024
TIMEOUT = 20.0  # seconds

log = logging.getLogger(__name__)


class WhatsAppChannel:
    """Sends and receives for one phone number of the Cloud API."""

    name = "whatsapp"
    service_window_hours: int | None = 24

    def __init__(self, settings: Settings) -> None:
        for chatty in ("httpx", "httpcore", "pywa", "pywa_async"):  # they write what people say at debug level
            logging.getLogger(chatty).setLevel(logging.WARNING)
        self._phone_id = settings.whatsapp_phone_id
        self._secrets = [row.strip().encode() for row in settings.whatsapp_app_secret.split(",") if row.strip()]
        self._verify_token = settings.whatsapp_verify_token
        self._session = httpx.AsyncClient(timeout=TIMEOUT)
        self._client = WhatsApp(
            phone_id=self._phone_id, token=settings.whatsapp_token, session=self._session, validate_updates=False
        )
        # the library fixes the host; only its API version is kept
        self._session.base_url = httpx.URL(settings.whatsapp_api.rstrip("/") + self._session.base_url.path)
        self._progress = Progress()

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

    def parse(self, body: dict[str, Any]) -> tuple[list[Incoming], list[Receipt]]:
        """The messages and receipts for our phone number in a webhook body.

        Raises:
            ValueError: The body is malformed; nothing of it was used.
        """
        return whatsapp_webhook.parse(body, self._phone_id)

    async def check(self) -> str:
        """Asks the Cloud API for our number, which tells whether the token is still accepted.

        Raises:
            DeliveryError: It is not, or the API cannot be reached.
        """
        with _delivery_errors():
            number = await self._client.get_business_phone_number()
        return str(number.display_phone_number)

    async def send(self, address: str, message: Outgoing, *, reference: str, document: bytes | None = None) -> str:
        """Sends one message (see ``Channel.send``). The reference travels with the last part, whose id is returned."""
        parts = plan(message, reference)
        if message.document and document is None:
            raise DeliveryError("the file is missing", permanent=True)
        if message.document:
            parts.append({"type": "document"})
        if not parts:
            raise DeliveryError("nothing to send", permanent=True)
        done, provider_id = self._progress.of(reference)
        try:
            for number, part in enumerate(parts[done:], start=done + 1):
                if part["type"] == "document":
                    part = {"type": "document", "document": await self._upload(message.document, document or b"")}
                provider_id = await self._post(address, part, reference if number == len(parts) else None)
                self._progress.note(reference, number, provider_id)
        except DeliveryError as problem:
            if problem.permanent:
                self._progress.finish(reference)
            raise
        self._progress.finish(reference)
        return provider_id

    async def _post(self, address: str, part: dict[str, Any], reference: str | None) -> str:
        # The library takes a user id with letters for a group; an id that is not a number belongs in `recipient`.
        number = address.isdigit()
        with _delivery_errors():
            answer = await self._client.api.send_message(
                sender=self._phone_id,
                to=address if number else None,
                recipient=None if number else address,
                recipient_type="individual",
                typ=part["type"],
                msg=part[part["type"]],
                biz_opaque_callback_data=reference,
            )
            return str(answer["messages"][0]["id"])

    async def _upload(self, name: str, content: bytes) -> dict[str, str]:
        filename, mime = limits.attachment(name)
        with _delivery_errors():
            answer = await self._client.api.upload_media(self._phone_id, content, mime, filename)
            return {"id": str(answer["id"]), "filename": filename}

    async def typing(self, address: str, message_id: str) -> None:
        """Marks the person's message as read and shows that an answer is being written. Never raises."""
        try:
            await self._client.indicate_typing(message_id)
        except Exception as problem:  # a courtesy must not stop an answer
            log.debug("typing indicator failed: %s", type(problem).__name__)

    async def close(self) -> None:
        """Frees connections."""
        await self._session.aclose()


def plan(message: Outgoing, reference: str) -> list[dict[str, Any]]:
    """The messages of the Cloud API, each with its ``type``, that together say what ``message`` says."""
    buttons = limits.distinct(message.buttons, ROW_TITLE)
    if len(buttons) <= REPLY_BUTTONS:
        buttons = limits.distinct(buttons, REPLY_TITLE)
    if not buttons:
        return [_text(part) for part in limits.split_text(message.text, limits.TEXT)]
    head, body = limits.split_tail(message.text, BODY)
    body = body or texts.text("button.choose", message.language)
    return [
        *(_text(part) for part in limits.split_text(head, limits.TEXT)),
        _interactive(body, buttons, message, reference),
    ]


def _text(body: str) -> dict[str, Any]:
    return {"type": "text", "text": {"body": body, "preview_url": False}}


def _interactive(body: str, buttons: tuple[Button, ...], message: Outgoing, reference: str) -> dict[str, Any]:
    action: dict[str, Any]
    if len(buttons) <= REPLY_BUTTONS:
        kind = "button"
        action = {"buttons": [ReplyButton(button.title, button.payload).to_dict() for button in buttons]}
    else:
        kind = "list"
        more = limits.clip(texts.text("button.more", message.language), ROW_TITLE)
        rows = [
            SectionRow(row.title, row.payload, limits.clip(row.description, ROW_DESCRIPTION) or None)
            for row in limits.page(buttons, limits.LIST_ROWS, more, reference)
        ]
        opener = limits.clip(texts.text("button.choose", message.language), REPLY_TITLE)
        action = SectionList(opener, [Section(opener, rows)]).to_dict()
    return {"type": "interactive", "interactive": {"type": kind, "body": {"text": body}, "action": action}}


def _signature(secret: bytes, body: bytes) -> bytes:
    return hmac.new(secret, body, hashlib.sha256).hexdigest().encode()


@contextmanager
def _delivery_errors() -> Iterator[None]:
    # no cause is chained: the library's errors carry addresses and answers
    try:
        yield
    except WhatsAppError as problem:
        raise whatsapp_errors.delivery_error(
            problem.code, problem.status_code, transient=problem.is_transient is True
        ) from None
    except httpx.TimeoutException:
        raise DeliveryError("WhatsApp did not answer in time") from None
    except httpx.HTTPError:
        raise DeliveryError("WhatsApp cannot be reached") from None
    except (ValueError, KeyError, IndexError, TypeError):
        raise DeliveryError("WhatsApp's answer was not understood") from None
