"""Figures of a running installation: start, memory, latency, a burst. Run: ``make bench-start``.

Everything is real but WhatsApp's servers, for which the tests' stand-in answers on the loopback address.
The machine's noise is in the figures; compare only what one run prints.
"""

import asyncio
import hashlib
import hmac
import json
import sys
import tempfile
import time
from pathlib import Path

import httpx
import psutil

sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.support.graph import Graph
from tests.support.installation import Installation, eventually
from tests.support.server import serve

SECRET = "app-secret"
QUESTIONS = ("c'est gratuit ?", "how do I apply", "perdi mi pasaporte", "كيف أسجل للرجوع إلى بلدي")


class TimedGraph(Graph):
    """Notes when each message to a person left."""

    def __init__(self) -> None:
        super().__init__()
        self.left: dict[str, list[float]] = {}

    async def _messages(self, request):  # type: ignore[no-untyped-def]
        body = await request.json()
        if "to" in body:
            self.left.setdefault(body["to"], []).append(time.perf_counter())
        return await super()._messages(request)


def webhook(graph: Graph, sender: str, number: str, words: str) -> tuple[bytes, dict[str, str]]:
    """A signed webhook with one message."""
    message = {
        "from": sender,
        "id": f"wamid.{number}",
        "timestamp": str(int(time.time())),  # an answer to an old message would not be sent
        "type": "text",
        "text": {"body": words},
    }
    value = {
        "messaging_product": "whatsapp",
        "metadata": {"display_phone_number": "15550000000", "phone_number_id": graph.phone_id},
        "contacts": [{"profile": {"name": "A"}, "wa_id": sender}],
        "messages": [message],
    }
    body = json.dumps(
        {
            "object": "whatsapp_business_account",
            "entry": [{"id": "1", "changes": [{"field": "messages", "value": value}]}],
        }
    ).encode()
    signature = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return body, {"x-hub-signature-256": signature}


def share(values: list[float], part: float) -> float:
    """A percentile, in milliseconds."""
    return 1000 * sorted(values)[min(len(values) - 1, int(part * len(values)))]


def latency(waymark: Installation, graph: TimedGraph, count: int = 100) -> list[float]:
    """Seconds from the webhook's arrival to the reply's leaving, one message at a time, from people known before."""
    found = []
    with httpx.Client() as client:
        for number in range(-10, count):
            sender = f"3360000{number % 10:04d}"
            before = len(graph.left.get(sender, []))
            body, headers = webhook(graph, sender, f"l{number}", QUESTIONS[number % len(QUESTIONS)])
            began = time.perf_counter()
            client.post(f"{waymark.url}/webhooks/whatsapp", content=body, headers=headers)
            eventually(lambda b=before, s=sender: len(graph.left.get(s, [])) > b, "the reply")  # type: ignore[misc]
            if number >= 0:
                found.append(graph.left[sender][before] - began)
            time.sleep(0.15)  # the greeting of a first message, and typing indicators, settle
    return found


async def burst(waymark: Installation, graph: TimedGraph, connections: int, mark: str, count: int = 200) -> list[float]:
    """Seconds until each webhook of a burst by 200 new people was answered, over so many kept-alive connections.

    The requests are made beforehand and sent over bare sockets, so that the client costs next to nothing.
    """
    requests: list[bytes] = []
    for number in range(count):
        body, headers = webhook(graph, f"33{mark}{number:07d}", f"{mark}{number}", QUESTIONS[number % len(QUESTIONS)])
        lines = ["POST /webhooks/whatsapp HTTP/1.1", "host: x", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        requests.append("\r\n".join(lines).encode() + b"\r\n\r\n" + body)
    found: list[float] = []

    async def connection() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", waymark.port)
        while requests:
            request = requests.pop()
            began = time.perf_counter()
            writer.write(request)
            head = await reader.readuntil(b"\r\n\r\n")
            assert b" 200 " in head.split(b"\r\n")[0], head
            found.append(time.perf_counter() - began)
        writer.close()

    await asyncio.gather(*(connection() for _ in range(connections)))
    return found


def memory(waymark: Installation) -> dict[str, tuple[float, float]]:
    """Resident and proportional memory of each process, in MB."""
    assert waymark.process is not None
    processes = {"supervisor": psutil.Process(waymark.process.pid), **waymark.children()}
    found = {}
    for name, process in processes.items():
        info = process.memory_full_info()
        found[name] = (info.rss / 1e6, info.pss / 1e6)
    return found


def main() -> None:
    """Prints the figures."""
    graph = TimedGraph()
    with tempfile.TemporaryDirectory() as home, serve(graph.app) as url:
        waymark = Installation(Path(home), **graph.settings(url, SECRET))
        waymark.prepare()
        waymark.start()
        waymark.stop()
        began = time.perf_counter()
        waymark.start()
        print(f"second start to first answer: {time.perf_counter() - began:.1f} s")
        times = latency(waymark, graph)
        print(f"webhook to reply leaving: median {share(times, 0.5):.0f} ms, 95th {share(times, 0.95):.0f} ms")
        began = time.perf_counter()
        for connections, mark in ((40, "61"), (200, "62")):
            times = asyncio.run(burst(waymark, graph, connections, mark))
            print(
                f"webhook's answer in a burst of 200 over {connections} connections: "
                f"median {share(times, 0.5):.0f} ms, 95th {share(times, 0.95):.0f} ms"
            )
        people = [f"33{mark}{number:07d}" for mark in ("61", "62") for number in range(200)]
        eventually(lambda: all(len(graph.left.get(person, [])) >= 2 for person in people), "all replies", 300)
        print(f"the bursts' last answer left after {time.perf_counter() - began:.1f} s")
        for name, (resident, proportional) in memory(waymark).items():
            print(f"memory of {name}: {resident:.0f} MB resident, {proportional:.0f} MB proportional")
        total = [sum(column) for column in zip(*memory(waymark).values(), strict=True)]
        print(f"memory together: {total[0]:.0f} MB resident, {total[1]:.0f} MB proportional")
        waymark.stop()


if __name__ == "__main__":
    main()
