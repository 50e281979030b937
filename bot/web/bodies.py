"""Reading request bodies with a limit, and JSON with clear errors."""

import json
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request


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
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HTTPException(400, "The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise HTTPException(400, "The body must be a JSON object.")
    return found
