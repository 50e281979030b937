"""What the chat page talks to. A random token is all that names a person."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator
from dataclasses import replace

from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.languages import from_hint, is_launched
from bot.messaging import payloads
from bot.messaging.messages import Incoming
from bot.web import history
from bot.web.access import PERSON, open_to
from bot.web.bodies import limited_body, parsed
from bot.web.edge import edge_of
from bot.web.pages import COMPRESSED

TOKEN = re.compile(r"[0-9a-f]{32,64}")
_MESSAGE_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
BODY_LIMIT = 64 * 1024
TEXT_LIMIT = 4000
_LOOK_AGAIN = 5.0  # seconds after which a stream looks for itself, in case a poke was lost


def _address(request: Request) -> str:
    """The chat token, which is the person's address in this channel.

    Raises:
        HTTPException: 401 without a well-formed one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not TOKEN.fullmatch(token):
        raise HTTPException(401, "The chat token is missing.")
    return token


@open_to(PERSON)
async def send(request: Request) -> Response:
    """Takes a message ``{"id", "text"}`` or a pressed button ``{"id", "payload"}``; the same id counts once."""
    address = _address(request)
    data = parsed(await limited_body(request, BODY_LIMIT))
    message_id, text, payload = (data.get(key, "") for key in ("id", "text", "payload"))
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        raise HTTPException(400, "id: 8 to 64 letters, digits or hyphens are needed.")
    if not isinstance(text, str) or not isinstance(payload, str) or not (text or payload):
        raise HTTPException(400, "text or payload: one of them must be a text.")
    if len(text) > TEXT_LIMIT:
        raise HTTPException(413, f"text: at most {TEXT_LIMIT} characters.")
    incoming = from_page(address, message_id, text=text, payload=payload, locale=data.get("locale"))
    accepted = await edge_of(request).acceptor.accept(incoming)
    return JSONResponse({"accepted": True, "repeated": accepted is None}, status_code=202)


def from_page(address: str, message_id: str, *, text: str, payload: str, locale: object) -> Incoming:
    """A message of the web chat. ``locale`` is the page's language; what names none is ignored."""
    # keeps the ids of two people apart without writing the token anywhere but into the contact table
    sender = hashlib.sha256(address.encode()).hexdigest()[:24]
    incoming = as_incoming("web", f"{sender}:{message_id}", address, text=text, payload=payload)
    known = isinstance(locale, str) and is_launched(from_hint(locale))
    return replace(incoming, locale=str(locale)[:35]) if known else incoming


def as_incoming(channel: str, message_id: str, address: str, *, text: str, payload: str = "") -> Incoming:
    """A message of a channel whose people type slash commands themselves."""
    command = text.strip().removeprefix("/").casefold()
    if text.strip().startswith("/") and command in payloads.COMMANDS:
        return Incoming(channel, message_id, address, "command", payload=command)
    return Incoming(channel, message_id, address, "button" if payload else "text", text=text, payload=payload)


@open_to(PERSON)
async def past(request: Request) -> Response:
    """What was said so far: ``{"messages", "cursor"}``; ``cursor`` goes into ``/chat/stream?after=``."""
    address = _address(request)
    return JSONResponse(await asyncio.to_thread(history.whole, edge_of(request).database, address))


@open_to(PERSON)
async def replies(request: Request) -> Response:
    """Replies after ``?after=``, for browsers that cannot read a stream."""
    address, after = _address(request), _after(request)
    found = await asyncio.to_thread(history.replies_after, edge_of(request).database, address, after)
    return JSONResponse({"messages": found})


def _after(request: Request) -> int:
    given = request.headers.get("last-event-id") or request.query_params.get("after") or "0"
    if not given.isdigit() or len(given) > 18:
        raise HTTPException(400, "after: a number is needed.")
    return int(given)


@open_to(PERSON)
async def stream(request: Request) -> Response:
    """Replies as they come, as server-sent events with the reply's id as event id."""
    return EventSourceResponse(_events(request, _address(request), _after(request)), ping=25)


async def _events(request: Request, address: str, after: int) -> AsyncIterator[ServerSentEvent]:
    edge = edge_of(request)
    while True:
        conversation_id = await asyncio.to_thread(history.conversation_of, edge.database, address)
        # a person who has not written yet has no conversation whose news could be watched
        async with edge.hub.watch(conversation_id) as news:
            for message in await asyncio.to_thread(history.replies_after, edge.database, address, after):
                after = message["id"]
                yield ServerSentEvent(json.dumps(message, ensure_ascii=False), event="reply", id=str(after))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), _LOOK_AGAIN)


@open_to(PERSON)
async def export(request: Request) -> Response:
    """A copy of everything kept about the conversation, as a JSON file."""
    address = _address(request)
    content = await asyncio.to_thread(history.export, edge_of(request).database, address)
    headers = {"content-disposition": 'attachment; filename="waymark.json"', "cache-control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


ROUTES = [
    Route("/chat/messages", send, methods=["POST"]),
    Route("/chat/messages", replies, methods=["GET"]),
    Route("/chat/history", past, methods=["GET"], middleware=COMPRESSED),
    Route("/chat/stream", stream, methods=["GET"]),
    Route("/chat/export", export, methods=["GET"]),
]
