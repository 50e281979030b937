"""telemelya, a Telegram that others wrote, in processes of its own: it delivers updates and keeps what a bot sends."""

import os
import secrets
import subprocess
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import redis
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.support.installation import ROOT, eventually, free_port

HOME = ROOT / ".tools" / "telemelya"
# a database that no other test uses
REDIS = urlsplit(os.environ.get("WAYMARK_TEST_REDIS", "redis://127.0.0.1:6379"))._replace(path="/10").geturl()
START_SECONDS = 90


def missing() -> str | None:
    """Why the emulator cannot run here; ``None`` if it can."""
    if not (HOME / ".ready").exists():
        return "the Telegram emulator is not installed; `make emulator` does it"
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.RedisError as problem:
        return f"the Telegram emulator needs a Redis ({type(problem).__name__})"
    return None


class Emulator:
    """One bot in the emulator, and the people who write to it."""

    def __init__(self, url: str, key: str) -> None:
        self.url = url
        self.token = f"123456:{secrets.token_hex(16)}"
        # what was sent in earlier runs is still in Redis, under other sessions
        headers = {"authorization": f"Bearer {key}", "x-test-session": uuid.uuid4().hex}
        self._control = httpx.Client(base_url=f"{url}/api/v1/test", headers=headers, timeout=60)

    def healthy(self) -> bool:
        """Whether it and what it needs answer."""
        try:
            return bool(self._control.get("/health").json()["ok"])
        except httpx.TransportError:
            return False

    def webhook(self) -> str:
        """Where the bot wants its updates; empty until it said so."""
        answer = httpx.post(f"{self.url}/bot{self.token}/getWebhookInfo", timeout=60).json()
        return str(answer["result"]["url"])

    def write(self, chat: int, text: str) -> dict[str, Any]:
        """A person writes; returns the update as the bot accepted it."""
        return self._deliver(chat_id=chat, text=text)

    def press(self, chat: int, message: int, data: str) -> dict[str, Any]:
        """A person presses a button under the bot's message of that number; returns the update."""
        return self._deliver(chat_id=chat, callback_message_id=message, callback_data=data)

    def _deliver(self, **what: Any) -> dict[str, Any]:
        answer = self._control.post("/send_update", params={"bot_token": self.token}, json=what)
        assert answer.status_code == 200, answer.text
        assert answer.json()["delivery"]["status_code"] == 200, answer.text
        return dict(answer.json()["update"])

    def calls(self, method: str) -> list[dict[str, Any]]:
        """What the bot did by one method of the Bot API, oldest first."""
        calls = self._control.get("/responses").json()["responses"]
        return [call for call in calls if call["method"] == method]

    def forget(self) -> None:
        """Removes what this bot left in Redis and in the store for media."""
        httpx.post(f"{self.url}/bot{self.token}/deleteWebhook", timeout=60)
        self._control.post("/reset")
        self._control.close()


class Relay:
    """Stands between the emulator and Waymark, because the emulator forgets the secret that it was given.

    It keeps what Waymark answers, because the emulator does not do what such an answer asks for.
    """

    def __init__(self, secret: str) -> None:
        self.secret = secret
        self.target = ""
        self.answers: list[dict[str, Any]] = []
        self.app = Starlette(routes=[Route("/{path:path}", self._pass_on, methods=["POST"])])

    async def _pass_on(self, request: Request) -> Response:
        headers = {"content-type": "application/json", "x-telegram-bot-api-secret-token": self.secret}
        async with httpx.AsyncClient(base_url=self.target, timeout=60) as client:
            answer = await client.post(request.url.path, content=await request.body(), headers=headers)
        if answer.content:
            self.answers.append(answer.json())
        return Response(answer.content, answer.status_code, media_type=answer.headers.get("content-type"))


@contextmanager
def emulate(folder: Path) -> Iterator[Emulator]:
    """Runs the emulator and the store for media that it wants; their logs are in ``folder``."""
    store, port, key = free_port(), free_port(), secrets.token_hex(16)
    settings = {
        "MOCK_SERVER_HOST": "127.0.0.1",
        "MOCK_SERVER_PORT": str(port),
        "REDIS_URL": REDIS,
        "MINIO_ENDPOINT": f"127.0.0.1:{store}",
        "AUTH_KEYS": key,
    }
    with ExitStack() as running:
        # the emulator ends itself when it cannot reach its store as it starts
        running.enter_context(_process(folder, "moto.server", ["-H", "127.0.0.1", "-p", str(store)], {}))
        eventually(lambda: _answers(f"http://127.0.0.1:{store}"), "the store for media", START_SECONDS)
        server = running.enter_context(_process(folder, "telemelya.server.app", [], settings))
        emulator = Emulator(f"http://127.0.0.1:{port}", key)
        eventually(lambda: emulator.healthy() or server.poll() is not None, "the Telegram emulator", START_SECONDS)
        assert server.poll() is None, (folder / "telemelya.server.app.log").read_text()
        running.callback(emulator.forget)
        yield emulator


@contextmanager
def _process(
    folder: Path, module: str, arguments: list[str], settings: dict[str, str]
) -> Iterator[subprocess.Popen[bytes]]:
    with (folder / f"{module}.log").open("wb") as log:
        process = subprocess.Popen(
            [HOME / "bin" / "python", "-m", module, *arguments],
            cwd=folder, env=os.environ | settings, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=10).is_success
    except httpx.TransportError:
        return False
