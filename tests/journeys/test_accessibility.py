"""Pages under axe, by the rules of WCAG 2.2 AA, and a question asked with the keyboard alone."""

import re
from collections.abc import Callable

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Frame, Page, expect

from bot import accounts
from tests.journeys.conftest import World, ask, shoot
from tests.support.installation import COUNSELLOR, PASSWORD, Installation

RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
ADMIN = "root@example.org"


def violations(place: Page | Frame) -> str:
    """What axe finds wrong in light and in dark, in words; empty when it finds nothing."""
    found = []
    for scheme in ("light", "dark"):
        page = place.page if isinstance(place, Frame) else place
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # what fades in has no contrast yet
        result = Axe().run(place, options=RULES).response
        assert len(result["passes"]) > 5
        found += [
            f"{scheme} {rule['id']}: {node['html']} {node['failureSummary']}"
            for rule in result["violations"]
            for node in rule["nodes"]
        ]
    return "\n".join(found)


def sign_in(page: Page, email: str = COUNSELLOR) -> None:
    page.get_by_label("E-mail").fill(email)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("button", name="Sign out")).to_be_visible()


@pytest.fixture(scope="module")
def admin(world: World) -> str:
    with world.waymark.database().write() as session:
        accounts.create(session, email=ADMIN, name="Root", roles=["admin", "counsellor"], password=PASSWORD)
    return ADMIN


@pytest.mark.parametrize(("language", "question", "answer"), [
    ("en", "is it free", "Source"),
    ("ar", "كيف أسجل للرجوع إلى بلدي", "المصدر"),
])  # fmt: skip
def test_the_chat_with_an_answer_and_buttons(
    open_page: Callable[..., Page], language: str, question: str, answer: str
) -> None:
    page = open_page(f"/?lang={language}")
    ask(page, question)
    expect(page.get_by_role("log")).to_contain_text(answer, timeout=20_000)
    expect(page.locator(".chip").first).to_be_visible()
    page.locator("#menu").click()
    shoot(page, f"axe-chat-{language}")
    assert violations(page) == ""


def test_the_page_without_a_script(open_page: Callable[..., Page]) -> None:
    page = open_page("/plain?lang=ar")
    page.get_by_role("textbox").fill("كيف أسجل للرجوع إلى بلدي")
    page.get_by_role("button", name="إرسال", exact=True).click()
    expect(page.locator("#list")).to_contain_text("المصدر", timeout=20_000)
    assert violations(page) == ""


def test_a_site_with_the_open_chat(open_page: Callable[..., Page], world: World) -> None:
    page = open_page(f"{world.host}/", width=1280)
    page.get_by_role("button", name="Questions about return?").click()
    frame = page.frames[1]
    expect(frame.get_by_role("log")).to_contain_text("I am Waymark", timeout=20_000)
    assert violations(page) == ""
    assert violations(frame) == ""


def test_the_consoles_login(open_page: Callable[..., Page]) -> None:
    assert violations(open_page("/console/login", width=1280)) == ""


def test_the_console(open_page: Callable[..., Page], waymark: Installation, admin: str) -> None:
    told = waymark.person().ask("I want to talk to a human counsellor")[-1]["text"]
    number = int(re.findall(r"W-(\d+)", told)[0]) - 1000
    desk = open_page("/console/login", width=1280)
    sign_in(desk)
    assert violations(desk) == "", "the queue"
    desk.goto(f"/console/cases/{number}")
    assert violations(desk) == "", "a case"
    desk.get_by_role("button", name="Take").click()
    expect(desk.get_by_role("textbox")).to_be_visible()
    assert violations(desk) == "", "a case of one's own"
    desk.goto("/console/content?language=ar&search=travel")
    assert violations(desk) == "", "the list of contents"
    root = open_page("/console/login", width=1280)
    sign_in(root, admin)
    root.goto("/console/people")
    expect(root.get_by_text(COUNSELLOR)).to_be_visible()
    assert violations(root) == "", "the people"


def focused(page: Page) -> str:
    return str(page.evaluate("document.activeElement.id || document.activeElement.textContent.trim()"))


def tab_to(page: Page, wanted: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if focused(page) == wanted:
            return
    raise AssertionError(f"the keyboard does not reach {wanted}")


def test_a_question_with_the_keyboard_alone(open_page: Callable[..., Page]) -> None:
    page = open_page("/")
    log = page.get_by_role("log")
    expect(log).to_contain_text("I am Waymark", timeout=20_000)
    page.keyboard.press("Tab")
    assert focused(page) == "Skip to the message box"
    page.keyboard.press("Enter")
    assert focused(page) == "box"
    page.keyboard.type("how many bags can i take")
    page.keyboard.press("Enter")
    expect(log).to_contain_text("Source", timeout=20_000)
    page.locator(".chip").last.wait_for()
    # this button and no other: the answer to it brings buttons of its own
    chip = page.locator(".chip:not([aria-disabled])").last.element_handle()
    for _ in range(40):
        page.keyboard.press("Shift+Tab")
        if chip.evaluate("node => node === document.activeElement"):
            break
    page.keyboard.press("Enter")
    page.wait_for_function("node => node.getAttribute('aria-pressed') === 'true'", arg=chip)
    page.reload()
    tab_to(page, "menu")
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused(page) == "Privacy"
    page.keyboard.press("Escape")
    assert focused(page) == "menu"
