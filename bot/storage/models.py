"""All tables, in one import for migrations and tests."""

from bot.storage.account import Account, AuditEvent, LoginAttempt
from bot.storage.base import Base
from bot.storage.channels import ChannelHealth, MessageTemplate
from bot.storage.content import ContentRevision, Entry, EntryVersion
from bot.storage.conversation import Contact, Conversation
from bot.storage.handoff import Case, CaseEvent
from bot.storage.inbox import InboxMessage, Tombstone
from bot.storage.media import MediaFile
from bot.storage.outbox import OutboxMessage

__all__ = [
    "Account",
    "AuditEvent",
    "Base",
    "Case",
    "CaseEvent",
    "ChannelHealth",
    "Contact",
    "ContentRevision",
    "Conversation",
    "Entry",
    "EntryVersion",
    "InboxMessage",
    "LoginAttempt",
    "MediaFile",
    "MessageTemplate",
    "OutboxMessage",
    "Tombstone",
]
