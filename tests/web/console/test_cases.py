from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from bot.channels.base import BaseChannel
from bot.handoff import queue
from bot.messaging import outbox
from bot.messaging.messages import Button, Outgoing, Shown
from bot.storage.account import Account, AuditEvent
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.web.console import cases
from tests.web.console.test_inbox import request_of

KEY = "0" * 32


@pytest.fixture
def ana(signed_in):
    return signed_in("Ana", "counsellor")


@pytest.fixture
def held(ana, case):
    """A case that Ana has taken."""
    made = case()
    ana.get(f"/console/cases/{made.id}")
    assert ana.post(f"/console/cases/{made.id}/claim").status_code == 303
    ana.get(f"/console/cases/{made.id}")
    return made


def state(edge, case) -> tuple[str, int | None, str]:
    with edge.database.read() as session:
        row = session.get_one(Case, case.id)
        return row.state, row.counsellor_id, session.get_one(Conversation, case.conversation_id).holder


def replies(edge) -> list[str]:
    with edge.database.read() as session:
        rows = select(OutboxMessage).where(OutboxMessage.speaker == "counsellor").order_by(OutboxMessage.id)
        return [row.body["text"] for row in session.scalars(rows)]


def say(edge, case, text="the answer", **values) -> int:
    with edge.database.write() as session:
        message = Outgoing(text=text, language="en", **values)
        count = session.scalar(select(func.count()).select_from(OutboxMessage))
        return outbox.put(session, conversation_id=case.conversation_id, cause=f"said:{count}", message=message)


def change(edge, model, row_id, **values):
    with edge.database.write() as session:
        row = session.get_one(model, row_id)
        for name, value in values.items():
            setattr(row, name, value)


def test_a_case_is_not_for_editors(signed_in, case):
    assert signed_in("Ed", "editor").get(f"/console/cases/{case().id}").status_code == 403


def test_a_case_that_is_not_there_is_not_found(ana):
    assert ana.get("/console/cases/99").status_code == 404
    assert ana.post("/console/cases/99/claim").status_code == 404


def test_what_a_person_wrote_is_shown_as_text(ana, case):
    made = case('<script>alert("x")</script><img src=x onerror=alert(1)>')
    page = ana.get(f"/console/cases/{made.id}").text
    assert "<script>alert" not in page
    assert "<img" not in page
    assert "&lt;script&gt;alert(&#34;x&#34;)&lt;/script&gt;" in page


async def test_what_a_person_wrote_is_text_in_live_updates_too(app, account, case):
    made = case("<b onclick=x>bold</b>")
    events = cases.events(request_of(app, account("Bo", "counsellor")), made.id, "waiting")
    event = await anext(events)
    assert event.event == "thread"
    assert "&lt;b onclick=x&gt;bold&lt;/b&gt;" in event.data
    await events.aclose()


def test_bodies_carry_their_own_direction_and_language(ana, case, edge):
    made = case("أريد العودة إلى بلدي")
    change(edge, Conversation, made.conversation_id, language="ar")
    page = ana.get(f"/console/cases/{made.id}").text
    assert '<p class="body" dir="auto" lang="ar">أريد العودة إلى بلدي</p>' in page
    assert "Arabic · العربية" in page


def test_the_thread_is_in_the_order_of_events(ana, case, edge, person):
    made = case("first question")
    say(edge, made, "first answer")
    person("second question")
    page = ana.get(f"/console/cases/{made.id}").text
    places = [page.index(words) for words in ("first question", "first answer", "second question")]
    assert places == sorted(places)


