from datetime import timedelta

import time_machine

from bot.channels.base import BaseChannel
from bot.messaging import health
from bot.messaging.protocols import Check, DeliveryError
from tests.conftest import NOON

WELL, REVOKED = [Check("the token is accepted")], [Check("token refused", False, "put a valid one in")]


class Revoked(BaseChannel):
    name = "telegram"

    async def check(self) -> list[Check]:
        raise DeliveryError("token refused")


async def test_a_refused_token_is_a_finding_with_a_fix():
    (found,) = await health.look(Revoked())
    assert (found.well, found.what) == (False, "token refused")
    assert "token" in found.fix


def record(database, checks) -> bool:
    with database.write() as session:
        return health.record(session, channel="telegram", checks=checks)


def test_a_change_is_told_once_and_its_moment_kept(database):
    with time_machine.travel(NOON, tick=False) as clock:
        assert [record(database, WELL), record(database, WELL)] == [False, False]
        clock.shift(timedelta(minutes=1))
        assert [record(database, REVOKED), record(database, REVOKED)] == [True, False]
        clock.shift(timedelta(minutes=1))
        record(database, REVOKED)
        with database.read() as session:
            (row,) = health.all_known(session)
        assert (row.well, row.problem, row.since) == (False, "token refused", NOON + timedelta(minutes=1))
        assert row.checked_at == NOON + timedelta(minutes=2)
        assert record(database, WELL)


def test_a_channel_that_never_worked_is_told_at_the_first_look(database):
    assert record(database, REVOKED)
