"""A whole running Waymark: real processes, a real database, a trained model."""

import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import psutil

from bot import accounts
from bot.storage.session import Database

ROOT = Path(__file__).parent.parent.parent
PASSWORD = "correct horse battery"
COUNSELLOR = "ana@example.org"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(look: Callable[[], Any], what: str, seconds: float = 30.0) -> Any:
    """What ``look`` returns once it is true."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if found := look():
            return found
        time.sleep(0.05)
    raise AssertionError(f"waited {seconds} s in vain for {what}")


class Installation:
    """``waymark serve`` in a home folder of its own."""

    def __init__(self, home: Path, **settings: str) -> None:
        self.home = home
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = os.environ | {
            "WAYMARK_HOME": str(home),
            "WAYMARK_PORT": str(self.port),
            "WAYMARK_REST": "1",
            "WAYMARK_MESSAGES_PER_MINUTE": "1000",
            **settings,
        }
        self.log = home / "serve.log"
        self.process: subprocess.Popen[bytes] | None = None

    def command(self, *arguments: str) -> str:
        """Runs a ``waymark`` command to its end."""
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=True,
        )  # fmt: skip
        return done.stdout

    def prepare(self) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        self.command("migrate")
        with self.database().write() as session:
            accounts.create(
                session, email=COUNSELLOR, name="Ana", roles=["counsellor", "editor", "reviewer"], password=PASSWORD
            )

    def database(self) -> Database:
        return Database(self.environment.get("WAYMARK_DATABASE_URL") or f"sqlite:///{self.home / 'waymark.db'}")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bot.cli", "serve"], cwd=ROOT, env=self.environment, stdout=log, stderr=log
            )
        eventually(self._answers, "the assistant's first answer", 90)

    def _answers(self) -> bool:
        try:
            return bool(self.ask("hello"))
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(30)

    def children(self) -> dict[str, psutil.Process]:
        """The processes under the supervisor, by role."""
        assert self.process is not None
        found = {}
        for child in psutil.Process(self.process.pid).children():
            try:
                arguments = child.cmdline()
            except psutil.NoSuchProcess:  # it died just now
                continue
            if "--role" in arguments:
                found[arguments[-1]] = child
        return found

    def ask(self, text: str, sender: str | None = None) -> list[dict[str, Any]]:
        """The replies to a message over Rasa's REST channel."""
        answer = httpx.post(
            f"{self.url}/webhooks/rest/webhook",
            json={"sender": sender or uuid.uuid4().hex, "message": text},
            timeout=60,
        )
        answer.raise_for_status()
        return list(answer.json())

    def person(self) -> "Person":
        return Person(self.url)

    def counsellor(self) -> "Counsellor":
        return Counsellor(self.url)


class Person:
    """Somebody on the web chat, through the interface that its page uses."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30)
        self.client.headers["authorization"] = f"Bearer {secrets.token_hex(16)}"
        self.seen = 0

    def write(self, text: str = "", **values: str) -> httpx.Response:
        return self.client.post("/chat/messages", json={"id": uuid.uuid4().hex, "text": text, **values})

    def new_replies(self) -> list[dict[str, Any]]:
        found = self.client.get("/chat/messages", params={"after": self.seen}).json()["messages"]
        self.seen = max((message["id"] for message in found), default=self.seen)
        return list(found)

    def ask(self, text: str = "", **values: str) -> list[dict[str, Any]]:
        """Writes and waits for the replies."""
        assert self.write(text, **values).status_code == 202
        return list(eventually(self.new_replies, f"an answer to {text or values}"))


class Counsellor:
    """Somebody in the console, by its pages and forms."""

    def __init__(self, url: str) -> None:
        self.client = httpx.Client(base_url=url, timeout=30, follow_redirects=True)
        self.client.headers["accept"] = "text/html"

    def get(self, path: str) -> str:
        return self.client.get(path).text

    def post(self, page: str, action: str, **fields: str) -> httpx.Response:
        """Opens ``page`` and submits its form to ``action`` with the page's own hidden fields."""
        content = self.get(page)
        hidden = dict(re.findall(r'<input[^>]*name="(csrf_token|key)"[^>]*value="([^"]*)"', content))
        return self.client.post(action, data=hidden | fields)

    def sign_in(self, email: str = COUNSELLOR, password: str = PASSWORD) -> httpx.Response:
        return self.post("/console/login", "/console/login", email=email, password=password)
