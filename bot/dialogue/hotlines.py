"""Emergency and help lines per country, from ``data/places.yml``; unchecked ones are never shown."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path

from bot.yaml_files import read_yaml

FRESH = timedelta(days=183)
EVERYWHERE = "*"
_SHOWN_MARKS = ("VERIFIED", "VERIFIED-2ND")


@dataclass(frozen=True, slots=True)
class Hotline:
    """One number.

    Attributes:
        what: Key of the system text that says what answers there.
        kinds: Kinds of crisis it helps in.
        last_checked: When it was last compared with its source.
    """

    number: str
    what: str
    kinds: tuple[str, ...]
    country: str
    mark: str
    last_checked: date


@cache
def load(path: Path) -> tuple[Hotline, ...]:
    """All numbers in the file."""
    rows = read_yaml(path)["hotlines"]
    return tuple(
        Hotline(str(r["number"]), r["what"], tuple(r["kinds"]), r["country"], r["mark"], r["last_checked"])
        for r in rows
    )


def numbers(kind: str, country: str | None, *, today: date, path: Path) -> list[Hotline]:
    """The numbers to show for a crisis: the country's own first, then those that hold in many countries.

    Numbers that were not seen on a page, or not checked within six months, are left out.
    """
    usable = [
        line
        for line in load(path)
        if kind in line.kinds and line.mark in _SHOWN_MARKS and today - line.last_checked <= FRESH
    ]
    own = [line for line in usable if country and line.country == country]
    shared = [line for line in usable if line.country == EVERYWHERE]
    return (own + shared)[:4]
