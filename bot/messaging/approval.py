"""Asking a provider about our template messages, and handing in those that it does not have."""

import asyncio
from collections.abc import Iterable

from bot.messaging import templates
from bot.messaging.hooks import TemplateState
from bot.messaging.protocols import Channel, DeliveryError
from bot.messaging.templates import REOPEN
from bot.storage.session import Database

OPEN_TO_SUBMIT = ("missing", "rejected", "unsubmitted")  # states in which handing in makes sense


async def ask(database: Database, channel: Channel) -> None:
    """Asks for the states of all templates and stores them.

    Raises:
        DeliveryError: The provider cannot be asked.
    """
    states = await channel.templates()
    await asyncio.to_thread(_record, database, channel.name, states)


async def hand_in(database: Database, channel: Channel) -> dict[str, str]:
    """Hands in the template in every launched language in which it is missing or was rejected.

    What the provider says is stored language by language, so that nothing is lost when a later one fails. No
    transaction is open while the provider thinks.

    Returns:
        Reasons by the language that was refused. After a failure that time may mend the rest is not tried.

    Raises:
        DeliveryError: The provider cannot be asked what it has already.
    """
    await ask(database, channel)
    refused: dict[str, str] = {}
    for language in await asyncio.to_thread(_lacking, database, channel.name):
        try:
            state = await channel.submit_template(REOPEN, language)
        except DeliveryError as problem:
            refused[language] = problem.reason
            if not problem.permanent:
                break
        else:
            await asyncio.to_thread(_record, database, channel.name, [state])
    return refused


def lacking(states: Iterable[TemplateState]) -> list[str]:
    """Languages in which the template can be handed in."""
    return [state.language for state in states if state.state in OPEN_TO_SUBMIT]


def _lacking(database: Database, channel: str) -> list[str]:
    with database.read() as session:
        return lacking(templates.overview(session, channel=channel))


def _record(database: Database, channel: str, states: Iterable[TemplateState]) -> None:
    with database.write() as session:
        templates.record(session, channel=channel, states=states)
