"""Reading request bodies with a limit, and JSON with clear errors."""

from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request

from bot.channels.base import json_object
from bot.messaging.hooks import HookRefused


async def limited_body(request: Request, limit: int) -> bytes:
    """The raw body.

    Raises:
        HTTPException: 413 when it is larger than ``limit`` bytes.
    """
    if int(request.headers.get("content-length") or 0) > limit:
        raise HTTPException(413, f"The message is larger than {limit // 1024} kB.")
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > limit:
            raise HTTPException(413, f"The message is larger than {limit // 1024} kB.")
        chunks.append(chunk)
    return b"".join(chunks)


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object in ``body``.

    Raises:
        HTTPException: 400 when it is not one.
    """
    try:
        return json_object(body)
    except HookRefused as refused:
        raise HTTPException(refused.status, str(refused)) from None
