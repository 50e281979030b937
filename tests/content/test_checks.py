from dataclasses import replace
from datetime import date

import pytest

from bot.content import checks
from bot.content.pack import Pack, Source, Text, Topic

SOURCE = Source("Handbook", "IOM", "https://example.org", "n.d.")
GOOD = Text(
    "travel_ticket",
    "en",
    "Who pays?",
    "Ticket",
    "The programme pays.",
    "human",
    tuple(f"question {n}" for n in range(15)),
)
FIELDS = {"title": "Who pays?", "label": "Ticket", "answer": "The programme pays."}


def packed(*texts: Text, **values: object) -> Pack:
    topic = Topic("travel_ticket", "low", ("A1",), (SOURCE,), (), date(2026, 1, 1), date(2027, 1, 1))
    topic = replace(topic, **values)  # type: ignore[arg-type]  # whichever fields a test cares about
    return Pack({topic.id: topic}, {(text.topic, text.language): text for text in texts})


def found(*texts: Text, languages: tuple[str, ...] = ("en",), **values: object) -> list[str]:
    return checks.problems(packed(*texts, **values), list(languages))


def test_a_good_pack_has_no_problems():
    assert found(GOOD) == []


def test_a_missing_translation_is_named_with_topic_and_language():
    assert found(GOOD, languages=("en", "fr")) == ["travel_ticket in fr: missing"]


def test_a_language_that_is_not_asked_for_may_be_incomplete():
    assert found(GOOD, languages=()) == []


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"title": "x" * 61}, "title has 61 characters"),
        ({"label": "x" * 21}, "label has 21 characters"),
        ({"answer": "x" * 701}, "answer has 701 characters"),
        ({"answer": "Press **here**"}, "markup"),
        ({"examples": GOOD.examples[:14]}, "only 14 example questions"),
        ({"examples": (*GOOD.examples, "QUESTION 3")}, "there twice"),
        ({"topic": "travel_tikcet"}, "no such topic"),
    ],
)
def test_what_is_wrong_with_a_text_is_told_with_its_place(change, problem):
    wrong = replace(GOOD, **change)
    assert any(
        line.startswith(f"{wrong.topic} in en: ") and problem in line for line in found(wrong)
    ), found(wrong)  # fmt: skip


def test_a_related_topic_that_does_not_exist_is_told():
    assert found(GOOD, related=("gone",)) == ["travel_ticket: related topic gone does not exist"]


def test_a_topic_without_a_source_is_told():
    assert found(GOOD, sources=()) == ["travel_ticket: has no source"]


def test_two_buttons_that_read_the_same_in_one_language_are_told():
    pack = packed(GOOD, replace(GOOD, language="fr"))
    other = replace(pack.topics["travel_ticket"], id="travel_luggage")
    pack.topics[other.id] = other
    pack.texts[other.id, "en"] = replace(GOOD, topic=other.id, label="TICKET")
    assert checks.problems(pack, ["en"]) == ["label 'ticket' is used 2 times in en"]


def test_a_usable_text_is_not_refused():
    checks.refuse_unusable(**FIELDS)


def test_texts_may_fill_their_limits():
    checks.refuse_unusable(title="x" * 60, label="x" * 20, answer=f"  {'x' * 700}\n")


@pytest.mark.parametrize("field", ["title", "label", "answer"])
@pytest.mark.parametrize("value", ["", "  \n"])
def test_an_empty_field_is_refused_and_named(field, value):
    with pytest.raises(checks.TextRefused, match="empty") as refusal:
        checks.refuse_unusable(**(FIELDS | {field: value}))
    assert refusal.value.field == field


@pytest.mark.parametrize(
    "answer", ["**bold**", "# Heading", "a <b>word</b>", "[link](https://example.org)", "one\n# two"]
)
def test_markup_is_refused_because_chat_apps_show_it_as_it_is(answer):
    with pytest.raises(checks.TextRefused, match="markup"):
        checks.refuse_unusable(**(FIELDS | {"answer": answer}))


@pytest.mark.parametrize("answer", ["3 < 5", "call #1", "2 * 3", "[see below] (again)"])
def test_signs_that_are_no_markup_are_allowed(answer):
    checks.refuse_unusable(**(FIELDS | {"answer": answer}))
