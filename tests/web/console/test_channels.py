import asyncio
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import func, select

from bot.channels.base import BaseChannel
from bot.languages import launched
from bot.messaging import health, held, inbox, outbox, parked, templates
from bot.messaging.hooks import Heard, TemplateState
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Check, DeliveryError
from bot.storage.account import AuditEvent
from bot.storage.base import now
from bot.storage.channels import MessageTemplate
from bot.storage.conversation import Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage

HERE = "/console/channels"
LANGUAGES = [row.code for row in launched()]
REVOKED = [Check("token refused", False, "put a valid one into the settings")]


class Provider(BaseChannel):
    """A channel with a service window whose provider approves, and refuses what it is told to refuse."""

    name, label, service_window_hours = "whatsapp", "WhatsApp", 24

    def __init__(self) -> None:
        self.states: dict[str, TemplateState] = {}
        self.refuses: dict[str, DeliveryError] = {}
        self.away = False
        self.submitted: list[str] = []

    def receive(self, hook):
        return Heard()

    def plan(self, message, *, outbox_id, document=None):
        return [{"text": message.text}]

    async def send(self, address, part, *, reference):
        return "p1"

    async def templates(self):
        if self.away:
            raise DeliveryError("WhatsApp cannot be reached")
        return list(self.states.values())

    async def submit_template(self, name, language):
        self.submitted.append(language)
        if language in self.refuses:
            raise self.refuses[language]
        self.states[language] = TemplateState(name, language, "pending")
        return self.states[language]


class Messenger(Provider):
    name, label, service_window_hours = "telegram", "Telegram", None


@pytest.fixture
def provider(edge):
    edge.channels = {"telegram": Messenger(), "whatsapp": Provider()}
    return edge.channels["whatsapp"]


@pytest.fixture
def root(provider, signed_in):
    browser = signed_in("Root", "admin")
    browser.get(HERE)
    return browser


def look(edge, channel, checks=()):
    with edge.database.write() as session:
        health.record(session, channel=channel, checks=list(checks))


def park(edge, inbox_id=1, problem="TimeoutError"):
    with edge.database.write() as session:
        for _ in range(inbox.MAX_ATTEMPTS):
            inbox.failed(session, inbox_id=inbox_id, problem=problem)


def say(edge, conversation_id, **values) -> int:
    with edge.database.write() as session:
        cause = f"said:{session.scalar(select(func.count()).select_from(OutboxMessage))}"
        row = outbox.put(session, conversation_id=conversation_id, cause=cause, message=Outgoing("my own words", "en"))
        for name, value in values.items():
            setattr(session.get_one(OutboxMessage, row), name, value)
        return row


def stored(edge, model, row_id):
    with edge.database.read() as session:
        return session.get_one(model, row_id)


def approval_of(edge) -> dict[str, str]:
    with edge.database.read() as session:
        return {row.language: row.state for row in templates.overview(session, channel="whatsapp")}


def audited(edge) -> list[tuple[int | None, str, str]]:
    with edge.database.read() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action != "login"))
        return [(row.account_id, row.action, row.subject) for row in rows]


async def poked(edge, topic, press) -> bool:
    """Whether ``press`` wakes those who listen to ``topic``."""
    heard = asyncio.Event()
    listening = asyncio.create_task(edge.poke.listen(topic, lambda _key: heard.set()))
    await asyncio.sleep(0.05)
    await asyncio.to_thread(press)
    try:
        await asyncio.wait_for(heard.wait(), 2)
    except TimeoutError:
        return False
    finally:
        listening.cancel()
    return True


def health_of(page: str, label: str) -> str:
    rows = page.split("<tbody>")[1].split("</tbody>")[0].split("<tr>")
    return next(row for row in rows if f"<strong>{label}</strong>" in row)


# --- who may


def test_channels_are_not_for_editors(provider, signed_in):
    browser = signed_in("Ed", "editor", "reviewer")
    assert browser.get(HERE).status_code == 403
    assert "Channels" not in browser.get("/console/content").text


def test_counsellors_read_the_page_and_find_no_buttons(edge, provider, signed_in, person):
    say(edge, person(), state="failed", problem="blocked by the user")
    park(edge)
    page = signed_in("Ana", "counsellor").get(HERE).text
    assert "blocked by the user" in page
    assert "TimeoutError" in page
    assert 'action="/console/channels/' not in page


@pytest.mark.parametrize(
    "path", ["templates/submit", "templates/ask", "parked/try-again", "parked/set-aside", "failed/try-again"]
)
def test_counsellors_change_nothing_whatever_they_send(edge, provider, signed_in, person, path):
    row = say(edge, person(), state="failed")
    park(edge)
    ana = signed_in("Ana", "counsellor")
    given = {"channel": "whatsapp", "inbox_id": "1", "outbox_id": str(row)}
    assert ana.post(f"{HERE}/{path}", given).status_code == 403
    assert provider.submitted == []
    assert stored(edge, InboxMessage, 1).state == "parked"
    assert stored(edge, OutboxMessage, row).state == "failed"


