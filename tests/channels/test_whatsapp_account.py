import pytest

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.graph import Graph
from tests.support.server import serve

IMAGE = {"kind": "image", "ref": "1234", "mime": "image/jpeg", "size": ""}


async def failure(channel: WhatsAppChannel, media: dict[str, str] = IMAGE, limit: int = 100) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.fetch(media, limit=limit)
    assert not caught.value.uncertain
    return caught.value


# --- files


async def test_a_file_is_fetched_whole_and_with_our_token(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.files["1234"] = ("image/jpeg", bytes(range(256)) * 40)
    assert await whatsapp.fetch(IMAGE, limit=256 * 40) == graph.files["1234"][1]
    assert graph.downloads == [f"Bearer {graph.token}"]


@pytest.mark.parametrize(("told", "asked"), [(None, 0), (0, 1), (9, 1)])
async def test_a_file_over_the_limit_is_refused_whatever_is_told_of_its_size(
    whatsapp: WhatsAppChannel, graph: Graph, told: int | None, asked: int
) -> None:
    graph.files["1234"], graph.file_size = ("image/jpeg", b"x" * 11), told
    error = await failure(whatsapp, limit=10)
    assert (error.reason, error.permanent) == ("the file is too large", True)
    assert len(graph.downloads) == asked


async def test_a_foreign_host_gets_no_token(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    foreign = Graph()
    graph.files["1234"] = foreign.files["1234"] = ("image/jpeg", b"x")
    with serve(foreign.app) as url:
        graph.file_url = f"{url.replace('127.0.0.1', 'localhost')}/files/1234"
        error = await failure(whatsapp)
    assert (error.reason, error.permanent) == ("the file is at an unknown address", True)
    assert foreign.downloads == []


async def test_a_file_that_is_said_to_be_elsewhere_is_not_followed_there(
    whatsapp: WhatsAppChannel, graph: Graph
) -> None:
    foreign = Graph()
    graph.files["1234"] = foreign.files["1234"] = ("image/jpeg", b"x")
    with serve(foreign.app) as url:
        graph.redirect(f"{url}/files/1234", after=1)
        assert (await failure(whatsapp)).permanent
    assert foreign.downloads == []


@pytest.mark.parametrize(
    "address",
    ["", "nonsense", "http://[", "https://facebook.com.example.org/x", "https://example.org/.facebook.com", "//x"],
)
async def test_an_address_that_is_none_of_metas_is_not_called(
    whatsapp: WhatsAppChannel, graph: Graph, address: str
) -> None:
    graph.files["1234"], graph.file_url = ("image/jpeg", b"x"), address or "/files/1234"
    await failure(whatsapp)
    assert graph.downloads == []


@pytest.mark.parametrize("reference", ["", "50.85,4.35", "../message_templates", "12/34"])
async def test_what_is_no_file_is_not_asked_for(whatsapp: WhatsAppChannel, graph: Graph, reference: str) -> None:
    assert (await failure(whatsapp, IMAGE | {"ref": reference})).permanent
    assert graph.paths == []


async def test_a_file_that_is_gone_fails_for_good(whatsapp: WhatsAppChannel) -> None:
    assert (await failure(whatsapp)).permanent


@pytest.mark.parametrize("after", [0, 1])
async def test_a_file_that_cannot_be_had_now_is_tried_again(
    whatsapp: WhatsAppChannel, graph: Graph, after: int
) -> None:
    graph.files["1234"] = ("image/jpeg", b"x")
    graph.answer("<html>busy</html>", status=503, after=after)
    assert not (await failure(whatsapp)).permanent
    graph.drop(after=after)
    assert not (await failure(whatsapp)).permanent
    assert await whatsapp.fetch(IMAGE, limit=1) == b"x"


# --- looking after itself


async def test_an_account_that_our_app_hears_is_well(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    checks = await whatsapp.check()
    assert [check.what for check in checks] == [f"the token is accepted ({graph.number})", "webhooks are subscribed"]
    assert all(check.well for check in checks)


async def test_an_account_that_no_app_hears_is_told_with_what_to_do(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.subscribed = False
    (unwell,) = (check for check in await whatsapp.check() if not check.well)
    assert unwell.what == "no app hears this account"
    assert "subscribe" in unwell.fix


async def test_without_the_account_only_the_token_is_examined(whatsapp_settings: Settings) -> None:
    channel = WhatsAppChannel(Settings(**vars(whatsapp_settings) | {"whatsapp_account_id": ""}))
    assert len(await channel.check()) == 1
    await channel.close()


async def test_a_revoked_token_cannot_be_checked(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.token = "another"
    with pytest.raises(DeliveryError) as caught:
        await whatsapp.check()
    assert caught.value.reason == "token refused"


async def test_a_provider_that_is_away_cannot_be_checked(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.answer("<html>busy</html>", status=503)
    with pytest.raises(DeliveryError):
        await whatsapp.check()
