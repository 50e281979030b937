import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.languages import LANGUAGES
from bot.messaging import payloads
from bot.yaml_files import read_yaml

TOPICS = list(read_yaml(Path("data/topics.yml")))
INTENTS = set(read_yaml(Path("domain.yml"))["intents"])
LONGEST_ID = 10**18 - 1  # more rows than any outbox will hold
BUILT = [
    *map(payloads.topic, TOPICS),
    *map(payloads.original, TOPICS),
    *map(payloads.language, LANGUAGES),
    *map(payloads.command, payloads.COMMANDS),
    *(payloads.feedback(helpful, row) for helpful in (True, False) for row in (0, 7, LONGEST_ID)),
    payloads.HUMAN,
    payloads.NONE_OF_THESE,
    payloads.DELETE_YES,
    payloads.DELETE_NO,
]


@given(st.text())
def test_parsing_never_raises_whatever_comes(text):
    found = payloads.parse(text)
    assert found is None or found.name


@given(st.sampled_from(BUILT), st.text(min_size=1, max_size=5))
def test_anything_added_to_a_payload_makes_it_another_or_none(payload, more):
    for changed in (payload + more, more + payload):
        found = payloads.parse(changed)
        assert found is None or found != payloads.parse(payload)


@pytest.mark.parametrize("payload", BUILT)
def test_every_payload_that_is_built_is_understood_and_fits_telegrams_64_bytes(payload):
    assert payloads.parse(payload) is not None
    assert len(payload.encode()) <= 64


@pytest.mark.parametrize(
    ("payload", "name", "values"),
    [
        (payloads.topic("about_cost"), "answer_topic", {"topic": "about_cost"}),
        (payloads.original("about_cost"), "answer_original", {"topic": "about_cost"}),
        (payloads.language("ar"), "choose_language", {"language": "ar"}),
        (payloads.feedback(True, 12), "feedback", {"helpful": "+", "reply": "12"}),
        (payloads.feedback(False, 0), "feedback", {"helpful": "-", "reply": "0"}),
        (payloads.command("delete"), "command", {"command": "delete"}),
        (payloads.HUMAN, "handoff", {}),
        ("p:2:17", "next_page", {"page": "2", "reply": "17"}),
    ],
)
def test_a_payload_comes_back_as_what_it_was_built_from(payload, name, values):
    assert payloads.parse(payload) == payloads.Choice(name, values)


@pytest.mark.parametrize(
    "payload",
    [
        "", "/restart", "t:", "t:../etc", "t:About", "t:about_cost\n", "l:english", "c:restart", "f:*:1", "f:+:-1",
        "d:maybe", "p:100:1", f"f:+:{10**18}", "h ", "f:+:١",
    ],
)  # fmt: skip
def test_what_no_button_of_ours_carries_is_not_understood(payload):
    assert payloads.parse(payload) is None
    assert payloads.to_rasa(payload) is None


@pytest.mark.parametrize(
    ("payload", "message"),
    [
        ("t:about_cost", "/about_cost"),
        ("o:about_cost", '/answer_original{"topic": "about_cost"}'),
        ("l:fr", '/command_language{"language": "fr"}'),
        ("f:-:5", '/feedback{"helpful": "-", "reply": "5"}'),
        ("h", "/handoff"),
        ("n", "/nlu_fallback"),
        ("d:yes", '/command_privacy_delete{"answer": "yes"}'),
        ("d:no", '/command_privacy_delete{"answer": "no"}'),
        ("c:start", "/command_start"),
        ("c:human", "/handoff"),
        ("c:delete", "/command_privacy_delete"),
    ],
)
def test_rasa_is_told_the_intent_and_its_values(payload, message):
    assert payloads.to_rasa(payload) == message


def test_turning_pages_is_not_rasas_business():
    assert payloads.to_rasa("p:2:17") is None


@pytest.mark.parametrize("payload", BUILT)
def test_rasa_is_only_told_intents_that_its_domain_knows(payload):
    message = payloads.to_rasa(payload)
    intent, brace, values = message.removeprefix("/").partition("{")
    assert intent in INTENTS
    assert not brace or json.loads(brace + values)