@pytest.mark.parametrize("path", ["templates/submit", "parked/try-again", "parked/set-aside", "failed/try-again"])
def test_nothing_changes_without_the_pages_token(edge, root, provider, person, path):
    row = say(edge, person(), state="failed")
    park(edge)
    given = {"channel": "whatsapp", "inbox_id": "1", "outbox_id": str(row)}
    answer = root.post(f"{HERE}/{path}", given, token="made up")
    assert answer.status_code == 403
    assert "please try once more" in answer.text
    assert provider.submitted == []
    assert stored(edge, InboxMessage, 1).state == "parked"
    assert stored(edge, OutboxMessage, row).state == "failed"


# --- health


def test_a_channel_that_works_says_since_when(edge, root):
    look(edge, "telegram")
    row = health_of(root.get(HERE).text, "Telegram")
    assert '<span class="badge good">well</span>' in row
    assert "since" in row


def test_a_channel_that_does_not_work_says_why_and_how_to_mend_it(edge, root):
    look(edge, "telegram", REVOKED)
    row = health_of(root.get(HERE).text, "Telegram")
    assert '<span class="badge bad">problem</span>' in row
    assert "token refused" in row
    assert "waymark doctor" in row


def test_an_old_look_asks_whether_the_brain_runs(edge, root):
    with time_machine.travel(now() - timedelta(minutes=6)):
        look(edge, "telegram")
    look(edge, "whatsapp")
    page = root.get(HERE).text
    assert "not looked at</span>" in health_of(page, "Telegram")
    assert "Is the brain running?" in health_of(page, "Telegram")
    assert "well</span>" in health_of(page, "WhatsApp")


def test_a_channel_that_nobody_ever_looked_at_says_so(root):
    assert "not looked at yet" in health_of(root.get(HERE).text, "Telegram")


def test_the_web_chat_is_part_of_the_server(root):
    assert "part of this server" in health_of(root.get(HERE).text, "Web chat")


def test_a_channel_shows_what_became_of_its_messages(edge, root, person):
    where = person()
    for state, number in {"due": 2, "sending": 1, "held": 4, "failed": 5, "sent": 6}.items():
        for _ in range(number):
            say(edge, where, state=state)
    say(edge, where, state="failed", created_at=now() - timedelta(days=8))
    with edge.database.write() as session:
        session.get_one(Conversation, where).last_inbound_at = now().replace(year=2025, month=3, day=4)
    row = health_of(root.get(HERE).text, "Telegram")
    for name, told in (("To be sent", ">3<"), ("Held", ">4<"), ("Failed", ">5<"), ("Last message in", "4 Mar 2025")):
        assert told in row.split(f'data-name="{name}"')[1].split("/td>")[0], name
    assert "none yet" in health_of(root.get(HERE).text, "WhatsApp")


# --- the banner


@pytest.mark.parametrize(
    ("role", "path"),
    [("counsellor", "/console/"), ("admin", "/console/people"), ("editor", "/console/content")],
)
def test_every_page_tells_of_a_channel_that_does_not_work(edge, provider, signed_in, role, path):
    look(edge, "telegram", REVOKED)
    page = signed_in("Somebody", role).get(path).text
    assert "Telegram has a problem: token refused." in page
    assert ('<a href="/console/channels">Look at the channels</a>' in page) == (role != "editor")


def test_there_is_no_banner_for_channels_that_work_or_are_set_up_no_more(edge, root):
    look(edge, "telegram")
    look(edge, "signal", REVOKED)
    assert "has a problem" not in root.get("/console/").text


def test_the_login_page_tells_strangers_nothing_of_it(edge, provider, browser):
    look(edge, "telegram", REVOKED)
    assert "has a problem" not in browser.get("/console/login").text


def test_the_banner_shows_the_providers_words_as_text(edge, root):
    look(edge, "telegram", [Check("<b>refused</b>", False)])
    page = root.get(HERE).text
    assert "<b>refused" not in page
    assert "&lt;b&gt;refused&lt;/b&gt;" in page


# --- templates


