"""Webhooks of the providers. They fail closed: without a valid proof nothing is read, let alone stored."""

import asyncio
import hmac
import logging
from typing import TYPE_CHECKING

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from bot.messaging import outbox
from bot.storage.session import Database
from bot.web.access import SIGNED, open_to
from bot.web.bodies import limited_body, parsed
from bot.web.edge import edge_of

if TYPE_CHECKING:
    from bot.channels.whatsapp import Receipt

logger = logging.getLogger(__name__)

_LIMIT = 3 * 1024 * 1024  # bytes; WhatsApp's bodies end there


@open_to(SIGNED)
async def telegram(request: Request) -> Response:
    """An update from Telegram, proved by the secret token that was given to ``setWebhook``."""
    edge = edge_of(request)
    secret = edge.settings.telegram_secret
    if edge.telegram is None or not secret:
        raise HTTPException(404)
    given = request.headers.get("x-telegram-bot-api-secret-token", "")
    if not hmac.compare_digest(given.encode(), secret.encode()):
        raise HTTPException(403)
    update = parsed(await limited_body(request, _LIMIT))
    try:
        incoming = edge.telegram.parse(update)
    except ValueError:
        logger.warning("an update of the Bot API could not be read")
        return Response(status_code=200)  # anything else, and Telegram would send it again for ever
    if incoming is not None:
        await edge.take(incoming, edge.telegram)
        await edge.telegram.acknowledge(incoming)
    return Response(status_code=200)


@open_to(SIGNED)
async def whatsapp_challenge(request: Request) -> Response:
    """Meta's verification handshake."""
    edge = edge_of(request)
    if edge.whatsapp is None:
        raise HTTPException(404)
    challenge = edge.whatsapp.challenge(request.query_params)
    if challenge is None:
        raise HTTPException(403)
    return PlainTextResponse(challenge)


@open_to(SIGNED)
async def whatsapp(request: Request) -> Response:
    """Messages and receipts from the Cloud API, proved by the signature over the raw body."""
    edge = edge_of(request)
    if edge.whatsapp is None:
        raise HTTPException(404)
    body = await limited_body(request, _LIMIT)
    if not edge.whatsapp.verify(body, request.headers.get("x-hub-signature-256")):
        raise HTTPException(401)
    try:
        messages, receipts = edge.whatsapp.parse(parsed(body))
    except ValueError:
        raise HTTPException(400, "This is not a webhook of the Cloud API.") from None
    await asyncio.gather(*(edge.take(incoming, edge.whatsapp) for incoming in messages))
    if receipts:
        await asyncio.to_thread(_note, edge.database, receipts)
    return Response(status_code=200)


def _note(database: Database, receipts: "list[Receipt]") -> None:
    with database.write() as session:
        for receipt in receipts:
            outbox.receipt(
                session,
                channel="whatsapp",
                provider_id=receipt.provider_id,
                reference=receipt.reference,
                state=receipt.state,
                problem=receipt.problem,
            )


ROUTES = [
    Route("/webhooks/telegram", telegram, methods=["POST"]),
    Route("/webhooks/whatsapp", whatsapp_challenge, methods=["GET"]),
    Route("/webhooks/whatsapp", whatsapp, methods=["POST"]),
]
