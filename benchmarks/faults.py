"""Kills the brain again and again while people write, then counts what was lost and what was said twice.

Run: ``make faults``. Everything is real but the providers, for which the tests' stand-ins answer. People write over the
web chat, WhatsApp and Telegram; webhooks come twice and out of order. Counted at the providers' side:
``lost``: accepted messages without an answer, and answers that are noted as sent but never arrived;
``duplicated``: answers that arrived twice. Telegram tells nothing of what arrived, so that an answer whose process
died between its arrival and our note of it is sent again (docs/delivery.md): these are told apart.
"""

import argparse
import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import httpx
from sqlalchemy import func, select

sys.path.insert(0, str(Path(__file__).parent.parent))

from bot.storage.conversation import Contact
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from tests.support.botapi import BotApi
from tests.support.graph import Graph
from tests.support.graph_hooks import Reporter, body, signature, value
from tests.support.installation import ROOT, Installation, eventually
from tests.support.postgres import Postgres
from tests.support.server import serve

SECRET = "app-secret"
QUESTIONS = ("how many bags can i take", "c'est gratuit ?", "hello", "perdi mi pasaporte", "/help")
TALK = 12  # messages after which a person is followed by another: WhatsApp limits how much one may be sent
PEOPLE = 8  # writing at the same time in each channel
PAUSE = 0.9  # seconds between two messages of a person
FIGURES = ("lost", "duplicated", "repeated", "accepted")


@dataclass
class Load:
    """People who write until told to stop, and what was accepted from them."""

    waymark: Installation
    graph: Graph
    telegram: BotApi
    accepted: set[tuple[str, str]] = field(default_factory=set)
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    updates: int = 0

    async def run(self) -> None:
        """Writes from many people at once."""
        async with httpx.AsyncClient(base_url=self.waymark.url, timeout=20) as client:
            channels = (self._web, self._whatsapp, self._telegram)
            await asyncio.gather(*(self._people(client, say, n) for say in channels for n in range(PEOPLE)))

    async def _people(self, client: httpx.AsyncClient, say, number: int) -> None:  # type: ignore[no-untyped-def]
        turn = 0
        while not self.stop.is_set():
            person = number * 1000 + turn // TALK
            await say(client, person, turn)
            turn += 1
            await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)

    async def _insist(self, client: httpx.AsyncClient, path: str, **request) -> None:  # type: ignore[no-untyped-def]
        while True:
            try:
                answer = await client.post(path, **request)
                if answer.status_code in (200, 202):
                    return
            except httpx.TransportError:
                pass
            await asyncio.sleep(0.2)

    async def _web(self, client: httpx.AsyncClient, person: int, turn: int) -> None:
        headers = {"authorization": f"Bearer {person:032x}"}
        body = {"id": f"message-{turn:05d}", "text": QUESTIONS[turn % len(QUESTIONS)]}
        for _ in range(1 + (turn % 4 == 0)):
            await self._insist(client, "/chat/messages", json=body, headers=headers)
        self.accepted.add(("web", f"{person}-{turn}"))

    async def _whatsapp(self, client: httpx.AsyncClient, person: int, turn: int) -> None:
        number = f"wamid.{person}.{turn}"
        sender = f"32470{person:06d}"
        message = {"from": sender, "id": number, "timestamp": str(int(time.time())), "type": "text"}
        message |= {"text": {"body": QUESTIONS[turn % len(QUESTIONS)]}}
        content = json.dumps(body(value(self.graph.phone_id, messages=[message]))).encode()
        headers = {"x-hub-signature-256": signature(SECRET, content)}
        for _ in range(1 + (turn % 4 == 0)):
            await self._insist(client, "/webhooks/whatsapp", content=content, headers=headers)
        self.accepted.add(("whatsapp", number))

    async def _telegram(self, _client: httpx.AsyncClient, person: int, turn: int) -> None:
        self.updates += 1
        sender = {"id": 10_000 + person, "is_bot": False, "first_name": "A", "language_code": "en"}
        message = {"message_id": turn + 1, "date": int(time.time()), "from": sender}
        message |= {"chat": {"id": 10_000 + person, "type": "private"}, "text": QUESTIONS[turn % len(QUESTIONS)]}
        self.telegram.updates.append({"update_id": self.updates, "message": message})
        self.accepted.add(("telegram", str(self.updates)))


