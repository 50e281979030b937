"""Messages answered in a second, beside the bot that `rasa init` makes, in one run (`make bench-serve`).

See docs/benchmarks.md for what is measured and how to read it. The machine's noise is in the figures; compare only what
one run prints.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from benchmarks import bots
from benchmarks.bots import Bot
from benchmarks.load import Job
from tests.support.installation import eventually, free_port

HERE = Path(__file__).parent
FULL, QUICK = (20.0, 6.0), (5.0, 3.0)  # seconds of each measured part, and of warming up
OURS = [
    ["hello", "is it free", "how do I apply", "I lost my passport"],
    ["bonjour", "c'est gratuit ?", "comment m'inscrire", "j'ai perdu mon passeport"],
    ["hola", "¿es gratis?", "cómo me inscribo", "perdí mi pasaporte"],
    ["مرحبا", "هل هو مجاني؟", "كيف أسجل للرجوع إلى بلدي", "ضاع جواز سفري"],
]
MOOD = [["hello", "sad", "yes", "bye"], ["hello", "great", "bye", "hello"]]


@dataclass(frozen=True)
class Graph:
    """The running stand-in of the Graph API."""

    url: str
    socket: str
    process: psutil.Process


@contextmanager
def graph() -> Iterator[Graph]:
    """The stand-in, in a process of its own."""
    with tempfile.TemporaryDirectory() as folder:
        port, path = free_port(), str(Path(folder) / "graph.sock")
        process = subprocess.Popen([sys.executable, str(HERE / "graph.py"), str(port), path])
        try:
            eventually(lambda: Path(path).exists(), "the stand-in of the Graph API")
            yield Graph(f"http://127.0.0.1:{port}", path, psutil.Process(process.pid))
        finally:
            process.terminate()
            process.wait(10)


def measure(bot: Bot, job: Job) -> dict[str, Any]:
    """Puts load on an assistant (see ``benchmarks.load.run``), and adds ``memory`` in MB, at the end of it."""
    done = subprocess.run(
        [sys.executable, str(HERE / "load.py")],
        input=json.dumps(asdict(job)), stdout=subprocess.PIPE, text=True, check=True,
    )  # fmt: skip
    return {**json.loads(done.stdout), "memory": bot.memory()}


def row(name: str, found: dict[str, Any], stand_in: float | None) -> str:
    """A line of the table."""
    besides = f"{100 * found['cpu']:6.0f}" + (f"{100 * stand_in:7.0f}" if stand_in is not None else f"{'-':>7}")
    return (
        f"{name:44}{found['rate']:9.1f}{1000 * found['median']:9.0f}{1000 * found['p95']:8.0f}"
        f"{found['memory']:8.0f}{found['lost']:6}{found['duplicated']:6}{besides}"
    )


def main() -> None:
    """Prints the table, a row per assistant and channel."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="5 seconds per part, to try the benchmark itself")
    parser.add_argument("--only", default="", help="rows whose name contains this")
    options = parser.parse_args()
    lengths = QUICK if options.quick else FULL
    print(f"{os.cpu_count()} cores; {lengths[0]:.0f} s per part; load average {os.getloadavg()[0]:.1f}")
    print(f"{'':44}{'answered':>9}{'at half load, ms':>17}{'memory':>8}{'':12}{'% of a core':>13}")
    print(f"{'':44}{'per s':>9}{'median':>9}{'95th':>8}{'MB':>8}{'lost':>6}{'twice':>6}{'load':>6}{'graph':>7}")
    with graph() as stand_in:
        for make, channels in assistants(stand_in.url):
            wanted = [name for name in channels if options.only.lower() in name.lower()]
            if wanted:
                put_load(make, wanted, stand_in, lengths)


def assistants(graph_url: str) -> list[tuple[Callable[[], AbstractContextManager[Bot]], list[str]]]:
    """Each assistant and the names of its rows, one per channel."""
    one = partial(bots.waymark, graph_url)
    many = partial(bots.waymark, graph_url, scaled=True)
    brains = {number: f"Waymark, PostgreSQL and Redis, {number} brain" + "s" * (number > 1) for number in (1, 2, 4)}
    return [
        (bots.stock, ["rasa init, REST"]),
        (one, ["Waymark, SQLite, REST", "Waymark, SQLite, WhatsApp"]),
        *(
            (partial(many, brains=number), [f"{name}, {channel}" for channel in ("REST", "WhatsApp")])
            for number, name in brains.items()
        ),
    ]


def put_load(
    make: Callable[[], AbstractContextManager[Bot]], names: list[str], stand_in: Graph, lengths: tuple[float, float]
) -> None:
    """Starts an assistant and prints a row for each of its channels, or what is missing."""
    try:
        with make() as bot:
            for name in names:
                whatsapp = name.endswith("WhatsApp")
                job = Job(
                    bot.port, OURS if name.startswith("Waymark") else MOOD, stand_in.socket if whatsapp else "",
                    seconds=lengths[0], warm_up=lengths[1],
                )  # fmt: skip
                before, began = sum(stand_in.process.cpu_times()[:2]), time.perf_counter()
                found = measure(bot, job)
                busy = (sum(stand_in.process.cpu_times()[:2]) - before) / (time.perf_counter() - began)
                print(row(name, found, busy if whatsapp else None), flush=True)
    except bots.Missing as problem:
        for name in names:
            print(f"{name:44} {problem}", flush=True)


if __name__ == "__main__":
    main()
