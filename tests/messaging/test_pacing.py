import uuid
from datetime import timedelta

import time_machine

from bot.messaging import contacts, outbox, pacing
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Pace
from bot.storage.session import Database
from tests.conftest import NOON

PACE = Pace(burst=3, seconds=6.0)


def say(database: Database, where: str, count: int, parts: int = 1) -> None:
    for _ in range(count):
        with database.write() as session:
            row = outbox.put(session, conversation_id=where, cause=uuid.uuid4().hex, message=Outgoing("x", "en"))
            outbox.part_sent(session, outbox_id=row, parts=parts - 1)
            outbox.sent(session, outbox_id=row, provider_id="p")


def wait(database: Database, where: str, pace: Pace | None = PACE) -> float:
    with database.read() as session:
        return pacing.wait(session, conversation_id=where, pace=pace)


def person(database: Database, address: str = "a") -> str:
    with database.write() as session:
        return contacts.conversation_of(session, channel="whatsapp", address=address).id


def test_a_burst_passes_and_what_comes_after_it_waits_until_its_first_is_old(database):
    with time_machine.travel(NOON, tick=False) as clock:
        where = person(database)
        assert wait(database, where) == 0
        say(database, where, 3)
        assert wait(database, where) == 18
        assert wait(database, person(database, "b")) == 0
        clock.shift(timedelta(seconds=18.5))
        assert wait(database, where) == 0


def test_one_message_in_every_interval_never_waits(database):
    with time_machine.travel(NOON, tick=False) as clock:
        where = person(database)
        for _ in range(10):
            assert wait(database, where) == 0
            say(database, where, 1)
            clock.shift(timedelta(seconds=6.1))


def test_the_parts_of_a_long_message_count(database):
    with time_machine.travel(NOON, tick=False):
        where = person(database)
        say(database, where, 1, parts=3)
        assert wait(database, where) > 0


def test_a_channel_without_a_pace_never_waits(database):
    where = person(database)
    say(database, where, 5)
    assert wait(database, where, None) == 0
