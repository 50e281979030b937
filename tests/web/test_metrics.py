from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from bot import metrics
from bot.handoff import queue
from bot.storage.base import now
from bot.storage.inbox import InboxMessage
from bot.web.metrics import DatabaseCollector
from tests.web.console.conftest import case, person  # noqa: F401  # fixtures of the folder below

HERE, ELSEWHERE = ("127.0.0.1", 50000), ("203.0.113.9", 50000)


def values(edge) -> dict[str, float]:
    return {family.name: family.samples[0].value for family in DatabaseCollector(edge.database).collect()}


@pytest.mark.parametrize(
    ("caller", "headers", "status"),
    [
        (HERE, {}, 200),
        (("::1", 50000), {}, 200),
        (HERE, {"x-forwarded-for": "127.0.0.1"}, 404),
        (HERE, {"forwarded": "for=127.0.0.1"}, 404),
        (ELSEWHERE, {}, 404),
        (("testclient", 50000), {}, 404),
    ],
)
def test_without_a_token_only_this_machine_may_scrape(app, caller, headers, status):
    assert TestClient(app, client=caller).get("/metrics", headers=headers).status_code == status


@pytest.mark.parametrize(
    ("shown", "status"),
    [("Bearer s3cret", 200), ("bearer s3cret", 200), ("Bearer wrong", 404), ("Basic s3cret", 404), ("Bearer é", 404),
     ("", 404)],
)  # fmt: skip
@pytest.mark.parametrize("caller", [HERE, ELSEWHERE])
def test_with_a_token_everybody_must_show_it(app, edge, caller, shown, status):
    edge.settings = replace(edge.settings, metrics_token="s3cret")
    headers = {b"authorization": shown.encode()}
    assert TestClient(app, client=caller).get("/metrics", headers=headers).status_code == status


def test_counts_and_queues_are_on_one_page(app):
    metrics.accepted("from-a-test")
    answer = TestClient(app, client=HERE).get("/metrics")
    assert answer.headers["content-type"].startswith("text/plain; version=0.0.4")
    assert 'waymark_accepted_total{channel="from-a-test"} 1.0' in answer.text
    assert "waymark_database_up 1.0" in answer.text
    assert "waymark_queue_age_seconds 0.0" in answer.text


def test_what_waits_is_told_with_its_age(edge, person, case, time_machine):  # noqa: F811
    start = now()
    time_machine.move_to(start, tick=False)
    person(address="a")
    case(address="b")
    time_machine.move_to(start + timedelta(seconds=90), tick=False)
    person(address="c")
    found = values(edge)
    assert found["waymark_inbox_waiting"] == 3
    assert found["waymark_queue_age_seconds"] == pytest.approx(90, abs=1)
    assert found["waymark_cases_waiting"] == 1
    assert found["waymark_cases_oldest_waiting_seconds"] == pytest.approx(90, abs=1)
    assert found["waymark_outbox_due"] == 1  # the word that a counsellor was asked
    assert found["waymark_outbox_age_seconds"] == pytest.approx(90, abs=1)


def test_what_was_given_up_no_longer_waits(edge, person):  # noqa: F811
    person()
    with edge.database.write() as session:
        session.query(InboxMessage).one().state = "parked"
    found = values(edge)
    assert (found["waymark_inbox_parked"], found["waymark_inbox_waiting"]) == (1, 0)
    assert found["waymark_queue_age_seconds"] == 0


def test_a_closed_case_no_longer_waits(edge, account, case):  # noqa: F811
    ana = account("Ana", "counsellor")
    opened = case()
    with edge.database.write() as session:
        queue.close(session, case_id=opened.id, account=ana)
    assert values(edge)["waymark_cases_waiting"] == 0


def test_without_a_database_only_its_absence_is_told(app, edge):
    with edge.database.engine.begin() as connection:
        connection.execute(text("ALTER TABLE inbox RENAME TO away"))
    answer = TestClient(app, client=HERE).get("/metrics")
    assert answer.status_code == 200
    assert "waymark_database_up 0.0" in answer.text
    assert "waymark_queue_age_seconds" not in answer.text


def test_the_queues_are_read_alike_from_every_database(database):
    names = {family.name for family in DatabaseCollector(database).collect()}
    assert "waymark_cases_oldest_waiting_seconds" in names
