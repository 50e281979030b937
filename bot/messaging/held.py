"""Messages that a platform takes only after the person has written again, and the template that asks for it."""

from collections.abc import Collection

from sqlalchemy import CursorResult, update
from sqlalchemy.orm import Session

from bot.languages import DEFAULT, LANGUAGES
from bot.messaging import outbox, payloads, templates
from bot.messaging.messages import Button, Outgoing
from bot.messaging.templates import REOPEN, SENDABLE
from bot.storage.conversation import Conversation
from bot.storage.outbox import OutboxMessage
from bot.texts import text


def reopening(language: str, template: str = REOPEN) -> Outgoing:
    """The message that tells a person that something waits, in the words that the provider has approved."""
    return Outgoing(
        text=text("template.reopen", language),
        language=language,
        buttons=(Button(text("template.read", language), payloads.READ),),
        speaker="system",
        template=template,
    )


def hold(session: Session, *, outbox_id: int, reason: str) -> None:
    """Keeps a message until the person writes, and asks them to by an approved template, once per silence."""
    row = session.get(OutboxMessage, outbox_id)
    if row is None:
        return
    row.leased_by = row.leased_until = None
    conversation = session.get_one(Conversation, row.conversation_id)
    if row.body.get("template"):
        row.state, row.problem = "failed", reason
        return
    language = conversation.language if conversation.language in LANGUAGES else DEFAULT
    template = templates.known(session, channel=conversation.channel).get(language)
    if template is not None and template.state in SENDABLE:
        row.problem = f"{reason}; a template asks the person to write"
        # the cause names the silence: however many messages wait in it, one template is sent
        cause = f"reopen:{conversation.id}:{conversation.last_inbound_at or conversation.created_at:%Y%m%d%H%M%S}"
        word = reopening(language, template.provider_id or REOPEN)
        outbox.put(session, conversation_id=conversation.id, cause=cause, message=word)
    else:
        state = template.state if template is not None else "not handed in"
        row.problem = f"{reason}; the template in {language} is {state}"
    row.state = "held"


def release(session: Session, *, conversations: Collection[str]) -> int:
    """Makes held messages due: these people have just written.

    Returns:
        How many messages were released.
    """
    released = session.execute(
        update(OutboxMessage)
        .where(OutboxMessage.conversation_id.in_(conversations), OutboxMessage.state == "held")
        .values(state="due", attempts=0, retry_at=None, problem=None)
        .execution_options(synchronize_session=False)
    )
    return released.rowcount if isinstance(released, CursorResult) else 0
