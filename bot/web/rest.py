"""Rasa's REST channel on top of the inbox and outbox, for tests and integrations on the same machine."""

import asyncio
import uuid
from typing import Any

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.messaging import payloads
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.web.access import SIGNED, open_to
from bot.web.bodies import limited_body, parsed
from bot.web.callers import from_this_machine
from bot.web.chat import as_incoming
from bot.web.edge import Edge, edge_of

_LIMIT = 2 * 1024 * 1024
_PATIENCE = 30.0  # seconds to wait for the answer


@open_to(SIGNED)  # its proof: it is enabled, and the caller is on this machine
async def webhook(request: Request) -> Response:
    """Takes ``{"sender", "message"}`` and returns the replies as Rasa's REST channel does."""
    edge = edge_of(request)
    if not edge.settings.rest or not from_this_machine(request):
        raise HTTPException(404)
    data = parsed(await limited_body(request, _LIMIT))
    sender, message = data.get("sender", "default"), data.get("message")
    if not isinstance(sender, str) or not isinstance(message, str) or not message.strip() or len(sender) > 255:
        raise HTTPException(400, "sender and message: texts are needed.")
    payload = message if payloads.parse(message) else ""
    incoming = as_incoming("rest", uuid.uuid4().hex, sender, text="" if payload else message, payload=payload)
    accepted = await edge.acceptor.accept(incoming)
    assert accepted is not None  # the id is new
    async with edge.hub.watch(accepted.conversation_id) as news:
        rows = await _wait(edge, news, accepted.inbox_id)
    return JSONResponse([_as_rasa(sender, row) for row in rows])


async def _wait(edge: Edge, news: asyncio.Event, inbox_id: int) -> list[OutboxMessage]:
    async with asyncio.timeout(_PATIENCE):
        while True:
            rows = await asyncio.to_thread(_answered, edge.database, inbox_id)
            if rows is not None:
                return rows
            try:
                await asyncio.wait_for(news.wait(), 1.0)
            except TimeoutError:
                continue
            news.clear()


def _answered(database: Database, inbox_id: int) -> list[OutboxMessage] | None:
    """The replies to a message; ``None`` while it waits."""
    with database.read() as session:
        state = session.scalar(select(InboxMessage.state).where(InboxMessage.id == inbox_id))
        if state == "waiting":
            return None
        rows = select(OutboxMessage).where(OutboxMessage.cause.startswith(f"inbox:{inbox_id}:"))
        return list(session.scalars(rows.order_by(OutboxMessage.id)))


def _as_rasa(sender: str, row: OutboxMessage) -> dict[str, Any]:
    found: dict[str, Any] = {"recipient_id": sender, "text": row.body["text"]}
    if buttons := row.body.get("buttons"):
        found["buttons"] = [{"title": button["title"], "payload": button["payload"]} for button in buttons]
    if row.entry:
        found["custom"] = {"entry": row.entry, "language": row.entry_language, "version": row.entry_version}
    return found


ROUTES = [Route("/webhooks/rest/webhook", webhook, methods=["POST"])]
