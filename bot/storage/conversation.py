"""Conversations and, apart from them, the addresses to which answers go."""

import secrets
from datetime import datetime

from sqlalchemy import ForeignKey, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from bot.storage.base import Base, Key, Moment, Pseudonym, Word, now


def pseudonym() -> str:
    """A random id that says nothing about the person."""
    return secrets.token_hex(16)


class Conversation(Base):
    """One person in one channel, known by a pseudonym only."""

    __tablename__ = "conversation"

    id: Mapped[str] = mapped_column(String(32), primary_key=True, default=pseudonym)
    channel: Mapped[Word]
    language: Mapped[str | None] = mapped_column(String(8))
    language_chosen: Mapped[bool] = mapped_column(default=False)
    locale: Mapped[str | None] = mapped_column(String(35))
    host_country: Mapped[str | None] = mapped_column(String(2))  # ISO 3166; told by the person
    origin_country: Mapped[str | None] = mapped_column(String(2))
    holder: Mapped[str] = mapped_column(String(16), default="bot")  # who speaks: bot | counsellor
    leaving: Mapped[bool] = mapped_column(default=False)  # erased once the last word is delivered
    created_at: Mapped[datetime] = mapped_column(default=now)
    last_inbound_at: Mapped[datetime | None] = mapped_column(Moment)
    # lease of the worker that handles this conversation's messages, one at a time
    leased_by: Mapped[str | None] = mapped_column(String(64))
    leased_until: Mapped[datetime | None] = mapped_column(Moment)
    # token bucket of the sender's rate limit
    rate_tokens: Mapped[float] = mapped_column(default=-1.0)
    rate_at: Mapped[datetime | None] = mapped_column(Moment)

    contact: Mapped["Contact | None"] = relationship(back_populates="conversation", cascade="all, delete-orphan")


class Contact(Base):
    """The delivery table: the only place that holds a person's address."""

    __tablename__ = "contact"
    __table_args__ = (UniqueConstraint("channel", "address"), UniqueConstraint("channel", "alias"))

    id: Mapped[Key]
    channel: Mapped[Word]
    address: Mapped[str] = mapped_column(String(255))
    alias: Mapped[str | None] = mapped_column(String(255))  # a second address of the same person
    conversation_id: Mapped[Pseudonym] = mapped_column(ForeignKey("conversation.id", ondelete="CASCADE"), unique=True)

    conversation: Mapped[Conversation] = relationship(back_populates="contact")
