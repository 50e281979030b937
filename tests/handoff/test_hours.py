from datetime import UTC, datetime

import pytest

from bot.handoff.hours import parse

HOURS = parse("Mon-Fri 09:00-17:00, Sat 10:00-13:00", "Europe/Brussels")


@pytest.mark.parametrize(
    ("moment", "open_"),
    [
        (datetime(2026, 11, 24, 8, 0, tzinfo=UTC), True),  # Tuesday, 9:00 in Brussels
        (datetime(2026, 11, 24, 7, 59, tzinfo=UTC), False),
        (datetime(2026, 11, 24, 16, 0, tzinfo=UTC), False),
        (datetime(2026, 11, 28, 11, 0, tzinfo=UTC), True),  # Saturday
        (datetime(2026, 11, 29, 11, 0, tzinfo=UTC), False),  # Sunday
        (datetime(2026, 7, 21, 7, 0, tzinfo=UTC), True),  # summer time: 9:00 in Brussels
    ],
)
def test_hours_follow_the_clock_of_their_city(moment, open_):
    assert HOURS.open_at(moment) is open_


def test_hours_are_told_in_the_persons_language():
    assert HOURS.told("en").startswith("Mon – Fri 9:00")
    assert HOURS.told("fr").startswith("lun. – ven. 09:00")
    assert "Brussels" in HOURS.told("ar")


@pytest.mark.parametrize("setting", ["Mo-Fr 9-17", "Mon-Fri", "Mon-Fri 9:00-17:00", "Foo 09:00-17:00", ""])
def test_a_setting_that_is_not_understood_is_refused(setting):
    with pytest.raises(ValueError, match="opening hours"):
        parse(setting, "Europe/Brussels")
