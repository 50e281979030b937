"""What is known about the channels themselves: their health, and the approval of template messages."""

from datetime import datetime

from sqlalchemy import String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import Base, Key, Word, now


class ChannelHealth(Base):
    """The last look at a channel. ``since`` is when it became as it is."""

    __tablename__ = "channel_health"

    channel: Mapped[str] = mapped_column(String(64), primary_key=True)
    well: Mapped[bool]
    problem: Mapped[str] = mapped_column(String(255), default="")
    since: Mapped[datetime] = mapped_column(default=now)
    checked_at: Mapped[datetime] = mapped_column(default=now)


class MessageTemplate(Base):
    """A template message in one language, as the provider last told its state."""

    __tablename__ = "message_template"
    __table_args__ = (UniqueConstraint("channel", "name", "language"),)

    id: Mapped[Key]
    channel: Mapped[Word]
    name: Mapped[Word]
    language: Mapped[str] = mapped_column(String(8))
    state: Mapped[Word]
    reason: Mapped[str] = mapped_column(String(255), default="")
    provider_id: Mapped[str] = mapped_column(String(64), default="")
    checked_at: Mapped[datetime] = mapped_column(default=now)
