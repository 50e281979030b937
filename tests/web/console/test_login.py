import re

import pytest
from sqlalchemy import select
from starlette.routing import Mount
from starlette.testclient import TestClient

from bot import accounts
from bot.storage.account import ROLES, Account, AuditEvent
from bot.web import access
from bot.web.console import ROUTES
from tests.web.conftest import PASSWORD, Browser


def test_every_console_route_declares_who_may_call_it(app):
    mounted = [route for route in app.routes if isinstance(route, Mount) and route.path == "/console"]
    assert access.undeclared(list(mounted)) == []
    open_to_all = {route.path for route in ROUTES if not access.declared(route) <= set(ROLES)}
    assert open_to_all == {"/login"}


@pytest.mark.parametrize("route", [r for r in ROUTES if r.path != "/login"], ids=lambda r: f"{min(r.methods)} {r.path}")
def test_nobody_gets_in_without_signing_in(app, route):
    path = "/console" + re.sub(r"{\w+:int}", "1", route.path)
    client = TestClient(app, follow_redirects=False)
    answer = client.request("POST" if "POST" in route.methods else "GET", path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


def test_a_live_page_is_sent_to_the_login_page_when_the_session_has_ended(app):
    answer = TestClient(app).get("/console/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"]) == (401, "/console/login")


@pytest.mark.parametrize(
    ("role", "page"),
    [
        ("counsellor", "/console/"),
        ("admin", "/console/"),
        ("editor", "/console/content"),
        ("reviewer", "/console/content"),
    ],
)
def test_each_role_lands_on_a_page_it_may_open(browser, account, role, page):
    made = account("Ana", role)
    answer = browser.sign_in(made.email)
    assert (answer.status_code, answer.headers["location"]) == (303, page)
    assert browser.get(page).status_code == 200


def test_the_navigation_shows_only_what_the_role_may_use(signed_in):
    page = signed_in("Ed", "editor").get("/console/content").text
    assert 'href="/console/content"' in page
    assert 'href="/console/people"' not in page
    assert ">Queue<" not in page


def test_a_wrong_password_is_refused_and_the_email_stays_in_the_form(browser, account):
    account("Ana", "counsellor")
    answer = browser.sign_in("ana@example.org", "wrong")
    assert answer.status_code == 401
    assert 'value="ana@example.org"' in answer.text
    assert browser.get("/console/").status_code == 303


def test_login_without_the_pages_token_is_refused_and_keeps_the_email(browser, account):
    account("Ana", "counsellor")
    browser.get("/console/login")
    answer = browser.post("/console/login", {"email": "ana@example.org", "password": PASSWORD}, token="")
    assert answer.status_code == 403
    assert 'value="ana@example.org"' in answer.text
    assert browser.get("/console/").status_code == 303


def test_a_token_of_another_session_is_refused(app, account):
    account("Ana", "counsellor")
    foreign, mine = Browser(app), Browser(app)
    foreign.get("/console/login")
    mine.get("/console/login")
    answer = mine.post("/console/login", {"email": "ana@example.org", "password": PASSWORD}, token=foreign.token)
    assert answer.status_code == 403


def test_after_five_failures_even_the_right_password_has_to_wait(browser, account):
    made = account("Ana", "counsellor")
    for _ in range(accounts.MAX_FAILURES):
        assert browser.sign_in(made.email, "wrong").status_code == 401
    answer = browser.sign_in(made.email)
    assert (answer.status_code, answer.headers["retry-after"]) == (429, "900")
    assert "Try again in 15 minutes" in answer.text


def test_signing_in_begins_a_new_session(browser, account):
    made = account("Ana", "counsellor")
    browser.get("/console/login")
    before = browser.token
    browser.sign_in(made.email)
    assert browser.post("/console/logout", token=before).status_code == 403


def test_signing_out_makes_a_copied_cookie_worthless(signed_in, app):
    browser = signed_in("Ana", "counsellor")
    thief = TestClient(app, follow_redirects=False, cookies=dict(browser.client.cookies))
    assert thief.get("/console/").status_code == 200
    assert browser.post("/console/logout").headers["location"] == "/console/login"
    assert thief.get("/console/").status_code == 303


def test_signing_out_needs_the_token(signed_in):
    browser = signed_in("Ana", "counsellor")
    assert browser.post("/console/logout", token="").status_code == 403
    assert browser.get("/console/").status_code == 200


def test_a_one_time_password_opens_nothing_but_the_password_page(browser, account):
    made = account("Ana", "counsellor", must_change=True)
    assert browser.sign_in(made.email).headers["location"] == "/console/password"
    for path in ("/console/", "/console/content", "/console/login"):
        assert browser.get(path).headers["location"] == "/console/password"


def test_a_new_password_opens_the_console_and_ends_other_sessions(app, account):
    made = account("Ana", "counsellor", must_change=True)
    here, elsewhere = Browser(app), Browser(app)
    here.sign_in(made.email)
    elsewhere.sign_in(made.email)
    new = {"current": PASSWORD, "new": "another long password", "again": "another long password"}
    assert here.post("/console/password", new).headers["location"] == "/console/"
    assert here.get("/console/").status_code == 200
    assert elsewhere.get("/console/password").headers["location"] == "/console/login"


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"current": "wrong", "new": "another long password", "again": "another long password"}, "is not this one"),
        ({"current": PASSWORD, "new": "short", "again": "short"}, "at least 12"),
        ({"current": PASSWORD, "new": "another long password", "again": "a different password"}, "differ"),
        ({"current": PASSWORD, "new": PASSWORD, "again": PASSWORD}, "is the old one"),
    ],
)
def test_a_password_that_cannot_be_set_is_refused_with_the_reason(signed_in, edge, fields, told):
    browser = signed_in("Ana", "counsellor")
    answer = browser.post("/console/password", fields)
    assert answer.status_code == 422
    assert told in answer.text
    with edge.database.read() as session:
        assert session.scalar(select(Account.session_epoch)) == 0


def test_a_deactivated_account_is_out_at_once(signed_in, edge):
    browser = signed_in("Ana", "counsellor")
    with edge.database.write() as session:
        session.scalars(select(Account)).one().active = False
    assert browser.get("/console/").headers["location"] == "/console/login"


def test_a_tampered_cookie_is_nobodys(app):
    client = TestClient(app, follow_redirects=False, cookies={"waymark_console": "eyJhY2NvdW50X2lkIjogMX0=.x.y"})
    assert client.get("/console/").status_code == 303


def test_logins_and_logouts_are_in_the_audit(signed_in, edge):
    browser = signed_in("Ana", "counsellor")
    browser.post("/console/logout")
    with edge.database.read() as session:
        assert list(session.scalars(select(AuditEvent.action).order_by(AuditEvent.id))) == ["login", "logout"]


def test_console_pages_carry_no_inline_script_or_style(signed_in):
    for path in ("/console/", "/console/content", "/console/people", "/console/password"):
        page = signed_in(f"A{path.strip('/').replace('/', '-')}", *ROLES).get(path)
        assert page.status_code == 200
        assert not any(mark in page.text for mark in (" style=", "<style", " onclick=", " onsubmit=", "hx-on"))
        assert page.text.count("<script") == page.text.count("<script src=")
