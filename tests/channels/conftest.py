"""The channels, each with a stand-in of its provider."""

from collections.abc import AsyncIterator, Iterator

import pytest

from bot.channels.telegram import TelegramChannel
from bot.channels.whatsapp import WhatsAppChannel
from bot.settings import Settings
from tests.support.botapi import BotApi
from tests.support.graph import Graph
from tests.support.server import serve
from tests.support.telegram_updates import SECRET


@pytest.fixture
def botapi() -> BotApi:
    return BotApi()


@pytest.fixture
def telegram_url(botapi: BotApi) -> Iterator[str]:
    with serve(botapi.app) as url:
        yield url


@pytest.fixture
async def telegram(botapi: BotApi, telegram_url: str) -> AsyncIterator[TelegramChannel]:
    """Telegram by webhook."""
    settings = Settings(
        telegram_token=botapi.token,
        telegram_api=telegram_url,
        telegram_secret=SECRET,
        public_url="https://waymark.example.org/",
    )
    made = TelegramChannel(settings)
    yield made
    await made.close()


@pytest.fixture
async def polled(botapi: BotApi, telegram_url: str) -> AsyncIterator[TelegramChannel]:
    """Telegram by polling."""
    made = TelegramChannel(Settings(telegram_token=botapi.token, telegram_api=telegram_url))
    yield made
    await made.close()


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def whatsapp_settings(graph: Graph) -> Iterator[Settings]:
    with serve(graph.app) as url:
        yield Settings(
            whatsapp_token=graph.token,
            whatsapp_phone_id=graph.phone_id,
            whatsapp_account_id=graph.account_id,
            whatsapp_app_secret="old-secret, new-secret",
            whatsapp_verify_token="handshake",
            whatsapp_api=url,
        )


@pytest.fixture
async def whatsapp(whatsapp_settings: Settings) -> AsyncIterator[WhatsAppChannel]:
    made = WhatsAppChannel(whatsapp_settings)
    yield made
    await made.close()
