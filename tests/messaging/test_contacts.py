import pytest
from sqlalchemy import select

from bot.messaging import contacts, inbox
from bot.messaging.hooks import Move
from bot.messaging.messages import Incoming
from bot.storage.conversation import Contact
from bot.storage.session import Database

PHONE, USER = "32470000001", "BE.13491208655302741918"


def write(database: Database, address: str, alias: str = "", channel: str = "whatsapp") -> str:
    with database.write() as session:
        return contacts.find_or_make(session, [Incoming(channel, "m", address, alias=alias)])[0].id


def known(database: Database) -> list[tuple[str, str | None]]:
    with database.read() as session:
        return [tuple(row) for row in session.execute(select(Contact.address, Contact.alias))]


def test_a_phone_number_and_a_user_id_that_came_together_are_one_person(database):
    first = write(database, PHONE, USER)
    assert write(database, USER) == first
    assert write(database, PHONE) == first
    assert known(database) == [(PHONE, USER)]


def test_a_user_id_known_alone_learns_the_phone_number(database):
    first = write(database, USER)
    assert write(database, PHONE, USER) == first
    assert known(database) == [(PHONE, USER)]


def test_a_phone_number_known_alone_learns_the_user_id(database):
    first = write(database, PHONE)
    assert write(database, PHONE, USER) == first
    assert write(database, USER) == first


def test_two_people_known_apart_are_never_merged(database):
    by_phone, by_user = write(database, PHONE), write(database, USER)
    assert write(database, PHONE, USER) == by_phone
    assert write(database, USER) == by_user


def test_the_same_user_id_in_another_channel_is_somebody_else(database):
    assert write(database, PHONE, USER) != write(database, PHONE, USER, channel="twilio")


def test_several_messages_of_a_new_person_in_one_batch_make_one_conversation(database):
    with database.write() as session:
        batch = [Incoming("whatsapp", "1", PHONE, alias=USER), Incoming("whatsapp", "2", USER)]
        assert len({conversation.id for conversation in contacts.find_or_make(session, batch)}) == 1


@pytest.mark.parametrize(("old", "new"), [(PHONE, "32470000009"), (USER, "BE.2")])
def test_a_person_who_moves_keeps_the_conversation(database, old, new):
    first = write(database, PHONE, USER)
    with database.write() as session:
        assert contacts.move(session, move=Move("whatsapp", old, new))
    assert write(database, new) == first


def test_a_move_to_somebody_elses_address_changes_nothing(database):
    write(database, PHONE)
    other = write(database, "32470000009")
    with database.write() as session:
        assert not contacts.move(session, move=Move("whatsapp", PHONE, "32470000009"))
        assert not contacts.move(session, move=Move("whatsapp", "unknown", "new"))
        assert not contacts.move(session, move=Move("whatsapp", PHONE, ""))
    assert write(database, "32470000009") == other


def test_a_repeated_message_of_an_erased_person_makes_no_new_contact(database):
    message = Incoming("whatsapp", "wamid.1", PHONE, text="delete me")
    with database.write() as session:
        session.add(inbox.Tombstone(digest=inbox.digest("whatsapp", "wamid.1")))
    with database.write() as session:
        assert inbox.accept(session, message, per_minute=20) is None
    assert known(database) == []
