"""The approval of template messages, as the providers told it last."""

from collections.abc import Iterable

from sqlalchemy import select
from sqlalchemy.orm import Session

from bot.languages import launched
from bot.messaging.hooks import TemplateState
from bot.storage.base import now
from bot.storage.channels import MessageTemplate

REOPEN = "waymark_reopen"  # the template's name at the provider
SENDABLE = ("approved", "reinstated", "flagged", "unarchived")  # states in which a template can be sent


def record(session: Session, *, channel: str, states: Iterable[TemplateState]) -> None:
    """Notes the states of templates; those of other names and languages are left as they are."""
    for told in states:
        row = session.scalar(
            select(MessageTemplate).where(
                MessageTemplate.channel == channel,
                MessageTemplate.name == told.name,
                MessageTemplate.language == told.language,
            )
        )
        if row is None:
            row = MessageTemplate(channel=channel, name=told.name, language=told.language, state=told.state)
            session.add(row)
            session.flush()
        row.state, row.reason, row.checked_at = told.state[:64], told.reason[:255], now()
        row.provider_id = told.provider_id or row.provider_id


def known(session: Session, *, channel: str) -> dict[str, MessageTemplate]:
    """What the provider told of the template, by language; languages never handed in are not there."""
    rows = select(MessageTemplate).where(MessageTemplate.channel == channel, MessageTemplate.name == REOPEN)
    return {row.language: row for row in session.scalars(rows)}


def overview(session: Session, *, channel: str) -> list[TemplateState]:
    """The state of the template in every launched language, those never handed in with it."""
    rows = known(session, channel=channel)
    return [
        TemplateState(REOPEN, code, rows[code].state, rows[code].reason)
        if code in rows
        else TemplateState(REOPEN, code, "missing")
        for code in (row.code for row in launched())
    ]


def sendable(state: TemplateState) -> bool:
    """Whether a template in this state can be sent."""
    return state.state in SENDABLE
