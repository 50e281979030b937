"""Accounts of the console: passwords with argon2, throttled login."""

import hashlib
import hmac
import secrets
from datetime import timedelta

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.storage.account import ROLES, Account, AuditEvent, LoginAttempt
from bot.storage.base import now

MIN_LENGTH = 12
MAX_FAILURES = 5  # per e-mail and per network address
WINDOW = timedelta(minutes=15)

_hasher = PasswordHasher()
# verifying against it takes as long as against a real one, so that answers do not tell which e-mails exist
_NOBODY = _hasher.hash(secrets.token_hex(16))


class AccountRefused(ValueError):
    """An account cannot be made or changed like this; the message says why."""


class TooManyAttempts(Exception):
    """Login is closed for a while for this e-mail or network address."""


def create(
    session: Session, *, email: str, name: str, roles: list[str], password: str, must_change: bool = False
) -> Account:
    """Makes an account.

    Raises:
        AccountRefused: The e-mail, a role or the password cannot be used.
    """
    email = email.strip().casefold()
    if "@" not in email or len(email) > 254:
        raise AccountRefused("the e-mail address is not one")
    if session.scalar(select(Account.id).where(Account.email == email)) is not None:
        raise AccountRefused(f"there is an account for {email} already")
    if not roles or set(roles) - set(ROLES):
        raise AccountRefused(f"roles must be among {', '.join(ROLES)}")
    if not name.strip():
        raise AccountRefused("the name is empty; people in the chat see it")
    account = Account(
        email=email, name=name.strip()[:80], roles=roles, password=hashed(password), must_change=must_change
    )
    session.add(account)
    session.flush()
    return account


def hashed(password: str) -> str:
    """The argon2 hash of a new password.

    Raises:
        AccountRefused: It is too short.
    """
    if len(password) < MIN_LENGTH:
        raise AccountRefused(f"the password needs at least {MIN_LENGTH} characters")
    return _hasher.hash(password)


def first_admin(session: Session) -> tuple[str, str] | None:
    """Makes the first administrator with a one-time password.

    Returns:
        E-mail and password, or ``None`` when there are accounts already.
    """
    if session.scalar(select(func.count()).select_from(Account)):
        return None
    password = secrets.token_urlsafe(12)
    account = create(
        session, email="admin@waymark.local", name="Admin", roles=list(ROLES), password=password, must_change=True
    )
    return account.email, password


def authenticate(session: Session, *, email: str, password: str, address: str, key: str) -> Account | None:
    """The account behind an e-mail and password, or ``None``; failures are counted.

    Args:
        address: Network address of the caller.
        key: Keys the hashes under which failures are counted, so that the table names nobody.

    Raises:
        TooManyAttempts: Too many failures within the window.
    """
    subjects = [_subject(key, f"email:{email.strip().casefold()}"), _subject(key, f"address:{address}")]
    since = now() - WINDOW
    session.execute(delete(LoginAttempt).where(LoginAttempt.at < since))
    for subject in subjects:
        failures = session.scalar(select(func.count()).where(LoginAttempt.subject == subject))
        if (failures or 0) >= MAX_FAILURES:
            raise TooManyAttempts
    account = session.scalar(select(Account).where(Account.email == email.strip().casefold(), Account.active))
    if not _fits(account.password if account else _NOBODY, password) or account is None:
        session.add_all(LoginAttempt(subject=subject) for subject in subjects)
        return None
    session.execute(delete(LoginAttempt).where(LoginAttempt.subject == subjects[0]))
    session.add(AuditEvent(account_id=account.id, action="login", subject=f"account/{account.id}"))
    return account


def change_password(session: Session, *, account_id: int, password: str) -> Account:
    """Sets a new password and ends all other sessions of the account.

    Raises:
        AccountRefused: It is too short, or the old one.
    """
    account = session.get_one(Account, account_id)
    if _fits(account.password, password):
        raise AccountRefused("the new password is the old one")
    account.password, account.must_change = hashed(password), False
    account.session_epoch += 1
    session.add(AuditEvent(account_id=account.id, action="change_password", subject=f"account/{account.id}"))
    return account


def end_sessions(session: Session, *, account_id: int) -> None:
    """Signs the account out everywhere."""
    account = session.get_one(Account, account_id)
    account.session_epoch += 1
    session.add(AuditEvent(account_id=account.id, action="logout", subject=f"account/{account.id}"))


def invite(session: Session, *, by: Account, email: str, name: str, roles: list[str]) -> tuple[Account, str]:
    """Makes an account with a one-time password, which the new person must replace at first login.

    Returns:
        The account and the password, which is kept nowhere.

    Raises:
        AccountRefused: The e-mail, the name or a role cannot be used.
    """
    password = secrets.token_urlsafe(12)
    account = create(session, email=email, name=name, roles=roles, password=password, must_change=True)
    detail = ", ".join(account.roles)
    session.add(AuditEvent(account_id=by.id, action="account.add", subject=f"account/{account.id}", detail=detail))
    return account, password


def readmit(session: Session, *, by: Account, account_id: int) -> tuple[Account, str]:
    """Gives an account a new one-time password, ends its sessions, and opens it again if it was deactivated.

    Returns:
        The account and the password, which is kept nowhere.
    """
    account, password = session.get_one(Account, account_id), secrets.token_urlsafe(12)
    account.password, account.must_change, account.active = hashed(password), True, True
    account.session_epoch += 1
    session.add(AuditEvent(account_id=by.id, action="account.readmit", subject=f"account/{account.id}"))
    return account, password


def deactivate(session: Session, *, by: Account, account_id: int) -> Account:
    """Closes an account and ends its sessions. Its traces stay, so that the audit remains readable.

    Raises:
        AccountRefused: It is one's own; so there is always an administrator left.
    """
    if account_id == by.id:
        raise AccountRefused("you cannot deactivate your own account")
    account = session.get_one(Account, account_id)
    account.active = False
    account.session_epoch += 1
    session.add(AuditEvent(account_id=by.id, action="account.deactivate", subject=f"account/{account.id}"))
    return account


def _fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


def _subject(key: str, value: str) -> str:
    return hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()
