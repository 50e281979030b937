import asyncio
from collections.abc import Mapping
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select, update

from bot.channels.base import BaseChannel
from bot.messaging import erasure, inbox, media
from bot.messaging.messages import Incoming
from bot.messaging.protocols import DeliveryError
from bot.storage.conversation import Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.media import MediaFile
from tests.conftest import NOON
from tests.messaging.test_filetypes import ELF, HTML, OGG, PNG, SVG, archive

PHOTO = {"kind": "photo", "ref": "f1", "mime": "image/jpeg", "size": ""}


class Shelf(BaseChannel):
    """A provider that keeps files by their reference, and remembers which were asked for."""

    name = "telegram"
    label = "Telegram"

    def __init__(self, **files: bytes) -> None:
        self.files, self.asked, self.meanwhile = files, list[str](), lambda: None

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        self.asked.append(media["ref"])
        self.meanwhile()
        await asyncio.sleep(0)
        if media["ref"] not in self.files:
            raise DeliveryError("gone", permanent=True)
        return self.files[media["ref"]]


@pytest.fixture
def sent(database):
    """Somebody sends something; gives conversation and message."""
    count = 0

    def make(what: dict[str, str] | None = None, address: str = "a") -> tuple[str, int]:
        nonlocal count
        count += 1
        with database.write() as session:
            message = Incoming("telegram", f"{count}", address, kind="media", media=PHOTO if what is None else what)
            accepted = inbox.accept(session, message, per_minute=100)
            return accepted.conversation_id, session.scalars(select(InboxMessage.id).order_by(-InboxMessage.id)).first()

    return make


async def opened(database, shelf, place) -> media.File:
    channels = {shelf.name: shelf}
    return await media.opened(database, channels, conversation_id=place[0], inbox_id=place[1])


def kept(database) -> list[tuple[int, str, bytes]]:
    with database.read() as session:
        return [(row.inbox_id, row.mime, row.content) for row in session.scalars(select(MediaFile))]


async def test_a_file_is_fetched_at_its_first_opening_and_kept_for_the_second(database, sent):
    shelf, place = Shelf(f1=PNG), sent()
    assert (shelf.asked, kept(database)) == ([], [])
    first, second = [await opened(database, shelf, place) for _ in range(2)]
    assert first == second
    assert (first.content, first.type.mime) == (PNG, "image/png"), "what it is, not what was claimed"
    assert shelf.asked == ["f1"]
    assert kept(database) == [(place[1], "image/png", PNG)]


async def test_two_who_open_at_once_both_see_it_and_it_is_kept_once(database, sent):
    shelf, place = Shelf(f1=OGG), sent()
    found = await asyncio.gather(*(opened(database, shelf, place) for _ in range(4)))
    assert {file.content for file in found} == {OGG}
    assert len(kept(database)) == 1


@pytest.mark.parametrize("content", [ELF, HTML, SVG, archive("a.txt"), b""])
async def test_a_file_of_another_kind_is_refused_and_not_kept(database, sent, content):
    with pytest.raises(media.KindRefused) as refused:
        await opened(database, Shelf(f1=content), sent())
    assert refused.value.size == len(content)
    assert kept(database) == []


async def test_a_file_above_the_limit_is_not_kept_even_if_the_channel_lets_it_through(database, sent):
    with pytest.raises(DeliveryError, match="too large"):
        await opened(database, Shelf(f1=PNG + bytes(media.LIMIT)), sent())
    assert kept(database) == []


async def test_a_provider_that_never_answers_is_given_up(database, sent, monkeypatch):
    class Stuck(Shelf):
        async def fetch(self, media, *, limit):
            await asyncio.sleep(60)
            return PNG

    monkeypatch.setattr(media, "FETCH_SECONDS", 0.05)
    with pytest.raises(DeliveryError, match="in time") as problem:
        await opened(database, Stuck(), sent())
    assert problem.value.uncertain


async def test_a_file_that_the_provider_no_longer_has_is_told(database, sent):
    with pytest.raises(DeliveryError, match="gone"):
        await opened(database, Shelf(), sent())


async def test_a_channel_that_is_no_longer_connected_is_told(database, sent):
    conversation_id, inbox_id = sent()
    with pytest.raises(DeliveryError, match="not connected"):
        await media.opened(database, {}, conversation_id=conversation_id, inbox_id=inbox_id)


async def test_a_message_of_another_conversation_is_not_found(database, sent):
    shelf, mine, other = Shelf(f1=PNG), sent(), sent(address="b")
    with pytest.raises(media.NoFile):
        await opened(database, shelf, (mine[0], other[1]))
    assert shelf.asked == []


@pytest.mark.parametrize("what", [{"kind": "location", "ref": "1,2"}, {"kind": "photo", "ref": ""}, {}])
async def test_what_is_no_file_is_never_asked_for(database, sent, what):
    shelf = Shelf(f1=PNG)
    with pytest.raises(media.NoFile):
        await opened(database, shelf, sent(what))
    assert shelf.asked == []


async def test_nothing_is_kept_or_shown_when_the_person_erased_everything_meanwhile(database, sent):
    shelf, (conversation_id, inbox_id) = Shelf(f1=PNG), sent()

    def erase():
        with database.write() as session:
            session.execute(update(InboxMessage).values(state="done"))
            conversation = session.get_one(Conversation, conversation_id)
            erasure.erase(session, conversation=conversation, cause="x", language="en")

    shelf.meanwhile = erase
    with pytest.raises(media.NoFile):
        await opened(database, shelf, (conversation_id, inbox_id))
    assert kept(database) == []


async def test_erasing_a_conversation_erases_its_files(database, sent):
    shelf, mine, other = Shelf(f1=PNG), sent(), sent(address="b")
    await opened(database, shelf, mine)
    await opened(database, shelf, other)
    with database.write() as session:
        session.execute(update(InboxMessage).values(state="done"))
        conversation = session.get_one(Conversation, mine[0])
        erasure.erase(session, conversation=conversation, cause="x", language="en")
    assert [row[0] for row in kept(database)] == [other[1]]


async def test_a_silent_conversation_that_expires_takes_its_files_along(database, sent):
    with time_machine.travel(NOON, tick=False) as clock:
        await opened(database, Shelf(f1=PNG), sent())
        clock.shift(timedelta(days=91))
        with database.write() as session:
            erasure.expire(session, days=90)
    assert kept(database) == []


async def test_files_go_after_their_days_and_messages_stay(database, sent):
    shelf = Shelf(f1=PNG)
    with time_machine.travel(NOON, tick=False) as clock:
        early, late = sent(), sent(address="b")
        await opened(database, shelf, early)
        clock.shift(timedelta(days=29))
        await opened(database, shelf, late)
        clock.shift(timedelta(days=1, seconds=1))
        with database.write() as session:
            erasure.expire_files(session, days=30)
        assert [row[0] for row in kept(database)] == [late[1]]
        await opened(database, shelf, early)
    assert shelf.asked == ["f1"] * 3, "an erased copy is fetched again if the provider still has it"
