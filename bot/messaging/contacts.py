"""Who is behind an address: the one place that reads and writes the contact table."""

from collections.abc import Sequence

from sqlalchemy import Select, or_, select, tuple_, update
from sqlalchemy.orm import Session, joinedload

from bot.messaging.hooks import Move
from bot.messaging.messages import Incoming
from bot.storage.conversation import Contact, Conversation, pseudonym

_Key = tuple[str, str]
_ADDRESS = (Contact.channel, Contact.address)
_ALIAS = (Contact.channel, Contact.alias)


def find_or_make(session: Session, messages: Sequence[Incoming]) -> list[Conversation]:
    """The conversation behind each message; new ones are made.

    A person may come under two addresses, such as a phone number and a user id. Both are kept once they came
    together, so that one of them is enough later on.
    """
    known = _known(session, messages)
    found = []
    for incoming in messages:
        keys = [(incoming.channel, address) for address in (incoming.address, incoming.alias) if address]
        contact = next((known[key] for key in keys if key in known), None) or _made(session, incoming)
        _learn(contact, incoming, known)
        known |= dict.fromkeys((key for key in keys if key not in known), contact)
        found.append(contact.conversation)
    return found


def conversation_of(session: Session, *, channel: str, address: str) -> Conversation:
    """The conversation behind an address, made if there is none."""
    (found,) = find_or_make(session, [Incoming(channel=channel, message_id="", address=address)])
    session.flush()
    return found


def _known(session: Session, messages: Sequence[Incoming]) -> dict[_Key, Contact]:
    keys = {(m.channel, address) for m in messages for address in (m.address, m.alias) if address}
    match = or_(tuple_(*_ADDRESS).in_(keys), tuple_(*_ALIAS).in_(keys))
    known: dict[_Key, Contact] = {}
    for contact in session.scalars(select(Contact).options(joinedload(Contact.conversation)).where(match)):
        known[contact.channel, contact.address] = contact
        if contact.alias:
            known.setdefault((contact.channel, contact.alias), contact)
    return known


def _made(session: Session, incoming: Incoming) -> Contact:
    conversation = Conversation(id=pseudonym(), channel=incoming.channel, rate_tokens=-1.0)
    conversation.contact = Contact(channel=incoming.channel, address=incoming.address, alias=incoming.alias or None)
    session.add(conversation)
    return conversation.contact


def _learn(contact: Contact, incoming: Incoming, known: dict[_Key, Contact]) -> None:
    """Keeps what is new: the other address of somebody who was known by one of them alone."""
    if not incoming.alias or known.get((incoming.channel, incoming.alias), contact) is not contact:
        return
    if contact.address == incoming.alias:  # known by the lasting id alone; now the address is known as well
        contact.address = incoming.address
    if contact.address == incoming.address:
        contact.alias = incoming.alias


def move(session: Session, *, move: Move) -> bool:
    """Notes that a person is reached under another address now.

    An address that is known already stays with its own conversation: nobody's words may reach another person.

    Returns:
        Whether a contact was changed.
    """
    if not move.new or session.scalar(_at(move.channel, move.new)) is not None:
        return False
    contact = session.scalar(_at(move.channel, move.old))
    if contact is None:
        return False
    column = Contact.alias if contact.alias == move.old else Contact.address
    session.execute(update(Contact).where(Contact.id == contact.id).values({column: move.new}))
    return True


def _at(channel: str, address: str) -> Select[tuple[Contact]]:
    where = or_(Contact.address == address, Contact.alias == address)
    return select(Contact).where(Contact.channel == channel, where).limit(1)
