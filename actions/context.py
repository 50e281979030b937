"""What actions need from outside: content and settings. Set by the application, or made here for `rasa run actions`."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.content import pack
from bot.content.catalogue import Catalogue, PackCatalogue, StoreCatalogue
from bot.settings import Settings
from bot.storage.session import Database


@dataclass(frozen=True)
class Context:
    """What every action may use."""

    catalogue: Catalogue
    retention_days: int
    places: Path  # the file with emergency and help lines


_context: Context | None = None


def provide(context: Context) -> None:
    """Hands the application's own objects to the actions."""
    global _context
    _context = context


def get() -> Context:
    """The context; outside the application: the store if it has content, the content pack otherwise."""
    global _context
    if _context is None:
        settings = Settings.load()
        _context = Context(
            _stored(settings) or PackCatalogue(pack.load(settings.content)),
            settings.retention_days,
            settings.content / "places.yml",
        )
    return _context


def _stored(settings: Settings) -> Catalogue | None:
    catalogue = StoreCatalogue(Database(settings.database))
    try:
        return catalogue if catalogue.topics() else None
    except SQLAlchemyError:
        return None
