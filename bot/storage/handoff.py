"""Cases: requests for a human counsellor, and the audit of what happened to them."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import NEVER_AGAIN, Base, Key, Moment, Pseudonym, Word, now


class Case(Base):
    """One handoff. States and their transitions are in ``bot.handoff.states``."""

    __tablename__ = "handoff_case"
    __table_args__ = (
        # a person has one open case at most; the database holds this, whoever races
        Index(
            "uq_handoff_case_open",
            "conversation_id",
            unique=True,
            sqlite_where=text("state != 'closed'"),
            postgresql_where=text("state != 'closed'"),
        ),
        Index(None, "state", "urgent", "id"),
        NEVER_AGAIN,
    )

    id: Mapped[Key]
    conversation_id: Mapped[Pseudonym] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    state: Mapped[Word] = mapped_column(default="waiting")
    urgent: Mapped[bool] = mapped_column(default=False)
    reason: Mapped[str] = mapped_column(String(64), default="asked")
    language: Mapped[str] = mapped_column(String(8))
    counsellor_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    facts: Mapped[dict[str, Any] | None]  # answers of the pre-check, if the person agreed to pass them on
    created_at: Mapped[datetime] = mapped_column(default=now)
    claimed_at: Mapped[datetime | None] = mapped_column(Moment)
    closed_at: Mapped[datetime | None] = mapped_column(Moment)

    @property
    def number(self) -> str:
        """The case number a person is told."""
        return f"W-{1000 + self.id}"


class CaseEvent(Base):
    """One row per transition of a case: who did what, when."""

    __tablename__ = "handoff_event"

    id: Mapped[Key]
    case_id: Mapped[int] = mapped_column(ForeignKey("handoff_case.id", ondelete="CASCADE"), index=True)
    account_id: Mapped[int | None] = mapped_column(ForeignKey("account.id"))
    action: Mapped[Word]
    before: Mapped[str | None] = mapped_column(String(64))
    after: Mapped[Word]
    at: Mapped[datetime] = mapped_column(default=now)
