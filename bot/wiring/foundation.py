"""What both processes need: database, opening hours."""

import os
import socket

from bot.content import entries, pack
from bot.handoff import hours as opening
from bot.settings import Settings, SettingsError
from bot.storage import migrate
from bot.storage.session import Database


def open_database(settings: Settings) -> Database:
    """The main database, which must be up to date.

    Raises:
        SettingsError: It is older than the code.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    if migrate.pending(database.engine):
        raise SettingsError("the database is older than the code: run `waymark migrate`")
    return database


def prepare(settings: Settings) -> tuple[Database, int]:
    """Brings the database up to date and the content pack into it.

    Returns:
        The database, and how many content versions were published.
    """
    settings.home.mkdir(parents=True, exist_ok=True)
    database = Database(settings.database)
    migrate.upgrade(database.engine)
    with database.write() as session:
        return database, entries.import_pack(session, pack=pack.load(settings.content))


def opening_hours(settings: Settings) -> opening.OpeningHours:
    """When counsellors are at work.

    Raises:
        SettingsError: The hours or the time zone cannot be understood.
    """
    try:
        return opening.parse(settings.opening_hours, settings.timezone)
    except (ValueError, KeyError) as problem:
        raise SettingsError(f"WAYMARK_OPENING_HOURS or WAYMARK_TIMEZONE: {problem}") from None


def worker_name() -> str:
    """Names this process in leases."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}"
