import pytest

from bot.channels.whatsapp import WhatsAppChannel
from bot.languages import launched
from bot.messaging import held, payloads, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.graph import Graph
from tests.support.whatsapp_talk import PERSON, deliver, say

CODES = [language.code for language in launched()]


@pytest.mark.parametrize("language", CODES)
async def test_the_template_is_handed_in_and_sent_once_it_is_approved(
    whatsapp: WhatsAppChannel, graph: Graph, language: str
) -> None:
    assert await whatsapp.submit_template(held.REOPEN, language) == TemplateState(held.REOPEN, language, "pending")
    ((name, code),) = graph.templates
    graph.decide(name, code, "APPROVED")
    graph.silent.add(PERSON)
    await deliver(whatsapp, held.reopening(language))
    sent = graph.sent[0]
    assert (sent["type"], sent["template"]["name"]) == ("template", held.REOPEN)
    assert sent["template"]["language"] == {"code": "pt_BR" if language == "pt" else language}
    (button,) = sent["template"]["components"]
    assert button["parameters"] == [{"type": "payload", "payload": payloads.READ}]


async def test_outside_the_window_only_a_template_goes_out(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.silent.add(PERSON)
    with pytest.raises(DeliveryError) as caught:
        await say(whatsapp, "hello")
    assert (caught.value.outside_window, caught.value.permanent, caught.value.uncertain) == (True, False, False)


@pytest.mark.parametrize("state", ["PENDING", "REJECTED", "PAUSED", "DISABLED", None])
async def test_a_template_that_is_not_approved_fails_for_good(
    whatsapp: WhatsAppChannel, graph: Graph, state: str | None
) -> None:
    if state:
        graph.decide(held.REOPEN, "fr", state)
    with pytest.raises(DeliveryError) as caught:
        await deliver(whatsapp, held.reopening("fr"))
    assert (caught.value.permanent, caught.value.outside_window) == (True, False)
    assert graph.sent == []


async def test_states_are_told_by_our_codes_of_languages(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.decide(held.REOPEN, "pt_BR", "APPROVED")
    graph.decide(held.REOPEN, "ar", "REJECTED", "INVALID_FORMAT")
    assert await whatsapp.templates() == [
        TemplateState(held.REOPEN, "pt", "approved"),
        TemplateState(held.REOPEN, "ar", "rejected", "INVALID_FORMAT"),
    ]


async def test_templates_of_others_and_in_other_languages_are_left_out(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.decide(f"{held.REOPEN}_old", "en", "APPROVED")
    graph.decide("sale", "en", "APPROVED")
    graph.decide(held.REOPEN, "de", "APPROVED")
    assert await whatsapp.templates() == []


async def test_all_languages_are_told_at_once(whatsapp: WhatsAppChannel) -> None:
    for code in CODES:
        await whatsapp.submit_template(held.REOPEN, code)
    states = await whatsapp.templates()
    assert [state.language for state in states] == CODES
    assert not any(templates.sendable(state) for state in states)


async def test_a_template_that_is_there_already_is_not_handed_in_twice(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await whatsapp.submit_template(held.REOPEN, "fr")
    with pytest.raises(DeliveryError) as caught:
        await whatsapp.submit_template(held.REOPEN, "fr")
    assert caught.value.permanent
    assert len(graph.templates) == 1


async def test_without_the_account_there_are_no_templates(whatsapp_settings: Settings) -> None:
    channel = WhatsAppChannel(Settings(**vars(whatsapp_settings) | {"whatsapp_account_id": ""}))
    assert await channel.templates() == []
    with pytest.raises(DeliveryError, match="WAYMARK_WHATSAPP_ACCOUNT_ID"):
        await channel.submit_template(held.REOPEN, "en")
    await channel.close()


async def test_a_provider_that_is_away_is_no_missing_template(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.answer("<html>busy</html>", status=503)
    with pytest.raises(DeliveryError) as caught:
        await whatsapp.templates()
    assert not caught.value.permanent


async def test_a_rejected_template_is_changed_and_reviewed_anew(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await whatsapp.submit_template(held.REOPEN, "ar")
    graph.decide(held.REOPEN, "ar", "REJECTED", "INVALID_FORMAT")
    assert (await whatsapp.submit_template(held.REOPEN, "ar")).state == "pending"
    assert [state.state for state in await whatsapp.templates()] == ["pending"]
