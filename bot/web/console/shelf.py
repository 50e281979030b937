"""The content as editors see it: the list of all texts, and one text with all that surrounds it."""

from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.content import entries
from bot.content.workflow import STEPS
from bot.languages import DEFAULT, launched
from bot.storage.account import Account
from bot.storage.content import Entry, EntryVersion
from bot.web.console import words

STATUSES = ("draft", "in_review", "approved", "published", "retired", "missing", "overdue")
_OPEN = frozenset({"draft", "in_review", "approved"})


@dataclass(frozen=True, slots=True)
class Filter:
    """What the list is narrowed to; empty texts narrow nothing."""

    language: str = ""
    status: str = ""
    search: str = ""


@dataclass(frozen=True, slots=True)
class Row:
    """One topic in one language. ``live`` is what people see, ``status`` the state of the newest version."""

    topic: str
    language: str
    language_name: str
    title: str
    live: int | None
    newest: int | None
    status: str
    origin: str
    review_by: date
    overdue: bool

    @property
    def pending(self) -> bool:
        """Whether a newer version waits to be published."""
        return self.status in _OPEN


@dataclass(frozen=True, slots=True)
class Sheet:
    """One topic in one language, for the editor."""

    entry: Entry
    language: str
    language_name: str
    direction: str
    live: EntryVersion | None
    newest: EntryVersion | None
    original: EntryVersion | None
    history: tuple[EntryVersion, ...]
    authors: dict[int, str]
    overdue: bool

    @property
    def editable(self) -> bool:
        """Whether a draft can be saved now."""
        return self.newest is None or self.newest.status not in ("in_review", "approved")

    def steps(self, account: Account) -> list[str]:
        """What ``account`` may do with the newest version; retiring is apart, because it is rare."""
        if self.newest is None:
            return []
        status, held = self.newest.status, set(account.roles)
        moves = ((name, move) for name, move in STEPS.items() if name != "retire" and move.before == status)
        return [name for name, move in moves if move.roles & held]

    def may_retire(self, account: Account) -> bool:
        """Whether ``account`` may take the published text away from people."""
        return self.live is not None and bool(STEPS["retire"].roles & set(account.roles))


def load_list(session: Session, *, narrowed: Filter, today: date) -> list[Row]:
    """All texts that match, by topic and language; also those that are still missing."""
    versions: dict[tuple[str, str], list[EntryVersion]] = {}
    for row in session.scalars(select(EntryVersion).order_by(EntryVersion.version)):
        versions.setdefault((row.entry_id, row.language), []).append(row)
    codes = [language.code for language in launched()]
    rows = []
    for entry in session.scalars(select(Entry).order_by(Entry.id)):
        present = [code for topic, code in versions if topic == entry.id and code not in codes]
        rows += [_row(entry, code, versions.get((entry.id, code), []), today) for code in codes + present]
    texts = {key: " ".join(f"{v.title} {v.label} {v.answer}" for v in found) for key, found in versions.items()}
    return [row for row in rows if _matches(row, narrowed, texts.get((row.topic, row.language), ""))]


def _row(entry: Entry, language: str, versions: list[EntryVersion], today: date) -> Row:
    live = next((version for version in versions if version.status == "published"), None)
    newest = versions[-1] if versions else None
    shown = live or newest
    return Row(
        topic=entry.id,
        language=language,
        language_name=words.language(language),
        title=shown.title if shown else "",
        live=live.version if live else None,
        newest=newest.version if newest else None,
        status=newest.status if newest else "missing",
        origin=_origin(shown),
        review_by=entry.review_by,
        overdue=entry.review_by < today,
    )


def _origin(version: EntryVersion | None) -> str:
    if version is None:
        return ""
    if version.origin == "machine":
        return "machine, approved" if version.approved_by else "machine"
    return "human"


def _matches(row: Row, narrowed: Filter, text: str) -> bool:
    if narrowed.language and row.language != narrowed.language:
        return False
    if narrowed.status == "overdue":
        fits = row.overdue
    elif narrowed.status == "published":
        fits = row.live is not None
    else:
        fits = not narrowed.status or row.status == narrowed.status
    return fits and narrowed.search.casefold().strip() in f"{row.topic} {text}".casefold()


def load_sheet(session: Session, *, topic: str, language: str, today: date) -> Sheet | None:
    """One text with its history, or ``None`` when there is no such topic."""
    entry = session.get(Entry, topic)
    if entry is None:
        return None
    where = (EntryVersion.entry_id == topic, EntryVersion.language == language)
    history = tuple(session.scalars(select(EntryVersion).where(*where).order_by(EntryVersion.version.desc())))
    ids = {account_id for version in history for account_id in (version.author_id, version.approved_by) if account_id}
    names: Any = session.execute(select(Account.id, Account.name).where(Account.id.in_(ids)))
    return Sheet(
        entry=entry,
        language=language,
        language_name=words.language(language),
        direction=words.direction(language),
        live=next((version for version in history if version.status == "published"), None),
        newest=history[0] if history else None,
        original=entries.published(session, entry_id=topic, language=DEFAULT) if language != DEFAULT else None,
        history=history,
        authors={row[0]: row[1] for row in names},
        overdue=entry.review_by < today,
    )
