"""A line to a provider that fails the way lines fail; the provider behind it may well have done its part."""

import asyncio
from typing import Literal

from starlette.types import ASGIApp, Message, Receive, Scope, Send

Mode = Literal["up", "down", "late", "cut"]


class Line:
    """Passes requests on, or not.

    Attributes:
        mode: ``up``; ``down``: answered with an error by something in between, the provider hears nothing;
            ``late``: the provider acts, its answer comes after ``delay`` seconds; ``cut``: the provider acts,
            and the connection breaks before its answer is whole.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app
        self.mode: Mode = "up"
        self.delay = 1.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        mode = self.mode
        if mode == "down":
            await send({"type": "http.response.start", "status": 503, "headers": [(b"content-type", b"text/html")]})
            await send({"type": "http.response.body", "body": b"<h1>Service unavailable</h1>"})
            return
        if mode == "up":
            await self._app(scope, receive, send)
            return
        said: list[Message] = []

        async def keep(message: Message) -> None:
            said.append(message)

        await self._app(scope, receive, keep)
        if mode == "late":
            await asyncio.sleep(self.delay)
            for message in said:
                await send(message)
            return
        start = said[0] | {"headers": [(b"content-length", b"1000000")]}
        await send(start)
        await send({"type": "http.response.body", "body": b"{", "more_body": True})
        raise ConnectionAbortedError
