"""What is counted and timed for operators (docs/operations.md lists every name).

Edge and brain write into one folder that ``PROMETHEUS_MULTIPROC_DIR`` names before this module is imported;
without it the numbers stay in the process. No label holds an address, a pseudonym or somebody's words.
"""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server
from prometheus_client.metrics_core import Metric
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead
from prometheus_client.registry import Collector

_OWN = CollectorRegistry()
_ANSWER_BUCKETS = (0.05, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 120.0)
_DELIVERY_BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 300.0, 1800.0, 7200.0)


def _counter(name: str, help: str, *labels: str) -> Counter:
    return Counter(f"waymark_{name}", help, ("channel", *labels), registry=_OWN)


_ACCEPTED = _counter("accepted", "Messages of people that were stored")
_REPEATED = _counter("repeated", "Messages that a provider sent again and that were stored before")
_LIMITED = _counter("limited", "Messages that came too fast to be answered")
_UNREADABLE = _counter("unreadable", "Messages that could not be read")
_ANSWERED = _counter("answered", "Messages that were dealt with, by what came of it", "outcome")
_PARKED = _counter("parked", "Messages that were given up after several tries to answer them")
_DELIVERED = _counter("delivered", "Messages that a provider took")
_FAILED = _counter("delivery_failed", "Messages that will not be delivered", "reason")
_RETRIES = _counter("delivery_retries", "Tries to deliver that will be repeated", "reason")
_EXPIRED = _counter("window_expired", "Messages that are held because the service window is closed")
_REFUSED = _counter("webhook_refused", "Webhook calls without a valid proof of their sender")
_ANSWER = Histogram(
    "waymark_answer_seconds",
    "From a message's arrival to its stored answer",
    ("channel",),
    buckets=_ANSWER_BUCKETS,
    registry=_OWN,
)
_DELIVERY = Histogram(
    "waymark_delivery_seconds",
    "From a stored message to its acceptance by the provider",
    ("channel",),
    buckets=_DELIVERY_BUCKETS,
    registry=_OWN,
)
_UP = Gauge(
    "waymark_channel_up",
    "Whether the last look at a channel found it well",
    ("channel",),
    registry=_OWN,
    multiprocess_mode="livemostrecent",
)


class Reasons:
    """Makes labels of reasons, so that a provider's wording can neither name people nor grow without bound."""

    def __init__(self, most: int = 40) -> None:
        """``most``: distinct labels that are kept; every further one is ``other``."""
        self._most = most
        self._known: set[str] = set()

    def label(self, reason: str) -> str:
        """Plain lower-case words of at most 40 characters, without quotations, names with signs, and numbers."""
        unquoted = re.sub(r"\"[^\"]*\"|\B'[^']*'\B|«[^»]*»|“[^”]*”|\([^)]*\d[^)]*\)", " ", reason.lower())
        words = [word.strip(".,:;!?()") for word in unquoted.split()]
        plain = " ".join(word for word in words if re.fullmatch(r"[a-z]+(['’-][a-z]+)*", word) and len(word) <= 20)
        label = plain[:40].rstrip() or "other"
        if label not in self._known and len(self._known) >= self._most:
            return "other"
        self._known.add(label)
        return label


reason_label = Reasons().label


def accepted(channel: str) -> None:
    """A message was stored."""
    _ACCEPTED.labels(channel).inc()


def repeated(channel: str) -> None:
    """A message came that had been stored before."""
    _REPEATED.labels(channel).inc()


def limited(channel: str) -> None:
    """A message was stored that came too fast to be answered."""
    _LIMITED.labels(channel).inc()


def unreadable(channel: str, count: int = 1) -> None:
    """So many messages could not be read."""
    _UNREADABLE.labels(channel).inc(count)


def answered(channel: str, outcome: str, seconds: float) -> None:
    """A message was dealt with, so many seconds after it came; ``outcome`` is the kind of its outcome."""
    _ANSWERED.labels(channel, outcome).inc()
    _ANSWER.labels(channel).observe(max(0.0, seconds))


def parked(channel: str) -> None:
    """A message was given up."""
    _PARKED.labels(channel).inc()


def delivered(channel: str, seconds: float) -> None:
    """A provider took a message, so many seconds after it was stored."""
    _DELIVERED.labels(channel).inc()
    _DELIVERY.labels(channel).observe(max(0.0, seconds))


def delivery_failed(channel: str, reason: str) -> None:
    """A message will not be delivered."""
    _FAILED.labels(channel, reason_label(reason)).inc()


def delivery_retried(channel: str, reason: str) -> None:
    """A try to deliver a message failed and will be repeated."""
    _RETRIES.labels(channel, reason_label(reason)).inc()


def window_expired(channel: str) -> None:
    """A message is held because the platform takes nothing until the person writes again."""
    _EXPIRED.labels(channel).inc()


def webhook_refused(channel: str) -> None:
    """A webhook call did not prove its sender."""
    _REFUSED.labels(channel).inc()


def channel_up(channel: str, up: bool) -> None:
    """What the last look at a channel found."""
    _UP.labels(channel).set(float(up))


def registry() -> CollectorRegistry:
    """A registry to scrape: the numbers of all processes that share the folder, or of this one alone."""
    found = CollectorRegistry()
    folder = os.environ.get("PROMETHEUS_MULTIPROC_DIR")
    if folder is None:
        found.register(_OWN)
        return found
    found.register(_Shared(Path(folder)))
    return found


class _Shared(Collector):
    """All processes' numbers; what a dead one said about the present is left out, its counts stay."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        for path in self._folder.glob("gauge_live*_*.db"):
            pid = int(path.stem.rsplit("_", 1)[1])
            if not _alive(pid):
                mark_process_dead(pid, str(self._folder))  # type: ignore[no-untyped-call]
        merged: Iterable[Metric] = MultiProcessCollector(None, str(self._folder)).collect()  # type: ignore[no-untyped-call]
        return merged


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it lives, under another account
        return True
    return True


def listen(port: int, host: str) -> None:
    """Serves the numbers on a port of their own, in a thread, for a machine that has no edge.

    Raises:
        OSError: The port is taken.
    """
    start_http_server(port, addr=host, registry=registry())
