import re
from datetime import timedelta

import httpx
import time_machine
from starlette.requests import Request

from bot.handoff import queue
from bot.storage.account import Account
from bot.storage.base import now
from bot.web.console import inbox
from tests.support.server import serve


def request_of(app, account: Account, **path_params) -> Request:
    """A request of a signed-in account, for reading a stream event by event."""
    session = {"account_id": account.id, "epoch": account.session_epoch}
    scope = {"type": "http", "app": app, "session": session, "headers": [], "path_params": path_params}
    return Request(scope)


def numbers(page: str) -> list[str]:
    return re.findall(r"<strong>(W-\d+)</strong>", page)


def test_the_queue_is_for_counsellors(signed_in):
    assert signed_in("Ed", "editor", "reviewer").get("/console/").status_code == 403


def test_urgent_cases_come_first_then_who_asked_first(signed_in, case):
    first, second = case(address="a"), case(address="b")
    urgent = case(address="c", urgent=True, reason="self_harm")
    page = signed_in("Ana", "counsellor").get("/console/").text
    assert numbers(page) == [urgent.number, first.number, second.number]


def test_a_waiting_case_shows_what_a_counsellor_needs_to_choose(signed_in, case, person):
    case(urgent=True, reason="trafficking", language="ar")
    person("and one more")
    with time_machine.travel(now() + timedelta(minutes=12, seconds=5)):
        page = signed_in("Ana", "counsellor").get("/console/").text
    for words in (
        "Urgent",
        "Trafficking or exploitation",
        "Arabic · العربية",
        "Telegram",
        "2 messages",
        "waiting 12 min",
    ):
        assert words in page


def test_ones_own_cases_stand_apart_and_those_of_others_are_for_admins(app, account, signed_in, edge, case):
    ana, other = account("Ana", "counsellor"), account("Bilal", "counsellor")
    mine, theirs = case(address="a"), case(address="b")
    with edge.database.write() as session:
        queue.claim(session, case_id=mine.id, account=ana)
        queue.claim(session, case_id=theirs.id, account=other)
    shown = inbox.load(edge.database, ana)
    assert [row.number for row in shown.own] == [mine.number]
    assert (shown.waiting, shown.others) == ((), ())
    page = signed_in("Root", "admin").get("/console/").text
    assert "With colleagues" in page
    assert "with Bilal" in page


async def test_the_stream_tells_of_a_new_case_without_waiting_for_a_look(app, account, edge, case):
    ana = account("Ana", "counsellor")
    events = inbox.events(request_of(app, ana))
    assert "Nobody is waiting" in (await anext(events)).data
    made = case()
    edge.hub.wake()
    assert made.number in (await anext(events)).data
    await events.aclose()


async def test_the_stream_ends_for_an_account_that_was_deactivated(app, account, edge):
    ana = account("Ana", "counsellor")
    events = inbox.events(request_of(app, ana))
    await anext(events)
    with edge.database.write() as session:
        session.get_one(Account, ana.id).active = False
    edge.hub.wake()
    assert (await anext(events)).event == "ended"
    assert [event async for event in events] == []


def test_the_stream_speaks_server_sent_events(app, signed_in, case):
    made = case()
    cookies = dict(signed_in("Ana", "counsellor").client.cookies)
    with serve(app) as base, httpx.stream("GET", f"{base}/console/stream", cookies=cookies, timeout=10) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        lines = answer.iter_lines()
        assert next(lines) == "event: queue"
        assert any(made.number in line for line in lines)
