import pytest

from bot.handoff.states import TRANSITIONS, TransitionRefused, transition


@pytest.mark.parametrize(
    ("action", "before", "after"),
    [
        ("claim", "waiting", "held"),
        ("hand_back", "held", "waiting"),
        ("close", "held", "closed"),
        ("close", "waiting", "closed"),
    ],
)
def test_allowed_moves(action, before, after):
    assert transition(action, before).after == after


@pytest.mark.parametrize(
    ("action", "state"), [("claim", "held"), ("claim", "closed"), ("hand_back", "waiting"), ("dance", "held")]
)
def test_other_moves_are_refused(action, state):
    with pytest.raises(TransitionRefused):
        transition(action, state)


def test_nothing_leaves_the_closed_state():
    assert not [move for moves in TRANSITIONS.values() for move in moves if move.before == "closed"]
