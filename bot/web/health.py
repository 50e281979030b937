"""Liveness and readiness."""

import asyncio

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.messaging import inbox
from bot.storage.base import now
from bot.storage.session import Database
from bot.web.access import PUBLIC, open_to
from bot.web.edge import edge_of


@open_to(PUBLIC)
async def live(request: Request) -> Response:
    """The process runs."""
    return JSONResponse({"live": True})


@open_to(PUBLIC)
async def ready(request: Request) -> Response:
    """The database answers and messages are being answered; 503 otherwise."""
    problem = await asyncio.to_thread(_problem, edge_of(request).database)
    return JSONResponse({"ready": problem is None, "problem": problem}, status_code=503 if problem else 200)


def _problem(database: Database) -> str | None:
    try:
        with database.read() as session:
            session.execute(text("SELECT 1"))
            oldest = inbox.oldest_waiting(session)
    except SQLAlchemyError:
        return "the database does not answer"
    if oldest is not None and (now() - oldest).total_seconds() > inbox.STUCK_SECONDS:
        return "messages wait for an answer"
    return None


ROUTES = [
    Route("/health/live", live, methods=["GET"]),
    Route("/health/ready", ready, methods=["GET"]),
]
