"""The bot's name, descriptions and commands in every launched language."""

import logging

from telegram import BotCommand
from telegram.ext import ExtBot

from bot import texts
from bot.channels import limits
from bot.channels.telegram_errors import delivery_errors
from bot.languages import DEFAULT, launched
from bot.messaging import payloads
from bot.messaging.protocols import DeliveryError

NAME, SHORT, LONG = 64, 120, 512  # characters, https://core.telegram.org/bots/api#setmyname and after

log = logging.getLogger(__name__)


async def publish(bot: "ExtBot[int]") -> None:
    """Sets what differs from what is there, because Telegram allows few changes a day. Failures are logged."""
    for language in launched():
        try:
            with delivery_errors():
                await _publish(bot, language.code)
        except DeliveryError as problem:
            told = {"channel": "telegram", "language": language.code, "reason": problem.reason}
            log.warning("the profile was not published", extra=told)


async def _publish(bot: "ExtBot[int]", language: str) -> None:
    # what has no language code is shown to everybody whose language is not launched
    code = None if language == DEFAULT else language
    name = limits.clip(texts.text("profile.name", language), NAME)
    short = limits.clip(texts.text("profile.short", language), SHORT)
    long = limits.clip(texts.text("profile.long", language), LONG)
    menu = tuple(BotCommand(name, texts.text(f"command.{name}", language)) for name in payloads.COMMANDS)
    # the organisation's own name for its bot, chosen with BotFather, stays for everybody else
    if code is not None and (await bot.get_my_name(code)).name != name:
        await bot.set_my_name(name, language_code=code)
    if await bot.get_my_commands(language_code=code) != menu:
        await bot.set_my_commands(menu, language_code=code)
    if (await bot.get_my_short_description(code)).short_description != short:
        await bot.set_my_short_description(short, language_code=code)
    if (await bot.get_my_description(code)).description != long:
        await bot.set_my_description(long, language_code=code)
