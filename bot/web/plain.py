"""The chat without JavaScript: a page whose forms carry the conversation's token, never an address or a cookie."""

import asyncio
import contextlib
import hashlib
import re
import secrets
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qs

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import texts
from bot.languages import DEFAULT, LANGUAGES, is_launched, launched
from bot.messaging.messages import Incoming
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.web import assets, history
from bot.web.access import PERSON, PUBLIC, open_to
from bot.web.bodies import limited_body
from bot.web.chat import BODY_LIMIT, TEXT_LIMIT, TOKEN, from_page
from bot.web.edge import Edge, edge_of
from bot.web.pages import COMPRESSED, render
from bot.web.words import language_of, ui

PATIENCE = 8.0  # seconds for which a person waits for the page, so that the answer is mostly on it
_KEY = re.compile(r"[0-9a-f]{32}|")


@dataclass(frozen=True, slots=True)
class Form:
    """What one of the page's forms sends. ``key`` was made for the page that shows it."""

    token: str
    key: str
    language: str
    text: str
    payload: str

    @property
    def message_id(self) -> str:
        """The same for a form that is sent again, another one for another message from the same page."""
        return hashlib.sha256(f"{self.key}\0{self.payload}\0{self.text}".encode()).hexdigest()[:32]


async def _form(request: Request) -> Form:
    """The form in the body.

    Raises:
        HTTPException: 400 when it is not one of ours, 401 with a token that cannot be one, 413 when it is too large.
    """
    body = await limited_body(request, BODY_LIMIT)
    try:
        fields = {name: found[-1] for name, found in parse_qs(body.decode(), max_num_fields=10).items()}
    except ValueError:
        raise HTTPException(400, "The body is not a form.") from None
    token, key, language, payload = (fields.get(name, "") for name in ("token", "key", "lang", "payload"))
    text = fields.get("text", "").replace("\r\n", "\n").strip()
    if token and not TOKEN.fullmatch(token):
        raise HTTPException(401, "The chat token is missing.")
    if not _KEY.fullmatch(key):
        raise HTTPException(400, "key: 32 hexadecimal characters are needed.")
    if len(text) > TEXT_LIMIT:
        raise HTTPException(413, f"text: at most {TEXT_LIMIT} characters.")
    chosen = payload.removeprefix("l:")
    language = next((code for code in (chosen, language) if is_launched(code)), DEFAULT)
    return Form(token, key, language, text, payload)


@open_to(PUBLIC)
async def start(request: Request) -> Response:
    """The page before the first message."""
    return _page(request, language_of(request).code)


@open_to(PERSON)
async def turn(request: Request) -> Response:
    """Takes what the form holds, waits a little for the answer, and shows the conversation."""
    form, edge = await _form(request), edge_of(request)
    incoming = None
    if not form.token or form.text or form.payload:
        new = {name: value or secrets.token_hex(16) for name, value in (("token", form.token), ("key", form.key))}
        form = replace(form, **new)
        text = form.text or ("" if form.payload else "/start")
        incoming = from_page(form.token, form.message_id, text=text, payload=form.payload, locale=form.language)
    try:
        answered = incoming is None or await _taken(edge, incoming)
        said = await asyncio.to_thread(history.whole, edge.database, form.token)
    except SQLAlchemyError:
        return _page(request, form.language, form=form, notice="failed", status=503)
    language = form.language if form.payload.startswith("l:") else said["language"] or form.language
    return _page(request, language, messages=said["messages"], token=form.token, notice="" if answered else "wait")


async def _taken(edge: Edge, incoming: Incoming) -> bool:
    """Stores a message; whether it is dealt with after ``PATIENCE`` at the latest."""
    end = asyncio.get_running_loop().time() + PATIENCE
    accepted = await edge.acceptor.accept(incoming)
    async with edge.hub.watch(accepted.conversation_id if accepted else "") as news:
        while accepted is not None and await asyncio.to_thread(_waits, edge.database, accepted.inbox_id):
            left = end - asyncio.get_running_loop().time()
            if left <= 0:
                return False
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), min(left, 1.0))
            news.clear()
    return True


def _waits(database: Database, inbox_id: int) -> bool:
    with database.read() as session:
        return session.scalar(select(InboxMessage.state).where(InboxMessage.id == inbox_id)) == "waiting"


def _page(
    request: Request,
    language: str,
    *,
    messages: list[dict[str, Any]] | None = None,
    token: str = "",
    form: Form | None = None,
    notice: str = "",
    status: int = 200,
) -> Response:
    """The page; ``form`` is one that could not be taken and is offered again."""
    shown = [message for message in messages or () if message["text"]]
    if shown and shown[-1].get("event") == "deleted":
        token = ""  # nothing must lead from the erased conversation to the next one
    own = [place for place, message in enumerate(shown) if message["from"] == "you"]
    return render(
        request,
        "chat_plain.html",
        status,
        language=LANGUAGES[language],
        languages=launched(),
        ui=lambda key: ui(key, language),
        text=lambda key: texts.text(key, language),
        messages=shown,
        newest=max(own, default=-1) + 1,
        token=form.token if form else token,
        key=form.key if form else secrets.token_hex(16),
        draft=form.text if form else "",
        notice=notice,
        limit=TEXT_LIMIT,
        asset=assets.address,
    )


@open_to(PERSON)
async def export(request: Request) -> Response:
    """A copy of everything kept about the conversation, as a JSON file."""
    form = await _form(request)
    if not form.token:
        raise HTTPException(401, "The chat token is missing.")
    content = await asyncio.to_thread(history.export, edge_of(request).database, form.token)
    headers = {"content-disposition": 'attachment; filename="waymark.json"'}
    return Response(content, media_type="application/json", headers=headers)


ROUTES = [
    Route("/plain", start, methods=["GET"], middleware=COMPRESSED),
    Route("/plain", turn, methods=["POST"], middleware=COMPRESSED),
    Route("/plain/export", export, methods=["POST"]),
]
