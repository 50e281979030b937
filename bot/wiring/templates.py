"""Template messages of all channels, for the command line."""

from collections.abc import Mapping

from bot.channels import registry
from bot.messaging import approval, templates
from bot.messaging.protocols import Channel, DeliveryError
from bot.settings import Settings
from bot.storage.session import Database
from bot.wiring.foundation import open_database


async def review(settings: Settings, *, hand_in: bool) -> tuple[list[str], bool]:
    """Asks every channel with a service window about its templates, and hands in what it lacks if that is wanted.

    Returns:
        Lines to print, and whether every channel could be asked and took what was handed in.

    Raises:
        SettingsError: The database is older than the code, or a channel cannot be loaded.
    """
    channels = registry.load(settings).values()
    database = open_database(settings)
    try:
        found = [await _channel(database, row, hand_in) for row in channels if row.service_window_hours is not None]
    finally:
        for channel in channels:
            await channel.close()
        database.close()
    if not found:
        return ["No channel here needs templates."], True
    return [line for lines, _ in found for line in lines], all(well for _, well in found)


async def _channel(database: Database, channel: Channel, hand_in: bool) -> tuple[list[str], bool]:
    refused: Mapping[str, str] = {}
    try:
        if hand_in:
            refused = await approval.hand_in(database, channel)
        else:
            await approval.ask(database, channel)
    except DeliveryError as problem:
        return [f"{channel.name}: {problem.reason}"], False
    with database.read() as session:
        states = templates.overview(session, channel=channel.name)
    lines = [_line(channel.name, row.language, row.state, refused.get(row.language, row.reason)) for row in states]
    return lines, not refused


def _line(channel: str, language: str, state: str, reason: str) -> str:
    return f"{channel}  {language}  {state}" + (f"  {reason}" if reason else "")
