import shutil
import socket
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import time_machine
from sqlalchemy import update

from bot import accounts, doctor
from bot.languages import launched
from bot.messaging import inbox
from bot.messaging.templates import REOPEN
from bot.settings import Settings
from bot.storage import migrate
from bot.storage.base import now
from bot.storage.inbox import InboxMessage
from bot.storage.session import Database
from bot.wiring.foundation import prepare
from tests.conftest import message
from tests.support.botapi import BotApi
from tests.support.graph import Graph
from tests.support.server import serve


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A sound installation, but for the model, whose file is empty."""
    model = tmp_path / "models"
    model.mkdir()
    (model / "1.tar.gz").touch()
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    return Settings(home=tmp_path / "home", model=model, port=port)


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """A database with content and an account, to copy."""
    home = tmp_path_factory.mktemp("filled")
    database, _published = prepare(Settings(home=home))
    with database.write() as session:
        accounts.first_admin(session)
    database.close()
    return home / "waymark.db"


@pytest.fixture
def installed(settings: Settings, filled: Path) -> Settings:
    settings.home.mkdir()
    shutil.copy(filled, settings.home)
    return settings


async def wrong(settings: Settings) -> dict[str, str]:
    """What is not well, with its fix."""
    return {finding.what: finding.fix for finding in await doctor.examine(settings) if not finding.well}


async def the_fix(settings: Settings, word: str) -> str:
    found = [fix for what, fix in (await wrong(settings)).items() if word in what]
    assert len(found) == 1, await wrong(settings)
    return found[0]


async def test_a_sound_installation_has_nothing_wrong(installed):
    assert await wrong(installed) == {}


async def test_whatever_is_wrong_comes_with_a_fix(settings):
    found = await doctor.examine(settings)
    assert all(finding.fix for finding in found if not finding.well)


async def test_a_database_that_was_never_migrated_is_told(settings):
    assert "waymark migrate" in await the_fix(settings, "older than the code")


async def test_a_database_that_is_away_is_told_without_its_password(settings):
    away = Settings(**vars(settings) | {"database_url": "postgresql://waymark:s3cret@127.0.0.1:1/waymark"})
    assert "WAYMARK_DATABASE_URL" in await the_fix(away, "does not answer")
    assert "s3cret" not in str(await wrong(away))


async def test_a_database_without_content_or_accounts_is_told(settings):
    settings.home.mkdir()
    database = Database(settings.database)
    migrate.upgrade(database.engine)
    database.close()
    assert await the_fix(settings, "0 published texts")
    assert "user add" in await the_fix(settings, "0 active accounts")


async def test_a_missing_model_is_told(installed):
    for path in installed.model.iterdir():
        path.unlink()
    assert "waymark train" in await the_fix(installed, "no model")


async def test_a_home_that_cannot_be_written_is_told(settings, tmp_path):
    (tmp_path / "file").touch()
    blocked = Settings(
        **vars(settings) | {"home": tmp_path / "file" / "home", "database_url": f"sqlite:///{tmp_path}/other.db"}
    )
    assert "WAYMARK_HOME" in await the_fix(blocked, "home folder")


async def test_hours_that_cannot_be_understood_are_told(installed):
    assert "WAYMARK_OPENING_HOURS" in await the_fix(
        Settings(**vars(installed) | {"opening_hours": "whenever"}), "opening hours"
    )
    assert "WAYMARK_TIMEZONE" in await the_fix(
        Settings(**vars(installed) | {"timezone": "Europe/Nowhere"}), "opening hours"
    )


async def test_content_that_cannot_be_read_is_told_with_its_file(installed, tmp_path):
    broken = Settings(**vars(installed) | {"content": tmp_path / "nothing"})
    assert await the_fix(broken, "sources.yml")


async def test_a_message_nobody_answers_and_parked_ones_are_told(installed):
    database = Database(installed.database)
    with database.write() as session:
        inbox.accept(session, message("hello"), per_minute=20)
        inbox.accept(session, message("again", number=2), per_minute=20)
        session.execute(update(InboxMessage).where(InboxMessage.text == "again").values(state="parked"))
    database.close()
    assert "console" in await the_fix(installed, "1 parked messages")
    with time_machine.travel(now() + timedelta(seconds=doctor.STUCK_SECONDS + 1)):
        assert "brain" in await the_fix(installed, "oldest unanswered")


async def test_no_word_of_a_person_is_in_the_findings(installed):
    database = Database(installed.database)
    with database.write() as session:
        inbox.accept(session, message("my secret", address="+33600000000"), per_minute=20)
    database.close()
    found = str(await doctor.examine(installed))
    assert "secret" not in found
    assert "33600" not in found


# --- channels


@pytest.fixture
def telegram() -> BotApi:
    return BotApi(webhook={"url": "https://waymark.example.org/webhooks/telegram"})


@pytest.fixture
def by_telegram(installed: Settings, telegram: BotApi) -> Iterator[Settings]:
    with serve(telegram.app) as url:
        yield with_(
            installed,
            telegram_token=telegram.token,
            telegram_api=url,
            telegram_secret="s3cret",
            public_url="https://waymark.example.org",
        )


@pytest.fixture
def graph() -> Graph:
    """An account whose template is approved in every language."""
    made = Graph()
    for language in launched():
        made.decide(REOPEN, language.locale, "APPROVED")
    return made


@pytest.fixture
def by_whatsapp(installed: Settings, graph: Graph) -> Iterator[Settings]:
    with serve(graph.app) as url:
        yield with_(
            installed,
            whatsapp_token=graph.token,
            whatsapp_phone_id=graph.phone_id,
            whatsapp_account_id=graph.account_id,
            whatsapp_api=url,
        )


def with_(settings: Settings, **others: object) -> Settings:
    return Settings(**vars(settings) | others)


async def test_channels_that_work_are_told_as_well(by_telegram, by_whatsapp):
    both = with_(by_telegram, **{k: v for k, v in vars(by_whatsapp).items() if k.startswith("whatsapp_")})
    told = [finding.what for finding in await doctor.examine(both)]
    assert "telegram: the token is accepted (@WaymarkBot)" in told
    assert "whatsapp: webhooks are subscribed" in told
    assert "whatsapp: the template is approved in all languages" in told
    assert await wrong(both) == {}


async def test_a_token_that_telegram_does_not_take_is_told(by_telegram):
    refused = with_(by_telegram, telegram_token="1:made-up")
    assert "valid token" in await the_fix(refused, "telegram: token refused")
    assert "made-up" not in str(await wrong(refused))


async def test_a_telegram_that_is_away_is_told_and_not_taken_for_a_wrong_token(installed):
    away = with_(installed, telegram_token="1:made-up", telegram_api=f"http://127.0.0.1:{installed.port}")
    assert await the_fix(away, "telegram: Telegram cannot be reached")
    assert "made-up" not in str(await wrong(away))


async def test_a_webhook_that_leads_elsewhere_is_told(by_telegram, telegram):
    telegram.webhook["url"] = "https://other.example.org/hook"
    assert "no other program" in await the_fix(by_telegram, "telegram: updates go elsewhere")


async def test_a_whatsapp_token_that_was_revoked_is_told_once(by_whatsapp, graph):
    graph.token = "another"
    assert "valid token" in await the_fix(by_whatsapp, "whatsapp: token refused")
    assert list(await wrong(by_whatsapp)) == ["whatsapp: token refused"]


async def test_an_account_that_no_app_hears_is_told(by_whatsapp, graph):
    graph.subscribed = False
    assert "subscribe" in await the_fix(by_whatsapp, "whatsapp: no app hears")


async def test_a_template_that_was_never_handed_in_is_told(by_whatsapp, graph):
    del graph.templates[REOPEN, "ka"]
    assert "waymark templates submit" in await the_fix(by_whatsapp, "whatsapp: templates not approved: ka missing")


async def test_templates_that_wait_or_were_refused_are_told_by_language(by_whatsapp, graph):
    graph.decide(REOPEN, "fr", "PENDING")
    graph.decide(REOPEN, "pt_BR", "REJECTED", "INVALID_FORMAT")
    assert await the_fix(by_whatsapp, "whatsapp: templates not approved: fr pending, pt rejected")


async def test_without_the_account_every_template_counts_as_missing(by_whatsapp):
    assert await the_fix(with_(by_whatsapp, whatsapp_account_id=""), "whatsapp: templates not approved: en missing")
