import threading

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import IntegrityError

from bot.storage.account import AuditEvent
from bot.storage.conversation import Contact, Conversation
from bot.storage.session import Database, make_engine


def pragma(database: Database, name: str) -> object:
    with database.read() as session:
        return session.scalar(text(f"PRAGMA {name}"))


def count(session) -> int:
    return session.scalar(select(func.count()).select_from(AuditEvent))


def event() -> AuditEvent:
    return AuditEvent(account_id=None, action="test", subject="test")


def test_sqlite_keeps_a_write_ahead_log_and_syncs_every_write(sqlite_database):
    assert pragma(sqlite_database, "journal_mode") == "wal"
    assert pragma(sqlite_database, "synchronous") == 2  # FULL


def test_sqlite_checks_foreign_keys(sqlite_database):
    assert pragma(sqlite_database, "foreign_keys") == 1


def test_a_row_that_points_nowhere_is_refused(database):
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(Contact(channel="web", address="a", conversation_id="nobody"))


def test_deleting_a_conversation_in_the_database_deletes_its_contact(database):
    with database.write() as session:
        made = Conversation(channel="web")
        made.contact = Contact(channel="web", address="a")
        session.add(made)
    with database.write() as session:
        session.execute(text("DELETE FROM conversation"))
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(Contact)) == 0


def test_a_writing_session_commits_at_the_end(database):
    with database.write() as session:
        session.add(event())
    with database.read() as session:
        assert count(session) == 1


def test_a_writing_session_that_raises_changes_nothing(database):
    with pytest.raises(RuntimeError), database.write() as session:
        session.add(event())
        session.flush()
        raise RuntimeError
    with database.read() as session:
        assert count(session) == 0


def test_a_reader_does_not_block_the_writer_and_keeps_its_view(database):
    with database.read() as reader:
        assert count(reader) == 0
        with database.write() as writer:
            writer.add(event())
    with database.read() as reader:
        assert count(reader) == 1


def test_a_writer_does_not_block_readers(database):
    with database.write() as writer:
        writer.add(event())
        writer.flush()
        with database.read() as reader:
            assert count(reader) == 0, "what is not committed is not seen"


def test_a_second_writer_waits_for_the_first_instead_of_failing(sqlite_database):
    seen = []
    begun = threading.Event()

    def second() -> None:
        begun.set()
        with sqlite_database.write() as session:
            seen.append(count(session))

    with sqlite_database.write() as session:
        session.add(event())
        session.flush()  # the lock is taken with the first statement
        thread = threading.Thread(target=second)
        thread.start()
        begun.wait(10)
        assert seen == []
    thread.join(30)
    assert seen == [1], "it read only after the first had committed"


def test_many_threads_that_read_and_then_write_lose_nothing(sqlite_database):
    def work() -> None:
        for _ in range(5):
            with sqlite_database.write() as session:
                count(session)
                session.add(event())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    with sqlite_database.read() as session:
        assert count(session) == 40


def test_the_folder_of_a_new_database_is_made(tmp_path):
    engine = make_engine(f"sqlite:///{tmp_path}/new/folder/waymark.db")
    with engine.connect():
        assert (tmp_path / "new" / "folder" / "waymark.db").exists()
    engine.dispose()
