"""The load generator, in a process of its own: reads a job as JSON from its input, writes what it found as JSON.

First a closed loop, in which a number of people write at once and each waits for the answer before the next message:
it finds what is answered in a second. Then messages arrive by chance (Poisson) at half that rate, whether or not
earlier ones were answered: that gives the latency. A person says the few lines of a script, and then another comes.
"""

import asyncio
import itertools
import json
import random
import sys
import time
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks.talk import Line, Person, RestLine, WhatsAppLine

IDLE_PEOPLE = 64  # between whose messages others' come, while arrivals are open


@dataclass(frozen=True)
class Job:
    """What to do.

    Attributes:
        socket: Unix socket of the Graph API's stand-in; empty for the REST channel.
        people: How many write at once in the closed loop.
        seconds: How long each of the two parts is measured.
        warm_up: Seconds of closed loop before that.
        patience: Seconds after which an answer counts as lost.
    """

    port: int
    scripts: list[list[str]]
    socket: str = ""
    people: int = 32
    seconds: float = 20.0
    warm_up: float = 6.0
    patience: float = 60.0


@dataclass
class Load:
    """One job under way."""

    job: Job
    line: Line
    answered: list[tuple[float, float]] = field(default_factory=list)  # moment and latency, seconds
    lost: int = 0
    _scripts: Iterator[int] = field(init=False)

    def __post_init__(self) -> None:
        self._scripts = itertools.cycle(range(len(self.job.scripts)))

    def _someone(self) -> Person:
        return Person(next(self._scripts))

    def _ended(self, person: Person) -> bool:
        return person.said == len(self.job.scripts[person.script])

    async def _say(self, person: Person, since: float) -> bool:
        try:
            async with asyncio.timeout(self.job.patience):
                moment = await self.line.say(person)
        except (OSError, EOFError, TimeoutError) as problem:  # TimeoutError has no words
            print(f"lost: {str(problem) or 'no answer in time'}", file=sys.stderr)
            self.lost += 1
            return False
        self.answered.append((moment, moment - since))
        return True

    async def closed(self, seconds: float) -> float:
        """People who wait for each answer.

        Returns:
            Messages that were answered in a second.
        """
        self.answered.clear()
        began = time.perf_counter()
        end = began + seconds
        await asyncio.gather(*(self._writer(end) for _ in range(self.job.people)))
        return sum(moment < end for moment, _ in self.answered) / seconds

    async def _writer(self, end: float) -> None:
        person = self._someone()
        while (now := time.perf_counter()) < end:
            if not await self._say(person, now) or self._ended(person):
                person = self._someone()

    async def open(self, rate: float, seconds: float) -> list[float]:
        """Messages that arrive by chance, so many in a second on average.

        Returns:
            The latencies in seconds, sorted; those of messages that had to wait for their turn included.
        """
        self.answered.clear()
        chance, idle = random.Random(0), deque(self._someone() for _ in range(IDLE_PEOPLE))
        due = time.perf_counter()
        end = due + seconds
        async with asyncio.TaskGroup() as tasks:
            while (due := due + chance.expovariate(rate)) < end:
                await asyncio.sleep(due - time.perf_counter())
                person = idle.popleft() if idle else self._someone()
                tasks.create_task(self._one(person, due, idle))
        return sorted(latency for _, latency in self.answered)

    async def _one(self, person: Person, due: float, idle: "deque[Person]") -> None:
        well = await self._say(person, due)
        idle.append(person if well and not self._ended(person) else self._someone())


async def run(job: Job) -> dict[str, Any]:
    """Does a job.

    Returns:
        ``rate`` in messages per second, ``median`` and ``p95`` in seconds, ``lost``, ``duplicated``, and ``cpu``, the
        share of one core that this process took in the closed loop.
    """
    line: Line
    if job.socket:
        line = whatsapp = WhatsAppLine(job.port, job.scripts)
        await whatsapp.listen(job.socket)
        print(f"replies to a line: {whatsapp.replies}", file=sys.stderr)
    else:
        line = RestLine(job.port, job.scripts)
    load = Load(job, line)
    await load.closed(job.warm_up)
    busy, began = time.process_time(), time.perf_counter()
    rate = await load.closed(job.seconds)
    cpu = (time.process_time() - busy) / (time.perf_counter() - began)
    if not rate:
        raise RuntimeError("nothing was answered")
    latencies = await load.open(rate / 2, job.seconds)
    await line.finish()
    return {
        "rate": rate,
        "median": share(latencies, 0.5),
        "p95": share(latencies, 0.95),
        "lost": load.lost,
        "duplicated": line.duplicated,
        "cpu": cpu,
    }


def share(values: list[float], part: float) -> float:
    """A percentile of sorted values; not a number when there are none."""
    return values[min(len(values) - 1, int(part * len(values)))] if values else float("nan")


if __name__ == "__main__":
    print(json.dumps(asyncio.run(run(Job(**json.load(sys.stdin))))))
