"""The edge process. It never imports Rasa."""

import os
import secrets

from starlette.applications import Starlette

from bot.channels import registry
from bot.content.catalogue import StoreCatalogue
from bot.messaging.poke import make_poke
from bot.settings import Settings
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.app import create_app
from bot.web.edge import Edge
from bot.web.hub import Hub
from bot.wiring.foundation import open_database, opening_hours


def secret_key(settings: Settings) -> str:
    """The key that signs sessions: from the settings, or made once and kept in the home folder."""
    if settings.secret_key:
        return settings.secret_key
    path = settings.home / "secret-key"
    if not path.exists():
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
    return path.read_text().strip()


def make_edge(settings: Settings, database: Database) -> Edge:
    """The objects behind the web application."""
    poke = make_poke(settings.home, settings.redis_url)
    return Edge(
        settings=settings,
        database=database,
        poke=poke,
        acceptor=Acceptor(database, poke, settings.messages_per_minute),
        hub=Hub(),
        catalogue=StoreCatalogue(database),
        hours=opening_hours(settings),
        channels=registry.load(settings),
    )


def make_app(settings: Settings) -> Starlette:
    """The edge's web application."""
    return create_app(make_edge(settings, open_database(settings)), secret_key=secret_key(settings))
