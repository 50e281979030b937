from types import SimpleNamespace

from bot.messaging import contacts, inbox, outbox
from bot.messaging.messages import Outgoing
from bot.messaging.poke import LocalPoke
from bot.storage.outbox import OutboxMessage
from bot.worker.brain import Brain
from bot.worker.delivery import Delivery


class Transcript:
    """Keeps what it is told, in order."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    async def remember(self, conversation_id: str, *, key: str, text: str, speaker: str) -> None:
        self.lines.append(text)


def brain(database, tmp_path, transcript) -> Brain:
    return Brain(
        database=database,
        assistant=transcript,
        answering=SimpleNamespace(worker="w"),  # of all that answers, only its name is needed here
        delivery=Delivery(database, {}, "w"),
        poke=LocalPoke(tmp_path),
        retention_days=90,
        media_days=30,
        alone=False,
    )


def say(database, *words: str) -> str:
    with database.write() as session:
        where = contacts.conversation_of(session, channel="web", address="a").id
        for text in words:
            outbox.put(session, conversation_id=where, cause=text, message=Outgoing(text, "en", speaker="system"))
        return where


async def test_the_transcript_is_written_by_one_worker_at_a_time_and_in_order(database, tmp_path):
    transcript = Transcript()
    made = brain(database, tmp_path, transcript)
    where = say(database, "first", "second")
    with database.write() as session:
        assert inbox.lease(session, conversations=[where], worker="another") == where
    await made._mirror()
    assert transcript.lines == []
    with database.write() as session:
        inbox.release(session, conversation_id=where, worker="another")
    await made._mirror()
    await made._mirror()
    assert transcript.lines == ["first", "second"]
    with database.write() as session:
        assert inbox.lease(session, conversations=[where], worker="another") == where
        assert all(row.remembered for row in session.query(OutboxMessage))
