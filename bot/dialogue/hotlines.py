"""Emergency and help lines per country, from ``data/places/hotlines.yml``; unchecked ones are never shown."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from bot.content.places import EVERYWHERE, may_be_shown
from bot.yaml_files import read_yaml


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
def load(folder: Path) -> tuple[Hotline, ...]:
    """All numbers in ``hotlines.yml`` of the folder."""
    rows = read_yaml(folder / "hotlines.yml")["hotlines"]
    return tuple(
        Hotline(str(r["number"]), r["what"], tuple(r["kinds"]), r["country"], r["mark"], r["last_checked"])
        for r in rows
    )


def numbers(kind: str, country: str | None, *, today: date, folder: Path) -> list[Hotline]:
    """The numbers to show for a crisis: the country's own first, then those that hold in many countries.

    Numbers that were not seen on a page, or not checked within six months, are left out.
    """
    usable = [line for line in load(folder) if kind in line.kinds and may_be_shown(line.mark, line.last_checked, today)]
    own = [line for line in usable if country and line.country == country]
    shared = [line for line in usable if line.country == EVERYWHERE]
    return (own + shared)[:4]
