"""The same code on PostgreSQL and Redis, with two brains beside each other."""

import os
import subprocess
import sys
import uuid
from collections import Counter

import httpx
import pytest
import redis
from sqlalchemy import create_engine, func, select, text

from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from tests.support.installation import ROOT, Installation, eventually

REDIS = os.environ.get("WAYMARK_TEST_REDIS", "redis://127.0.0.1:6379/9")


@pytest.fixture
def scaled(trained, postgres_url, tmp_path):
    try:
        redis.Redis.from_url(REDIS, socket_connect_timeout=2).ping()
    except redis.RedisError:
        pytest.skip("there is no Redis on this machine")
    admin = create_engine(postgres_url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        for schema in ("public", "tracker"):
            connection.execute(text(f"DROP SCHEMA IF EXISTS {schema} CASCADE"))
            connection.execute(text(f"CREATE SCHEMA {schema}"))
    waymark = Installation(
        tmp_path / "home",
        WAYMARK_DATABASE_URL=postgres_url,
        WAYMARK_TRACKER_URL=f"{postgres_url}?options=-csearch_path%3Dtracker",
        WAYMARK_REDIS_URL=REDIS,
    )
    waymark.prepare()
    waymark.start()
    second = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", "serve", "--role", "brain"], cwd=ROOT, env=waymark.environment
    )
    yield waymark
    second.kill()
    second.wait()
    waymark.stop()


def test_two_brains_answer_every_message_once(scaled):
    people = [uuid.uuid4().hex for _ in range(20)]
    with httpx.Client(base_url=scaled.url) as client:
        for turn in range(3):
            for person in people:
                body = {"id": f"message-{turn}", "text": "c'est gratuit ?"}
                headers = {"authorization": f"Bearer {person}"}
                assert client.post("/chat/messages", json=body, headers=headers).status_code == 202

    def done() -> bool:
        with scaled.database().read() as session:
            where = (InboxMessage.channel == "web", InboxMessage.state == "done")
            return session.scalar(select(func.count()).where(*where)) == 60

    eventually(done, "all messages to be answered", 90)
    with scaled.database().read() as session:
        causes = Counter(cause.split(":")[1] for cause in session.scalars(select(OutboxMessage.cause)))
        messages = session.scalars(select(InboxMessage.id).where(InboxMessage.channel == "web")).all()
    assert sorted({causes[str(number)] for number in messages}) == [1, 2]  # the first of each person is greeted too
    assert sum(causes[str(number)] for number in messages) == 60 + 20


def test_a_conversation_on_postgres(scaled):
    person = scaled.person()
    assert "Source" in person.ask("is it free")[-1]["text"]
    assert "W-" in person.ask("I want to talk to a human")[-1]["text"]
    person.ask("/delete")
    assert "deleted" in person.ask(payload="d:yes")[-1]["text"]
