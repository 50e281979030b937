"""Content entries (topics) and their versions in each language."""

from datetime import date, datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base, Key, Moment, now


class Entry(Base):
    """A topic: what holds in every language."""

    __tablename__ = "entry"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    risk: Mapped[str] = mapped_column(String(8), default="low")
    facts: Mapped[list[str]] = mapped_column(default=list)
    sources: Mapped[list[dict[str, Any]]]  # title, publisher, url, date
    related: Mapped[list[str]] = mapped_column(default=list)
    reviewed_on: Mapped[date]
    review_by: Mapped[date]


class EntryVersion(Base):
    """One version of an entry in one language; never changed once published, replaced by the next.

    ``status``: ``draft``, ``in_review``, ``approved``, ``published``, ``retired``
    (transitions in ``bot.content.workflow``). ``origin``: ``human`` or ``machine``.
    """

    __tablename__ = "entry_version"
    __table_args__ = (
        UniqueConstraint("entry_id", "language", "version"),
        Index(
            "uq_entry_version_published",
            "entry_id",
            "language",
            unique=True,
            sqlite_where=text("status = 'published'"),
            postgresql_where=text("status = 'published'"),
        ),
    )

    id: Mapped[Key]
    entry_id: Mapped[str] = mapped_column(ForeignKey("entry.id"))
    language: Mapped[str] = mapped_column(String(8))
    version: Mapped[int]
    title: Mapped[str] = mapped_column(String(80))
    label: Mapped[str] = mapped_column(String(20))
    answer: Mapped[str] = mapped_column(Text)
    examples: Mapped[list[str]] = mapped_column(default=list)
    status: Mapped[str] = mapped_column(String(16), default="draft")
    origin: Mapped[str] = mapped_column(String(8), default="human")
    approved_by: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    author_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    created_at: Mapped[datetime] = mapped_column(default=now)
    published_at: Mapped[datetime | None] = mapped_column(Moment)


class ContentRevision(Base):
    """One row whose number rises with every publication; readers watch it to refresh their cache."""

    __tablename__ = "content_revision"

    id: Mapped[int] = mapped_column(primary_key=True)
    number: Mapped[int] = mapped_column(default=0)