def test_an_answer_shows_its_entry_version_buttons_and_rating(ana, case, edge):
    made = case()
    shown = Shown("documents_passport", "fr", 7)
    row = say(edge, made, shown=shown, buttons=(Button("More about this", "t:documents"),))
    change(edge, OutboxMessage, row, helpful=False)
    page = ana.get(f"/console/cases/{made.id}").text
    for words in ("documents_passport · fr · version 7", "More about this", "rated not helpful"):
        assert words in page


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"state": "due"}, "Waiting to be sent"),
        ({"state": "due", "problem": "network"}, "Will be tried again: network"),
        ({"state": "sending"}, "Being sent"),
        ({"state": "sent"}, "Sent"),
        ({"state": "sent", "provider_state": "delivered"}, "Delivered"),
        ({"state": "sent", "provider_state": "read"}, "Read"),
        ({"state": "failed", "problem": "blocked by the user"}, "Not delivered: blocked by the user"),
        ({"state": "withdrawn", "problem": "a counsellor took over"}, "Not sent: a counsellor took over"),
    ],
)
def test_what_became_of_a_message_is_told(ana, case, edge, values, told):
    made = case()
    change(edge, OutboxMessage, say(edge, made, "look here"), **values)
    assert told in ana.get(f"/console/cases/{made.id}").text.split("look here")[1]


@pytest.mark.parametrize(
    ("values", "told"),
    [
        ({"state": "parked", "problem": "TimeoutError"}, "Not answered: TimeoutError"),
        ({"state": "limited"}, "Came too fast; kept, not answered"),
        ({"crisis": "violence"}, '<span class="badge bad">Violence</span>'),
        ({"kind": "media", "media": {"kind": "voice"}}, "Voice message"),
        ({"kind": "button", "payload": "h"}, "Pressed a button: handoff"),
        ({"kind": "edited"}, "Edited an earlier message"),
    ],
)
def test_what_is_special_about_a_persons_message_is_told(ana, case, edge, values, told):
    made = case()
    change(edge, InboxMessage, 1, **values)
    assert told in ana.get(f"/console/cases/{made.id}").text


class Windowed(BaseChannel):
    name, service_window_hours = "whatsapp", 24


def test_a_channels_window_counts_down_and_its_end_is_told(ana, case, edge):
    edge.channels["whatsapp"] = Windowed()
    made = case(channel="whatsapp")
    assert "another 23 h 59 min" in ana.get(f"/console/cases/{made.id}").text
    with time_machine.travel(now() + timedelta(hours=25)):
        ana = type(ana)(ana.client.app)
        ana.sign_in("ana@example.org")
        assert "WhatsApp delivers no reply until the person writes again" in ana.get(f"/console/cases/{made.id}").text


def test_other_channels_have_no_window(ana, case):
    assert "Reply window" not in ana.get(f"/console/cases/{case().id}").text


def test_claiming_gives_the_case_and_silences_the_assistant(ana, case, edge):
    made = case()
    ana.get(f"/console/cases/{made.id}")
    answer = ana.post(f"/console/cases/{made.id}/claim")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/console/cases/{made.id}")
    assert state(edge, made) == ("held", 1, "counsellor")


@pytest.mark.parametrize("action", ["claim", "hand-back", "close", "reply"])
def test_nothing_moves_without_the_token(ana, held, case, edge, action):
    before = state(edge, held)
    answer = ana.post(f"/console/cases/{held.id}/{action}", {"text": "long reply", "key": KEY}, token="")
    assert answer.status_code == 403
    assert "please try once more" in answer.text
    assert state(edge, held) == before
    assert replies(edge) == []


def test_a_reply_refused_for_its_token_is_still_in_the_form(ana, held):
    answer = ana.post(f"/console/cases/{held.id}/reply", {"text": "a long reply", "key": KEY}, token="forged##0")
    assert answer.status_code == 403
    assert ">a long reply</textarea>" in answer.text


def test_of_two_who_claim_one_is_told_that_it_is_too_late(signed_in, ana, case, edge):
    bilal, made = signed_in("Bilal", "counsellor"), case()
    for browser in (ana, bilal):
        browser.get(f"/console/cases/{made.id}")
    assert bilal.post(f"/console/cases/{made.id}/claim").status_code == 303
    answer = ana.post(f"/console/cases/{made.id}/claim")
    assert answer.status_code == 409
    assert "Nothing was changed" in answer.text
    assert state(edge, made)[1] == 2


