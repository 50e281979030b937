import sqlite3

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import inspect, select

from bot.messaging import inbox
from bot.storage import migrate
from bot.storage.conversation import Conversation
from bot.storage.inbox import InboxMessage
from bot.storage.models import Base
from bot.storage.session import Database
from tests.conftest import message


def test_after_all_migrations_the_tables_are_those_of_the_models(database):
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, Base.metadata) == []


def test_a_difference_between_tables_and_models_would_be_found(sqlite_database):
    with sqlite_database.engine.begin() as connection:
        connection.exec_driver_sql("ALTER TABLE inbox DROP COLUMN crisis")
    with sqlite_database.engine.connect() as connection:
        found = compare_metadata(MigrationContext.configure(connection), Base.metadata)
    assert [(step[0], step[3].name) for step in found] == [("add_column", "crisis")]


def test_partial_indexes_keep_their_condition(database):
    indexes = [
        index
        for table in ("handoff_case", "entry_version")
        for index in inspect(database.engine).get_indexes(table)
        if index["name"] in ("uq_handoff_case_open", "uq_entry_version_published")
    ]
    assert len(indexes) == 2
    for index in indexes:
        assert index["unique"]
        where = index["dialect_options"]
        assert where.get("sqlite_where") is not None or where.get("postgresql_where")


def test_a_new_database_is_pending_until_it_is_upgraded(tmp_path):
    database = Database(f"sqlite:///{tmp_path}/new.db")
    assert migrate.pending(database.engine)
    migrate.upgrade(database.engine)
    assert not migrate.pending(database.engine)
    database.close()


def test_upgrading_again_changes_nothing_and_keeps_what_is_there(database):
    with database.write() as session:
        inbox.accept(session, message("kept"), per_minute=20)
    migrate.upgrade(database.engine)
    with database.read() as session:
        assert session.scalar(select(InboxMessage.text)) == "kept"


def test_there_is_one_line_of_migrations():
    scripts = ScriptDirectory.from_config(migrate.alembic_config())
    assert len(scripts.get_heads()) == 1
    assert all(not revision.is_branch_point for revision in scripts.walk_revisions())


def test_every_migration_leads_back_to_an_empty_database(sqlite_database):
    with sqlite_database.engine.begin() as connection:
        config = migrate.alembic_config()
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert set(inspect(sqlite_database.engine).get_table_names()) == {"alembic_version"}
    migrate.upgrade(sqlite_database.engine)
    with sqlite_database.write() as session:
        session.add(Conversation(channel="web"))


@pytest.mark.parametrize("table", ["inbox", "outbox", "handoff_case", "account"])
def test_ids_that_people_have_seen_are_never_given_again(sqlite_database, table):
    with sqlite3.connect(sqlite_database.engine.url.database) as connection:
        made = connection.execute("SELECT sql FROM sqlite_master WHERE name = ?", (table,)).fetchone()[0]
    assert "AUTOINCREMENT" in made.upper()
