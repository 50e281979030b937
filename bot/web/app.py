"""The edge's web application."""

import asyncio
import contextlib
import functools
import hmac
import logging
from collections.abc import AsyncIterator

from sqlalchemy.exc import SQLAlchemyError
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles

from bot.messaging.protocols import Channel
from bot.web import access, assets, chat, embed, health, install, metrics, page, plain, rest, webhooks
from bot.web.console import ROUTES as CONSOLE_ROUTES
from bot.web.console.current import CurrentAccount
from bot.web.edge import Edge
from bot.web.headers import SecurityHeaders
from bot.web.pages import FOLDER, render

logger = logging.getLogger(__name__)

AGAIN_SECONDS = 30.0


def create_app(edge: Edge, *, secret_key: str) -> Starlette:
    """The application around ``edge``.

    Args:
        secret_key: Signs the console's session cookies.

    Raises:
        RuntimeError: A route does not declare who may call it.
        SettingsError: ``WAYMARK_EMBED_ORIGINS`` holds something that is no origin.
    """
    routes = [
        *page.ROUTES,
        *plain.ROUTES,
        *embed.routes(edge.settings),
        *install.ROUTES,
        *assets.ROUTES,
        *chat.ROUTES,
        *webhooks.ROUTES,
        *rest.ROUTES,
        *health.ROUTES,
        *metrics.ROUTES,
        Mount("/console", routes=CONSOLE_ROUTES),
        Mount("/static", StaticFiles(directory=FOLDER / "static"), name="static"),
    ]
    if missing := access.undeclared(routes):
        raise RuntimeError(f"these routes do not declare who may call them: {', '.join(missing)}")
    app = Starlette(
        routes=routes,
        lifespan=_lifespan,
        middleware=[
            Middleware(SecurityHeaders, https=edge.settings.secure),
            Middleware(
                SessionMiddleware,
                secret_key=secret_key,
                session_cookie="waymark_console",
                path="/console",
                max_age=12 * 3600,
                same_site="strict",
                https_only=edge.settings.secure,
            ),
            Middleware(CurrentAccount),
        ],
        exception_handlers={
            HTTPException: _refused,  # type: ignore[dict-item]  # Starlette types handlers loosely
            SQLAlchemyError: _unavailable,
        },
    )
    app.state.edge = edge
    # not the signing key itself: a token in a page must not be a sample of the cookies' signatures
    app.state.csrf_secret = hmac.digest(secret_key.encode(), b"csrf", "sha256")
    return app


@contextlib.asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    edge: Edge = app.state.edge
    tasks = [asyncio.create_task(edge.acceptor.run()), asyncio.create_task(edge.hub.run(edge.poke))]
    for channel in edge.channels.values():
        tasks.append(asyncio.create_task(_run(channel, edge)))
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _run(channel: Channel, edge: Edge) -> None:
    while True:
        try:
            return await channel.run(functools.partial(edge.hear, channel=channel))
        except Exception:  # one channel's fault must not leave it deaf for good
            logger.exception("a channel's work at the edge failed; it begins again", extra={"channel": channel.name})
        await asyncio.sleep(AGAIN_SECONDS)


async def _unavailable(request: Request, problem: Exception) -> Response:
    """The database is away: providers send again, the chat page keeps the message and tries again."""
    logger.error("the database does not answer", extra={"reason": type(problem).__name__})
    return JSONResponse({"error": "Please try again in a moment."}, 503, headers={"retry-after": "5"})


async def _refused(request: Request, problem: HTTPException) -> Response:
    if request.url.path.startswith("/console") and "text/html" in request.headers.get("accept", ""):
        return render(request, "console/error.html", problem.status_code, problem=problem)
    return JSONResponse({"error": problem.detail}, status_code=problem.status_code, headers=problem.headers)
