"""What actions need from outside: content and settings. Set by the application, or made here for `rasa run actions`."""

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy.exc import SQLAlchemyError

from bot.content import pack, places, precheck
from bot.content.catalogue import Catalogue, PackCatalogue, StoreCatalogue
from bot.content.places import Places
from bot.content.precheck import Rules
from bot.settings import Settings
from bot.storage.session import Database


@dataclass(frozen=True)
class Context:
    """What every action may use."""

    catalogue: Catalogue
    retention_days: int
    content: Path  # the folder of the content pack, with places and rules

    @property
    def places(self) -> Places:
        """What is known about countries."""
        return places.load(self.content / "places")

    @property
    def rules(self) -> Rules:
        """The rules of the pre-check."""
        return precheck.load(self.content)


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
            settings.content,
        )
    return _context


def _stored(settings: Settings) -> Catalogue | None:
    catalogue = StoreCatalogue(Database(settings.database))
    try:
        return catalogue if catalogue.topics() else None
    except SQLAlchemyError:
        return None
