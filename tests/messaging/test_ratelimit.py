from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.messaging.ratelimit import take
from tests.conftest import NOON


def pass_through(gaps: list[float], per_minute: int) -> list[bool]:
    """Which of the messages pass that come with these pauses, in seconds, before them."""
    tokens, since, at, passed = -1.0, None, NOON, []
    for gap in gaps:
        at += timedelta(seconds=gap)
        tokens, passes = take(tokens, since, at, per_minute=per_minute)
        since = at
        passed.append(passes)
    return passed


def test_a_first_message_finds_a_full_bucket():
    assert take(-1.0, None, NOON, per_minute=20) == (19.0, True)


def test_a_burst_as_large_as_the_bucket_passes_and_no_more():
    assert pass_through([0] * 8, per_minute=5) == [True] * 5 + [False] * 3


def test_the_bucket_refills_evenly():
    assert pass_through([0] * 5 + [6, 6, 12], per_minute=5) == [True] * 5 + [False, True, True]


def test_a_long_silence_fills_the_bucket_but_does_not_overfill_it():
    assert pass_through([0] * 5 + [86_400] + [0] * 5, per_minute=5) == [True] * 10 + [False]


def test_who_writes_as_fast_as_allowed_is_never_stopped():
    assert all(pass_through([3.0] * 100, per_minute=20))


def test_a_clock_that_steps_back_gives_no_tokens_and_does_no_harm():
    tokens, passes = take(0.5, NOON, NOON - timedelta(hours=1), per_minute=20)
    assert (tokens, passes) == (0.5, False)


@pytest.mark.parametrize("per_minute", [1, 20])
@given(gaps=st.lists(st.floats(0, 120), max_size=60))
def test_in_no_minute_pass_more_than_the_bucket_and_its_refill(per_minute, gaps):
    passed = pass_through(gaps, per_minute)
    moments = [sum(gaps[: number + 1]) for number in range(len(gaps))]
    for start in moments:
        within = [ok for ok, at in zip(passed, moments, strict=True) if ok and start <= at < start + 60]
        assert len(within) <= 2 * per_minute
