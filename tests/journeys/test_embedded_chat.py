"""The chat on the page of an organisation, under that page's own strict policy and style."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.journeys.conftest import World, ask, shoot


def test_one_script_brings_the_chat_and_its_policy_refuses_nothing(
    open_page: Callable[..., Page], world: World
) -> None:
    page = open_page(f"{world.host}/", width=1280)
    button = page.get_by_role("button", name="Questions about return?")
    expect(button).to_have_attribute("aria-expanded", "false")
    assert len(page.frames) == 1
    assert page.context.cookies() == []

    button.click()
    expect(button).to_have_attribute("aria-expanded", "true")
    chat = page.frames[1]
    expect(chat.get_by_role("log")).to_contain_text("I am Waymark", timeout=20_000)
    ask(chat, "is it free")
    expect(chat.get_by_role("log")).to_contain_text("Source", timeout=20_000)
    links = chat.locator(".body a").all()
    assert links
    assert {link.get_attribute("target") for link in links} == {"_blank"}
    shoot(page, "embed-1280")
    assert chat.evaluate("navigator.serviceWorker.getRegistrations().then((all) => all.length)") == 0
    assert page.context.cookies() == []
    assert page.problems == []  # type: ignore[attr-defined]  # set by open_page


def test_the_keyboard_opens_and_closes_it_and_the_focus_returns(open_page: Callable[..., Page], world: World) -> None:
    page = open_page(f"{world.host}/?lang=fr", width=1280)
    button = page.get_by_role("button", name="Questions sur le retour ?")
    button.wait_for()
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.frames[1].get_by_role("log")).to_contain_text("Waymark", timeout=20_000)
    expect(page.frames[1].locator("html")).to_have_attribute("lang", "fr")
    page.keyboard.press("Tab")  # the frame has the focus now
    page.keyboard.press("Escape")
    expect(button).to_have_attribute("aria-expanded", "false")
    expect(button).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_have_attribute("aria-expanded", "true")
    assert len(page.frames) == 2


@pytest.mark.parametrize(
    ("query", "width", "label", "left"),
    [
        ("?lang=ar&dir=rtl", 390, "أسئلة عن العودة؟", True),
        ("?lang=de&data-lang=ar", 320, "أسئلة عن العودة؟", False),
        ("?lang=xx&data-lang=zz", 390, "Questions about return?", False),
    ],
)
def test_the_button_follows_the_page_and_speaks_the_language_asked_for(
    open_page: Callable[..., Page], world: World, query: str, width: int, label: str, left: bool
) -> None:
    page = open_page(f"{world.host}/{query}", width=width)
    button = page.get_by_role("button", name=label)
    button.wait_for()
    box = button.bounding_box()
    assert box is not None
    assert (box["x"] < 20) if left else (box["x"] + box["width"] > width - 20)
    assert box["height"] >= 44
    button.click()
    expect(page.frames[1].get_by_role("log")).to_contain_text("Waymark", timeout=20_000)
    expect(button).to_be_in_viewport(ratio=1)
    expect(page.locator("iframe")).to_be_in_viewport(ratio=1)
    shoot(page, f"embed-{width}-{query[6:8]}")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_what_was_chosen_in_the_chat_stays_when_the_site_shows_its_next_page(
    open_page: Callable[..., Page], world: World
) -> None:
    page = open_page(f"{world.host}/", width=1280)
    page.get_by_role("button", name="Questions about return?").click()
    expect(page.frames[1].get_by_role("log")).to_contain_text("I am Waymark", timeout=20_000)
    page.frames[1].locator("#language").select_option("ar")
    expect(page.frames[1].locator("html")).to_have_attribute("dir", "rtl")
    page.goto(f"{world.host}/?lang=en")
    page.get_by_role("button", name="Questions about return?").click()
    expect(page.frames[1].locator("html")).to_have_attribute("dir", "rtl")


def test_a_browser_that_refuses_storage_to_frames_still_chats(browser: Browser, world: World) -> None:
    context = browser.new_context()
    context.add_init_script(
        "if (window.parent !== window) Object.defineProperty(window, 'localStorage', "
        "{ get() { throw new DOMException('refused', 'SecurityError'); } });"
    )
    page = context.new_page()
    page.goto(world.host)
    page.get_by_role("button", name="Questions about return?").click()
    ask(page.frames[1], "is it free")
    expect(page.frames[1].get_by_role("log")).to_contain_text("Source", timeout=20_000)
    context.close()


@pytest.mark.parametrize("path", ["/plain", "/console/login"])
def test_no_other_page_can_be_framed(open_page: Callable[..., Page], world: World, path: str) -> None:
    page = open_page(f"{world.host}/", width=1280)
    with page.expect_console_message(lambda message: "frame-ancestors" in message.text):
        page.evaluate(
            "(src) => document.body.append(Object.assign(document.createElement('iframe'), { src }))",
            world.waymark.url + path,
        )
