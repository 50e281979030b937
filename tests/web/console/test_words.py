from datetime import UTC, datetime, timedelta

import pytest

from bot.web.console import words


@pytest.mark.parametrize(
    ("length", "told"),
    [
        (timedelta(seconds=59), "under a minute"),
        (timedelta(minutes=1), "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min"),
        (timedelta(hours=2, minutes=10), "2 h 10 min"),
        (timedelta(hours=47), "47 h 0 min"),
        (timedelta(days=3, hours=5), "3 days"),
    ],
)
def test_a_length_of_time_is_rounded_down(length, told):
    assert words.span(length) == told


@pytest.mark.parametrize(
    ("at", "told"),
    [
        (datetime(2026, 11, 24, 8, 5, tzinfo=UTC), "08:05"),
        (datetime(2026, 11, 3, 8, 5, tzinfo=UTC), "3 Nov, 08:05"),
        (datetime(2025, 11, 24, 8, 5, tzinfo=UTC), "24 Nov 2025, 08:05"),
    ],
)
def test_a_moment_says_no_more_of_the_date_than_is_needed(at, told):
    assert words.moment(at, datetime(2026, 11, 24, 12, 0, tzinfo=UTC)) == told


@pytest.mark.parametrize(
    ("code", "told"),
    [
        ("ar", "Arabic · العربية"),
        ("en", "English"),
        ("ps", "Pashto"),
        ("ur-latn", "Urdu in Latin letters"),
        (None, "not known yet"),
    ],
)
def test_a_language_has_its_english_name_and_its_own(code, told):
    assert words.language(code) == told
