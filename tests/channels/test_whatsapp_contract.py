import copy
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from bot.channels.whatsapp import WhatsAppChannel
from bot.channels.whatsapp_templates import definition
from bot.languages import launched
from bot.messaging import held
from bot.messaging.messages import Button, Outgoing
from bot.texts import text
from tests.support.graph import Graph
from tests.support.whatsapp_talk import choices, deliver, say

SPEC = "shared/specs/whatsapp-cloud-api-v23.openapi.yaml"
TEMPLATES = "/{Version}/{WABA-ID}/message_templates"
KINDS = {
    "text": "TextMessage",
    "interactive": "InteractiveMessage",
    "document": "DocumentMessage",
    "template": "TemplateMessage",
}


@cache
def contract() -> dict[str, Any]:
    """Meta's own description of the Cloud API, mended where it contradicts itself."""
    path = next((found for folder in Path(__file__).resolve().parents if (found := folder / SPEC).exists()), None)
    if path is None:
        pytest.skip(f"{SPEC} is not beside this repository")
    with path.open("rb") as source:
        found: dict[str, Any] = yaml.load(source, yaml.CSafeLoader)  # a safe loader
    schemas = found["components"]["schemas"]
    schemas["LanguageObject"]["required"].remove("policy")  # Meta's own examples have none
    del schemas["TemplateComponent"]["properties"]["index"]["pattern"]  # it forbids the 0 of the example beside it
    return {"components": {"schemas": _adjusted(schemas)}, "paths": found["paths"]}


def _adjusted(schema: Any, inside_all_of: bool = False) -> Any:
    # each half of an allOf forbids the other half's properties, so that no message at all would be valid
    if isinstance(schema, list):
        return [_adjusted(row, inside_all_of) for row in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: row for key, row in schema.items() if not (inside_all_of and key == "additionalProperties")}
    return {key: _adjusted(row, key == "allOf") for key, row in kept.items()}


@cache
def validator(name: str) -> jsonschema.Draft202012Validator:
    schema = {"components": contract()["components"], "$ref": f"#/components/schemas/{name}"}
    return jsonschema.Draft202012Validator(schema)


def violations(sent: dict[str, Any]) -> list[str]:
    return [
        problem.message
        for checked in (validator(KINDS[sent["type"]]), validator("Message"))
        for problem in checked.iter_errors(sent)
    ]


@pytest.mark.parametrize("language", [language.code for language in launched()])
async def test_every_kind_of_message_fits_the_official_contract(
    whatsapp: WhatsAppChannel, graph: Graph, language: str
) -> None:
    contract()
    words = text("template.reopen", language)

    async def send(message: Outgoing) -> None:
        await deliver(whatsapp, message, document=b"copy" if message.document else None)

    await send(Outgoing(f"{words} " * 80, language))
    for count in (1, 3, 4, 10, 25):
        buttons = [Button(f"{words[:15]} {row.title}", row.payload, words) for row in choices(count)]
        await send(Outgoing(f"{words} " * 30, language, tuple(buttons)))
    await send(Outgoing("", language, tuple(choices(2))))
    await send(Outgoing(words, language, document="export"))
    graph.decide(held.REOPEN, "pt_BR" if language == "pt" else language, "APPROVED")
    await send(held.reopening(language))

    assert {sent["type"] for sent in graph.sent} == set(KINDS)
    assert {sent["interactive"]["type"] for sent in graph.sent if "interactive" in sent} == {"button", "list"}
    assert [violations(sent) for sent in graph.sent] == [[]] * len(graph.sent)


@pytest.mark.parametrize("language", [language.code for language in launched()])
def test_the_template_that_is_handed_in_fits_the_official_contract(language: str) -> None:
    schema = contract()["paths"][TEMPLATES]["post"]["requestBody"]["content"]["application/json"]["schema"]
    handed_in = definition(language)
    assert list(jsonschema.Draft202012Validator(schema).iter_errors(handed_in)) == []
    assert set(handed_in) <= set(schema["properties"])


async def test_the_contract_notices_what_is_wrong(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    contract()
    await say(whatsapp, "Well?", *choices(3))
    wrong = copy.deepcopy(graph.sent[0])
    wrong["interactive"]["action"]["buttons"][0]["reply"]["title"] = "x" * 21
    assert violations(wrong)
    assert violations(graph.sent[0] | {"recipient_type": "everybody"})


async def test_the_contract_notices_a_wrong_template(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    contract()
    graph.decide(held.REOPEN, "en", "APPROVED")
    await deliver(whatsapp, held.reopening("en"))
    for place, wrong in (("language", {}), ("components", [{"type": "footer"}]), ("name", 5)):
        body = copy.deepcopy(graph.sent[0])
        body["template"][place] = wrong
        assert violations(body), place
