"""The outbox: nothing is sent except from here. A row commits together with its cause."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import NEVER_AGAIN, Base, Key, Moment, Pseudonym, Word, now


class OutboxMessage(Base):
    """One message to a person.

    ``state``: ``due`` -> ``sending`` -> ``sent``, back to ``due`` with ``retry_at``, or ``failed`` with
    ``problem``; ``held`` until the person writes again, when the platform takes nothing now; ``withdrawn``
    when somebody else speaks by then. ``parts_sent`` parts of a long message went out already.
    ``cause`` names what brought it about (``inbox:12:0``, ``case:7:joined``) and is unique, so the same cause
    never speaks twice.
    """

    __tablename__ = "outbox"
    __table_args__ = (
        UniqueConstraint("cause"),
        Index(None, "state", "retry_at"),
        Index(None, "conversation_id", "id"),
        Index(None, "provider_id"),
        # the few that the transcript does not have yet, asked for after every answer
        Index(
            "ix_outbox_unremembered",
            "state",
            "id",
            sqlite_where=text("remembered = 0"),
            postgresql_where=text("NOT remembered"),
        ),
        NEVER_AGAIN,
    )

    id: Mapped[Key]
    conversation_id: Mapped[Pseudonym] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    cause: Mapped[str] = mapped_column(String(128))
    speaker: Mapped[Word]
    body: Mapped[dict[str, Any]]
    entry: Mapped[str | None] = mapped_column(String(64))
    entry_language: Mapped[str | None] = mapped_column(String(8))
    entry_version: Mapped[int | None]
    remembered: Mapped[bool] = mapped_column(default=False)  # the Rasa tracker has it
    state: Mapped[Word] = mapped_column(default="due")
    attempts: Mapped[int] = mapped_column(default=0)
    parts_sent: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[datetime] = mapped_column(default=now)
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
    leased_by: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    sent_at: Mapped[datetime | None] = mapped_column(Moment)
    provider_id: Mapped[str | None] = mapped_column(String(255))
    provider_state: Mapped[str | None] = mapped_column(String(32))
    problem: Mapped[str | None] = mapped_column(String(255))
    helpful: Mapped[bool | None]
