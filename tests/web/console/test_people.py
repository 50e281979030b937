import re

import pytest
from sqlalchemy import select

from bot.handoff import queue
from bot.storage.account import Account, AuditEvent
from bot.storage.handoff import Case
from tests.web.conftest import Browser

NEW = {"name": "Nadia", "email": "Nadia@Example.org", "roles": ["counsellor", "editor"]}


@pytest.fixture
def root(signed_in):
    browser = signed_in("Root", "admin")
    browser.get("/console/people")
    return browser


def named(edge, name: str) -> Account:
    with edge.database.read() as session:
        return session.scalars(select(Account).where(Account.name == name)).one()


def one_time_password(page: str) -> str:
    found = re.search(r'<code class="secret">([^<]+)</code>', page)
    assert found
    return found[1]


def test_people_are_for_admins(signed_in):
    browser = signed_in("Ana", "counsellor", "editor", "reviewer")
    assert browser.get("/console/people").status_code == 403
    assert browser.post("/console/people", NEW).status_code == 403


def test_a_new_account_signs_in_with_the_password_shown_once(root, app, edge):
    answer = root.post("/console/people", NEW)
    password = one_time_password(answer.text)
    assert password not in root.get("/console/people").text
    assert Browser(app).sign_in("nadia@example.org", password).headers["location"] == "/console/password"
    assert named(edge, "Nadia").roles == ["counsellor", "editor"]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"email": "root@example.org"}, "already"),
        ({"email": "nobody"}, "not one"),
        ({"name": ""}, "Write a name"),
        ({"roles": []}, "at least one role"),
        ({"roles": ["king"]}, "king"),
    ],
)
def test_an_account_that_cannot_be_made_is_refused_with_the_reason(root, edge, changed, told):
    answer = root.post("/console/people", NEW | changed)
    assert answer.status_code == 422
    assert told in answer.text
    with edge.database.read() as session:
        assert len(session.scalars(select(Account)).all()) == 1


def test_nothing_changes_without_the_token(root, account, edge):
    ana = account("Ana", "counsellor")
    answer = root.post("/console/people", NEW, token="")
    assert answer.status_code == 403
    assert 'value="Nadia"' in answer.text
    assert root.post(f"/console/people/{ana.id}/deactivate", token="").status_code == 403
    assert root.post(f"/console/people/{ana.id}/readmit", token="").status_code == 403
    assert named(edge, "Ana").active


def test_deactivating_ends_sessions_and_puts_cases_back_into_the_queue(root, signed_in, case, edge):
    browser, made = signed_in("Ana", "counsellor"), case()
    ana = named(edge, "Ana")
    with edge.database.write() as session:
        queue.claim(session, case_id=made.id, account=session.get_one(Account, ana.id))
    assert root.post(f"/console/people/{ana.id}/deactivate").status_code == 303
    assert browser.get("/console/").headers["location"] == "/console/login"
    assert browser.sign_in("ana@example.org").status_code == 401
    with edge.database.read() as session:
        assert session.get_one(Case, made.id).state == "waiting"


def test_nobody_deactivates_their_own_account(root, edge):
    answer = root.post(f"/console/people/{named(edge, 'Root').id}/deactivate")
    assert answer.status_code == 409
    assert named(edge, "Root").active


def test_a_closed_account_is_opened_again_with_a_new_password(root, account, app, edge):
    ana = account("Ana", "counsellor")
    root.post(f"/console/people/{ana.id}/deactivate")
    password = one_time_password(root.post(f"/console/people/{ana.id}/readmit").text)
    assert Browser(app).sign_in(ana.email).status_code == 401
    assert Browser(app).sign_in(ana.email, password).headers["location"] == "/console/password"


def test_an_account_that_is_not_there_is_not_found(root):
    assert root.post("/console/people/99/deactivate").status_code == 404
    assert root.post("/console/people/99/readmit").status_code == 404


def test_changes_to_accounts_are_in_the_audit(root, edge):
    root.post("/console/people", NEW)
    nadia = named(edge, "Nadia")
    root.post(f"/console/people/{nadia.id}/deactivate")
    root.post(f"/console/people/{nadia.id}/readmit")
    with edge.database.read() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.subject == f"account/{nadia.id}")).all()
    assert [(row.account_id, row.action) for row in rows] == [
        (1, "account.add"),
        (1, "account.deactivate"),
        (1, "account.readmit"),
    ]
