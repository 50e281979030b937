"""The server side of the web chat, on the real application over a real SQLite file."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from starlette.testclient import TestClient

from bot import texts
from bot.languages import launched
from bot.messaging import outbox
from bot.messaging.messages import Button, Outgoing
from bot.settings import Settings
from bot.storage import migrate
from bot.storage.conversation import Contact
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.web.app import create_app
from bot.wiring.edge import make_edge

ANNA, BORIS = "a" * 32, "b" * 32
SCRIPT = "<script>alert('x')</script> & <b>bold</b>"


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A migrated database of its own."""
    made = Database(f"sqlite:///{tmp_path / 'waymark.db'}")
    migrate.upgrade(made.engine)
    yield made
    made.close()


@pytest.fixture
def chat(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    """A client of the running application."""
    edge = make_edge(Settings(home=tmp_path), database)
    with TestClient(create_app(edge, secret_key="k" * 32)) as client:
        yield client


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def say(chat: TestClient, token: str, message_id: str, **message: str) -> Any:
    return chat.post("/chat/messages", headers=bearer(token), json={"id": message_id, **message})


def answer(database: Database, token: str, cause: str, message: Outgoing) -> int:
    """Puts a reply into a conversation, as the brain does."""
    with database.write() as session:
        found = session.scalars(select(Contact.conversation_id).where(Contact.address == token)).one()
        return outbox.put(session, conversation_id=found, cause=cause, message=message)


def history(chat: TestClient, token: str) -> dict[str, Any]:
    found: dict[str, Any] = chat.get("/chat/history", headers=bearer(token)).json()
    return found


def stored(database: Database) -> list[InboxMessage]:
    with database.read() as session:
        return list(session.scalars(select(InboxMessage).order_by(InboxMessage.id)))


@pytest.mark.parametrize("path", ["/chat/history", "/chat/messages", "/chat/stream", "/chat/export"])
@pytest.mark.parametrize("headers", [{}, bearer("short"), bearer("Z" * 32), {"authorization": f"Basic {ANNA}"}])
def test_nothing_is_told_without_a_token(chat: TestClient, path: str, headers: dict[str, str]) -> None:
    assert chat.get(path, headers=headers).status_code == 401


def test_nothing_is_taken_without_a_token(chat: TestClient, database: Database) -> None:
    assert chat.post("/chat/messages", json={"id": "message-1", "text": "hello"}).status_code == 401
    assert stored(database) == []


@pytest.mark.parametrize(
    "body",
    ["", "{", "[]", '"text"', "null", "[" * 50_000, '{"text": "no id"}', '{"id": "message-1"}',
     '{"id": 7, "text": "x"}', '{"id": "message-1", "text": 5}',
     '{"id": "message-1", "payload": ["h"]}', '{"id": "a:b:c:d:e", "text": "x"}'],
)  # fmt: skip
def test_a_malformed_message_is_refused_with_a_reason(chat: TestClient, database: Database, body: str) -> None:
    answered = chat.post("/chat/messages", headers=bearer(ANNA), content=body)
    assert answered.status_code == 400
    assert answered.json()["error"]
    assert stored(database) == []


def test_a_body_above_64_kb_is_refused(chat: TestClient, database: Database) -> None:
    body = json.dumps({"id": "message-1", "text": "hello", "rest": "x" * 64 * 1024})
    assert chat.post("/chat/messages", headers=bearer(ANNA), content=body).status_code == 413
    assert chat.post("/chat/messages", headers=bearer(ANNA), content=iter([body.encode()])).status_code == 413
    assert stored(database) == []


def test_a_text_of_4000_characters_is_taken_and_a_longer_one_refused(chat: TestClient, database: Database) -> None:
    assert say(chat, ANNA, "message-1", text="ش" * 4000).status_code == 202
    assert say(chat, ANNA, "message-2", text="ش" * 4001).status_code == 413
    assert [len(row.text) for row in stored(database)] == [4000]


def test_the_same_id_counts_once(chat: TestClient, database: Database) -> None:
    first, second = (say(chat, ANNA, "message-1", text="hello") for _ in range(2))
    assert (first.status_code, first.json()["repeated"]) == (202, False)
    assert (second.status_code, second.json()["repeated"]) == (202, True)
    assert [row.text for row in stored(database)] == ["hello"]


def test_two_people_may_use_the_same_id(chat: TestClient, database: Database) -> None:
    assert not say(chat, ANNA, "message-1", text="from Anna").json()["repeated"]
    assert not say(chat, BORIS, "message-1", text="from Boris").json()["repeated"]
    assert [row.text for row in stored(database)] == ["from Anna", "from Boris"]


def test_the_token_is_kept_in_the_contact_table_alone(chat: TestClient, database: Database) -> None:
    say(chat, ANNA, "message-1", text="hello")
    assert ANNA not in stored(database)[0].message_id
    assert ANNA not in chat.get("/chat/export", headers=bearer(ANNA)).text


def test_nobody_sees_the_messages_of_somebody_else(chat: TestClient, database: Database) -> None:
    for token, name in ((ANNA, "Anna"), (BORIS, "Boris")):
        say(chat, token, "message-1", text=f"question of {name}")
        answer(database, token, f"inbox:{name}:0", Outgoing(f"answer to {name}", "en"))
    assert [message["text"] for message in history(chat, ANNA)["messages"]] == ["question of Anna", "answer to Anna"]
    replies = chat.get("/chat/messages", headers=bearer(BORIS)).json()["messages"]
    assert [message["text"] for message in replies] == ["answer to Boris"]
    assert "Boris" not in chat.get("/chat/export", headers=bearer(ANNA)).text
    assert history(chat, "c" * 32) == {"messages": [], "cursor": 0, "language": None}


def test_only_replies_after_the_cursor_are_given(chat: TestClient, database: Database) -> None:
    say(chat, ANNA, "message-1", text="hello")
    first = answer(database, ANNA, "inbox:1:0", Outgoing("first", "en"))
    assert history(chat, ANNA)["cursor"] == first
    answer(database, ANNA, "inbox:1:1", Outgoing("second", "en"))
    replies = chat.get(f"/chat/messages?after={first}", headers=bearer(ANNA)).json()["messages"]
    assert [message["text"] for message in replies] == ["second"]


@pytest.mark.parametrize("after", ["x", "-1", "9" * 19, "1;2"])
def test_a_cursor_that_is_no_number_is_refused(chat: TestClient, after: str) -> None:
    assert chat.get("/chat/messages", params={"after": after}, headers=bearer(ANNA)).status_code == 400


def test_markup_in_messages_comes_back_as_data(chat: TestClient, database: Database) -> None:
    say(chat, ANNA, "message-1", text=SCRIPT)
    answer(database, ANNA, "inbox:1:0", Outgoing(SCRIPT, "en", (Button("<i>", "h"),)))
    found = chat.get("/chat/history", headers=bearer(ANNA))
    assert found.headers["content-type"] == "application/json"
    assert found.headers["x-content-type-options"] == "nosniff"
    assert [message["text"] for message in found.json()["messages"]] == [SCRIPT, SCRIPT]


def test_a_pressed_button_is_remembered_by_its_title(chat: TestClient, database: Database) -> None:
    say(chat, ANNA, "message-1", text="how")
    answer(database, ANNA, "inbox:1:0", Outgoing("Choose", "en", (Button("How to apply", "t:process_how_to_apply"),)))
    say(chat, ANNA, "message-2", payload="t:process_how_to_apply")
    pressed = history(chat, ANNA)["messages"][-1]
    assert (pressed["text"], pressed["payload"]) == ("How to apply", "t:process_how_to_apply")
    assert pressed["message"] == "message-2"


@pytest.mark.parametrize(
    ("payload", "shown"),
    [("l:ar", "العربية"), ("h", "Talk to a person"), ("c:delete", "Delete my messages"), ("zzz", "")],
)
def test_a_choice_from_the_header_is_remembered_by_its_name(chat: TestClient, payload: str, shown: str) -> None:
    say(chat, ANNA, "message-1", payload=payload)
    assert [message["text"] for message in history(chat, ANNA)["messages"]] == [shown]


def test_a_command_is_told_from_a_text(chat: TestClient, database: Database) -> None:
    say(chat, ANNA, "message-1", text="/start", locale="ar")
    say(chat, ANNA, "message-2", text="/Privacy ")
    say(chat, ANNA, "message-3", text="/unknown")
    assert [(row.kind, row.payload) for row in stored(database)] == [
        ("command", "start"), ("command", "privacy"), ("text", ""),
    ]  # fmt: skip
    assert [message["text"] for message in history(chat, ANNA)["messages"]] == ["", "/privacy", "/unknown"]


@pytest.mark.parametrize(
    ("cause", "event"),
    [("inbox:1:0", ""), ("inbox:1:deleted", "deleted"), ("case:7:joined:2", "joined"), ("case:7:closed:4", "closed"),
     ("case:7:reply:joined", "")],
)  # fmt: skip
def test_the_page_learns_who_holds_the_conversation_and_when_it_is_erased(
    chat: TestClient, database: Database, cause: str, event: str
) -> None:
    say(chat, ANNA, "message-1", text="hello")
    answer(database, ANNA, cause, Outgoing("word", "en", speaker="system"))
    assert history(chat, ANNA)["messages"][-1]["event"] == event


def test_the_export_is_a_file_of_the_own_conversation(chat: TestClient) -> None:
    say(chat, ANNA, "message-1", text="mine")
    found = chat.get("/chat/export", headers=bearer(ANNA))
    assert found.headers["content-disposition"] == 'attachment; filename="waymark.json"'
    assert [message["text"] for message in found.json()["messages"]] == ["mine"]


def test_the_page_allows_no_inline_script_and_holds_none(chat: TestClient) -> None:
    page = chat.get("/")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "script-src 'self'" in policy
    assert "unsafe" not in policy
    for forbidden in ("<style", "style=", "onclick=", "onload=", "javascript:", "http://", "https://"):
        assert forbidden not in page.text
    scripts = page.text.split("<script")[1:]
    assert all(script.startswith((' type="application/json"', ' type="module" src="/assets/')) for script in scripts)


@pytest.mark.parametrize("query", ["?lang=xx", "?lang=uk", "?lang=%22%3E%3Cscript%3E", "?lang="])
def test_a_language_that_is_not_there_shows_the_default_page(chat: TestClient, query: str) -> None:
    assert '<html lang="en" dir="ltr">' in chat.get(f"/{query}").text


def test_the_page_in_arabic_runs_from_right_to_left(chat: TestClient) -> None:
    page = chat.get("/?lang=ar").text
    assert '<html lang="ar" dir="rtl">' in page
    assert texts.text("ui.placeholder", "ar") in page


@pytest.mark.parametrize(
    ("header", "language"),
    [("fr-BE,en;q=0.8", "fr"), ("de, ar;q=0.5", "ar"), ("ES", "es"), ("zz,;;q,", "en"), ("*", "en")],
)
def test_the_browser_picks_the_language(chat: TestClient, header: str, language: str) -> None:
    assert f'<html lang="{language}"' in chat.get("/", headers={"accept-language": header}).text


def test_the_asked_language_wins_over_the_browser(chat: TestClient) -> None:
    assert '<html lang="es"' in chat.get("/?lang=es", headers={"accept-language": "fr"}).text


def test_the_page_carries_its_texts_in_every_language(chat: TestClient) -> None:
    page = chat.get("/").text
    data = page.split('<script type="application/json" id="ui">')[1].split("</script>")[0]
    ui = json.loads(data)
    assert set(ui) == {language.code for language in launched()}
    assert ui["ar"]["direction"] == "rtl"
    assert all(set(row) == set(ui["en"]) and all(row.values()) for row in ui.values())
    used = set(re.findall(r'data-(?:text|label|placeholder)="([^"]*)"', page))
    assert used
    assert used <= set(ui["en"])
