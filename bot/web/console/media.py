"""A file that a person sent, opened by the counsellor who holds the case."""

import asyncio
import re
from datetime import timedelta

from sqlalchemy import select
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.messaging import media
from bot.messaging.media import File, KindRefused, NoFile
from bot.messaging.protocols import DeliveryError
from bot.storage.account import Account, AuditEvent
from bot.storage.base import now
from bot.storage.handoff import Case
from bot.web.access import roles
from bot.web.console.cases import GONE, may_open
from bot.web.console.shell import COUNSEL, current, page
from bot.web.edge import Edge, edge_of

NOTED_AGAIN = timedelta(hours=1)  # players ask for a film in many pieces; that is one opening
_HEADERS = {
    "x-content-type-options": "nosniff",
    "cache-control": "private, no-store",
    "accept-ranges": "bytes",
}
# no script runs under any of these; a browser's own player asks for the film again, as this site, and styles itself
_PLAYED = "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"
_POLICIES = {
    "image": "default-src 'none'; style-src 'unsafe-inline'; sandbox",
    "audio": _PLAYED,
    "video": _PLAYED,
}
_SAVED = "default-src 'none'; sandbox"


def _case(edge: Edge, account: Account, case_id: int) -> Case:
    with edge.database.read() as session:
        case = session.get(Case, case_id)
    if case is None:
        raise HTTPException(404, GONE)
    if not may_open(account, case):
        raise HTTPException(403, "Only the counsellor who has taken this case opens what the person sent.")
    return case


@roles(*COUNSEL)
async def file(request: Request) -> Response:
    """The file itself, or a page that says why there is none."""
    edge, account, inbox_id = edge_of(request), current(request), request.path_params["inbox_id"]
    case = await asyncio.to_thread(_case, edge, account, request.path_params["case_id"])
    try:
        found = await media.opened(
            edge.database, edge.channels, conversation_id=case.conversation_id, inbox_id=inbox_id
        )
    except NoFile:
        return _refused(request, case, 404, "There is no such file. It may have been deleted at the person's wish.")
    except KindRefused as problem:
        words = f"This kind of file is not opened here: {problem.kind}, {_size(problem.size)}."
        return _refused(request, case, 415, f"{words} Ask the person for a photo or a PDF.")
    except DeliveryError as problem:
        return _undelivered(request, case, problem)
    await asyncio.to_thread(_note, edge, account, case, inbox_id)
    return _served(found, f"{case.number}-{inbox_id}", request.headers.get("range", ""))


def _undelivered(request: Request, case: Case, problem: DeliveryError) -> Response:
    told = f"The file did not come: {problem.reason}."
    if problem.permanent:
        kept = f"Providers keep files for some weeks only, and files above {_size(media.LIMIT)} are not opened here."
        return _refused(request, case, 410, f"{told} {kept} Ask the person to send it again.")
    return _refused(request, case, 504 if problem.uncertain else 502, f"{told} Try again in a few minutes.")


def _refused(request: Request, case: Case, status_code: int, words: str) -> Response:
    return page(request, "media.html", status_code, case=case, problem=words)


def _size(size: int) -> str:
    # no line ends between the number and its unit
    return f"{size / 1024 / 1024:.1f}\u00a0MB" if size >= 1024 * 1024 else f"{max(1, round(size / 1024))}\u00a0KB"


def _note(edge: Edge, account: Account, case: Case, inbox_id: int) -> None:
    event = AuditEvent(
        account_id=account.id,
        action="media.open",
        subject=f"case/{case.id}/message/{inbox_id}",
        detail=case.number,
    )
    before = select(AuditEvent.id).where(
        AuditEvent.account_id == event.account_id,
        AuditEvent.action == event.action,
        AuditEvent.subject == event.subject,
        AuditEvent.at > now() - NOTED_AGAIN,
    )
    with edge.database.write() as session:
        if session.scalar(before.limit(1)) is None:
            session.add(event)


def _served(found: File, name: str, wanted: str) -> Response:
    kind, total = found.type, len(found.content)
    way = "inline" if kind.shown else "attachment"
    headers = _HEADERS | {
        "content-disposition": f'{way}; filename="{name}.{kind.ending}"',
        "content-security-policy": _POLICIES.get(kind.mime.partition("/")[0], _SAVED),
    }
    piece = _piece(wanted, total)
    if piece is None:
        return Response(found.content, media_type=kind.mime, headers=headers)
    if not piece:
        return Response(status_code=416, headers=headers | {"content-range": f"bytes */{total}"})
    headers["content-range"] = f"bytes {piece.start}-{piece.stop - 1}/{total}"
    return Response(found.content[piece.start : piece.stop], 206, headers, kind.mime)


def _piece(wanted: str, total: int) -> range | None:
    """The bytes that a Range header asks for: empty when there are none, ``None`` when all are to be sent."""
    asked = re.fullmatch(r"bytes=(\d{0,15})-(\d{0,15})", wanted, re.ASCII)
    if asked is None or asked[0] == "bytes=-":
        return None
    first, last = asked.groups()
    if not first:
        return range(max(0, total - int(last)), total)
    if last and int(last) < int(first):
        return None
    return range(int(first), min(int(last) + 1, total) if last else total)


ROUTES = [Route("/cases/{case_id:int}/media/{inbox_id:int}", file, methods=["GET"])]
