"""Erasing and exporting what is kept about a person, and the retention job."""

import json
from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from bot.messaging import inbox, outbox
from bot.messaging.messages import Outgoing
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage, Tombstone
from bot.storage.media import MediaFile
from bot.storage.outbox import OutboxMessage
from bot.texts import text

REPEATS = timedelta(days=8)  # WhatsApp repeats a webhook for up to seven days
LAST_WORD = timedelta(minutes=10)  # time for the last word to arrive before the address is erased too


def erase(session: Session, *, conversation: Conversation, cause: str, language: str) -> None:
    """Erases everything a person wrote and was told, then says so.

    The address stays until the last word is delivered; ``finish`` erases it.
    """
    session.execute(delete(Case).where(Case.conversation_id == conversation.id))
    session.execute(delete(OutboxMessage).where(OutboxMessage.conversation_id == conversation.id))
    done = (InboxMessage.conversation_id == conversation.id, InboxMessage.state != "waiting")
    heard = select(InboxMessage.channel, InboxMessage.message_id)
    _bury(session, session.execute(heard.where(InboxMessage.conversation_id == conversation.id)).tuples())
    session.execute(delete(InboxMessage).where(*done))
    conversation.holder, conversation.leaving = "bot", True
    conversation.host_country = conversation.origin_country = None
    word = Outgoing(text("delete.done", language), language, speaker="system")
    # nothing about this conversation may be written to the transcript again
    outbox.put(session, conversation_id=conversation.id, cause=f"{cause}:deleted", message=word, remembered=True)


def _bury(session: Session, messages: Iterable[tuple[str, str]]) -> None:
    for channel, message_id in messages:
        session.merge(Tombstone(digest=inbox.digest(channel, message_id)))


def finish(session: Session) -> list[str]:
    """Erases conversations whose last word was delivered, or could not be.

    Returns:
        Their ids, so that the assistant forgets them too.
    """
    moment = now()
    gone = []
    for conversation in session.scalars(select(Conversation).where(Conversation.leaving)):
        if _wrote_again(session, conversation):
            conversation.leaving = False  # the person wrote again: a new conversation under the old address
            continue
        last = session.scalar(
            select(func.max(OutboxMessage.created_at)).where(OutboxMessage.conversation_id == conversation.id)
        )
        pending = session.scalar(
            select(OutboxMessage.id)
            .where(OutboxMessage.conversation_id == conversation.id, OutboxMessage.state.in_(("due", "sending")))
            .limit(1)
        )
        if pending is None and (last is None or last < moment - LAST_WORD):
            gone.append(conversation.id)
            session.delete(conversation)
    return gone


def _wrote_again(session: Session, conversation: Conversation) -> bool:
    # erasing left none of the messages before it, so any that is there came later, answered by now or not
    later = select(InboxMessage.id).where(InboxMessage.conversation_id == conversation.id)
    return session.scalar(later.limit(1)) is not None


def expire(session: Session, *, days: int) -> list[str]:
    """The retention job: erases conversations that have been silent for ``days`` days.

    Returns:
        Their ids, so that the assistant forgets them too.
    """
    session.execute(delete(Tombstone).where(Tombstone.at < now() - REPEATS))
    limit = now() - timedelta(days=days)
    last = func.coalesce(Conversation.last_inbound_at, Conversation.created_at)
    silent = list(session.scalars(select(Conversation).where(last < limit)))
    for conversation in silent:
        session.delete(conversation)
    return [conversation.id for conversation in silent]


def expire_files(session: Session, *, days: int) -> None:
    """The retention job for files: erases those that were fetched more than ``days`` days ago; messages stay."""
    limit = now() - timedelta(days=days)
    # the moment of fetching lies behind the content, so that to read it of each file would be to read all files;
    # no file is older than its message
    old = select(MediaFile.inbox_id).join(InboxMessage).where(InboxMessage.received_at < limit)
    session.execute(delete(MediaFile).where(MediaFile.inbox_id.in_(old), MediaFile.fetched_at < limit))


def export(session: Session, *, conversation_id: str) -> bytes:
    """Everything kept about a conversation, as indented JSON that a person can read."""
    conversation = session.get_one(Conversation, conversation_id)
    heard = select(InboxMessage).where(InboxMessage.conversation_id == conversation_id)
    said = select(OutboxMessage).where(OutboxMessage.conversation_id == conversation_id)
    messages = [_heard(row) for row in session.scalars(heard)] + [_said(row) for row in session.scalars(said)]
    cases = session.scalars(select(Case).where(Case.conversation_id == conversation_id).order_by(Case.id))
    content = {
        "channel": conversation.channel,
        "language": conversation.language,
        "country": conversation.host_country,
        "country_of_return": conversation.origin_country,
        "since": conversation.created_at.isoformat(),
        "messages": sorted(messages, key=lambda message: str(message["at"])),
        "cases": [
            {"number": case.number, "state": case.state, "at": case.created_at.isoformat(), "facts": case.facts}
            for case in cases
        ],
    }
    return json.dumps(content, ensure_ascii=False, indent=2).encode()


def _heard(row: InboxMessage) -> dict[str, Any]:
    at = row.received_at.isoformat()
    return {"at": at, "from": "you", "kind": row.kind, "text": row.text, "media": row.media, "crisis": row.crisis}


def _said(row: OutboxMessage) -> dict[str, Any]:
    shown = {"entry": row.entry, "language": row.entry_language, "version": row.entry_version} if row.entry else None
    return {
        "at": row.created_at.isoformat(),
        "from": row.speaker,
        "text": row.body["text"],
        "shown": shown,
        "helpful": row.helpful,
    }
