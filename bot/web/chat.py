"""The web chat: its page, and the interface the page talks to. A random token is all that names a person."""

import asyncio
import contextlib
import hashlib
import json
import re
from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any

from jinja2.utils import htmlsafe_json_dumps
from sqlalchemy import or_, select
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot import texts
from bot.languages import DEFAULT, LANGUAGES, from_hint, is_launched, launched
from bot.messaging import erasure, payloads
from bot.messaging.messages import Incoming
from bot.storage.conversation import Contact, Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.web.access import PERSON, PUBLIC, open_to
from bot.web.bodies import limited_body, parsed
from bot.web.edge import edge_of
from bot.web.pages import render

_TOKEN = re.compile(r"[0-9a-f]{32,64}")
_MESSAGE_ID = re.compile(r"[0-9A-Za-z-]{8,64}")
_BODY_LIMIT = 64 * 1024
_TEXT_LIMIT = 4000
_PAGE = 200
_LOOK_AGAIN = 5.0  # seconds after which a stream looks for itself, in case a poke was lost

UI_TEXTS = (
    "title", "subtitle", "placeholder", "send", "you", "assistant", "counsellor", "connecting", "offline", "sending",
    "failed", "typing", "language", "menu", "menu_human", "menu_privacy", "menu_delete", "download", "conversation",
    "skip", "noscript",
)  # fmt: skip
_MENU = {
    payloads.HUMAN: "ui.menu_human",
    "c:privacy": "ui.menu_privacy",
    "c:delete": "ui.menu_delete",
    "c:export": "command.export",
}
_EVENTS = re.compile(r"case:\d+:(joined|closed):|:(deleted)$")


def _address(request: Request) -> str:
    """The chat token, which is the person's address in this channel.

    Raises:
        HTTPException: 401 without a well-formed one.
    """
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not _TOKEN.fullmatch(token):
        raise HTTPException(401, "The chat token is missing.")
    return token


@open_to(PUBLIC)
async def page(request: Request) -> Response:
    """The chat page, in the language asked for or the browser's."""
    language = request.query_params.get("lang") or ""
    if not is_launched(language):
        hints = (part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(","))
        language = next((code for hint in hints if (code := from_hint(hint))), DEFAULT)
    ui = _ui()
    # readable letters, because escapes would make the texts of some scripts three times as heavy
    data = htmlsafe_json_dumps(ui, ensure_ascii=False)
    return render(request, "chat.html", language=LANGUAGES[language], languages=launched(), ui=ui[language], data=data)


@cache
def _ui() -> dict[str, dict[str, str]]:
    return {
        row.code: {key: texts.text(f"ui.{key}", row.code) for key in UI_TEXTS}
        | {"menu_export": texts.text("command.export", row.code), "direction": row.direction}
        for row in launched()
    }


@open_to(PERSON)
async def send(request: Request) -> Response:
    """Takes a message ``{"id", "text"}`` or a pressed button ``{"id", "payload"}``; the same id counts once."""
    address = _address(request)
    data = parsed(await limited_body(request, _BODY_LIMIT))
    message_id, text, payload = (data.get(key, "") for key in ("id", "text", "payload"))
    if not isinstance(message_id, str) or not _MESSAGE_ID.fullmatch(message_id):
        raise HTTPException(400, "id: 8 to 64 letters, digits or hyphens are needed.")
    if not isinstance(text, str) or not isinstance(payload, str) or not (text or payload):
        raise HTTPException(400, "text or payload: one of them must be a text.")
    if len(text) > _TEXT_LIMIT:
        raise HTTPException(413, f"text: at most {_TEXT_LIMIT} characters.")
    locale = data.get("locale")
    incoming = as_incoming("web", f"{_sender(address)}:{message_id}", address, text=text, payload=payload)
    if isinstance(locale, str) and is_launched(from_hint(locale)):
        incoming = replace(incoming, locale=locale[:35])
    accepted = await edge_of(request).acceptor.accept(incoming)
    return JSONResponse({"accepted": True, "repeated": accepted is None}, status_code=202)


def _sender(address: str) -> str:
    # keeps the ids of two people apart without writing the token anywhere but into the contact table
    return hashlib.sha256(address.encode()).hexdigest()[:24]


def as_incoming(channel: str, message_id: str, address: str, *, text: str, payload: str = "") -> Incoming:
    """A message of a channel whose people type slash commands themselves."""
    command = text.strip().removeprefix("/").casefold()
    if text.strip().startswith("/") and command in payloads.COMMANDS:
        return Incoming(channel, message_id, address, "command", payload=command)
    return Incoming(channel, message_id, address, "button" if payload else "text", text=text, payload=payload)


@open_to(PERSON)
async def history(request: Request) -> Response:
    """What was said so far: ``{"messages", "cursor"}``; ``cursor`` goes into ``/chat/stream?after=``."""
    address = _address(request)
    return JSONResponse(await asyncio.to_thread(_history, edge_of(request).database, address))


