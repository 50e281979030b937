"""Alembic's entry point: uses the connection it is handed, or the one from the settings."""

from alembic import context
from sqlalchemy import Connection

from bot.settings import Settings
from bot.storage.models import Base
from bot.storage.session import make_engine


def run(connection: Connection) -> None:
    """Runs the migrations on ``connection``."""
    context.configure(connection=connection, target_metadata=Base.metadata, render_as_batch=True)
    with context.begin_transaction():
        context.run_migrations()


handed_over = context.config.attributes.get("connection")
if handed_over is not None:
    run(handed_over)
else:
    with make_engine(Settings.load().database).begin() as opened:
        run(opened)
