"""Accounts of counsellors, editors and administrators."""

from datetime import datetime

from sqlalchemy import Index, String
from sqlalchemy.orm import Mapped, mapped_column

from bot.storage.base import NEVER_AGAIN, Base, Key, now

ROLES = ("counsellor", "editor", "reviewer", "admin")


class Account(Base):
    """A person who works in the console."""

    __tablename__ = "account"
    __table_args__ = NEVER_AGAIN

    id: Mapped[Key]
    email: Mapped[str] = mapped_column(String(254), unique=True)
    name: Mapped[str] = mapped_column(String(80))
    password: Mapped[str] = mapped_column(String(255))  # argon2 hash
    roles: Mapped[list[str]]
    active: Mapped[bool] = mapped_column(default=True)
    must_change: Mapped[bool] = mapped_column(default=False)  # a one-time password; a new one is set at first login
    session_epoch: Mapped[int] = mapped_column(default=0)  # raised to end all sessions of this account
    created_at: Mapped[datetime] = mapped_column(default=now)


class LoginAttempt(Base):
    """A failed login, for throttling; ``subject`` is a keyed hash of the e-mail or the network address."""

    __tablename__ = "login_attempt"
    __table_args__ = (Index(None, "subject", "at"),)

    id: Mapped[Key]
    subject: Mapped[str] = mapped_column(String(64))
    at: Mapped[datetime] = mapped_column(default=now)


class AuditEvent(Base):
    """Who did what in the console; never holds what a migrant wrote."""

    __tablename__ = "audit"

    id: Mapped[Key]
    account_id: Mapped[int | None]
    action: Mapped[str] = mapped_column(String(64))
    subject: Mapped[str] = mapped_column(String(128))
    detail: Mapped[str] = mapped_column(String(255), default="")
    at: Mapped[datetime] = mapped_column(default=now)
