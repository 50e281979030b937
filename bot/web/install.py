"""What makes the chat an app on a phone: its manifest, and the service worker that opens it without a network."""

import hashlib
from functools import cache

from jinja2.utils import htmlsafe_json_dumps
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.web import assets
from bot.web.access import PUBLIC, open_to
from bot.web.pages import COMPRESSED, fragment
from bot.web.words import language_of, ui

_ICONS = (
    ("chat/icon-192.png", "192x192", "any"),
    ("chat/icon-512.png", "512x512", "any"),
    ("chat/icon-maskable-512.png", "512x512", "maskable"),
)


@open_to(PUBLIC)
async def manifest(request: Request) -> Response:
    """The web app manifest, in the language asked for or the browser's."""
    language = language_of(request)
    content = {
        "id": "/",
        "name": ui("title", language.code),
        "short_name": "Waymark",
        "description": ui("subtitle", language.code),
        "lang": language.code,
        "dir": language.direction,
        "start_url": "/",
        "scope": "/",
        "display": "standalone",
        "background_color": "#eef3f1",
        "theme_color": "#0b5f58",
        "icons": [
            {"src": assets.address(name), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for name, sizes, purpose in _ICONS
        ],
    }
    return JSONResponse(content, media_type="application/manifest+json", headers={"vary": "accept-language"})


@cache
def _worker() -> str:
    files = assets.kept_offline()
    source = fragment("chat_worker.js", files=htmlsafe_json_dumps(files), name="")
    # the worker's own text counts too: a new worker starts with a cache of its own
    name = hashlib.sha256(source.encode()).hexdigest()[:12]
    return fragment("chat_worker.js", files=htmlsafe_json_dumps(files), name=name)


@open_to(PUBLIC)
async def worker(request: Request) -> Response:
    """The service worker. Browsers ask for it anew at most once a day, and whenever the page is opened."""
    return Response(_worker(), media_type="text/javascript", headers={"cache-control": "no-cache"})


ROUTES = [
    Route("/manifest.webmanifest", manifest, methods=["GET"], middleware=COMPRESSED),
    Route("/sw.js", worker, methods=["GET"], middleware=COMPRESSED),
]
