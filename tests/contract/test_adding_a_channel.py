import pytest

from bot.channels import registry
from bot.messaging.messages import Button, Outgoing
from bot.settings import Settings, SettingsError
from tests.contract.peers import OWN
from tests.contract.postino import PostinoPeer, source

PLUGIN = {"WAYMARK_CHANNELS": "postino:PostinoChannel"}


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    found = PostinoPeer("https://postino.example").environment()
    for name, value in found.items():
        monkeypatch.setenv(name, value)
    return found


def test_the_channel_of_the_document_is_short() -> None:
    assert len(source().splitlines()) < 80


def test_the_channel_of_the_document_passes_the_whole_suite() -> None:
    assert PostinoPeer in OWN


def test_the_channel_of_the_document_is_loaded_by_its_name(environment: dict[str, str]) -> None:
    loaded = registry.load(Settings.load(environment))
    assert [(name, channel.label) for name, channel in loaded.items()] == [("postino", "Text message")]


@pytest.mark.parametrize("name", ["POSTINO_SECRET", "POSTINO_KEY", "POSTINO_URL"])
def test_a_missing_setting_of_its_own_is_named_at_the_start(
    environment: dict[str, str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "")
    with pytest.raises(SettingsError, match=f"{name} is missing"):
        registry.load(Settings.load(PLUGIN))


def test_buttons_that_rate_an_answer_have_no_number(environment: dict[str, str]) -> None:
    (channel,) = registry.load(Settings.load(environment)).values()
    message = Outgoing("An answer.", "en", (Button("Yes", "f:+:0"), Button("No", "f:-:0"), Button("Ask", "h")))
    (part,) = channel.plan(message, outbox_id=1)
    assert part["text"] == "An answer.\n1. Ask"
