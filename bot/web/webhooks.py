"""Webhooks of the channels. They fail closed: without a valid proof nothing is read, let alone stored."""

import logging

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import metrics
from bot.messaging.hooks import Heard, Hook, HookRefused
from bot.web.access import SIGNED, open_to
from bot.web.bodies import limited_body
from bot.web.edge import edge_of

logger = logging.getLogger(__name__)

_KINDS = {"{": "application/json", "<": "text/xml"}
_LIMIT = 3 * 1024 * 1024  # bytes; WhatsApp's bodies end there


@open_to(SIGNED)
async def webhook(request: Request) -> Response:
    """A request of a provider; its channel proves and reads it."""
    edge = edge_of(request)
    channel = edge.channels.get(request.path_params["channel"])
    if channel is None:
        raise HTTPException(404)
    try:
        heard = channel.receive(await _hook(request, edge.settings.public_url))
    except HookRefused as refused:
        metrics.webhook_refused(channel.name)
        logger.warning("a webhook was refused", extra={"channel": channel.name, "reason": f"status {refused.status}"})
        raise HTTPException(refused.status, str(refused) or None) from None
    await edge.hear(heard, channel)
    return _answer(heard)


async def _hook(request: Request, public_url: str) -> Hook:
    query = f"?{request.url.query}" if request.url.query else ""
    return Hook(
        method=request.method,
        url=f"{public_url.rstrip('/') or str(request.base_url).rstrip('/')}{request.url.path}{query}",
        query=dict(request.query_params),
        headers=dict(request.headers),
        body=await limited_body(request, _LIMIT),
    )


def _answer(heard: Heard) -> Response:
    return Response(heard.answer, media_type=_KINDS.get(heard.answer[:1], "text/plain"))


ROUTES = [Route("/webhooks/{channel:str}", webhook, methods=["GET", "POST"])]
