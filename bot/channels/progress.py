"""Remembers how much of a message went out before a failure, so that a second try does not repeat it."""

from collections import OrderedDict

KEPT = 1000  # messages; only those between a failure and its repetition are kept at all


class Progress:
    """Counts the parts of a message that the provider took, by the message's reference.

    It lives in memory: after a restart a message that had failed half-way is sent whole again.
    """

    def __init__(self) -> None:
        self._sent: OrderedDict[str, tuple[int, str]] = OrderedDict()

    def of(self, reference: str) -> tuple[int, str]:
        """How many parts went out in an earlier try, and the provider's id of the last one."""
        return self._sent.get(reference, (0, ""))

    def note(self, reference: str, count: int, provider_id: str) -> None:
        """Notes that the first ``count`` parts went out."""
        self._sent[reference] = (count, provider_id)
        self._sent.move_to_end(reference)
        while len(self._sent) > KEPT:
            self._sent.popitem(last=False)

    def finish(self, reference: str) -> None:
        """Forgets a message that went out whole, or never will."""
        self._sent.pop(reference, None)
