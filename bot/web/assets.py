"""The files of the chat, under addresses that change with their content, so that browsers need never ask again."""

import hashlib
from functools import cache
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from bot.web.access import PUBLIC, open_to
from bot.web.pages import COMPRESSED, FOLDER

STATIC = FOLDER / "static"
_FOREVER = "public, max-age=31536000, immutable"


@cache
def files() -> dict[str, Path]:
    """The files of the chat by their names below the folder of static files."""
    found = [STATIC / "chat.css", STATIC / "chat.js", STATIC / "icon.svg", *sorted((STATIC / "chat").iterdir())]
    return {path.relative_to(STATIC).as_posix(): path for path in found}


@cache
def version() -> str:
    """A short hash of all files: it changes when one of them does."""
    whole = hashlib.sha256()
    for name, path in files().items():
        whole.update(f"{name}\0".encode() + hashlib.sha256(path.read_bytes()).digest())
    return whole.hexdigest()[:12]


def address(name: str) -> str:
    """Where the file ``name`` is served today, such as ``/assets/0123456789ab/chat.css``."""
    return f"/assets/{version()}/{name}"


def kept_offline() -> list[str]:
    """Addresses of what the page needs to open without a network; pictures for home screens are not among it."""
    return [address(name) for name, path in files().items() if path.suffix in {".css", ".js", ".svg"}]


@open_to(PUBLIC)
async def asset(request: Request) -> Response:
    """A file of the chat. An old page that asks for an old version gets today's, not to be kept."""
    path = files().get(request.path_params["name"])
    if path is None:
        raise HTTPException(404)
    current = request.path_params["version"] == version()
    return FileResponse(path, headers={"cache-control": _FOREVER if current else "no-cache"})


ROUTES = [Route("/assets/{version}/{name:path}", asset, methods=["GET"], middleware=COMPRESSED)]
