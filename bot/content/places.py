"""What is known about programmes in a country, from ``data/places``; unchecked and expired facts are withheld."""

from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from pathlib import Path
from typing import Any

from bot.content.pack import Source, sources
from bot.yaml_files import YamlFileError, read_yaml

FRESH = timedelta(days=183)  # what nobody has checked for half a year is not shown
SHOWN_MARKS = ("VERIFIED", "VERIFIED-2ND")
EVERYWHERE = "*"  # instead of a country: what holds in many


@dataclass(frozen=True, slots=True)
class Amount:
    """An amount of money that a page names.

    Attributes:
        what: What it is for, an id of ``cover.*``.
        for_whom: Id of ``amount.*``.
        value: In ``currency`` (ISO 4217).
        up_to: It is the most one can get.
        seen: The page's date as ``YYYY``, ``YYYY-MM`` or ``YYYY-YYYY``; empty when it has none.
    """

    what: str
    for_whom: str
    value: int
    currency: str
    up_to: bool
    seen: str


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone number as it was printed."""

    number: str
    free: bool = False
    hours: str = ""


@dataclass(frozen=True, slots=True)
class Programme:
    """What one may show about help in a host country. ``covers`` and ``facts`` are ids of system texts."""

    country: str
    who: str
    phones: tuple[Phone, ...]
    email: str
    web: tuple[str, ...]
    offices: str
    covers: tuple[str, ...]
    facts: tuple[str, ...]
    amounts: tuple[Amount, ...]
    duration: str
    source: Source
    last_checked: date


@dataclass(frozen=True, slots=True)
class Origin:
    """What lists say about support after a return to a country.

    Attributes:
        lists: Ids of ``origin.*``, each with the source that says so.
        not_served: Host countries whose programmes do not support returns there, with their sources.
    """

    lists: tuple[tuple[str, Source], ...]
    not_served: tuple[tuple[str, Source], ...]


@dataclass(frozen=True, slots=True)
class Dependence:
    """A topic whose answer depends on a country.

    Attributes:
        country: ``host``, where the person is, or ``origin``, where the person would return to.
        show: What is shown of it: ``contact``, ``covers``, ``amounts``, ``facts``, ``duration`` or ``origin``.
        ask: Ask for the country when it is not known; otherwise it is shown only if the message names it.
    """

    country: str
    show: tuple[str, ...]
    ask: bool


class Places:
    """The records of a content pack."""

    def __init__(self, folder: Path) -> None:
        """Reads ``folder`` (``data/places``) and the sources beside it.

        Raises:
            YamlFileError: A file cannot be used; the message names the record at fault.
        """
        self.folder = folder
        self._sources = sources(folder.parent)
        self._hosts = {}
        for country, row in read_yaml(folder / "hosts.yml").items():
            try:
                self._hosts[country] = (row["mark"], _programme(country, row, self._sources))
            except (KeyError, TypeError) as problem:
                raise YamlFileError(f"{folder / 'hosts.yml'}: {country} lacks {problem}") from None
        self._origins = read_yaml(folder / "origins.yml")
        self.topics = {
            topic: Dependence(row["country"], tuple(row["show"]), row.get("ask", True))
            for topic, row in read_yaml(folder / "topics.yml").items()
        }

    def hosts(self, *, today: date) -> tuple[str, ...]:
        """Codes of the host countries about which something may be shown."""
        return tuple(country for country in self._hosts if self.programme(country, today=today))

    @property
    def all_hosts(self) -> frozenset[str]:
        """Codes of the countries in which people ask for help, as far as they are on record."""
        return frozenset(self._hosts)

    def programme(self, country: str, *, today: date) -> Programme | None:
        """What may be shown about a host country today, if anything."""
        if country not in self._hosts:
            return None
        mark, programme = self._hosts[country]
        return programme if may_be_shown(mark, programme.last_checked, today) else None

    def origin(self, country: str, *, today: date) -> Origin:
        """What may be shown about a country of return today; empty when no list names it."""
        lists = [
            (name, self._sources[row["source"]])
            for name, row in self._origins["lists"].items()
            if country in row["countries"] and may_be_shown(row["mark"], row["last_checked"], today)
        ]
        refused = [
            (row["host"], self._sources[row["source"]])
            for row in self._origins["not_served"]
            if country in row["countries"] and may_be_shown(row["mark"], row["last_checked"], today)
        ]
        return Origin(tuple(lists), tuple(refused))


@cache
def load(folder: Path) -> Places:
    """The records in ``folder``, read once."""
    return Places(folder)


def may_be_shown(mark: str, last_checked: date, today: date) -> bool:
    """Whether a fact was seen on a page and is still fresh; nothing else is ever shown to a person."""
    return mark in SHOWN_MARKS and today - last_checked <= FRESH


def _programme(country: str, row: dict[str, Any], sources: dict[str, Source]) -> Programme:
    return Programme(
        country=country,
        who=row["who"],
        phones=tuple(
            Phone(str(phone["number"]), phone.get("free", False), phone.get("hours", ""))
            for phone in row.get("phones", ())
            if phone.get("mark", row["mark"]) in SHOWN_MARKS
        ),
        email=row.get("email", ""),
        web=tuple(row.get("web", ())),
        offices=row.get("offices", ""),
        covers=tuple(row["covers"]),
        facts=tuple(row["facts"]),
        amounts=tuple(
            Amount(a["what"], a["for"], a["value"], a["currency"], a.get("up_to", False), str(a["seen"]))
            for a in row.get("amounts", ())
            if a.get("mark", row["mark"]) in SHOWN_MARKS
        ),
        duration=row.get("duration", ""),
        source=sources[row["source"]],
        last_checked=row["last_checked"],
    )
