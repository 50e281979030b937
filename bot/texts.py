"""System texts in every language, from gettext catalogues (``bot/locales/<code>/*.po``)."""

from datetime import date
from functools import cache
from gettext import GNUTranslations
from io import BytesIO
from pathlib import Path

from babel.dates import format_date
from babel.lists import format_list
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

from bot.languages import DEFAULT, LANGUAGES

LOCALES = Path(__file__).parent / "locales"


class MissingText(KeyError):
    """A system text does not exist in a language."""


@cache
def catalogue(language: str) -> GNUTranslations:
    """The compiled catalogue of ``language``, or of English where it has none: all files of its folder as one."""
    folder = LOCALES / (language if (LOCALES / language).is_dir() else DEFAULT)
    merged = Catalog(locale=LANGUAGES[folder.name].locale)
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as source:
            for message in read_po(source, locale=LANGUAGES[folder.name].locale):
                merged[message.id] = message  # system.po, with the plurals, comes last: its header is kept
    compiled = BytesIO()
    write_mo(compiled, merged)
    compiled.seek(0)
    return GNUTranslations(compiled)


def text(key: str, language: str, **values: object) -> str:
    """The system text ``key`` in ``language``, with ``values`` filled in.

    Raises:
        MissingText: The key exists neither in this language nor in English.
    """
    for code in (language, DEFAULT):
        found = catalogue(code).gettext(key)
        if found != key:
            return found.format(**values) if values else found
    raise MissingText(f"{key} ({language})")


def plural(key: str, language: str, count: int) -> str:
    """The system text ``key`` in the plural form that ``count`` takes in ``language``."""
    return catalogue(language).ngettext(key, f"{key}.plural", count).format(count=count)


def day(value: date, language: str) -> str:
    """A date as it is written in ``language``."""
    return format_date(value, format="long", locale=LANGUAGES[language].cldr)


def joined(items: list[str], language: str) -> str:
    """A list of names with the language's own commas."""
    return format_list(items, locale=LANGUAGES[language].cldr)
