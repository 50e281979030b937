"""The chat on the sites of others: one script that puts a button there, and the sites that may show the page."""

import re
from functools import cache
from urllib.parse import urlsplit

from jinja2.utils import htmlsafe_json_dumps
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.languages import launched
from bot.settings import Settings, SettingsError
from bot.web.access import PUBLIC, open_to
from bot.web.edge import edge_of
from bot.web.pages import COMPRESSED, fragment
from bot.web.words import ui

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]*[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]*[a-z0-9])?|\[[0-9a-f:]+\]")
_ADVICE = "write scheme, host and port alone, such as https://www.example.org"
_HEADERS = {
    "cache-control": "public, max-age=3600",
    "cross-origin-resource-policy": "cross-origin",  # sites that isolate themselves load nothing else
}


@cache
def origins(setting: str) -> tuple[str, ...]:
    """The origins in a comma-separated list, as browsers write them.

    Raises:
        SettingsError: One of them is no origin. The message names ``WAYMARK_EMBED_ORIGINS``.
    """
    return tuple(dict.fromkeys(_origin(part.strip()) for part in setting.split(",") if part.strip()))


def _origin(text: str) -> str:
    try:
        parts = urlsplit(text.lower())
        port = "" if parts.port is None else f":{parts.port}"
    except ValueError:
        raise SettingsError(f"WAYMARK_EMBED_ORIGINS: {text!r} is no origin; {_ADVICE}") from None
    host = parts.netloc.removesuffix(port)
    made = f"{parts.scheme}://{host}{port}"
    # whatever is left over, a path or a name and password, makes the text differ from what was understood
    if parts.scheme not in {"http", "https"} or not _HOST.fullmatch(host) or text.lower() != made:
        raise SettingsError(f"WAYMARK_EMBED_ORIGINS: {text!r} is no origin; {_ADVICE}")
    return made


def allowed(settings: Settings) -> tuple[str, ...]:
    """The origins of the sites that may show the chat page in a frame."""
    return origins(settings.embed_origins)


@cache
def _script() -> str:
    words = {
        row.code: {"label": ui("embed", row.code), "title": ui("title", row.code), "dir": row.direction}
        for row in launched()
    }
    return fragment("chat_embed.js", words=htmlsafe_json_dumps(words, ensure_ascii=False))


@open_to(PUBLIC)
async def script(request: Request) -> Response:
    """The script for other sites; there is none while no site is allowed."""
    if not allowed(edge_of(request).settings):
        raise HTTPException(404)
    return Response(_script(), media_type="text/javascript", headers=_HEADERS)


def routes(settings: Settings) -> list[Route]:
    """The routes of this module.

    Raises:
        SettingsError: ``WAYMARK_EMBED_ORIGINS`` holds something that is no origin.
    """
    allowed(settings)
    return [Route("/embed.js", script, methods=["GET"], middleware=COMPRESSED)]
