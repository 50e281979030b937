"""The approval of template messages, as the providers told it last."""

from collections.abc import Iterable

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from bot.languages import launched
from bot.messaging.held import REOPEN, SENDABLE
from bot.messaging.hooks import TemplateState
from bot.storage.base import now
from bot.storage.channels import MessageTemplate


def record(session: Session, *, channel: str, states: Iterable[TemplateState]) -> None:
    """Notes the states of templates; those of other names and languages are left as they are."""
    for told in states:
        row = session.scalar(_one(channel, told.name, told.language))
        if row is None:
            row = MessageTemplate(channel=channel, name=told.name, language=told.language, state=told.state)
            session.add(row)
            session.flush()
        row.state, row.reason, row.checked_at = told.state[:64], told.reason[:255], now()
        row.provider_id = told.provider_id or row.provider_id


def overview(session: Session, *, channel: str) -> list[TemplateState]:
    """The state of the template in every launched language, those never handed in with it."""
    rows = {row.language: row for row in session.scalars(select(MessageTemplate).where(_of(channel, REOPEN)))}
    return [
        TemplateState(REOPEN, code, rows[code].state, rows[code].reason)
        if code in rows
        else TemplateState(REOPEN, code, "missing")
        for code in (row.code for row in launched())
    ]


def sendable(state: TemplateState) -> bool:
    """Whether a template in this state can be sent."""
    return state.state in SENDABLE


def _of(channel: str, name: str) -> ColumnElement[bool]:
    return (MessageTemplate.channel == channel) & (MessageTemplate.name == name)


def _one(channel: str, name: str, language: str) -> Select[tuple[MessageTemplate]]:
    return select(MessageTemplate).where(_of(channel, name), MessageTemplate.language == language)
