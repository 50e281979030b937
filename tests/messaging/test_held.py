from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from bot.messaging import held, inbox, outbox, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.messages import Incoming, Outgoing
from bot.storage.conversation import Conversation
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from tests.conftest import NOON

PERSON = "32470000001"


def write(database: Database, number: int = 1) -> str:
    with database.write() as session:
        accepted = inbox.accept(session, Incoming("whatsapp", f"wamid.{number}", PERSON, text="hi"), per_minute=20)
        session.get_one(Conversation, accepted.conversation_id).language = "bn"
        return accepted.conversation_id


def hold(database: Database, conversation_id: str, cause: str) -> int:
    with database.write() as session:
        row = outbox.put(session, conversation_id=conversation_id, cause=cause, message=Outgoing("reply", "bn"))
        held.hold(session, outbox_id=row, reason="outside the service window")
        return row


def approve(database: Database, state: str = "approved", provider_id: str = "") -> None:
    with database.write() as session:
        told = TemplateState(held.REOPEN, "bn", state, provider_id=provider_id)
        templates.record(session, channel="whatsapp", states=[told])


def bodies(database: Database, state: str) -> list[dict]:
    with database.read() as session:
        return list(session.scalars(select(OutboxMessage.body).where(OutboxMessage.state == state)))


def test_a_held_message_is_not_sent_and_says_why(database):
    where = write(database)
    row = hold(database, where, "c:1")
    with database.write() as session:
        assert outbox.claim(session, worker="w", channels=["whatsapp"]) == []
        assert session.get_one(OutboxMessage, row).problem.endswith("the template in bn is not handed in")


def test_an_approved_template_asks_the_person_to_write_in_their_language_once_per_silence(database):
    approve(database)
    with time_machine.travel(NOON, tick=False) as clock:
        where = write(database)
        clock.shift(timedelta(hours=25))
        hold(database, where, "c:1")
        hold(database, where, "c:2")
        (template,) = bodies(database, "due")
        assert (template["template"], template["language"]) == (held.REOPEN, "bn")
        clock.shift(timedelta(minutes=5))
        write(database, 2)
        clock.shift(timedelta(hours=25))
        hold(database, where, "c:3")
    assert len([body for body in bodies(database, "due") if body["template"]]) == 2


@pytest.mark.parametrize("state", ["pending", "rejected", "paused", "disabled"])
def test_a_template_that_is_not_approved_is_not_sent(database, state):
    approve(database, state)
    hold(database, write(database), "c:1")
    assert bodies(database, "due") == []


def test_the_providers_own_id_of_the_template_is_what_is_sent(database):
    approve(database, provider_id="HX1")
    hold(database, write(database), "c:1")
    assert [body["template"] for body in bodies(database, "due")] == ["HX1"]


def test_the_persons_next_message_releases_what_was_held_in_order(database):
    where = write(database)
    rows = [hold(database, where, "c:1"), hold(database, where, "c:2")]
    write(database, 2)
    with database.write() as session:
        first = outbox.claim(session, worker="w", channels=["whatsapp"])
        assert [row.outbox_id for row in first] == rows[:1]
        outbox.sent(session, outbox_id=rows[0], provider_id="p")
        assert [row.outbox_id for row in outbox.claim(session, worker="w", channels=["whatsapp"])] == rows[1:]


def test_somebody_elses_message_releases_nothing(database):
    hold(database, write(database), "c:1")
    with database.write() as session:
        inbox.accept(session, Incoming("whatsapp", "wamid.9", "32470000002", text="hi"), per_minute=20)
    assert len(bodies(database, "held")) == 1


def test_a_template_that_is_refused_fails_instead_of_asking_for_another(database):
    approve(database)
    where = write(database)
    hold(database, where, "c:1")
    with database.write() as session:
        (claimed,) = outbox.claim(session, worker="w", channels=["whatsapp"])
        held.hold(session, outbox_id=claimed.outbox_id, reason="outside the 24 hour window")
    assert [body["template"] for body in bodies(database, "failed")] == [held.REOPEN]


def test_an_overview_names_languages_that_were_never_handed_in(database):
    approve(database)
    with database.read() as session:
        states = {row.language: row.state for row in templates.overview(session, channel="whatsapp")}
    assert (states["bn"], states["fr"], len(states)) == ("approved", "missing", 12)
