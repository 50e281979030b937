"""One case: its live thread, and what a counsellor does with it."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncIterator, Callable
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.handoff import queue
from bot.handoff.states import HELD, WAITING, TransitionRefused
from bot.storage.account import Account, AuditEvent
from bot.storage.handoff import Case
from bot.web.access import roles
from bot.web.console import thread
from bot.web.console.current import behind
from bot.web.console.forms import ActionForm, ReplyForm, meta, posted
from bot.web.console.inbox import LOOK_AGAIN
from bot.web.console.shell import COUNSEL, current, done, page
from bot.web.console.thread import Thread
from bot.web.edge import Edge, edge_of
from bot.web.pages import fragment

GONE = "There is no such case. It may have been deleted at the person's wish."
Change = Callable[[Session, Account], Case]


def may_read(account: Account, case: Case) -> bool:
    """Whether an account may open a case: one that waits, its own, or any as administrator."""
    return "admin" in account.roles or case.state == WAITING or case.counsellor_id == account.id


def may_open(account: Account, case: Case) -> bool:
    """Whether an account may open files of a case: one that it has taken, or any as administrator."""
    return "admin" in account.roles or (case.state == HELD and case.counsellor_id == account.id)


def _thread(edge: Edge, account: Account, case_id: int, *, noted: bool = False) -> Thread:
    """Reads a case for an account.

    Raises:
        HTTPException: 404 when there is none, 403 when it is somebody else's.
    """
    with edge.database.read() as session:
        case = session.get(Case, case_id)
        if case is None:
            raise HTTPException(404, GONE)
        if not may_read(account, case):
            raise HTTPException(403, "Another counsellor has this case.")
        zone = ZoneInfo(edge.settings.timezone)
        shown = thread.load(session, case=case, zone=zone, opens=may_open(account, case), channels=edge.channels)
    if noted and case.state != WAITING and case.counsellor_id != account.id:
        with edge.database.write() as session:
            session.add(AuditEvent(account_id=account.id, action="case.read", subject=f"case/{case.id}"))
    return shown


async def _page(request: Request, status_code: int = 200, **values: Any) -> Response:
    edge, account, case_id = edge_of(request), current(request), request.path_params["case_id"]
    shown = await asyncio.to_thread(_thread, edge, account, case_id, noted=status_code == 200)
    own = shown.case.state == HELD and shown.case.counsellor_id == account.id
    values = {"typed": "", "problem": "", "key": secrets.token_hex(16)} | values
    return page(request, "case.html", status_code, thread=shown, own=own, **values)


@roles(*COUNSEL)
async def case_page(request: Request) -> Response:
    """The case with its whole conversation."""
    return await _page(request)


@roles(*COUNSEL)
async def stream(request: Request) -> Response:
    """The thread again whenever it changed."""
    edge, account, case_id = edge_of(request), current(request), request.path_params["case_id"]
    await asyncio.to_thread(_thread, edge, account, case_id)
    return EventSourceResponse(events(request, case_id, request.query_params.get("seen", "")), ping=25)


async def events(request: Request, case_id: int, seen: str) -> AsyncIterator[ServerSentEvent]:
    """``thread`` events with the rendered conversation, ``state`` when the case is no longer as the page shows it.

    Args:
        seen: The state of the case that the page shows.
    """
    edge, last = edge_of(request), ("", "")
    conversation_id = (await asyncio.to_thread(_case, edge, case_id)).conversation_id
    async with edge.hub.watch(conversation_id) as news:
        while True:
            news.clear()
            account = await asyncio.to_thread(behind, edge.database, request.session)
            try:
                shown = await asyncio.to_thread(_thread, edge, account, case_id) if account else None
            except HTTPException:
                shown = None
            if shown is None:
                yield ServerSentEvent(fragment("console/_ended.html"), event="ended")
                return
            lines = fragment("console/_thread.html", thread=shown)
            state = fragment("console/_state.html", thread=shown) if shown.case.state != seen else ""
            if lines != last[0]:
                yield ServerSentEvent(lines, event="thread")
            if state != last[1]:
                yield ServerSentEvent(state, event="state")
            last = (lines, state)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_AGAIN)


def _case(edge: Edge, case_id: int) -> Case:
    with edge.database.read() as session:
        return session.get_one(Case, case_id)


async def _act(request: Request, change: Change, *, stay: bool, word: str) -> Response:
    form = ActionForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _page(request, 403, problem=form.problem)
    try:
        case = await _changed(request, change)
    except TransitionRefused as problem:
        return await _refused(request, problem)
    return done(request, f"/console/cases/{case.id}" if stay else "/console/", word.format(number=case.number))


async def _changed(request: Request, change: Change) -> Case:
    edge, account, case_id = edge_of(request), current(request), request.path_params["case_id"]

    def run() -> Case:
        with edge.database.write() as session:
            if session.get(Case, case_id) is None:
                raise HTTPException(404, GONE)
            return change(session, account)

    case = await asyncio.to_thread(run)
    await edge.poke.send("console")
    await edge.poke.send("outbox")
    await edge.poke.send("replies", case.conversation_id)
    return case


async def _refused(request: Request, problem: TransitionRefused, typed: str = "") -> Response:
    told = f"{str(problem).capitalize()}."
    try:
        return await _page(request, 409, problem=told, typed=typed)
    except HTTPException:  # it is somebody else's case now; what was typed is shown without it
        return page(request, "refused.html", 409, problem=told, typed=typed)


@roles(*COUNSEL)
async def claim(request: Request) -> Response:
    """Takes a waiting case."""
    case_id = request.path_params["case_id"]
    word = "{number} is yours now; the assistant is silent."
    return await _act(request, lambda s, a: queue.claim(s, case_id=case_id, account=a), stay=True, word=word)


@roles(*COUNSEL)
async def hand_back(request: Request) -> Response:
    """Puts one's case back into the queue."""
    case_id = request.path_params["case_id"]
    word = "{number} is back in the queue."
    return await _act(request, lambda s, a: queue.hand_back(s, case_id=case_id, account=a), stay=False, word=word)


@roles(*COUNSEL)
async def close(request: Request) -> Response:
    """Ends a case; the assistant answers again."""
    case_id = request.path_params["case_id"]
    word = "{number} is closed. The assistant answers the person again."
    return await _act(request, lambda s, a: queue.close(s, case_id=case_id, account=a), stay=False, word=word)


@roles(*COUNSEL)
async def reply(request: Request) -> Response:
    """Sends a message to the person."""
    form = ReplyForm(await posted(request), meta=meta(request))
    typed = str(form.text.data or "")
    if not form.validate():
        return await _page(request, 403 if form.forged else 422, problem=form.problem, typed=typed)
    case_id, key = request.path_params["case_id"], str(form.key.data)

    def change(session: Session, account: Account) -> Case:
        queue.reply(session, case_id=case_id, account=account, text=typed.strip(), key=key)
        return session.get_one(Case, case_id)

    try:
        case = await _changed(request, change)
    except TransitionRefused as problem:
        return await _refused(request, problem, typed)
    return done(request, f"/console/cases/{case.id}#reply")


ROUTES = [
    Route("/cases/{case_id:int}", case_page, methods=["GET"]),
    Route("/cases/{case_id:int}/stream", stream, methods=["GET"]),
    Route("/cases/{case_id:int}/claim", claim, methods=["POST"]),
    Route("/cases/{case_id:int}/reply", reply, methods=["POST"]),
    Route("/cases/{case_id:int}/hand-back", hand_back, methods=["POST"]),
    Route("/cases/{case_id:int}/close", close, methods=["POST"]),
]
