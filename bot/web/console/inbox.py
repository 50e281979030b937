"""The queue: who waits for a counsellor, and the cases one holds; kept fresh by server-sent events."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.handoff import queue
from bot.storage.account import Account
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.web.access import roles
from bot.web.console import words
from bot.web.console.current import behind
from bot.web.console.shell import COUNSEL, current, page
from bot.web.edge import edge_of
from bot.web.pages import fragment

LOOK_AGAIN = 5.0  # seconds after which a stream looks for itself, in case a poke was lost


@dataclass(frozen=True, slots=True)
class Waiting:
    """A case as the queue lists it."""

    id: int
    number: str
    urgent: bool
    reason: str
    language: str
    channel: str
    waited: str
    messages: int
    counsellor: str


@dataclass(frozen=True, slots=True)
class Queue:
    """What one account sees: cases nobody holds, its own, and for administrators everybody else's."""

    waiting: tuple[Waiting, ...]
    own: tuple[Waiting, ...]
    others: tuple[Waiting, ...]


def load(database: Database, account: Account) -> Queue:
    """Reads the queue for an account."""
    with database.read() as session:
        others = _of_others(session, account) if "admin" in account.roles else []
        return Queue(
            _listed(session, queue.waiting(session)),
            _listed(session, queue.held(session, account=account)),
            _listed(session, others),
        )


def _of_others(session: Session, account: Account) -> list[Case]:
    rows = select(Case).where(Case.state == "held", Case.counsellor_id != account.id).order_by(Case.id)
    return list(session.scalars(rows))


def _listed(session: Session, cases: list[Case]) -> tuple[Waiting, ...]:
    ids = [case.conversation_id for case in cases]
    counted = select(InboxMessage.conversation_id, func.count()).where(InboxMessage.conversation_id.in_(ids))
    counts: dict[str, int] = {row[0]: row[1] for row in session.execute(counted.group_by(InboxMessage.conversation_id))}
    return tuple(_row(session, case, counts.get(case.conversation_id, 0)) for case in cases)


def _row(session: Session, case: Case, messages: int) -> Waiting:
    conversation = session.get_one(Conversation, case.conversation_id)
    holder = session.get(Account, case.counsellor_id) if case.counsellor_id else None
    return Waiting(
        id=case.id,
        number=case.number,
        urgent=case.urgent,
        reason=words.reason(case.reason),
        language=words.language(conversation.language or case.language),
        channel=words.channel(conversation.channel),
        waited=words.span(now() - (case.claimed_at or case.created_at)),
        messages=messages,
        counsellor=holder.name if holder else "",
    )


@roles(*COUNSEL)
async def queue_page(request: Request) -> Response:
    """Who waits, and one's own cases."""
    shown = await asyncio.to_thread(load, edge_of(request).database, current(request))
    return page(request, "queue.html", queue=shown)


@roles(*COUNSEL)
async def stream(request: Request) -> Response:
    """The queue again whenever it changed."""
    return EventSourceResponse(events(request), ping=25)


async def events(request: Request) -> AsyncIterator[ServerSentEvent]:
    """``queue`` events with the rendered list; one ``ended`` event when the account is signed out elsewhere."""
    edge, last = edge_of(request), ""
    async with edge.hub.watch() as news:
        while True:
            news.clear()
            account = await asyncio.to_thread(behind, edge.database, request.session)
            if account is None:
                yield ServerSentEvent(fragment("console/_ended.html"), event="ended")
                return
            html = fragment("console/_queue.html", queue=await asyncio.to_thread(load, edge.database, account))
            if html != last:
                last = html
                yield ServerSentEvent(html, event="queue")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(news.wait(), LOOK_AGAIN)


ROUTES = [
    Route("/", queue_page, methods=["GET"]),
    Route("/stream", stream, methods=["GET"]),
]
