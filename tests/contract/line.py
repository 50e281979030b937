"""The way to a platform: calls get lost on it, or are answered too late."""

import asyncio
import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Literal

from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from tests.support.fates import hang_up

Fault = Literal["", "broken", "late", "cut"]


@dataclass
class Line:
    """Passes calls on to ``app``, which every test sets anew.

    Attributes:
        sending: How the path ends whose calls are disturbed.
        delay: Seconds by which a late answer is late.
        taken: Set once the platform took a call whose answer will be late or lost.
    """

    sending: str
    app: ASGIApp | None = None
    delay: float = 1.0
    taken: threading.Event = field(default_factory=threading.Event)
    _faults: deque[Fault] = field(default_factory=deque)

    def reset(self, app: ASGIApp) -> None:
        """Leads to another platform from now on, undisturbed."""
        self.app = app
        self._faults.clear()
        self.taken.clear()

    def disturb(self, fault: Fault, after: int = 0) -> None:
        """Disturbs one call after ``after`` others.

        ``broken``: answered with a server error, the platform hears nothing; ``late``: taken, but answered too late;
        ``cut``: taken, and the connection breaks before the answer.
        """
        self._faults.extend([""] * after)
        self._faults.append(fault)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        assert self.app is not None
        hit = bool(self._faults) and scope["path"].endswith(self.sending)
        fault = self._faults.popleft() if hit else ""
        if fault == "broken":
            await PlainTextResponse("<html>Internal Server Error</html>", 500)(scope, receive, send)
        elif fault:
            await self._unheard(fault, scope, receive, send)
        else:
            await self.app(scope, receive, send)

    async def _unheard(self, fault: Fault, scope: Scope, receive: Receive, send: Send) -> None:
        answers: list[Message] = []

        async def keep(message: Message) -> None:
            answers.append(message)

        assert self.app is not None
        await self.app(scope, receive, keep)
        self.taken.set()
        if fault == "late":
            await asyncio.sleep(self.delay)
            for answer in answers:
                await send(answer)
        else:
            await hang_up(Request(scope, receive))
