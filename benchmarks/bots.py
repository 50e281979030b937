"""The assistants under load: Waymark on its databases, and the bot that `rasa init` makes."""

import os
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psutil
import redis
from sqlalchemy import create_engine, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from benchmarks.talk import PHONE_ID, SECRET
from tests.support.installation import ROOT, Installation, eventually, free_port

POSTGRES = os.environ.get("WAYMARK_TEST_POSTGRES", "postgresql+psycopg2://postgres@127.0.0.1/postgres")
REDIS = os.environ.get("WAYMARK_TEST_REDIS", "redis://127.0.0.1:6379/8")
STOCK_PYTHON = ROOT / ".tools" / "tensorflow" / "bin" / "python"
STOCK = ROOT / ".tools" / "moodbot"


class Missing(Exception):
    """This machine lacks what an assistant needs; the message says what."""


@dataclass
class Bot:
    """A running assistant."""

    port: int
    processes: list[int] = field(default_factory=list)  # those that were started; their children belong to them

    def memory(self) -> float:
        """Resident memory of all its processes together, in MB; a database server's is not in it."""
        found = {}
        for number in self.processes:
            parent = psutil.Process(number)
            for process in (parent, *parent.children(recursive=True)):
                found[process.pid] = process.memory_info().rss
        return sum(found.values()) / 1e6


@contextmanager
def waymark(graph_url: str, *, brains: int = 1, scaled: bool = False) -> Iterator[Bot]:
    """Waymark with WhatsApp and the REST channel.

    Args:
        graph_url: Where the stand-in of the Graph API answers.
        brains: How many brain processes there are.
        scaled: Whether it runs on PostgreSQL and Redis, instead of SQLite.

    Raises:
        Missing: There is no PostgreSQL or Redis.
    """
    whatsapp = {
        "WAYMARK_WHATSAPP_TOKEN": "graph-token",
        "WAYMARK_WHATSAPP_PHONE_ID": PHONE_ID,
        "WAYMARK_WHATSAPP_APP_SECRET": SECRET,
        "WAYMARK_WHATSAPP_VERIFY_TOKEN": "verify-me",
        "WAYMARK_WHATSAPP_API": graph_url,
    }
    with tempfile.TemporaryDirectory() as home, _databases(scaled) as databases:
        installation = Installation(
            Path(home), WAYMARK_MESSAGES_PER_MINUTE="1000000", WAYMARK_REST="1", **whatsapp, **databases
        )
        installation.prepare()
        further: list[subprocess.Popen[bytes]] = []
        try:
            installation.start()
            assert installation.process is not None
            with installation.log.open("ab") as log:
                further += [_brain(installation, log.fileno()) for _ in range(brains - 1)]
            for process in further:
                eventually(lambda p=process: _talks_to_redis(p.pid), "a further brain", 60)  # type: ignore[misc]
            yield Bot(installation.port, [installation.process.pid, *(process.pid for process in further)])
        finally:
            for process in further:
                process.kill()
                process.wait()
            installation.stop()


def _brain(installation: Installation, log: int) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-m", "bot.cli", "serve", "--role", "brain"]
    return subprocess.Popen(command, cwd=ROOT, env=installation.environment, stdout=log, stderr=log)


def _talks_to_redis(pid: int) -> bool:
    """Whether a brain listens for work, which it does once its model is loaded."""
    port = make_url(REDIS).port or 6379
    return any(row.raddr and row.raddr.port == port for row in psutil.Process(pid).net_connections("tcp"))


@contextmanager
def _databases(scaled: bool) -> Iterator[dict[str, str]]:
    if not scaled:
        yield {}
        return
    admin = create_engine(POSTGRES, isolation_level="AUTOCOMMIT", connect_args={"connect_timeout": 3})
    name = f"waymark_bench_{uuid.uuid4().hex[:12]}"
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=3).ping()
        with admin.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
    except (redis.RedisError, SQLAlchemyError) as problem:
        raise Missing(f"needs PostgreSQL and Redis ({type(problem).__name__})") from None
    url = admin.url.set(database=name).render_as_string(hide_password=False)
    try:
        with create_engine(url).begin() as connection:
            connection.execute(text("CREATE SCHEMA tracker"))
        yield {
            "WAYMARK_DATABASE_URL": url,
            "WAYMARK_TRACKER_URL": f"{url}?options=-csearch_path%3Dtracker",
            "WAYMARK_REDIS_URL": REDIS,
        }
    finally:
        with admin.connect() as connection:
            connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))


@contextmanager
def stock() -> Iterator[Bot]:
    """What `rasa init` makes, trained by Rasa with TensorFlow, as it is served on the REST channel by default.

    Raises:
        Missing: TensorFlow is not installed for the benchmark, or Rasa could not train the bot.
    """
    if not STOCK_PYTHON.exists():
        raise Missing("needs TensorFlow (make .tools/tensorflow/.ready)")
    if not list(STOCK.glob("models/*.tar.gz")):
        STOCK.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [*_rasa(), "init", "--no-prompt", "--init-dir", str(STOCK)], env=_environment(), capture_output=True,
            text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise Missing(f"could not be trained: {done.stderr.splitlines()[-1:]}")
    port = free_port()
    process = subprocess.Popen(
        [*_rasa(), "run", "--interface", "127.0.0.1", "--port", str(port)], cwd=STOCK, env=_environment(),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for_rest(port)
        yield Bot(port, [process.pid])
    finally:
        process.terminate()
        process.wait(30)


def _rasa() -> list[str]:
    return [str(STOCK_PYTHON), "-W", "ignore", "-m", "rasa"]


def _environment() -> dict[str, str]:
    return os.environ | {"RASA_TELEMETRY_ENABLED": "false", "TF_CPP_MIN_LOG_LEVEL": "3"}


def _wait_for_rest(port: int, seconds: float = 120.0) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            call = {"sender": "first", "message": "hello"}
            if httpx.post(f"http://127.0.0.1:{port}/webhooks/rest/webhook", json=call, timeout=60).json():
                return
        except (httpx.TransportError, ValueError):  # it answers, but not yet with JSON, while it loads
            pass
        time.sleep(0.5)
    raise Missing("did not answer in time")
