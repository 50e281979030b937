"""A person's and a counsellor's pages in a real headless Chromium."""

from playwright.sync_api import expect

from tests.journeys.conftest import ask, shoot
from tests.support.installation import COUNSELLOR, PASSWORD


def test_a_question_is_answered_on_the_page(open_page):
    page = open_page("/")
    log = page.get_by_role("log")
    expect(log).to_contain_text("I am Waymark", timeout=20_000)
    ask(page, "débouté de l'asile je peux avoir l'aide ?")
    expect(log).to_contain_text("Source", timeout=20_000)
    shoot(page, "chat-fr-question")
    assert page.problems == []


def test_arabic_is_right_to_left_and_answered_in_arabic(open_page):
    page = open_page("/?lang=ar")
    assert page.locator("html").get_attribute("dir") == "rtl"
    ask(page, "كيف أسجل للرجوع إلى بلدي")
    expect(page.get_by_role("log")).to_contain_text("المصدر", timeout=20_000)
    shoot(page, "chat-ar")
    assert page.problems == []


def test_nothing_overflows_on_a_narrow_phone(open_page):
    page = open_page("/?lang=fr", width=320)
    ask(page, "c'est gratuit ?")
    expect(page.get_by_role("log")).to_contain_text("Source", timeout=20_000)
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_history_is_there_after_a_reload(open_page):
    page = open_page("/")
    ask(page, "is it free")
    expect(page.get_by_role("log")).to_contain_text("Source", timeout=20_000)
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("is it free", timeout=20_000)
    expect(page.get_by_role("log")).to_contain_text("Source")


def test_a_handover_lives_on_both_pages_without_a_reload(open_page):
    person = open_page("/")
    ask(person, "I want to talk to a human")
    expect(person.get_by_role("log")).to_contain_text("W-", timeout=20_000)
    number = person.get_by_role("log").inner_text().split("W-")[1][:4]

    desk = open_page("/console/login", width=1280)
    desk.get_by_label("E-mail").fill(COUNSELLOR)
    desk.get_by_label("Password").fill(PASSWORD)
    desk.get_by_role("button", name="Sign in").click()
    shoot(desk, "console-queue")
    desk.goto(f"/console/cases/{int(number) - 1000}")
    desk.get_by_role("button", name="Take").click()
    expect(person.get_by_role("log")).to_contain_text("Ana", timeout=20_000)

    ask(person, "مرحبا هل انت انسان")
    expect(desk.locator("#thread")).to_contain_text("مرحبا هل انت انسان", timeout=20_000)
    desk.get_by_role("textbox").fill("Yes, I am a person.")
    desk.get_by_role("button", name="Send").click()
    expect(person.get_by_role("log")).to_contain_text("Yes, I am a person.", timeout=20_000)
    shoot(desk, "console-case")
    shoot(person, "chat-counsellor")
    assert person.problems == []
    assert desk.problems == []


def test_delete_empties_the_page_and_the_store(open_page, waymark):
    page = open_page("/")
    ask(page, "my cousin Wilberforce lost his passport, can he still return home")
    expect(page.get_by_role("log")).to_contain_text("Source", timeout=20_000)
    ask(page, "/delete")
    page.get_by_role("button", name="Yes, delete").click()
    expect(page.get_by_role("log")).to_contain_text("has been deleted", timeout=20_000)
    page.reload()
    expect(page.get_by_role("log")).to_contain_text("I am Waymark", timeout=20_000)
    assert "Wilberforce" not in page.content()
