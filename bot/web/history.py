"""What was said in a conversation of the web chat, as its pages show it."""

import re
from collections.abc import Sequence
from typing import Any

from sqlalchemy import or_, select

from bot import texts
from bot.languages import DEFAULT, LANGUAGES
from bot.messaging import erasure, payloads
from bot.storage.conversation import Contact, Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database

_PAGE = 200
_MENU = {
    payloads.HUMAN: "ui.menu_human",
    "c:privacy": "ui.menu_privacy",
    "c:delete": "ui.menu_delete",
    "c:export": "command.export",
}
_EVENTS = re.compile(r"case:\d+:(joined|closed):|:(deleted)$")


def conversation_of(database: Database, address: str) -> str | None:
    """The id of the conversation that a chat token opens, if there is one."""
    with database.read() as session:
        where = (Contact.channel == "web", Contact.address == address)
        return session.scalar(select(Contact.conversation_id).where(*where))


def export(database: Database, address: str) -> bytes:
    """A copy of everything kept about the conversation, as JSON."""
    conversation_id = conversation_of(database, address)
    if conversation_id is None:
        return b"{}"
    with database.read() as session:
        return erasure.export(session, conversation_id=conversation_id)


def replies_after(database: Database, address: str, after: int) -> list[dict[str, Any]]:
    """Replies of a conversation with ids above ``after``, in order."""
    with database.read() as session:
        rows = session.scalars(
            select(OutboxMessage)
            .join(Contact, Contact.conversation_id == OutboxMessage.conversation_id)
            .where(Contact.channel == "web", Contact.address == address)
            .where(OutboxMessage.id > after, OutboxMessage.state == "sent")
            .order_by(OutboxMessage.id)
            .limit(_PAGE)
        )
        return [as_reply(row) for row in rows]


def as_reply(row: OutboxMessage) -> dict[str, Any]:
    """A reply as the page shows it.

    ``event`` is ``joined`` or ``closed`` when a counsellor came or left, ``deleted`` on the last word of an
    erased conversation.
    """
    body = row.body
    event = _EVENTS.search(row.cause)
    language = LANGUAGES[body["language"]]
    return {
        "id": row.id,
        "from": row.speaker,
        "text": body["text"],
        "language": language.code,
        "direction": language.direction,
        "buttons": [{k: b[k] for k in ("title", "payload", "description")} for b in body.get("buttons", ())],
        "listed": body.get("listed", False),
        "document": body.get("document", ""),
        "event": (event[1] or event[2]) if event else "",
        "at": row.created_at.isoformat(),
    }


def whole(database: Database, address: str) -> dict[str, Any]:
    """The newest messages of both sides: ``{"messages", "cursor", "language"}``; ``cursor`` is the last reply's id."""
    conversation_id = conversation_of(database, address)
    if conversation_id is None:
        return {"messages": [], "cursor": 0, "language": None}
    with database.read() as session:
        said = session.scalars(
            select(OutboxMessage)
            .where(OutboxMessage.conversation_id == conversation_id, OutboxMessage.state == "sent")
            .order_by(OutboxMessage.id.desc())
            .limit(_PAGE)
        ).all()
        heard = session.scalars(
            select(InboxMessage)
            .where(InboxMessage.conversation_id == conversation_id)
            .where(or_(InboxMessage.text != "", InboxMessage.payload != ""))
            .order_by(InboxMessage.id.desc())
            .limit(_PAGE)
        ).all()
        messages = [as_reply(row) for row in said] + [_as_heard(row, said) for row in heard]
        language = session.get_one(Conversation, conversation_id).language
        cursor = max((row.id for row in said), default=0)
    return {"messages": sorted(messages, key=lambda m: (m["at"], m["id"])), "cursor": cursor, "language": language}


def _as_heard(row: InboxMessage, said: Sequence[OutboxMessage]) -> dict[str, Any]:
    """A person's own message; ``message`` is the id the page gave it, ``text`` is empty when it is not to be shown."""
    return {
        "id": 0,
        "from": "you",
        "message": row.message_id.rpartition(":")[2],
        "text": row.text or _pressed(row, said),
        "payload": row.payload if row.kind == "button" else "",
        "at": row.received_at.isoformat(),
    }


def _pressed(row: InboxMessage, said: Sequence[OutboxMessage]) -> str:
    """What a pressed button or a command reads as; ``said`` holds the replies, newest first."""
    if row.kind == "command":
        return "" if row.payload == "start" else f"/{row.payload}"
    earlier = (reply for reply in said if reply.created_at <= row.received_at)
    for button in (button for reply in earlier for button in reply.body.get("buttons", ())):
        if button["payload"] == row.payload:
            return str(button["title"])
    code = row.payload.removeprefix("l:")
    if code in LANGUAGES:
        return LANGUAGES[code].name
    language = said[0].body["language"] if said else DEFAULT
    return texts.text(_MENU[row.payload], language) if row.payload in _MENU else ""