def test_templates_are_shown_in_every_language_with_their_state_words_and_direction(edge, root):
    with edge.database.write() as session:
        told = [
            TemplateState(held.REOPEN, "fr", "approved"),
            TemplateState(held.REOPEN, "ar", "rejected", "<i>too vague</i>"),
            TemplateState(held.REOPEN, "ru", "pending"),
        ]
        templates.record(session, channel="whatsapp", states=told)
    page = root.get(HERE).text
    assert page.count('class="badge warn">missing<') == len(LANGUAGES) - 3
    for badge in ('good">approved', 'bad">rejected', 'info">pending'):
        assert f'class="badge {badge}<' in page
    assert "&lt;i&gt;too vague&lt;/i&gt;" in page
    assert f'lang="ar" dir="rtl">{held.reopening("ar").text}' in page
    assert f'lang="fr" dir="ltr">{held.reopening("fr").text}' in page


def test_channels_without_a_service_window_have_no_templates(root):
    page = root.get(HERE).text
    assert "Template messages of WhatsApp" in page
    assert "Template messages of Telegram" not in page


def test_what_is_missing_or_rejected_is_handed_in_and_its_state_kept(edge, root, provider):
    provider.states = {
        "en": TemplateState(held.REOPEN, "en", "approved"),
        "ar": TemplateState(held.REOPEN, "ar", "rejected", "too vague"),
    }
    answer = root.post(f"{HERE}/templates/submit", {"channel": "whatsapp"})
    assert (answer.status_code, answer.headers["location"]) == (303, HERE)
    assert sorted(provider.submitted) == sorted(code for code in LANGUAGES if code != "en")
    assert approval_of(edge) == {code: "approved" if code == "en" else "pending" for code in LANGUAGES}
    assert (1, "template.submit", "channel/whatsapp") in audited(edge)
    page = root.get(HERE).text
    assert "Handed in." in page
    assert "Hand in what is missing" not in page


def test_a_refused_template_is_told_and_the_others_are_handed_in(edge, root, provider):
    refusal = DeliveryError("the account may have no more templates", permanent=True)
    provider.refuses = {"fr": refusal, "ar": refusal}
    answer = root.post(f"{HERE}/templates/submit", {"channel": "whatsapp"})
    assert answer.status_code == 409
    assert "French · Français, Arabic · العربية: the account may have no more templates" in answer.text
    assert {code for code, state in approval_of(edge).items() if state == "missing"} == {"fr", "ar"}


def test_handing_in_stops_at_a_provider_that_went_away_and_keeps_what_was_done(edge, root, provider):
    provider.refuses = {LANGUAGES[2]: DeliveryError("WhatsApp cannot be reached")}
    answer = root.post(f"{HERE}/templates/submit", {"channel": "whatsapp"})
    assert "WhatsApp cannot be reached" in answer.text
    assert provider.submitted == LANGUAGES[:3]
    assert [code for code, state in approval_of(edge).items() if state == "pending"] == LANGUAGES[:2]


def test_asking_again_brings_the_states_up_to_date(edge, root, provider):
    with time_machine.travel(now() - timedelta(days=3)):
        root.post(f"{HERE}/templates/ask", {"channel": "whatsapp"})
    provider.states = {"ur": TemplateState(held.REOPEN, "ur", "approved")}
    assert root.post(f"{HERE}/templates/ask", {"channel": "whatsapp"}).status_code == 303
    assert approval_of(edge)["ur"] == "approved"
    with edge.database.read() as session:
        asked = session.scalar(select(MessageTemplate.checked_at).where(MessageTemplate.language == "ur"))
    assert now() - asked < timedelta(minutes=1)


@pytest.mark.parametrize("action", ["ask", "submit"])
def test_a_provider_that_cannot_be_asked_is_told(root, provider, action):
    provider.away = True
    answer = root.post(f"{HERE}/templates/{action}", {"channel": "whatsapp"})
    assert answer.status_code == 409
    assert "WhatsApp could not be asked: WhatsApp cannot be reached." in answer.text
    assert provider.submitted == []


@pytest.mark.parametrize("channel", ["telegram", "signal", ""])
@pytest.mark.parametrize("action", ["ask", "submit"])
def test_a_channel_without_templates_is_not_found(root, action, channel):
    assert root.post(f"{HERE}/templates/{action}", {"channel": channel}).status_code == 404


# --- messages that could not be answered


def test_a_parked_message_shows_its_reason_and_case_and_none_of_its_words(edge, root, case):
    made = case("my secret <b>words</b>")
    park(edge)
    page = root.get(HERE).text
    assert "TimeoutError" in page
    assert f'<a href="/console/cases/{made.id}">{made.number}</a>' in page
    assert "secret" not in page


def test_a_colleagues_case_is_named_without_a_link(edge, provider, signed_in, case):
    made = case()
    park(edge)
    bilal = signed_in("Bilal", "counsellor")
    bilal.get(f"/console/cases/{made.id}")
    bilal.post(f"/console/cases/{made.id}/claim")
    assert f'href="/console/cases/{made.id}"' in bilal.get(HERE).text
    page = signed_in("Ana", "counsellor").get(HERE).text
    assert made.number in page
    assert f'href="/console/cases/{made.id}"' not in page


