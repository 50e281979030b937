"""The states of a case and who may move it where. Pure data."""

from dataclasses import dataclass


class TransitionRefused(Exception):
    """The case is not in a state that allows this action, or somebody else holds it."""


@dataclass(frozen=True, slots=True)
class Transition:
    """One allowed move. ``owner`` says that only the counsellor who holds the case may make it."""

    before: str
    after: str
    owner: bool = False


WAITING, HELD, CLOSED = "waiting", "held", "closed"

TRANSITIONS: dict[str, tuple[Transition, ...]] = {
    "claim": (Transition(WAITING, HELD),),
    "hand_back": (Transition(HELD, WAITING, owner=True),),  # to the queue, for another counsellor
    "close": (Transition(HELD, CLOSED, owner=True), Transition(WAITING, CLOSED)),  # back to the assistant
}


def transition(action: str, state: str) -> Transition:
    """The move that ``action`` makes from ``state``.

    Raises:
        TransitionRefused: The table has no such move.
    """
    for candidate in TRANSITIONS.get(action, ()):
        if candidate.before == state:
            return candidate
    raise TransitionRefused(f"a case that is {state} cannot be moved by {action}")