class Brain:
    """The killed one: starts again by itself at once."""

    def __init__(self, waymark: Installation) -> None:
        self.log = (waymark.home / "brain.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, "-W", "ignore", "benchmarks/zygote.py"],
            cwd=ROOT, env=waymark.environment, stdout=subprocess.PIPE, stderr=self.log, text=True,
        )  # fmt: skip
        self.life = 0
        threading.Thread(target=self._follow, daemon=True).start()
        eventually(lambda: self.life, "the brain", 120)

    def _follow(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.life = int(line)

    async def kill(self) -> None:
        """Ends this life without warning; the next has begun when this returns."""
        life = self.life
        os.kill(life, signal.SIGKILL)
        await asyncio.to_thread(eventually, lambda: self.life != life, "the next life")

    def stop(self) -> None:
        """Ends it for good."""
        self.process.kill()
        os.kill(self.life, signal.SIGKILL)


def edge(waymark: Installation) -> subprocess.Popen[bytes]:
    """Starts the edge alone."""
    command = [sys.executable, "-m", "bot.cli", "serve", "--role", "edge"]
    with waymark.log.open("ab") as log:
        process = subprocess.Popen(command, cwd=ROOT, env=waymark.environment, stdout=log, stderr=log)
    eventually(lambda: _live(waymark), "the edge", 60)
    return process


def _live(waymark: Installation) -> bool:
    try:
        return httpx.get(f"{waymark.url}/health/live").is_success
    except httpx.TransportError:
        return False


def unsettled(waymark: Installation) -> int:
    """Messages that wait for an answer or for delivery."""
    with waymark.database().read() as session:
        waiting = select(func.count()).where(InboxMessage.state == "waiting")
        sending = select(func.count()).where(OutboxMessage.state.in_(("due", "sending")))
        return (session.scalar(waiting) or 0) + (session.scalar(sending) or 0)


@dataclass
class Count:
    """What a run comes to."""

    lost: int
    duplicated: int
    repeated: int  # on Telegram, as documented
    accepted: int


def count(waymark: Installation, load: Load) -> Count:
    """Compares what was accepted with what arrived at the providers."""
    with waymark.database().read() as session:
        heard = Counter(session.scalars(select(InboxMessage.channel).where(InboxMessage.state == "done")))
        answered = {
            int(cause.split(":")[1]) for cause in session.scalars(select(OutboxMessage.cause)) if cause[:5] == "inbox"
        }
        inbox = set(session.scalars(select(InboxMessage.id).where(InboxMessage.state == "done")))
        sent = session.execute(
            select(OutboxMessage.id, OutboxMessage.parts_sent, Contact.channel, Contact.address)
            .join(Contact, Contact.conversation_id == OutboxMessage.conversation_id)
            .where(OutboxMessage.state == "sent")
        ).all()
    accepted = Counter(channel for channel, _ in load.accepted)
    lost = sum(max(0, accepted[channel] - heard[channel]) for channel in accepted) + len(inbox - answered)
    duplicated = sum(max(0, heard[channel] - accepted[channel]) for channel in accepted)
    arrived = Counter(body["biz_opaque_callback_data"] for body in load.graph.sent)
    noted = [str(row.id) for row in sent if row.channel == "whatsapp"]
    lost += sum(arrived[reference] == 0 for reference in noted)
    duplicated += sum(times - 1 for times in arrived.values())
    parts = Counter[str]()
    for row in sent:
        if row.channel == "telegram":
            parts[row.address] += row.parts_sent + 1
    shown = Counter(str(call["chat_id"]) for call in load.telegram.of("sendMessage"))
    lost += sum(max(0, parts[chat] - shown[chat]) for chat in parts)
    repeated = sum(max(0, shown[chat] - parts[chat]) for chat in shown)
    return Count(lost, duplicated, repeated, len(load.accepted))


async def torment(brain: Brain, load: Load, kills: int, crashes: int, postgres: Postgres | None) -> None:
    """Kills the brain and crashes the database in any order, at random moments, while people write."""
    writing = asyncio.create_task(load.run())
    await asyncio.sleep(3)
    blows = random.sample([True] * kills + [False] * crashes, kills + crashes)
    for number, kill in enumerate(blows, start=1):
        await asyncio.sleep(random.uniform(0.05, 2.0))
        if kill:
            await brain.kill()
        elif postgres is not None:
            await asyncio.to_thread(postgres.crash)
        if number % 10 == 0:
            print(f"{number} blows, {len(load.accepted)} messages accepted", flush=True)
    load.stop.set()
    await writing


def run(kills: int, crashes: int = 0, postgres: Postgres | None = None) -> Count:
    """People write, the brain is killed and the database crashed so many times; then what arrived is counted."""
    graph, telegram = Graph(), BotApi()
    with tempfile.TemporaryDirectory() as home, serve(graph.app) as url, serve(telegram.app) as bot_url:
        settings = {
            "WAYMARK_MESSAGES_PER_MINUTE": "100000",
            "WAYMARK_TELEGRAM_TOKEN": telegram.token,
            "WAYMARK_TELEGRAM_API": bot_url,
            **graph.settings(url, SECRET),
        }
        if postgres is not None:
            settings["WAYMARK_DATABASE_URL"] = postgres.database("waymark")
            settings["WAYMARK_TRACKER_URL"] = postgres.database("tracker")
        waymark = Installation(Path(home), **settings)
        graph.reporter = Reporter(f"{waymark.url}/webhooks/whatsapp", SECRET, graph.phone_id)
        waymark.prepare()
        front, brain = edge(waymark), Brain(waymark)
        load = Load(waymark, graph, telegram)
        try:
            asyncio.run(torment(brain, load, kills, crashes, postgres))
            eventually(lambda: not unsettled(waymark), "everything to be answered and delivered", 300)
            return count(waymark, load)
        finally:
            brain.stop()
            front.send_signal(signal.SIGTERM)
            front.wait(30)


def main() -> int:
    """Runs on SQLite, then on a PostgreSQL that is crashed as well; counts; ends with one line."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--kills", type=int, default=100)
    options.add_argument("--seed", type=int, default=int(time.time()))
    chosen = options.parse_args()
    random.seed(chosen.seed)
    print(f"seed {chosen.seed}", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        fifth = chosen.kills // 5
        postgres = Postgres(Path(folder) / "pg")
        found = [run(chosen.kills - fifth), run(fifth, fifth // 4, postgres)]
        postgres.stop()
    lost, duplicated, repeated, accepted = (sum(getattr(row, name) for row in found) for name in FIGURES)
    print(f"telegram: {repeated} answers sent again because their arrival was not known (docs/delivery.md)")
    print(f"kills={chosen.kills} accepted={accepted} lost={lost} duplicated={duplicated}")
    return 1 if lost or duplicated else 0


if __name__ == "__main__":
    sys.exit(main())
