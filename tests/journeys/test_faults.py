"""Processes are killed without warning while messages are in flight: every message is answered, none twice."""

import sqlite3
import threading
import time
import uuid
from collections import Counter

import httpx
import pytest

from tests.support.installation import Installation, eventually

PEOPLE, EACH = 40, 5


@pytest.fixture
def own(trained, tmp_path):
    waymark = Installation(tmp_path / "home")
    waymark.prepare()
    waymark.start()
    yield waymark
    waymark.stop()


def send_all(waymark: Installation) -> list[threading.Thread]:
    """Forty people write five messages each; every message is sent until it is accepted."""

    def write(number: int) -> None:
        headers = {"authorization": f"Bearer {number:032x}"}
        for turn in range(EACH):
            body = {
                "id": f"message-{number}-{turn}",
                "text": "c'est gratuit ?" if turn % 2 else "how many bags can i take",
            }
            while True:
                try:
                    if httpx.post(f"{waymark.url}/chat/messages", json=body, headers=headers).status_code == 202:
                        break
                except httpx.TransportError:
                    pass
                time.sleep(0.05)

    threads = [threading.Thread(target=write, args=(number,), daemon=True) for number in range(PEOPLE)]
    for thread in threads:
        thread.start()
    return threads


def rows(waymark: Installation, query: str) -> list[tuple]:
    with sqlite3.connect(waymark.home / "waymark.db", timeout=30) as connection:
        return connection.execute(query).fetchall()


def done(waymark: Installation) -> int:
    return rows(waymark, "SELECT count(*) FROM inbox WHERE channel = 'web' AND state = 'done'")[0][0]


def check_all_answered_once(waymark: Installation, threads: list[threading.Thread]) -> None:
    for thread in threads:
        thread.join(60)
    eventually(lambda: done(waymark) == PEOPLE * EACH, "all messages to be answered", 120)
    messages = rows(waymark, "SELECT id, conversation_id FROM inbox WHERE channel = 'web' ORDER BY id")
    assert len(messages) == PEOPLE * EACH
    first = {conversation: inbox_id for inbox_id, conversation in reversed(messages)}
    causes = Counter(
        row[0].split(":")[1] for row in rows(waymark, "SELECT cause FROM outbox WHERE cause LIKE 'inbox:%'")
    )
    for inbox_id, conversation in messages:
        # the very first message is greeted before it is answered
        assert causes[str(inbox_id)] == (2 if first[conversation] == inbox_id else 1)
    with sqlite3.connect(waymark.home / "tracker.db", timeout=30) as tracker:
        heard = Counter(
            tracker.execute("SELECT json_extract(data, '$.message_id') FROM events WHERE type_name = 'user'")
        )
    assert all(heard[(str(inbox_id),)] == 1 for inbox_id, _ in messages), "the transcript agrees"


def test_killing_the_edge_loses_and_repeats_nothing(own):
    threads = send_all(own)
    eventually(lambda: done(own) >= 20, "some answers")
    own.children()["edge"].kill()
    check_all_answered_once(own, threads)


def test_killing_everything_loses_and_repeats_nothing(own):
    threads = send_all(own)
    eventually(lambda: done(own) >= 40, "some answers")
    children = list(own.children().values())
    own.process.kill()
    own.process.wait(10)
    eventually(
        lambda: not any(child.is_running() and child.status() != "zombie" for child in children), "orphans to end"
    )
    own.start()
    check_all_answered_once(own, threads)


def test_a_poison_message_is_parked_and_the_others_go_on(own):
    person = own.person()
    person.ask("hello")
    with sqlite3.connect(own.home / "waymark.db", timeout=30) as connection:
        (conversation,) = connection.execute("SELECT conversation_id FROM inbox WHERE channel = 'web'").fetchone()
        connection.execute(
            "INSERT INTO inbox (conversation_id, channel, message_id, kind, text, payload, media, received_at,"
            " state, attempts)"
            " VALUES (?, 'web', ?, 'poison', 'x', 'c:nonsense', 'not json', '2026-11-23 12:00:00', 'waiting', 4)",
            (conversation, uuid.uuid4().hex),
        )
    assert own.person().ask("is it free")
    state = "SELECT state, problem FROM inbox WHERE kind = 'poison'"
    eventually(lambda: rows(own, state)[0][0] == "parked", "the poison message to be parked")
    assert rows(own, state)[0][1] == "JSONDecodeError"
