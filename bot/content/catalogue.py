"""The published content in memory, refreshed within seconds of a publication."""

import time
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import select

from bot.content.pack import Pack, Source
from bot.storage.content import ContentRevision, Entry, EntryVersion
from bot.storage.session import Database

REFRESH_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """A published text with all that is shown beside it."""

    topic: str
    language: str
    version: int
    title: str
    label: str
    text: str
    origin: str
    risk: str
    source: Source
    related: tuple[str, ...]
    reviewed_on: date
    review_by: date


class Catalogue(Protocol):
    """Looks answers up."""

    def answer(self, topic: str, language: str) -> Answer | None:
        """The published answer to a topic in a language, if there is one."""

    def topics(self) -> tuple[str, ...]:
        """Ids of all topics."""


class PackCatalogue:
    """Answers straight from a content pack, for `rasa shell` and evaluation without a database."""

    def __init__(self, pack: Pack) -> None:
        self._pack = pack

    def answer(self, topic: str, language: str) -> Answer | None:
        """See ``Catalogue``."""
        text, about = self._pack.texts.get((topic, language)), self._pack.topics.get(topic)
        if text is None or about is None:
            return None
        return Answer(
            topic, language, 1, text.title, text.label, text.answer, text.origin,
            about.risk, about.sources[0], about.related, about.reviewed_on, about.review_by,
        )  # fmt: skip

    def topics(self) -> tuple[str, ...]:
        """See ``Catalogue``."""
        return tuple(self._pack.topics)


class StoreCatalogue:
    """Answers from the store. Asks at most once a second whether something new was published."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._revision = -1
        self._looked_at = float("-inf")
        self._answers: dict[tuple[str, str], Answer] = {}

    def answer(self, topic: str, language: str) -> Answer | None:
        """See ``Catalogue``."""
        self._refresh()
        return self._answers.get((topic, language))

    def topics(self) -> tuple[str, ...]:
        """See ``Catalogue``."""
        self._refresh()
        return tuple(dict.fromkeys(topic for topic, _ in self._answers))

    def _refresh(self) -> None:
        if time.monotonic() - self._looked_at < REFRESH_SECONDS:
            return
        with self._database.read() as session:
            revision = session.scalar(select(ContentRevision.number).where(ContentRevision.id == 1)) or 0
            if revision != self._revision:
                rows = session.execute(
                    select(EntryVersion, Entry)
                    .join(Entry, Entry.id == EntryVersion.entry_id)
                    .where(EntryVersion.status == "published")
                    .order_by(Entry.id)
                )
                self._answers = {(v.entry_id, v.language): _answer(v, entry) for v, entry in rows}
                self._revision = revision
        self._looked_at = time.monotonic()


def _answer(version: EntryVersion, entry: Entry) -> Answer:
    first: dict[str, Any] = entry.sources[0]
    return Answer(
        topic=entry.id,
        language=version.language,
        version=version.version,
        title=version.title,
        label=version.label,
        text=version.answer,
        # a machine's text that a person approved counts as that person's
        origin="machine" if version.origin == "machine" and version.approved_by is None else "human",
        risk=entry.risk,
        source=Source(**first),
        related=tuple(entry.related),
        reviewed_on=entry.reviewed_on,
        review_by=entry.review_by,
    )
