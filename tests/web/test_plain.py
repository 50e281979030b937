"""The chat without JavaScript, as a browser that knows forms alone uses it."""

import re
import threading
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest
from httpx import Response
from sqlalchemy import select, text
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
from bot.web import plain
from bot.web.app import create_app
from bot.wiring.edge import make_edge

ANNA = "a" * 32
SCRIPT = "<script>alert('x')</script> & <b>bold</b>"
HELLO = Outgoing("Hello. Read https://example.org/a?b=1&c=2.", "en", (Button("How to apply", "t:how_to_apply"),))


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    made = Database(f"sqlite:///{tmp_path / 'waymark.db'}")
    migrate.upgrade(made.engine)
    yield made
    made.close()


@pytest.fixture
def plainly(database: Database, tmp_path: Path) -> Iterator[TestClient]:
    edge = make_edge(Settings(home=tmp_path), database)
    with TestClient(create_app(edge, secret_key="k" * 32)) as client:
        client.headers["accept"] = "text/html"
        yield client


@pytest.fixture
def answering(plainly: TestClient, database: Database) -> Iterator[list[Outgoing]]:
    """The brain of this test: it answers each message with these replies."""
    replies, over = [HELLO], threading.Event()
    assert plainly.portal is not None
    wake, portal = plainly.app.state.edge.hub.wake, plainly.portal  # type: ignore[attr-defined]  # Starlette's own

    def answer() -> None:
        while not over.wait(0.02):
            with database.write() as session:
                for row in session.scalars(select(InboxMessage).where(InboxMessage.state == "waiting")):
                    for number, reply in enumerate(replies):
                        cause = f"inbox:{row.id}:{number}"
                        outbox.put(session, conversation_id=row.conversation_id, cause=cause, message=reply)
                    row.state = "done"
            portal.call(wake)

    thread = threading.Thread(target=answer)
    thread.start()
    yield replies
    over.set()
    thread.join()


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody answers in these tests, and they do not wait for it."""
    monkeypatch.setattr(plain, "PATIENCE", 0.0)


def hidden(page: Response) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(\w+)" value="(\w*)">', page.text))


def post(client: TestClient, page: Response | None = None, **fields: str) -> Response:
    return client.post("/plain", data=(hidden(page) if page else {}) | fields)


def stored(database: Database) -> list[InboxMessage]:
    with database.read() as session:
        return list(session.scalars(select(InboxMessage).order_by(InboxMessage.id)))


def bodies(page: Response) -> list[str]:
    found = re.findall(r'<div class="body"[^>]*>(.*?)</div>', page.text, re.DOTALL)
    return [unescape(re.sub(r"<[^>]*>", "", body)) for body in found]


def test_the_empty_page_has_a_box_and_makes_no_token(plainly: TestClient, database: Database) -> None:
    page = plainly.get("/plain")
    assert page.status_code == 200
    assert 'name="text"' in page.text
    assert hidden(page)["token"] == ""
    assert stored(database) == []


def test_a_question_comes_back_with_its_answer_on_the_next_page(plainly: TestClient, answering: list[Outgoing]) -> None:
    page = post(plainly, plainly.get("/plain"), text="is it free?")
    assert bodies(page) == ["is it free?", HELLO.text]
    assert re.fullmatch(r"[0-9a-f]{32}", hidden(page)["token"])
    assert texts.text("ui.wait", "en") not in page.text


def test_the_form_of_the_chat_page_leads_here(plainly: TestClient, answering: list[Outgoing]) -> None:
    home = plainly.get("/?lang=fr")
    assert '<form id="form" method="post" action="/plain#new"' in home.text
    page = post(plainly, home, text="bonjour")
    assert bodies(page)[0] == "bonjour"


def test_an_empty_first_form_is_greeted(plainly: TestClient, database: Database, answering: list[Outgoing]) -> None:
    assert bodies(post(plainly, lang="ar", text=" ")) == [HELLO.text]
    assert [(row.kind, row.payload) for row in stored(database)] == [("command", "start")]


def test_the_conversation_goes_on_with_the_page(plainly: TestClient, answering: list[Outgoing]) -> None:
    page = post(plainly, plainly.get("/plain"), text="first")
    token = hidden(page)["token"]
    answering[:] = [Outgoing("Second answer", "en")]
    page = post(plainly, page, text="second")
    assert bodies(page) == ["first", HELLO.text, "second", "Second answer"]
    assert hidden(page)["token"] == token


def test_the_token_is_in_no_address_and_no_cookie(plainly: TestClient, answering: list[Outgoing]) -> None:
    page = post(plainly, plainly.get("/plain"), text="hello")
    token = hidden(page)["token"]
    assert "set-cookie" not in page.headers
    assert page.headers["cache-control"] == "no-store"
    for address in re.findall(r'(?:href|src|action)="([^"]*)"', page.text):
        assert token not in address
    assert not re.search(r'method="(?!post")', page.text)


def test_a_form_that_is_sent_again_counts_once(
    plainly: TestClient, database: Database, answering: list[Outgoing]
) -> None:
    page = post(plainly, plainly.get("/plain"), text="first")
    for _ in range(2):
        again = post(plainly, page, text="second")
    assert [row.text for row in stored(database)] == ["first", "second"]
    assert bodies(again).count("second") == 1


def test_another_message_from_an_older_page_counts_too(
    plainly: TestClient, database: Database, answering: list[Outgoing]
) -> None:
    page = post(plainly, plainly.get("/plain"), text="first")
    post(plainly, page, text="second")
    post(plainly, page, text="changed my mind")
    assert [row.text for row in stored(database)] == ["first", "second", "changed my mind"]


def test_the_buttons_of_the_last_answer_can_be_pressed(
    plainly: TestClient, database: Database, answering: list[Outgoing]
) -> None:
    page = post(plainly, plainly.get("/plain"), text="how")
    assert 'name="payload" value="t:how_to_apply"' in page.text
    answering[:] = [Outgoing("Like this", "en")]
    page = post(plainly, page, payload="t:how_to_apply")
    assert (stored(database)[-1].kind, stored(database)[-1].payload) == ("button", "t:how_to_apply")
    assert bodies(page)[-2:] == ["How to apply", "Like this"]
    assert "t:how_to_apply" not in page.text


def test_new_answers_are_shown_without_writing_anything(
    plainly: TestClient, database: Database, answering: list[Outgoing]
) -> None:
    page = post(plainly, plainly.get("/plain"), text="hello")
    with database.write() as session:
        found = session.scalars(select(Contact.conversation_id)).one()
        reply = Outgoing("I am Ana.", "en", speaker="counsellor")
        outbox.put(session, conversation_id=found, cause="case:1:reply:1", message=reply)
    assert texts.text("ui.refresh", "en") in page.text
    page = post(plainly, page)
    assert bodies(page)[-1] == "I am Ana."
    assert 'class="message counsellor"' in page.text
    assert len(stored(database)) == 1


@pytest.mark.usefixtures("impatient")
def test_who_must_wait_is_told_so_and_keeps_the_question(plainly: TestClient) -> None:
    page = post(plainly, plainly.get("/plain"), text="hello")
    assert texts.text("ui.wait", "en") in unescape(page.text)
    assert bodies(page) == ["hello"]


@pytest.mark.usefixtures("impatient")
def test_what_somebody_wrote_is_escaped(plainly: TestClient) -> None:
    page = post(plainly, plainly.get("/plain"), text=SCRIPT)
    assert "<script" not in page.text
    assert bodies(page) == [SCRIPT]


def test_addresses_in_answers_are_links_to_a_new_tab(plainly: TestClient, answering: list[Outgoing]) -> None:
    page = post(plainly, plainly.get("/plain"), text="hello")
    link = '<a href="https://example.org/a?b=1&amp;c=2" rel="noopener noreferrer" target="_blank">'
    assert link in page.text
    answering[:] = [Outgoing('javascript:alert(1) https://x.org/"onclick="alert(1)', "en")]
    page = post(plainly, page, text="again")
    assert 'href="javascript' not in page.text
    assert '"onclick="' not in page.text


def test_every_language_can_be_chosen_and_mirrors_the_page(plainly: TestClient, answering: list[Outgoing]) -> None:
    page = plainly.get("/plain?lang=fr")
    assert all(f'value="l:{row.code}"' in page.text for row in launched())
    assert '<html lang="fr" dir="ltr">' in page.text
    page = post(plainly, page, payload="l:ar")
    assert '<html lang="ar" dir="rtl">' in page.text
    assert texts.text("ui.send", "ar") in page.text
    assert hidden(page)["lang"] == "ar"


@pytest.mark.usefixtures("impatient")
def test_after_a_deletion_the_page_forgets_the_token(plainly: TestClient, database: Database) -> None:
    page = post(plainly, plainly.get("/plain"), text="hello")
    with database.write() as session:
        found = session.scalars(select(Contact.conversation_id)).one()
        outbox.put(session, conversation_id=found, cause="inbox:1:deleted", message=Outgoing("All deleted.", "en"))
    page = post(plainly, page)
    assert bodies(page)[-1] == "All deleted."
    assert hidden(page)["token"] == ""


def test_the_export_is_the_file_of_the_own_conversation(plainly: TestClient, answering: list[Outgoing]) -> None:
    answering[:] = [Outgoing("Here is your copy.", "en", document="export")]
    page = post(plainly, plainly.get("/plain"), payload="c:export", text="mine")
    assert 'action="/plain/export"' in page.text
    found = plainly.post("/plain/export", data=hidden(page))
    assert found.headers["content-disposition"] == 'attachment; filename="waymark.json"'
    assert found.json()["messages"][0]["text"] == "mine"
    assert plainly.post("/plain/export", data={"token": ""}).status_code == 401


@pytest.mark.parametrize(
    ("fields", "status"),
    [({"token": "short"}, 401), ({"token": "Z" * 32}, 401), ({"token": ANNA, "key": "a:b", "text": "x"}, 400),
     ({"text": "ش" * 4001}, 413), ({"text": "x" * 64 * 1024}, 413), ({str(n): "x" for n in range(20)}, 400)],
)  # fmt: skip
def test_a_form_that_is_none_of_ours_is_refused(
    plainly: TestClient, database: Database, fields: dict[str, str], status: int
) -> None:
    assert plainly.post("/plain", data=fields).status_code == status
    assert stored(database) == []


@pytest.mark.usefixtures("impatient")
def test_the_longest_text_is_taken_whatever_line_ends_a_browser_sends(plainly: TestClient, database: Database) -> None:
    words = "ش\r\n" * 2000
    assert post(plainly, plainly.get("/plain"), text=words).status_code == 200
    assert stored(database)[0].text == ("ش\n" * 2000).strip()


def test_a_form_in_broken_letters_is_refused(plainly: TestClient) -> None:
    answered = plainly.post("/plain", content=b"text=\xff\xfe", headers={"content-type": "text/plain"})
    assert answered.status_code == 400


def test_while_the_database_is_away_the_words_stay_in_the_box(
    plainly: TestClient, database: Database, tmp_path: Path
) -> None:
    page = plainly.get("/plain")
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE inbox RENAME TO elsewhere"))
    failed = post(plainly, page, text=SCRIPT)
    assert failed.status_code == 503
    assert "&lt;script&gt;" in failed.text.split("<textarea")[1]
    assert texts.text("ui.failed", "en") in failed.text
    with database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE elsewhere RENAME TO inbox"))
    post(plainly, failed, text="now")
    assert [row.text for row in stored(database)] == ["now"]
