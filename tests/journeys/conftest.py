"""One running installation for all journeys, with stand-ins for Telegram and WhatsApp."""

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Frame, Page, sync_playwright

from tests.support.botapi import BotApi
from tests.support.graph import Graph
from tests.support.host import HostSite
from tests.support.installation import Installation
from tests.support.server import serve

APP_SECRET = "app-secret"
CHROMIUM = os.environ.get("WAYMARK_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
SHOTS = os.environ.get("WAYMARK_TEST_SCREENSHOTS")  # a folder to keep pictures in, for a look


@dataclass
class World:
    """Waymark and what it talks to."""

    waymark: Installation
    telegram: BotApi
    graph: Graph
    host: str  # address of a site that has the chat on its page


@pytest.fixture(scope="session")
def world(trained: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    telegram, graph, site = BotApi(), Graph(), HostSite()
    with serve(telegram.app) as telegram_url, serve(graph.app) as graph_url, serve(site.app) as site_url:
        waymark = Installation(
            tmp_path_factory.mktemp("home"),
            WAYMARK_TELEGRAM_TOKEN=telegram.token,
            WAYMARK_TELEGRAM_API=telegram_url,
            WAYMARK_EMBED_ORIGINS=site_url,
            **graph.settings(graph_url, APP_SECRET),
        )
        site.waymark = waymark.url
        waymark.prepare()
        waymark.start()
        yield World(waymark, telegram, graph, site_url)
        waymark.stop()


@pytest.fixture
def waymark(world: World) -> Installation:
    return world.waymark


@pytest.fixture(scope="module")  # an open Playwright would disturb the event loops of other modules
def browser() -> Iterator[Browser]:
    if CHROMIUM is None:
        pytest.skip("there is no Chromium on this machine")
    with sync_playwright() as playwright:
        found = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking", "--disable-sync"]
        )
        yield found
        found.close()


@pytest.fixture
def open_page(browser: Browser, waymark: Installation) -> Iterator[Callable[..., Page]]:
    """Opens a page in a browser of its own. Its ``problems`` are what it complains about, the policy's refusals too."""
    contexts = []

    def open_(path: str, *, width: int = 390, locale: str = "en-GB", **options: object) -> Page:
        size = {"width": width, "height": 800}
        context = browser.new_context(base_url=waymark.url, viewport=size, locale=locale, **options)
        contexts.append(context)
        page = context.new_page()
        page.problems = []
        page.on("console", lambda message: page.problems.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: page.problems.append(str(error)))
        page.goto(path)
        return page

    yield open_
    for context in contexts:
        context.close()


def ask(page: Page | Frame, words: str) -> None:
    page.get_by_role("textbox").fill(words)
    page.get_by_role("textbox").press("Enter")


def shoot(page: Page, name: str) -> None:
    if SHOTS:
        page.screenshot(path=Path(SHOTS) / f"{name}.png", full_page=False)
