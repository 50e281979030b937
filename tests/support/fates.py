"""How stand-ins for providers fail: they refuse, stay silent, hang up, or answer byte by byte."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse


@dataclass(frozen=True)
class Fate:
    """What becomes of one request. All but a refusal befall a request that was accepted.

    Attributes:
        refusal: Answered at once; nothing is accepted.
        silence: Seconds before the answer.
        hang_up: The connection is closed without an answer.
        dribble: Seconds between the bytes of the answer.
    """

    refusal: Response | None = None
    silence: float = 0.0
    hang_up: bool = False
    dribble: float = 0.0

    async def befall(self, request: Request, answer: Response) -> Response:
        """The answer as it is given, if it is."""
        if self.silence:
            await asyncio.sleep(self.silence)
        if self.hang_up:
            await hang_up(request)
        if self.dribble:
            return StreamingResponse(self._bytes(answer), answer.status_code, media_type=answer.media_type)
        return answer

    async def _bytes(self, answer: Response) -> AsyncIterator[bytes]:
        for byte in bytes(answer.body):
            yield bytes([byte])
            await asyncio.sleep(self.dribble)


async def hang_up(request: Request) -> None:
    """Closes the connection that a request came over; what is answered afterwards is lost."""
    cycle: Any = request.receive.__self__  # type: ignore[attr-defined]  # uvicorn's own state of the request
    cycle.transport.close()
    await asyncio.sleep(0.01)  # until the server has noticed