@open_to(PERSON)
async def replies(request: Request) -> Response:
    """Replies after ``?after=``, for browsers that cannot read a stream."""
    address, after = _address(request), _after(request)
    return JSONResponse({"messages": await asyncio.to_thread(replies_after, edge_of(request).database, address, after)})


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
        conversation_id = await asyncio.to_thread(_conversation_id, edge.database, address)
        # a person who has not written yet has no conversation whose news could be watched
        async with edge.hub.watch(conversation_id) as news:
            for message in await asyncio.to_thread(replies_after, edge.database, address, after):
                after = message["id"]
                yield ServerSentEvent(json.dumps(message, ensure_ascii=False), event="reply", id=str(after))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), _LOOK_AGAIN)


@open_to(PERSON)
async def export(request: Request) -> Response:
    """A copy of everything kept about the conversation, as a JSON file."""
    address = _address(request)
    content = await asyncio.to_thread(_export, edge_of(request).database, address)
    headers = {"content-disposition": 'attachment; filename="waymark.json"', "cache-control": "no-store"}
    return Response(content, media_type="application/json", headers=headers)


def _conversation_id(database: Database, address: str) -> str | None:
    with database.read() as session:
        where = (Contact.channel == "web", Contact.address == address)
        return session.scalar(select(Contact.conversation_id).where(*where))


def _export(database: Database, address: str) -> bytes:
    conversation_id = _conversation_id(database, address)
    if conversation_id is None:
        return b"{}"
    with database.read() as session:
        return erasure.export(session, conversation_id=conversation_id)


def replies_after(database: Database, address: str, after: int, channel: str = "web") -> list[dict[str, Any]]:
    """Replies of a conversation with ids above ``after``, in order."""
    with database.read() as session:
        rows = session.scalars(
            select(OutboxMessage)
            .join(Contact, Contact.conversation_id == OutboxMessage.conversation_id)
            .where(Contact.channel == channel, Contact.address == address)
            .where(OutboxMessage.id > after, OutboxMessage.state == "sent")
            .order_by(OutboxMessage.id)
            .limit(_PAGE)
        )
        return [as_reply(row) for row in rows]


def as_reply(row: OutboxMessage) -> dict[str, Any]:
    """A reply as the page shows it.

    ``event`` is ``joined`` or ``closed`` when a counsellor came or left, ``deleted`` on the last word of an
    erased conversation.
    """
    body = row.body
    event = _EVENTS.search(row.cause)
    language = LANGUAGES[body["language"]]
    return {
        "id": row.id,
        "from": row.speaker,
        "text": body["text"],
        "language": language.code,
        "direction": language.direction,
        "buttons": [{k: b[k] for k in ("title", "payload", "description")} for b in body.get("buttons", ())],
        "listed": body.get("listed", False),
        "document": body.get("document", ""),
        "event": (event[1] or event[2]) if event else "",
        "at": row.created_at.isoformat(),
    }


def _history(database: Database, address: str) -> dict[str, Any]:
    conversation_id = _conversation_id(database, address)
    if conversation_id is None:
        return {"messages": [], "cursor": 0, "language": None}
    with database.read() as session:
        said = session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.state == "sent")
            .order_by(OutboxMessage.id.desc())
            .limit(_PAGE)
        ).all()
        heard = session.scalars(
            select(InboxMessage)
            .where(InboxMessage.conversation_id == conversation_id)
            .where(or_(InboxMessage.text != "", InboxMessage.payload != ""))
            .order_by(InboxMessage.id.desc())
            .limit(_PAGE)
        ).all()
        messages = [as_reply(row) for row in said] + [_as_heard(row, said) for row in heard]
        language = session.get_one(Conversation, conversation_id).language
        cursor = max((row.id for row in said), default=0)
    return {"messages": sorted(messages, key=lambda m: (m["at"], m["id"])), "cursor": cursor, "language": language}


def _as_heard(row: InboxMessage, said: Sequence[OutboxMessage]) -> dict[str, Any]:
    """A person's own message; ``message`` is the id the page gave it, ``text`` is empty when it is not to be shown."""
    return {
        "id": 0,
        "from": "you",
        "message": row.message_id.rpartition(":")[2],
        "text": row.text or _pressed(row, said),
        "payload": row.payload if row.kind == "button" else "",
        "at": row.received_at.isoformat(),
    }


def _pressed(row: InboxMessage, said: Sequence[OutboxMessage]) -> str:
    """What a pressed button or a command reads as; ``said`` holds the replies, newest first."""
    if row.kind == "command":
        return "" if row.payload == "start" else f"/{row.payload}"
    earlier = (reply for reply in said if reply.created_at <= row.received_at)
    for button in (button for reply in earlier for button in reply.body.get("buttons", ())):
        if button["payload"] == row.payload:
            return str(button["title"])
    code = row.payload.removeprefix("l:")
    if code in LANGUAGES:
        return LANGUAGES[code].name
    language = said[0].body["language"] if said else DEFAULT
    return texts.text(_MENU[row.payload], language) if row.payload in _MENU else ""


ROUTES = [
    Route("/", page, methods=["GET"]),
    Route("/chat/messages", send, methods=["POST"]),
    Route("/chat/messages", replies, methods=["GET"]),
    Route("/chat/history", history, methods=["GET"]),
    Route("/chat/stream", stream, methods=["GET"]),
    Route("/chat/export", export, methods=["GET"]),
]
