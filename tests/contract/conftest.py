"""A stage for every channel."""

import asyncio
import shutil
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import certifi
import httpx
import pytest
import time_machine

from bot.channels import registry
from bot.content.catalogue import StoreCatalogue
from bot.handoff.hours import OpeningHours
from bot.messaging.poke import LocalPoke
from bot.nlu.crisis import CrisisRules
from bot.settings import Settings
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.app import create_app
from bot.web.edge import Edge
from bot.web.hub import Hub
from bot.worker.answering import Answering
from bot.worker.delivery import Delivery
from tests.conftest import NOON, ROOT
from tests.contract import postino
from tests.contract.line import Line
from tests.contract.peer import PUBLIC, Peer
from tests.contract.peers import peers
from tests.contract.stage import Listener, Stage
from tests.support.server import serve

TIMEOUT = 0.4  # seconds


@pytest.fixture(scope="session", autouse=True)
def postino_module(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The channel of the document, where Python finds it."""
    folder = tmp_path_factory.mktemp("plugins")
    (folder / "postino.py").write_text(postino.source())
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))
    sys.modules.pop("postino", None)


@pytest.fixture(scope="session", autouse=True)
def few_certificates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """One certificate to trust: nothing here is encrypted, and reading all of them takes longer than a test."""
    first, end, _ = Path(certifi.where()).read_text().partition("-----END CERTIFICATE-----\n")
    path = tmp_path_factory.mktemp("trust") / "one.pem"
    path.write_text(first + end)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(path))
        yield


@pytest.fixture(scope="session", params=peers(), ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> type[Peer]:
    found: type[Peer] = request.param
    return found


@pytest.fixture(scope="session")
def line(kind: type[Peer]) -> Iterator[tuple[Line, str]]:
    """The way to the platform, and its address; served once, because starting a server takes its time."""
    made = Line(kind.sending)
    with serve(made) as url:
        yield made, url


@pytest.fixture
def impatient(kind: type[Peer], line: tuple[Line, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A channel that waits a moment only for an answer; named before ``stage``, which builds it."""
    if kind.module:
        monkeypatch.setattr(f"{kind.module}.TIMEOUT", TIMEOUT)
    line[0].delay = TIMEOUT + 0.3


@pytest.fixture
async def stage(
    kind: type[Peer],
    line: tuple[Line, str],
    open_hours: OpeningHours,
    sqlite_database: Database,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Stage]:
    peer = kind(line[1])
    line[0].reset(peer.app)
    environment = {"WAYMARK_HOME": str(tmp_path), "WAYMARK_PUBLIC_URL": PUBLIC} | peer.environment()
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    edge = _edge(Settings.load(environment), sqlite_database, open_hours)
    listener = Listener()
    with time_machine.travel(NOON, tick=False) as clock:
        async with _serving(edge) as client:
            yield Stage(
                peer=peer,
                line=line[0],
                client=client,
                database=sqlite_database,
                channel=edge.channels.get(peer.name),
                delivery=Delivery(sqlite_database, edge.channels, "w"),
                answering=_answering(edge, listener),
                listener=listener,
                clock=clock,
            )
    shutil.rmtree(LocalPoke(tmp_path)._folder, ignore_errors=True)  # outside the test's own: sockets need short paths


def _edge(settings: Settings, database: Database, hours: OpeningHours) -> Edge:
    poke = LocalPoke(settings.home)
    return Edge(
        settings=settings,
        database=database,
        poke=poke,
        acceptor=Acceptor(database, poke, 1000),
        hub=Hub(),
        catalogue=StoreCatalogue(database),
        hours=hours,
        channels=registry.load(settings),
    )


def _answering(edge: Edge, listener: Listener) -> Answering:
    return Answering(
        database=edge.database,
        assistant=listener,
        crisis=CrisisRules({}),  # nobody here is in danger
        catalogue=edge.catalogue,
        hours=edge.hours,
        retention_days=90,
        places=ROOT / "data" / "places",
        worker="w",
    )


@asynccontextmanager
async def _serving(edge: Edge) -> AsyncIterator[httpx.AsyncClient]:
    """Our web application. It does not start the channels: what they publish of themselves is not at stake here."""
    accepting = asyncio.create_task(edge.acceptor.run())
    transport = httpx.ASGITransport(create_app(edge, secret_key="a key for tests alone"))
    try:
        async with httpx.AsyncClient(transport=transport, base_url=PUBLIC) as client:
            yield client
    finally:
        accepting.cancel()
        with suppress(asyncio.CancelledError):
            await accepting
        for channel in edge.channels.values():
            await channel.close()


@pytest.fixture
def pushed(kind: type[Peer]) -> None:
    """Leaves channels out that do not send."""
    if kind.pulled:
        pytest.skip("people of this channel fetch their messages, so that sending cannot fail")


@pytest.fixture
def sending(pushed: None, stage: Stage) -> Stage:
    """The stage of a channel that sends."""
    return stage
