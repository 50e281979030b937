"""A stand-in for Meta's Graph API that does next to nothing: it accepts, and tells the load generator what came when.

Run in a process of its own: ``python benchmarks/graph.py PORT SOCKET``. Each message to a person is a line on the
Unix socket: the address and the moment (``time.perf_counter``, which all processes of a machine share on Linux).
"""

import asyncio
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import uvicorn

Receive = Callable[[], Awaitable[dict[str, Any]]]
Send = Callable[[dict[str, Any]], Awaitable[None]]


class Graph:
    """The ASGI app, and the listeners it tells."""

    def __init__(self) -> None:
        self._listeners: set[asyncio.StreamWriter] = set()
        self._count = 0

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Accepts whatever is sent."""
        content, more = b"", True
        while more:
            part = await receive()
            content += part.get("body", b"")
            more = part.get("more_body", False)
        moment = time.perf_counter()
        if address := json.loads(content or b"{}").get("to"):
            for listener in self._listeners:
                listener.write(f"{address} {moment}\n".encode())
        self._count += 1
        answer = json.dumps({"success": True, "messages": [{"id": f"wamid.{self._count}"}]}).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(answer)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})

    async def listen(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Tells a listener until it goes away."""
        self._listeners.add(writer)
        await reader.read()
        self._listeners.discard(writer)
        writer.close()


async def main(port: int, path: str) -> None:
    """Serves until ended."""
    graph = Graph()
    config = uvicorn.Config(graph, port=port, lifespan="off", ws="none", log_config=None, access_log=False)
    async with await asyncio.start_unix_server(graph.listen, path):
        await uvicorn.Server(config).serve()


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]), sys.argv[2]))