async def test_trying_a_parked_message_again_wakes_the_brain(edge, root, person):
    person()
    park(edge)
    assert await poked(edge, "inbox", lambda: root.post(f"{HERE}/parked/try-again", {"inbox_id": "1"}))
    row = stored(edge, InboxMessage, 1)
    assert (row.state, row.attempts, row.retry_at) == ("waiting", 0, None)
    assert audited(edge) == [(1, "message.try_again", "inbox/1")]
    assert "waits for an answer again" in root.get(HERE).text


def test_a_parked_message_is_set_aside(edge, root, person):
    person()
    park(edge)
    assert root.post(f"{HERE}/parked/set-aside", {"inbox_id": "1"}).status_code == 303
    row = stored(edge, InboxMessage, 1)
    assert (row.state, row.outcome) == ("done", parked.SET_ASIDE)
    assert audited(edge) == [(1, "message.set_aside", "inbox/1")]
    assert "Every message was answered" in root.get(HERE).text


def test_who_comes_second_is_told_and_leaves_no_trace(edge, root, person):
    person()
    park(edge)
    root.post(f"{HERE}/parked/set-aside", {"inbox_id": "1"})
    answer = root.post(f"{HERE}/parked/try-again", {"inbox_id": "1"})
    assert answer.status_code == 409
    assert "somebody has decided about this message already" in answer.text
    assert len(audited(edge)) == 1


@pytest.mark.parametrize("given", ["", "x", "-1", "٣", "9" * 30])
def test_what_is_no_message_is_not_found(root, given):
    assert root.post(f"{HERE}/parked/try-again", {"inbox_id": given}).status_code == 404
    assert root.post(f"{HERE}/failed/try-again", {"outbox_id": given}).status_code == 404


# --- messages that could not be delivered


def test_failures_of_the_last_week_are_counted_by_channel_and_reason(edge, root, person):
    telegram, whatsapp = person(), person(address="b", channel="whatsapp")
    for _ in range(3):
        say(edge, telegram, state="failed", problem="blocked by the user")
    say(edge, whatsapp, state="failed", problem="number <unknown>")
    say(edge, telegram, state="failed", problem="long ago", created_at=now() - timedelta(days=8))
    page = root.get(HERE).text
    blocked = page.split("<strong>blocked by the user</strong>")[1].split("</tr>")[0]
    assert ("Telegram" in blocked, ">3<" in blocked) == (True, True)
    assert "number &lt;unknown&gt;" in page
    assert "long ago" not in page
    assert "my own words" not in page


async def test_a_failed_message_is_sent_again_and_the_brain_woken(edge, root, person):
    row = say(edge, person(), state="failed", problem="blocked by the user", attempts=9)
    assert await poked(edge, "outbox", lambda: root.post(f"{HERE}/failed/try-again", {"outbox_id": str(row)}))
    found = stored(edge, OutboxMessage, row)
    assert (found.state, found.attempts) == ("due", 0)
    assert audited(edge) == [(1, "delivery.try_again", f"outbox/{row}")]


def test_a_message_that_did_not_fail_is_not_sent_again(edge, root, person):
    row = say(edge, person(), state="sent")
    assert root.post(f"{HERE}/failed/try-again", {"outbox_id": str(row)}).status_code == 409
    assert stored(edge, OutboxMessage, row).state == "sent"


# --- the case


def test_a_held_reply_says_in_the_case_what_it_waits_for(edge, root, case):
    made = case(channel="whatsapp")
    say(edge, made.conversation_id, state="held", problem="outside the service window; a template asks them")
    page = root.get(f"/console/cases/{made.id}").text
    assert "Waits until the person writes again: outside the service window; a template asks them" in page


@pytest.mark.parametrize(
    ("channel", "language", "approved", "told"),
    [
        ("whatsapp", "ar", "ar", "A template message in Arabic · العربية asks them to."),
        ("whatsapp", "ar", "fr", "no template in Arabic · العربية is approved"),
        ("whatsapp", None, "en", "A template message in English asks them to."),
    ],
)
def test_a_closed_window_says_that_replies_wait_and_who_asks_for_more(
    edge, root, case, channel, language, approved, told
):
    made = case(channel=channel)
    with edge.database.write() as session:
        conversation = session.get_one(Conversation, made.conversation_id)
        conversation.language, conversation.last_inbound_at = language, now() - timedelta(hours=25)
        state = TemplateState(held.REOPEN, approved, "approved")
        templates.record(session, channel=channel, states=[state])
    page = root.get(f"/console/cases/{made.id}").text
    assert "Yours will wait, and be delivered when they write." in page
    assert told in page
