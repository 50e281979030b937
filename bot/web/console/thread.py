"""A conversation as a counsellor reads it: what was heard and said, in order, and what became of it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.languages import DEFAULT, LANGUAGES
from bot.messaging import filetypes, payloads, templates
from bot.messaging.protocols import Channel
from bot.storage.account import Account
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.web.console import words

SHOWN = 300  # messages of each side; a longer past is not needed to help somebody now
_Row = TypeVar("_Row", InboxMessage, OutboxMessage)


@dataclass(frozen=True, slots=True)
class Line:
    """One message of the thread. ``delivery`` and ``trouble`` are words for the counsellor."""

    key: str
    side: str  # person | bot | counsellor | system
    speaker: str
    at: datetime
    clock: str
    text: str
    language: str
    note: str = ""
    shown: str = ""
    buttons: tuple[str, ...] = ()
    delivery: str = ""
    trouble: str = ""
    crisis: str = ""
    file: str = ""  # where the file is opened, for those who may
    place: str = ""  # latitude and longitude


@dataclass(frozen=True, slots=True)
class Thread:
    """A case with its conversation."""

    case: Case
    channel: str
    language: str
    direction: str
    language_code: str
    reason: str
    counsellor: str
    lines: tuple[Line, ...]
    cut: bool
    window: str  # words about the channel's service window, if it has one
    window_closed: bool
    waited: str

    @property
    def heard(self) -> int:
        """How many messages of the person are shown."""
        return sum(line.side == "person" for line in self.lines)


def load(session: Session, *, case: Case, zone: ZoneInfo, opens: bool, channels: Mapping[str, Channel]) -> Thread:
    """Reads the thread of a case; ``opens``: its reader may open files."""
    conversation = session.get_one(Conversation, case.conversation_id)
    holder = session.get(Account, case.counsellor_id) if case.counsellor_id else None
    heard = _newest(session, InboxMessage, case.conversation_id)
    said = _newest(session, OutboxMessage, case.conversation_id)
    name = holder.name if holder else ""
    files = f"/console/cases/{case.id}/media" if opens else ""
    lines = [_heard(row, conversation, zone, files) for row in heard] + [_said(row, zone, name) for row in said]
    code = conversation.language or case.language
    channel = channels.get(conversation.channel)
    window, closed = _window(session, conversation, channel.service_window_hours if channel else None)
    return Thread(
        case=case,
        channel=words.channel(conversation.channel),
        language=words.language(code),
        direction=words.direction(code),
        language_code=code,
        reason=words.reason(case.reason),
        counsellor=name,
        lines=tuple(sorted(lines, key=lambda line: line.at)),
        cut=len(heard) == SHOWN or len(said) == SHOWN,
        window=window,
        window_closed=closed,
        waited=words.span((case.claimed_at or now()) - case.created_at),
    )


def _newest(session: Session, model: type[_Row], conversation_id: str) -> list[_Row]:
    rows = select(model).where(model.conversation_id == conversation_id).order_by(model.id.desc()).limit(SHOWN)
    return list(session.scalars(rows))[::-1]


def _heard(row: InboxMessage, conversation: Conversation, zone: ZoneInfo, files: str) -> Line:
    at = row.received_at.astimezone(zone)
    return Line(
        key=f"in-{row.id}",
        side="person",
        speaker="Person",
        at=at,
        clock=words.moment(at, now().astimezone(zone)),
        text=row.text or ("/" + row.payload if row.kind == "command" else ""),
        language=row.detected or conversation.language or "",
        note=_kind(row),
        trouble=_unanswered(row),
        crisis=words.reason(row.crisis) if row.crisis else "",
        file=f"{files}/{row.id}" if files and filetypes.is_file(row.media) else "",
        place=filetypes.place(row.media),
    )


def _kind(row: InboxMessage) -> str:
    if row.kind == "media":
        return filetypes.label(row.media)
    if row.kind == "button":
        choice = payloads.parse(row.payload)
        return f"Pressed a button: {choice.name.replace('_', ' ')}" if choice else "Pressed a button"
    return {"edited": "Edited an earlier message", "group": "Written in a group"}.get(row.kind, "")


def _unanswered(row: InboxMessage) -> str:
    if row.state == "parked":
        return f"Not answered: {row.problem or 'the assistant failed'}"
    return "Came too fast; kept, not answered" if row.state == "limited" else ""


def _said(row: OutboxMessage, zone: ZoneInfo, counsellor: str) -> Line:
    at = row.created_at.astimezone(zone)
    delivery, trouble = _delivery(row)
    return Line(
        key=f"out-{row.id}",
        side=row.speaker,
        speaker=words.speaker(row.speaker),
        at=at,
        clock=words.moment(at, now().astimezone(zone)),
        text=row.body["text"],
        language=row.body["language"],
        note="Sent a file" if row.body.get("document") else "",
        shown=f"{row.entry} · {row.entry_language} · version {row.entry_version}" if row.entry else "",
        buttons=tuple(button["title"] for button in row.body.get("buttons", ())),
        delivery=delivery + _rating(row),
        trouble=trouble,
    )


def _delivery(row: OutboxMessage) -> tuple[str, str]:
    if row.state == "failed":
        return "", f"Not delivered: {row.problem or 'the channel refused it'}"
    if row.state == "withdrawn":
        return "", f"Not sent: {row.problem or 'withdrawn'}"
    if row.state == "held":
        return f"Waits until the person writes again{f': {row.problem}' if row.problem else ''}", ""
    if row.state == "due" and row.problem:
        return "", f"Will be tried again: {row.problem}"
    if row.state == "sent":
        return (row.provider_state or "sent").capitalize(), ""
    return {"due": "Waiting to be sent", "sending": "Being sent"}.get(row.state, row.state), ""


def _rating(row: OutboxMessage) -> str:
    return "" if row.helpful is None else " · rated helpful" if row.helpful else " · rated not helpful"


def _window(session: Session, conversation: Conversation, hours: int | None) -> tuple[str, bool]:
    if hours is None or conversation.last_inbound_at is None:
        return "", False
    left = conversation.last_inbound_at + timedelta(hours=hours) - now()
    name = words.channel(conversation.channel)
    if left > timedelta(0):
        return f"{name} delivers replies for another {words.span(left)}.", False
    closed = f"{name} delivers no reply until the person writes again: their last words are over {hours} hours old."
    return f"{closed} Yours will wait, and be delivered when they write. {_asked(session, conversation)}", True


def _asked(session: Session, conversation: Conversation) -> str:
    """Whether the person is asked to write, as soon as a reply waits."""
    code = conversation.language if conversation.language in LANGUAGES else DEFAULT
    states = templates.overview(session, channel=conversation.channel)
    if any(state.language == code and templates.sendable(state) for state in states):
        return f"A template message in {words.language(code)} asks them to."
    return f"Nothing asks them to: no template in {words.language(code)} is approved."
