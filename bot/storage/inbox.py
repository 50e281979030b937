"""The inbox: every accepted message of a person, stored before anything is done with it."""

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import NEVER_AGAIN, Base, Key, Moment, Pseudonym, Word, now


class Tombstone(Base):
    """That a message was here and was erased, so that a provider's late repetition is not answered anew.

    ``digest`` is a hash of channel and message id; kept for as long as providers repeat (``erasure.REPEATS``).
    """

    __tablename__ = "tombstone"

    digest: Mapped[str] = mapped_column(String(64), primary_key=True)
    at: Mapped[datetime] = mapped_column(default=now)


class InboxMessage(Base):
    """One message of a person.

    ``state``: ``waiting`` -> ``done``; or ``parked`` after bounded tries, with ``problem``; or
    ``limited`` when it came too fast: kept for counsellors, not answered.
    """

    __tablename__ = "inbox"
    __table_args__ = (
        UniqueConstraint("channel", "message_id"),
        Index(None, "state", "conversation_id", "id"),
        Index(None, "conversation_id", "id"),
        NEVER_AGAIN,
    )

    id: Mapped[Key]
    conversation_id: Mapped[Pseudonym] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"))
    channel: Mapped[Word]
    message_id: Mapped[str] = mapped_column(String(255))
    kind: Mapped[Word]
    text: Mapped[str] = mapped_column(Text, default="")
    payload: Mapped[str] = mapped_column(String(255), default="")
    media: Mapped[dict[str, Any]] = mapped_column(default=dict)
    received_at: Mapped[datetime] = mapped_column(default=now)
    state: Mapped[Word] = mapped_column(default="waiting")
    attempts: Mapped[int] = mapped_column(default=0)
    retry_at: Mapped[datetime | None] = mapped_column(Moment)
    problem: Mapped[str | None] = mapped_column(String(255))
    done_at: Mapped[datetime | None] = mapped_column(Moment)
    outcome: Mapped[str | None] = mapped_column(String(64))
    detected: Mapped[str | None] = mapped_column(String(16))
    crisis: Mapped[str | None] = mapped_column(String(32))
