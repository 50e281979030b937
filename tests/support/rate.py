"""Limits on how many messages a provider takes."""

import time
from collections.abc import Callable


class Rate:
    """At most ``burst`` at once, one more every ``seconds``, each address counted by itself."""

    def __init__(self, burst: int, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.burst, self.seconds, self._clock = burst, seconds, clock
        self._spent: dict[str, tuple[float, float]] = {}

    def take(self, address: str = "") -> bool:
        """Whether one more is allowed now; a refused one costs nothing."""
        moment = self._clock()
        spent, since = self._spent.get(address, (0.0, moment))
        spent = max(0.0, spent - (moment - since) / self.seconds)
        allowed = spent + 1 <= self.burst
        self._spent[address] = (spent + allowed, moment)
        return allowed
