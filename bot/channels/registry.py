"""Which channels an installation has: those with tokens in the settings, and those named by ``WAYMARK_CHANNELS``."""

from collections.abc import Iterator
from importlib import import_module

from bot.messaging.protocols import Channel
from bot.settings import Settings, SettingsError


def load(settings: Settings) -> dict[str, Channel]:
    """The channels by name; a library is loaded only for a channel that is set up.

    Raises:
        SettingsError: ``WAYMARK_CHANNELS`` names something that is no channel.
    """
    found: dict[str, Channel] = {}
    for channel in _channels(settings):
        if not channel.name or channel.name in found or channel.name in ("web", "rest"):
            raise SettingsError(f"WAYMARK_CHANNELS: the name {channel.name!r} is empty or taken")
        found[channel.name] = channel
    return found


def _channels(settings: Settings) -> Iterator[Channel]:
    if settings.telegram_token:
        from bot.channels.telegram import TelegramChannel

        yield TelegramChannel(settings)
    if settings.whatsapp_token:
        from bot.channels.whatsapp import WhatsAppChannel

        yield WhatsAppChannel(settings)
    if settings.twilio_account_sid:
        from bot.channels.twilio import TwilioChannel

        yield TwilioChannel(settings)
    for name in filter(None, (part.strip() for part in settings.channels.split(","))):
        yield _named(name, settings)


def _named(name: str, settings: Settings) -> Channel:
    module, _, attribute = name.partition(":")
    try:
        made: Channel = getattr(import_module(module), attribute)(settings)
    except (ImportError, AttributeError, ValueError) as problem:
        raise SettingsError(f"WAYMARK_CHANNELS: {name} cannot be loaded ({problem})") from None
    return made
