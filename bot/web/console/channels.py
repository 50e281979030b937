"""The channels: whether they work, their templates, and messages that got stuck, with what can be done about each."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.messaging import approval, outbox, parked
from bot.messaging.protocols import Channel, DeliveryError
from bot.storage.account import AuditEvent
from bot.web.access import roles
from bot.web.console import approvals, condition, failures, words
from bot.web.console.cases import may_read
from bot.web.console.forms import ActionForm, meta, posted
from bot.web.console.shell import ADMIN, COUNSEL, current, done, page
from bot.web.edge import Edge, edge_of

LISTED = 50  # messages of each kind; who settles the first sees the next
_HERE = "/console/channels"
_SETTLED = "Nothing was changed: somebody has decided about this message already, or it was deleted."
Settle = Callable[[Session, int], bool]


async def _page(request: Request, status_code: int = 200, *, problem: str = "") -> Response:
    account = current(request)
    values = await asyncio.to_thread(_read, edge_of(request))
    values["readable"] = lambda case: case is not None and may_read(account, case)
    values["admin"] = "admin" in account.roles
    return page(request, "channels.html", status_code, problem=problem, **values)


def _read(edge: Edge) -> dict[str, Any]:
    zone = ZoneInfo(edge.settings.timezone)
    with edge.database.read() as session:
        given_up = parked.listed(session, limit=LISTED)
        return {
            "conditions": condition.load(session, edge.channels, zone),
            "approvals": approvals.load(session, edge.channels, zone),
            "parked": [(row, condition.clock(row.received_at, zone), words.channel(row.channel)) for row in given_up],
            "parked_count": parked.count(session),
            "causes": failures.causes(session),
            "failures": failures.newest(session, zone, limit=LISTED),
        }


@roles(*COUNSEL)
async def channels_page(request: Request) -> Response:
    """How the channels do; counsellors read it, administrators can act."""
    return await _page(request)


async def _pressed(request: Request) -> FormData | Response:
    """The fields of a form of the page, or the page again when its token does not fit."""
    fields = await posted(request)
    form = ActionForm(fields, meta=meta(request))
    return fields if form.validate() else await _page(request, 403, problem=form.problem)


# --- templates


def _named(edge: Edge, fields: FormData) -> Channel:
    channel = edge.channels.get(str(fields.get("channel", "")))
    if channel is None or channel.service_window_hours is None:
        raise HTTPException(404, "There is no such channel, or it needs no templates.")
    return channel


@roles(*ADMIN)
async def submit(request: Request) -> Response:
    """Hands in the templates that a channel's provider lacks."""
    edge, fields = edge_of(request), await _pressed(request)
    if isinstance(fields, Response):
        return fields
    channel = _named(edge, fields)
    await asyncio.to_thread(_note, edge, request, "template.submit", f"channel/{channel.name}")
    try:
        refused = await approval.hand_in(edge.database, channel)
    except DeliveryError as problem:
        return await _page(request, 409, problem=_unasked(channel, problem))
    if refused:
        return await _page(request, 409, problem=_refusals(channel, refused))
    return done(request, _HERE, f"Handed in. {channel.label} decides within a day or so; this page then says how.")


@roles(*ADMIN)
async def ask(request: Request) -> Response:
    """Asks a channel's provider about the templates, without waiting for the next regular look."""
    edge, fields = edge_of(request), await _pressed(request)
    if isinstance(fields, Response):
        return fields
    channel = _named(edge, fields)
    try:
        await approval.ask(edge.database, channel)
    except DeliveryError as problem:
        return await _page(request, 409, problem=_unasked(channel, problem))
    return done(request, _HERE, f"{channel.label} was asked; this is what it says now.")


def _unasked(channel: Channel, problem: DeliveryError) -> str:
    return f"{channel.label} could not be asked: {problem.reason}. Please try again in a few minutes."


def _refusals(channel: Channel, refused: Mapping[str, str]) -> str:
    reasons: dict[str, list[str]] = {}
    for code, reason in refused.items():
        reasons.setdefault(reason, []).append(words.language(code))
    told = "; ".join(f"{', '.join(names)}: {reason}" for reason, names in reasons.items())
    return f"{channel.label} did not take every template. {told}. What it took is shown below."


def _note(edge: Edge, request: Request, action: str, subject: str) -> None:
    with edge.database.write() as session:
        session.add(AuditEvent(account_id=current(request).id, action=action, subject=subject))


# --- messages that got stuck


async def _settle(request: Request, settle: Settle, *, key: str, action: str, poke: str, word: str) -> Response:
    edge, fields = edge_of(request), await _pressed(request)
    if isinstance(fields, Response):
        return fields
    given = str(fields.get(key, ""))
    if not (given.isascii() and given.isdigit() and len(given) < 19):
        raise HTTPException(404, "There is no such message.")

    def run() -> bool:
        with edge.database.write() as session:
            settled = settle(session, int(given))
            if settled:
                subject = f"{key.removesuffix('_id')}/{given}"
                session.add(AuditEvent(account_id=current(request).id, action=action, subject=subject))
            return settled

    if not await asyncio.to_thread(run):
        return await _page(request, 409, problem=_SETTLED)
    if poke:
        await edge.poke.send(poke)
    return done(request, _HERE, word)


@roles(*ADMIN)
async def answer_again(request: Request) -> Response:
    """Lets the assistant try a parked message again."""
    word = "The message waits for an answer again. If it fails again, it comes back to this list."
    return await _settle(
        request,
        lambda session, given: parked.try_again(session, inbox_id=given),
        key="inbox_id",
        action="message.try_again",
        poke="inbox",
        word=word,
    )


@roles(*ADMIN)
async def set_aside(request: Request) -> Response:
    """Ends a parked message without an answer."""
    return await _settle(
        request,
        lambda session, given: parked.set_aside(session, inbox_id=given),
        key="inbox_id",
        action="message.set_aside",
        poke="",
        word="The message is set aside. It stays in its conversation.",
    )


@roles(*ADMIN)
async def deliver_again(request: Request) -> Response:
    """Lets a message that could not be delivered be sent again."""
    return await _settle(
        request,
        lambda session, given: outbox.retry(session, outbox_id=given),
        key="outbox_id",
        action="delivery.try_again",
        poke="outbox",
        word="The message will be sent again now. If it fails again, it comes back to this list.",
    )


ROUTES = [
    Route("/channels", channels_page, methods=["GET"]),
    Route("/channels/templates/submit", submit, methods=["POST"]),
    Route("/channels/templates/ask", ask, methods=["POST"]),
    Route("/channels/parked/try-again", answer_again, methods=["POST"]),
    Route("/channels/parked/set-aside", set_aside, methods=["POST"]),
    Route("/channels/failed/try-again", deliver_again, methods=["POST"]),
]