def test_another_counsellors_case_is_closed_to_counsellors_and_open_to_admins(signed_in, held, edge):
    assert signed_in("Bilal", "counsellor").get(f"/console/cases/{held.id}").status_code == 403
    root = signed_in("Root", "admin")
    page = root.get(f"/console/cases/{held.id}")
    assert page.status_code == 200
    assert "only they can write in it" in page.text
    with edge.database.read() as session:
        assert session.scalar(select(AuditEvent.action).order_by(AuditEvent.id.desc()).limit(1)) == "case.read"


def test_a_reply_is_queued_for_the_person(ana, held, edge):
    answer = ana.post(f"/console/cases/{held.id}/reply", {"text": " Hello,\r\nhow are you? ", "key": KEY})
    assert answer.status_code == 303
    assert replies(edge) == ["Hello,\nhow are you?"]


def test_the_same_form_sent_twice_says_it_once(ana, held, edge):
    for _ in range(2):
        ana.post(f"/console/cases/{held.id}/reply", {"text": "once", "key": KEY})
    assert replies(edge) == ["once"]


def test_a_reply_needs_the_claim(ana, case, edge):
    made = case()
    ana.get(f"/console/cases/{made.id}")
    answer = ana.post(f"/console/cases/{made.id}/reply", {"text": "not yet mine", "key": KEY})
    assert answer.status_code == 409
    assert "not yet mine" in answer.text
    assert replies(edge) == []


def test_an_admin_cannot_write_in_a_colleagues_case(signed_in, held, edge):
    root = signed_in("Root", "admin")
    root.get(f"/console/cases/{held.id}")
    for action in ("reply", "close", "hand-back"):
        answer = root.post(f"/console/cases/{held.id}/{action}", {"text": "mine", "key": KEY})
        assert answer.status_code == 409
    assert replies(edge) == []
    assert state(edge, held)[:2] == ("held", 1)


@pytest.mark.parametrize(("text", "told"), [("  ", "Write a reply first"), ("x" * 4001, "at most 4000")])
def test_a_reply_that_cannot_be_sent_is_refused_with_the_reason(ana, held, edge, text, told):
    answer = ana.post(f"/console/cases/{held.id}/reply", {"text": text, "key": KEY})
    assert answer.status_code == 422
    assert told in answer.text
    assert replies(edge) == []


def test_a_case_handed_back_waits_again(ana, held, edge):
    assert ana.post(f"/console/cases/{held.id}/hand-back").headers["location"] == "/console/"
    assert state(edge, held) == ("waiting", None, "bot")
    assert "is back in the queue" in ana.get("/console/").text


def test_a_closed_case_gives_the_person_back_to_the_assistant(ana, held, edge):
    assert ana.post(f"/console/cases/{held.id}/close").headers["location"] == "/console/"
    assert state(edge, held)[::2] == ("closed", "bot")


async def test_the_thread_follows_what_is_said(app, account, case, edge):
    made, ana = case(), account("Ana", "counsellor")
    events = cases.events(request_of(app, ana), made.id, "waiting")
    assert "brand new" not in (await anext(events)).data
    say(edge, made, "brand new")
    edge.hub.wake(made.conversation_id)
    assert "brand new" in (await anext(events)).data
    await events.aclose()


async def test_an_open_page_hears_that_a_colleague_took_the_case(app, account, case, edge):
    made, ana, root = case(), account("Ana", "counsellor"), account("Root", "admin")
    watching = cases.events(request_of(app, root), made.id, "waiting")
    losing = cases.events(request_of(app, account("Bilal", "counsellor")), made.id, "waiting")
    await anext(watching)
    await anext(losing)
    with edge.database.write() as session:
        queue.claim(session, case_id=made.id, account=session.get_one(Account, ana.id))
    edge.hub.wake()
    told = [await anext(watching), await anext(watching)]
    assert "Ana has this case now" in next(event.data for event in told if event.event == "state")
    assert (await anext(losing)).event == "ended"
    await watching.aclose()
