import pytest

from bot.channels.telegram import TelegramChannel
from bot.messaging.protocols import DeliveryError
from tests.support.botapi import BotApi

VOICE = {"kind": "voice", "ref": "F1", "mime": "audio/ogg", "size": "5"}


async def failure(channel: TelegramChannel, media: dict[str, str], limit: int = 100) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.fetch(media, limit=limit)
    return caught.value


async def test_a_file_is_fetched_whole(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.files["F1"] = bytes(range(256)) * 40
    assert await telegram.fetch(VOICE, limit=256 * 40) == botapi.files["F1"]


@pytest.mark.parametrize("told", [None, 0, 9])
async def test_a_file_over_the_limit_is_refused_whatever_is_told_of_its_size(
    telegram: TelegramChannel, botapi: BotApi, told: int | None
) -> None:
    botapi.files["F1"] = b"x" * 11
    botapi.file_size = told
    error = await failure(telegram, VOICE, limit=10)
    assert (error.reason, error.permanent) == ("the file is too large", True)


async def test_a_file_over_twenty_megabytes_is_refused(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.files["F1"], botapi.file_size = b"x", 21 * 1024 * 1024
    error = await failure(telegram, VOICE, limit=50 * 1024 * 1024)
    assert (error.reason, error.permanent) == ("the file is too large", True)


@pytest.mark.parametrize("media", [{"kind": "location", "ref": "50.85,4.35"}, {"kind": "voice", "ref": ""}, {}])
async def test_what_is_no_file_is_not_asked_for(
    telegram: TelegramChannel, botapi: BotApi, media: dict[str, str]
) -> None:
    assert (await failure(telegram, media)).permanent
    assert botapi.calls == []


async def test_a_file_that_is_gone_fails_for_good(telegram: TelegramChannel) -> None:
    assert (await failure(telegram, VOICE)).permanent


async def test_a_file_that_cannot_be_had_now_is_tried_again(telegram: TelegramChannel, botapi: BotApi) -> None:
    botapi.files["F1"] = b"x"
    botapi.fail("getFile", 502, "Bad Gateway")
    assert not (await failure(telegram, VOICE)).permanent
    assert await telegram.fetch(VOICE, limit=1) == b"x"


async def test_telegram_has_no_templates(telegram: TelegramChannel) -> None:
    assert await telegram.templates() == []
    with pytest.raises(DeliveryError) as caught:
        await telegram.submit_template("waymark_reopen", "en")
    assert caught.value.permanent
