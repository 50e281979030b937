"""Networks that go and come back, and browsers without JavaScript."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from bot.settings import Settings
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.web.app import create_app
from bot.wiring.edge import make_edge
from tests.journeys.conftest import ask, shoot
from tests.support.installation import Installation, eventually
from tests.support.server import serve

WORKER_READY = "navigator.serviceWorker.ready.then((found) => found.active.state)"


def stored(waymark: Installation, words: str) -> int:
    with waymark.database().read() as session:
        where = InboxMessage.text == words
        return session.scalar(select(func.count()).select_from(InboxMessage).where(where)) or 0


def test_what_came_while_the_network_was_away_is_shown_once_and_what_was_written_goes_out_once(
    open_page: Callable[..., Page], waymark: Installation
) -> None:
    page = open_page("/")
    log, ana = page.get_by_role("log"), waymark.counsellor()
    ask(page, "I want to talk to a human counsellor")
    expect(log).to_contain_text("W-", timeout=20_000)
    number = re.findall(r"W-(\d+)", log.inner_text())[0]
    case = f"/console/cases/{int(number) - 1000}"
    ana.sign_in()
    ana.post(case, f"{case}/claim")
    expect(log).to_contain_text("Ana", timeout=20_000)

    page.context.set_offline(True)
    ask(page, "my uncle Barnabas waits at the station")
    expect(page.locator("#state")).to_contain_text("No connection")
    ana.post(case, f"{case}/reply", text="I found a bed for tonight.")
    expect(log).not_to_contain_text("I found a bed")
    page.context.set_offline(False)

    expect(log).to_contain_text("I found a bed for tonight.", timeout=20_000)
    expect(page.locator("#state")).to_be_empty()
    eventually(lambda: stored(waymark, "my uncle Barnabas waits at the station"), "the message of before")
    expect(page.locator(".status")).to_have_count(0)
    assert log.inner_text().count("I found a bed") == 1
    assert log.inner_text().count("Barnabas") == 1
    assert stored(waymark, "my uncle Barnabas waits at the station") == 1


def test_the_kept_page_opens_without_a_network_and_sends_later(
    open_page: Callable[..., Page], waymark: Installation
) -> None:
    page = open_page("/?lang=fr")
    expect(page.get_by_role("log")).to_contain_text("Waymark", timeout=20_000)
    assert page.evaluate(WORKER_READY) in {"activating", "activated"}
    page.wait_for_function("navigator.serviceWorker.controller !== null")
    page.context.set_offline(True)
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Waymark")
    ask(page, "puis-je emmener Philibert")
    expect(page.locator(".status")).to_be_visible(timeout=10_000)
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("Philibert")
    shoot(page, "chat-offline")
    page.context.set_offline(False)
    eventually(lambda: stored(waymark, "puis-je emmener Philibert"), "the message written offline")
    expect(page.locator(".message.you")).to_have_count(1, timeout=20_000)
    assert stored(waymark, "puis-je emmener Philibert") == 1


def test_the_kept_page_opens_when_the_server_is_gone(
    open_page: Callable[..., Page], sqlite_database: Database, tmp_path: Path
) -> None:
    app = create_app(make_edge(Settings(home=tmp_path), sqlite_database), secret_key="a key for tests alone")
    with serve(app) as url:
        page = open_page(f"{url}/?lang=ar")
        page.evaluate(WORKER_READY)
        page.goto("about:blank")
    page.goto(f"{url}/")
    expect(page.get_by_role("textbox")).to_be_visible()
    expect(page.locator("#state")).not_to_be_empty(timeout=20_000)
    assert page.evaluate("getComputedStyle(document.getElementById('send')).borderRadius") == "50%"


def test_nothing_that_was_said_is_kept_by_the_worker(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    ask(page, "is it free")
    expect(page.get_by_role("log")).to_contain_text("Source", timeout=20_000)
    page.evaluate(WORKER_READY)
    page.reload()
    page.goto("/console/login")
    page.goto("/plain")
    kept = page.evaluate(
        "caches.keys().then((names) => Promise.all(names.map((name) => caches.open(name)"
        ".then((cache) => cache.keys())))).then((all) => all.flat().map((one) => new URL(one.url).pathname))"
    )
    assert {"/", *kept} == {path for path in kept if path == "/" or path.startswith("/assets/")}


@pytest.mark.parametrize(("language", "question", "send", "answer"), [
    ("en", "is it free", "Send", "Source"),
    ("ar", "كيف أسجل للرجوع إلى بلدي", "إرسال", "المصدر"),
])  # fmt: skip
def test_without_javascript_a_question_is_answered_and_a_button_works(
    open_page: Callable[..., Page], language: str, question: str, send: str, answer: str
) -> None:
    page = open_page(f"/?lang={language}", java_script_enabled=False, width=320)
    shoot(page, f"noscript-{language}")
    page.get_by_role("textbox").fill(question)
    page.get_by_role("button", name=send, exact=True).click()
    conversation = page.locator("#list")
    expect(conversation).to_contain_text(question)
    expect(conversation).to_contain_text(answer)
    shoot(page, f"plain-{language}")
    before = page.locator(".message").count()
    page.locator("#list .chip").first.click()
    expect(page.locator(".message")).not_to_have_count(before)
    assert "?" not in page.url
    assert page.context.cookies() == []
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
