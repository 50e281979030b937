"""One running installation for all journeys, with stand-ins for Telegram and WhatsApp."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.support.botapi import BotApi
from tests.support.graph import Graph
from tests.support.installation import Installation
from tests.support.server import serve

APP_SECRET = "app-secret"


@dataclass
class World:
    """Waymark and what it talks to."""

    waymark: Installation
    telegram: BotApi
    graph: Graph


@pytest.fixture(scope="session")
def world(trained: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    telegram, graph = BotApi(), Graph()
    with serve(telegram.app) as telegram_url, serve(graph.app) as graph_url:
        waymark = Installation(
            tmp_path_factory.mktemp("home"),
            WAYMARK_TELEGRAM_TOKEN=telegram.token,
            WAYMARK_TELEGRAM_API=telegram_url,
            **graph.settings(graph_url, APP_SECRET),
        )
        waymark.prepare()
        waymark.start()
        yield World(waymark, telegram, graph)
        waymark.stop()


@pytest.fixture
def waymark(world: World) -> Installation:
    return world.waymark
