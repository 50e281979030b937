import pytest

from bot import texts
from bot.channels.telegram import PENDING, TelegramChannel
from bot.languages import launched
from bot.messaging import payloads
from bot.messaging.protocols import Check, DeliveryError
from bot.settings import Settings
from bot.storage.base import now
from tests.support.botapi import BotApi

OURS = "https://waymark.example.org/webhooks/telegram"
SETTERS = ("setMyName", "setMyCommands", "setMyShortDescription", "setMyDescription")


async def publish(channel: TelegramChannel) -> None:
    """What a start does: the profile, then the webhook."""

    async def hear(_heard: object) -> None:
        raise AssertionError("nothing was written")

    await channel.run(hear)


def changes(botapi: BotApi) -> list[str]:
    return [method for method, _ in botapi.calls if method in SETTERS]


async def test_the_profile_is_published_in_every_launched_language(telegram: TelegramChannel, botapi: BotApi) -> None:
    await publish(telegram)
    languages = {language.code for language in launched()} - {"en"}
    for method in ("setMyCommands", "setMyShortDescription", "setMyDescription"):
        assert {call.get("language_code", "") for call in botapi.of(method)} == languages | {""}
    assert {call["language_code"] for call in botapi.of("setMyName")} == languages
    assert botapi.profile.values["Description", "ar"] == texts.text("profile.long", "ar")
    commands = botapi.profile.values["Commands", ""]
    assert [row["command"] for row in commands] == list(payloads.COMMANDS)


async def test_a_second_start_changes_nothing(telegram: TelegramChannel, botapi: BotApi) -> None:
    await publish(telegram)
    botapi.calls.clear()
    await publish(telegram)
    assert changes(botapi) == []


async def test_only_what_differs_is_set(telegram: TelegramChannel, botapi: BotApi) -> None:
    await publish(telegram)
    botapi.calls.clear()
    botapi.profile.values["ShortDescription", "fr"] = "Something old"
    await publish(telegram)
    assert changes(botapi) == ["setMyShortDescription"]
    assert botapi.of("setMyShortDescription")[0]["language_code"] == "fr"


async def test_the_name_that_the_organisation_chose_stays(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.profile.values["Name", ""] = "Help for you"
    await publish(telegram)
    assert botapi.profile.values["Name", ""] == "Help for you"


async def test_a_profile_that_is_refused_stops_nothing(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.fail("setMyCommands", 429, "Too Many Requests", retry_after=5)
    await publish(telegram)
    assert len(botapi.of("setMyCommands")) == len(launched()) - 1
    assert botapi.webhook["url"] == OURS


# --- looking after itself


def problems(checks: list[Check]) -> list[str]:
    assert all(check.fix for check in checks if not check.well)
    return [check.what for check in checks if not check.well]


async def test_a_bot_whose_webhook_is_set_is_well(telegram: TelegramChannel) -> None:
    await publish(telegram)
    checks = await telegram.check()
    assert problems(checks) == []
    assert "@WaymarkBot" in checks[0].what


async def test_a_webhook_that_leads_elsewhere_is_told(telegram: TelegramChannel, botapi: BotApi) -> None:
    await publish(telegram)
    for other in ("https://other.example.org/hook", ""):
        botapi.webhook["url"] = other
        assert problems(await telegram.check()) == ["updates go elsewhere, to another webhook or none"]


async def test_a_webhook_of_somebody_else_is_told_where_updates_are_fetched(
    polled: TelegramChannel, botapi: BotApi
) -> None:
    assert problems(await polled.check()) == []
    botapi.webhook["url"] = OURS
    assert len(problems(await polled.check())) == 1


async def test_updates_that_pile_up_are_told(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.webhook |= {"url": OURS, "pending_update_count": PENDING}
    assert problems(await telegram.check()) == []
    botapi.webhook["pending_update_count"] = PENDING + 1
    assert problems(await telegram.check()) == [f"{PENDING + 1} updates wait at Telegram"]


async def test_an_error_of_the_last_minutes_is_told_and_an_old_one_is_not(
    telegram: TelegramChannel, botapi: BotApi
) -> None:
    moment = int(now().timestamp())
    botapi.webhook |= {"url": OURS, "last_error_date": moment - 60, "last_error_message": "SSL error"}
    assert problems(await telegram.check()) == ["Telegram cannot deliver: SSL error"]
    botapi.webhook["last_error_date"] = moment - 3600
    assert problems(await telegram.check()) == []


async def test_a_revoked_token_cannot_be_checked_and_stays_secret(telegram_url: str) -> None:
    channel = TelegramChannel(Settings(telegram_token="999:revoked", telegram_api=telegram_url))
    with pytest.raises(DeliveryError) as caught:
        await channel.check()
    assert caught.value.reason == "token refused"
    await channel.close()
