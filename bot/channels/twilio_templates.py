"""Content templates at Twilio: what is handed in for approval, and how their states are read. Pure."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bot.channels import whatsapp_templates
from bot.messaging import held, templates
from bot.messaging.hooks import TemplateState

CATEGORY = "UTILITY"


def definition(language: str) -> dict[str, Any]:
    """The content as it is made: no variables, one button that opens the window again."""
    message = held.reopening(language)
    button = message.buttons[0]
    action = {"type": "QUICK_REPLY", "title": button.title, "id": button.payload}
    return {
        "friendly_name": templates.REOPEN,
        "language": whatsapp_templates.code(language),
        "variables": {},
        "types": {"twilio/quick-reply": {"body": message.text, "actions": [action]}},
    }


def states(rows: Iterable[Any]) -> list[TemplateState]:
    """The states of our templates, one for each language; of several the one that can be sent, then the newest.

    Args:
        rows: What ``ContentAndApprovals`` lists, others' contents with it.
    """
    best: dict[str, tuple[tuple[bool, str], TemplateState]] = {}
    for row in rows:
        state = _state(row)
        if state is None:
            continue
        rank = (state.state in templates.SENDABLE, str(row.date_created or ""))
        if state.language not in best or best[state.language][0] < rank:
            best[state.language] = (rank, state)
    return [state for _, state in best.values()]


def _state(row: Any) -> TemplateState | None:
    approval = row.approval_requests or {}
    told = str(approval.get("status") or "unsubmitted")
    reason = str(approval.get("rejection_reason") or "")
    found = whatsapp_templates.state(str(row.friendly_name), str(row.language), told, reason)
    return replace(found, provider_id=str(row.sid)) if found else None
