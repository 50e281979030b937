"""The states of a content version and who may move it where. Pure data."""

from dataclasses import dataclass


class ChangeRefused(Exception):
    """The version is not in a state that allows this step, or the role may not take it."""


@dataclass(frozen=True, slots=True)
class Step:
    """One allowed move of a version, and the roles that may make it."""

    before: str
    after: str
    roles: frozenset[str]


_EDIT = frozenset({"editor", "reviewer", "admin"})
_REVIEW = frozenset({"reviewer", "admin"})

STEPS: dict[str, Step] = {
    "submit": Step("draft", "in_review", _EDIT),
    "send_back": Step("in_review", "draft", _REVIEW),
    "approve": Step("in_review", "approved", _REVIEW),
    "publish": Step("approved", "published", _REVIEW),
    "retire": Step("published", "retired", _REVIEW),
}


def step(name: str, status: str, roles: list[str]) -> Step:
    """The move ``name`` from ``status``.

    Raises:
        ChangeRefused: The table has no such move, or none of ``roles`` may make it.
    """
    move = STEPS.get(name)
    if move is None or move.before != status:
        raise ChangeRefused(f"a version that is {status.replace('_', ' ')} cannot be moved by {name}")
    if not move.roles & set(roles):
        raise ChangeRefused(f"{name} needs one of the roles {', '.join(sorted(move.roles))}")
    return move
