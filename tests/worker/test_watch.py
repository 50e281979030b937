import logging

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging import health, held, templates
from bot.settings import Settings
from bot.worker import watch
from tests.support.graph import Graph
from tests.support.server import serve


def whatsapp(graph: Graph, url: str) -> WhatsAppChannel:
    return WhatsAppChannel(
        Settings(
            whatsapp_token="graph-token",
            whatsapp_phone_id=graph.phone_id,
            whatsapp_account_id=graph.account_id,
            whatsapp_api=url,
        )
    )


def known(database) -> tuple[bool, str]:
    with database.read() as session:
        (row,) = health.all_known(session)
    return row.well, row.problem


async def test_a_token_that_is_revoked_while_waymark_runs_is_noticed_and_told_once(database, caplog):
    graph = Graph()
    with serve(graph.app) as url, caplog.at_level(logging.INFO):
        channel = whatsapp(graph, url)
        await watch.look(database, channel)
        assert known(database) == (True, "")
        graph.token = "another"
        for _ in range(2):
            await watch.look(database, channel)
        assert known(database) == (False, "token refused")
        graph.token = "graph-token"
        await watch.look(database, channel)
        assert known(database) == (True, "")
        await channel.close()
    told = [record.reason for record in caplog.records if record.message == "a channel changed its state"]
    assert told == ["token refused", "well again"]


async def test_an_app_that_was_unsubscribed_is_noticed(database):
    graph = Graph(subscribed=False)
    with serve(graph.app) as url:
        channel = whatsapp(graph, url)
        await watch.look(database, channel)
        await channel.close()
    assert known(database) == (False, "no app hears this account")


async def test_what_became_of_templates_is_noted(database):
    graph = Graph()
    graph.decide(held.REOPEN, "fr", "APPROVED")
    graph.decide(held.REOPEN, "ar", "REJECTED", "INVALID_FORMAT")
    with serve(graph.app) as url:
        channel = whatsapp(graph, url)
        await watch.look(database, channel)
        await channel.close()
    with database.read() as session:
        states = {row.language: (row.state, row.reason) for row in templates.overview(session, channel="whatsapp")}
    assert states["fr"] == ("approved", "")
    assert states["ar"] == ("rejected", "INVALID_FORMAT")
    assert states["ka"] == ("missing", "")
