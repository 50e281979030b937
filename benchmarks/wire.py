"""HTTP over bare sockets: what a load generator needs of it, at next to no cost."""

import asyncio
import time

_IDLE = 3.0  # seconds after which a kept connection is not trusted; servers close theirs after 5


class Wire:
    """Kept-alive connections to one server, opened as they are needed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._free: list[tuple[asyncio.StreamReader, asyncio.StreamWriter, float]] = []

    async def post(self, path: str, body: bytes, headers: dict[str, str] | None = None) -> tuple[int, bytes]:
        """Sends a request.

        Returns:
            Status and body of the answer.

        Raises:
            OSError: The connection broke.
            EOFError: The server closed it before the whole answer was there.
        """
        reader, writer = await self._connection()
        lines = [f"POST {path} HTTP/1.1", "host: 127.0.0.1", "content-type: application/json"]
        lines += [f"content-length: {len(body)}", *(f"{name}: {value}" for name, value in (headers or {}).items())]
        writer.write("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
        fields = dict(line.split(": ", 1) for line in head[1:] if line)
        content = await reader.readexactly(int(fields["content-length"]))
        self._free.append((reader, writer, time.perf_counter()))
        return int(head[0].split()[1]), content

    async def _connection(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        while self._free:
            reader, writer, since = self._free.pop()
            if time.perf_counter() - since < _IDLE and not reader.at_eof():
                return reader, writer
            writer.close()
        return await asyncio.open_connection("127.0.0.1", self._port)

    def close(self) -> None:
        """Closes the connections that are not in use."""
        for _, writer, _ in self._free:
            writer.close()
