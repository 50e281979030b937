"""Finds out what is wrong with an installation, and says how to mend it."""

import asyncio
import socket
from collections.abc import Callable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError

from bot.assistant_model import NoModel, find_model
from bot.channels import registry
from bot.content import checks, pack
from bot.languages import launched
from bot.messaging import health, inbox, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.inbox import STUCK_SECONDS
from bot.messaging.protocols import Channel, Check, DeliveryError
from bot.settings import Settings
from bot.storage import migrate
from bot.storage.account import Account
from bot.storage.base import now
from bot.storage.content import EntryVersion
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.wiring.foundation import opening_hours
from bot.yaml_files import YamlFileError

SKEW_SECONDS = 5.0


async def examine(settings: Settings) -> list[Check]:
    """Examines everything that can be examined from here; no person's data is read."""
    findings = [_home(settings), _content(settings), _model(settings), _hours(settings), _port(settings)]
    findings += await asyncio.to_thread(_database, settings)
    for channel in registry.load(settings).values():
        findings += await _channel(channel)
    return findings


async def _channel(channel: Channel) -> list[Check]:
    try:
        checks = await health.look(channel)
        states = await channel.templates() if all(check.well for check in checks) else []
    except DeliveryError as problem:
        checks, states = [Check(f"templates: {problem.reason}", False, "look at the token's permissions")], []
    finally:
        await channel.close()
    findings = [Check(f"{channel.name}: {check.what}", check.well, check.fix) for check in checks]
    if channel.service_window_hours is not None and all(check.well for check in checks):
        findings.append(_templates(channel.name, states))
    return findings


def _templates(name: str, states: list[TemplateState]) -> Check:
    approved = {state.language for state in states if templates.sendable(state)}
    missing = [row.code for row in launched() if row.code not in approved]
    if not missing:
        return Check(f"{name}: the template is approved in all languages")
    told = {state.language: state.state for state in states}
    listed = ", ".join(f"{code} {told.get(code, 'missing')}" for code in missing)
    fix = "`waymark templates submit` hands in what is missing; without approval messages wait until people write"
    return Check(f"{name}: templates not approved: {listed}", False, fix)


def _home(settings: Settings) -> Check:
    try:
        settings.home.mkdir(parents=True, exist_ok=True)
        probe = settings.home / ".writable"
        probe.touch()
        probe.unlink()
    except OSError as problem:
        return Check(f"home folder {settings.home}: {problem.strerror}", False, "set WAYMARK_HOME to a writable folder")
    return Check(f"home folder {settings.home} can be written")


def _content(settings: Settings) -> Check:
    try:
        found = checks.problems(pack.load(settings.content), [row.code for row in launched()])
    except YamlFileError as problem:
        return Check(f"content pack: {problem}", False, "mend the file it names")
    if found:
        return Check(f"content pack: {len(found)} problems", False, "`waymark content check` lists them")
    return Check("content pack is complete")


def _model(settings: Settings) -> Check:
    try:
        return Check(f"model {find_model(settings.model).name}")
    except NoModel as problem:
        return Check("no model", False, str(problem))


def _hours(settings: Settings) -> Check:
    try:
        opening_hours(settings)
    except ValueError as problem:
        return Check("opening hours", False, str(problem))
    return Check("opening hours are understood")


def _port(settings: Settings) -> Check:
    with socket.socket() as probe:
        probe.settimeout(1)
        running = probe.connect_ex((settings.host, settings.port)) == 0
    return Check(f"something answers on port {settings.port}" if running else f"port {settings.port} is free")


def _database(settings: Settings) -> list[Check]:
    database = Database(settings.database)
    try:
        if migrate.pending(database.engine):
            return [Check("the database is older than the code", False, "run `waymark migrate`")]
        return [*_inside(database), *_clock(database)]
    except SQLAlchemyError as problem:
        fix = "start it, or mend WAYMARK_DATABASE_URL"
        return [Check(f"the database does not answer ({type(problem).__name__})", False, fix)]
    finally:
        database.close()


def _inside(database: Database) -> list[Check]:
    with database.read() as session:

        def count(*where: object) -> int:
            return session.scalar(select(func.count()).where(*where)) or 0  # type: ignore[arg-type]  # conditions

        oldest = inbox.oldest_waiting(session)
        waited = (now() - oldest).total_seconds() if oldest else 0.0
        return [
            Check("the database answers and is up to date"),
            _counted(count(EntryVersion.status == "published"), "published texts", "run `waymark migrate`", bool),
            _counted(count(Account.active), "active accounts", "run `waymark user add --first`", bool),
            _counted(count(InboxMessage.state == "parked"), "parked messages", "read them in the console", _none),
            _counted(count(OutboxMessage.state == "failed"), "failed deliveries", "read why in the console", _none),
            Check(
                f"the oldest unanswered message waits {waited:.0f} s", waited < STUCK_SECONDS, "is the brain running?"
            ),
        ]


def _clock(database: Database) -> list[Check]:
    """Leases and retries compare clocks of all machines; SQLite has no clock but ours."""
    if database.engine.dialect.name == "sqlite":
        return []
    with database.read() as session:
        told: datetime = session.scalar(select(func.clock_timestamp()))  # type: ignore[assignment]  # it has a time
    apart = abs((now() - told).total_seconds())
    fix = "set both by NTP: leases of messages compare them"
    return [Check(f"our clock and the database's are {apart:.0f} s apart", apart < SKEW_SECONDS, fix)]


def _counted(number: int, what: str, fix: str, well: Callable[[int], bool]) -> Check:
    return Check(f"{number} {what}", well(number), fix)


def _none(number: int) -> bool:
    return number == 0
