"""Waking the other process: datagrams on the same machine, Redis between machines. Losing one is harmless."""

import asyncio
import contextlib
import hashlib
import os
import socket
import tempfile
from collections.abc import Callable
from pathlib import Path

import redis.asyncio

Callback = Callable[[str], None]


class LocalPoke:
    """Pokes between processes of one machine over Unix datagram sockets in a private folder."""

    def __init__(self, home: Path) -> None:
        digest = hashlib.sha256(str(home.absolute()).encode()).hexdigest()[:12]
        # sockets need short paths, and the home folder's may be long
        self._folder = Path(tempfile.gettempdir()) / f"waymark-{os.getuid()}-{digest}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._sender = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sender.setblocking(False)

    async def send(self, topic: str, key: str = "") -> None:
        """Tells every listener of ``topic`` on this machine that ``key`` has news."""
        for path in self._folder.glob(f"{topic}.*"):
            with contextlib.suppress(OSError):
                self._sender.sendto(key.encode(), str(path))

    async def listen(self, topic: str, callback: Callback) -> None:
        """Calls ``callback`` with the key of each poke, until cancelled."""
        path = self._folder / f"{topic}.{os.getpid()}.{id(callback)}"
        self._folder.mkdir(mode=0o700, exist_ok=True)
        self._clean(topic)
        receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        receiver.setblocking(False)
        receiver.bind(str(path))
        try:
            loop = asyncio.get_running_loop()
            while True:
                callback((await loop.sock_recv(receiver, 256)).decode())
        finally:
            receiver.close()
            path.unlink(missing_ok=True)
            with contextlib.suppress(OSError):  # others listen still
                self._folder.rmdir()

    def _clean(self, topic: str) -> None:
        for path in self._folder.glob(f"{topic}.*"):
            if not Path(f"/proc/{path.name.split('.')[1]}").exists() and Path("/proc").exists():
                path.unlink(missing_ok=True)


class RedisPoke:
    """Pokes over Redis publish/subscribe, for several machines."""

    def __init__(self, url: str) -> None:
        self._redis = redis.asyncio.from_url(url)

    async def send(self, topic: str, key: str = "") -> None:
        """Publishes a poke; a Redis that is away is no reason to fail, polling goes on."""
        with contextlib.suppress(redis.RedisError, OSError):
            await self._redis.publish(f"waymark:{topic}", key)

    async def listen(self, topic: str, callback: Callback) -> None:
        """Calls ``callback`` with the key of each poke, until cancelled; reconnects by itself."""
        while True:
            try:
                async with self._redis.pubsub() as channel:
                    await channel.subscribe(f"waymark:{topic}")
                    async for message in channel.listen():
                        if message["type"] == "message":
                            callback(message["data"].decode())
            except (redis.RedisError, OSError):
                await asyncio.sleep(2)


def make_poke(home: Path, redis_url: str) -> LocalPoke | RedisPoke:
    """Redis where there is one, the local machine otherwise."""
    return RedisPoke(redis_url) if redis_url else LocalPoke(home)
