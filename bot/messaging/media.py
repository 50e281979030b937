"""Files that people send: fetched from the provider when a counsellor opens one, and not before."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from bot.messaging import filetypes
from bot.messaging.filetypes import FileType
from bot.messaging.protocols import Channel, DeliveryError
from bot.storage.inbox import InboxMessage
from bot.storage.media import MediaFile
from bot.storage.session import Database

LIMIT = 16 * 1024 * 1024  # bytes; the largest sound or film that WhatsApp carries
FETCH_SECONDS = 60.0


class NoFile(Exception):
    """The conversation has no such message, or the message holds no file."""


class KindRefused(Exception):
    """Files of this kind are not opened.

    Attributes:
        kind: What it is, in words for counsellors.
        size: In bytes.
    """

    def __init__(self, kind: str, size: int) -> None:
        super().__init__(kind)
        self.kind = kind
        self.size = size


@dataclass(frozen=True, slots=True)
class File:
    """A file that may be shown."""

    type: FileType
    content: bytes


@dataclass(frozen=True, slots=True)
class _Wanted:
    channel: str
    media: dict[str, Any]


async def opened(database: Database, channels: Mapping[str, Channel], *, conversation_id: str, inbox_id: int) -> File:
    """The file of a message: the copy that is kept, or fetched from the provider and kept from now on.

    Raises:
        NoFile: There is none, or it was erased meanwhile.
        KindRefused: Its first bytes say that it is nothing that is opened here; it is not kept.
        DeliveryError: The provider does not give it.
    """
    found = await asyncio.to_thread(_look, database, conversation_id, inbox_id)
    if isinstance(found, File):
        return found
    channel = channels.get(found.channel)
    if channel is None:
        raise DeliveryError("this channel is not connected")
    content = await _fetched(channel, found.media)
    kind = filetypes.recognise(content, claimed=str(found.media.get("mime") or ""))
    if kind is None:
        raise KindRefused(filetypes.describe(content), len(content))
    return await asyncio.to_thread(_keep, database, conversation_id, inbox_id, File(kind, content))


def _look(database: Database, conversation_id: str, inbox_id: int) -> File | _Wanted:
    with database.read() as session:
        row = session.get(InboxMessage, inbox_id)
        if row is None or row.conversation_id != conversation_id or not filetypes.is_file(row.media):
            raise NoFile
        return _kept(session, inbox_id) or _Wanted(row.channel, row.media)


def _kept(session: Session, inbox_id: int) -> File | None:
    row = session.get(MediaFile, inbox_id)
    return File(filetypes.of(row.mime), row.content) if row else None


async def _fetched(channel: Channel, media: Mapping[str, str]) -> bytes:
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            content = await channel.fetch(media, limit=LIMIT)
    except TimeoutError:
        raise DeliveryError(f"{channel.label} did not hand it over in time", uncertain=True) from None
    if len(content) > LIMIT:
        raise DeliveryError("the file is too large", permanent=True)
    return content


def _keep(database: Database, conversation_id: str, inbox_id: int, file: File) -> File:
    try:
        with database.write() as session:
            session.add(MediaFile(inbox_id=inbox_id, mime=file.type.mime, content=file.content))
    except IntegrityError:  # somebody else opened it at the same moment, or the person erased everything
        found = _look(database, conversation_id, inbox_id)
        if not isinstance(found, File):
            raise NoFile from None
        return found
    return file
