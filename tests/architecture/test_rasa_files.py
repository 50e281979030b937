"""Domain, rules, training files and action classes name the same things."""

import importlib
import inspect
import pkgutil
from pathlib import Path

import pytest
from rasa_sdk import Action

import actions
from bot.dialogue.replies import SMALLTALK
from bot.languages import launched
from bot.yaml_files import read_yaml

DATA = Path("data")
DOMAIN = read_yaml(Path("domain.yml"))
TOPICS = list(read_yaml(DATA / "topics.yml"))
RULES = {rule["rule"]: rule["steps"] for rule in read_yaml(DATA / "rules.yml")["rules"]}


def action_names() -> set[str]:
    modules = [importlib.import_module(f"actions.{row.name}") for row in pkgutil.iter_modules(actions.__path__)]
    classes = {made for module in modules for _, made in inspect.getmembers(module, inspect.isclass)}
    return {made().name() for made in classes if issubclass(made, Action) and made is not Action}


def intents_of(steps: list[dict]) -> list[str]:
    return [row["intent"] for step in steps for row in step.get("or", [step]) if "intent" in row]


def test_every_action_class_is_in_the_domain_and_vice_versa():
    assert action_names() == set(DOMAIN["actions"])


def test_every_action_of_a_rule_is_in_the_domain_and_vice_versa():
    assert {step["action"] for steps in RULES.values() for step in steps if "action" in step} == set(DOMAIN["actions"])


@pytest.mark.parametrize("topic", TOPICS)
def test_a_topic_is_an_intent(topic):
    assert topic in DOMAIN["intents"]


def test_the_rule_that_answers_a_topic_names_all_topics_and_nothing_else():
    named = intents_of(RULES["answer a topic"])
    assert sorted(named) == sorted(TOPICS)


def test_the_rule_for_small_talk_names_every_kind_that_has_a_text():
    assert intents_of(RULES["answer small talk"]) == [f"smalltalk_{kind}" for kind in SMALLTALK]


def test_no_intent_is_in_the_domain_twice():
    assert len(DOMAIN["intents"]) == len(set(DOMAIN["intents"]))


def test_every_intent_that_can_reach_the_dialogue_has_a_rule():
    ruled = {intent for steps in RULES.values() for intent in intents_of(steps)}
    only_examples = {intent for intent in DOMAIN["intents"] if intent.startswith("crisis_")}
    assert ruled == set(DOMAIN["intents"]) - only_examples


@pytest.mark.parametrize("path", sorted((DATA / "nlu").glob("*.yml")), ids=lambda path: path.stem)
def test_every_intent_of_a_training_file_is_in_the_domain(path):
    found = {row["intent"] for row in read_yaml(path)["nlu"] if "intent" in row}
    assert found
    assert found <= set(DOMAIN["intents"])


def test_the_training_files_of_all_launched_languages_hold_the_same_intents():
    found = {
        row.code: {part["intent"] for part in read_yaml(DATA / "nlu" / f"{row.code}.yml")["nlu"]} for row in launched()
    }
    assert all(intents == found["en"] for intents in found.values()), {
        code: sorted(intents ^ found["en"]) for code, intents in found.items() if intents != found["en"]
    }
