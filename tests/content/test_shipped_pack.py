"""The content that ships: complete, short, sourced, careful, and not trained on what it is judged by."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from bot import evaluation
from bot.content import checks, pack
from bot.languages import LANGUAGES, is_launched, launched
from bot.nlu.normalise import fold
from bot.yaml_files import read_yaml

DATA = Path("data")
PACK = pack.load(DATA)
CODES = [row.code for row in launched()]
QUESTIONS = sorted(Path("tests/evaluation").glob("*.tsv"))
ANSWERS = [pytest.param(text, id=f"{text.language}-{text.topic}") for text in PACK.texts.values()]

# Latin, Arabic and Persian digits; \d covers the others too
PHONE = re.compile(r"(?:\+|\b00)[\s()./-]*(?:\d[\s()./-]*){7,}|\b(?:\d{2,4}[ ./-]){2,}\d{2,}\b")
# five digits in a row, or thousands written apart
LONG_NUMBER = re.compile(r"\d{5,}|\b\d{1,3}(?:[.,’'\u00a0\u202f ]\d{3})+\b")
CURRENCY = re.compile(
    r"[€$£₺₽₾₹৳]|\b(?:EUR|USD|GBP|CHF|dollars?|euros?|pounds?|livres sterling|dólares|francs?|CFA|dinars?|dirhams?)\b"
    r"|يورو|دولار|دينار|درهم|جنيه",
    re.IGNORECASE,
)
CAREFUL = re.compile(r"asylum|lawyer|legal (?:advice|aid|help)|counsell?or", re.IGNORECASE)


def trained_on(language: str) -> set[str]:
    """All example questions of a language, folded."""
    found = {fold(example) for text in PACK.texts.values() if text.language == language for example in text.examples}
    path = DATA / "nlu" / f"{language}.yml"
    for part in read_yaml(path)["nlu"] if path.exists() else ():
        lines = str(part.get("examples", "")).splitlines()
        found |= {fold(line.removeprefix("- ")) for line in lines if line.startswith("- ")}
    return found


def test_the_pack_has_no_problems_in_any_launched_language():
    assert checks.problems(PACK, CODES) == []


@pytest.mark.parametrize("code", CODES)
def test_every_topic_is_written_in_every_launched_language(code):
    assert {topic for topic, language in PACK.texts if language == code} == set(PACK.topics)


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_is_short_enough_to_read_on_a_phone(text):
    assert 0 < len(text.answer) <= 700


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_for_every_country_names_no_phone_number_and_no_amount(text):
    shown = f"{text.title}\n{text.label}\n{text.answer}"
    for pattern in (PHONE, LONG_NUMBER, CURRENCY):
        assert pattern.findall(shown) == []


@pytest.mark.parametrize(
    "shown",
    ["call +32 2 511 64 64", "0800 111 0 111", "you get 2.500 now", "2500 €", "1000 euros", "٢٠٠٠ يورو", "٠٢٥١١٦٤٦٤"],
)
def test_a_phone_number_or_an_amount_would_be_found(shown):
    assert any(pattern.search(shown) for pattern in (PHONE, LONG_NUMBER, CURRENCY))


@pytest.mark.parametrize("shown", ["in 2024 or 2025", "30 kg", "116 of 200", "under 18 years, within 2-3 months"])
def test_years_weights_and_durations_are_neither(shown):
    assert not any(pattern.search(shown) for pattern in (PHONE, LONG_NUMBER, CURRENCY))


@pytest.mark.parametrize(
    "topic",
    [topic.id for topic in PACK.topics.values() if topic.risk == "high" and topic.id.startswith(("elig", "rights"))],
)
def test_a_risky_answer_about_eligibility_or_rights_points_to_asylum_or_advice(topic):
    assert CAREFUL.search(PACK.texts[topic, "en"].answer)


@pytest.mark.parametrize("topic", PACK.topics.values(), ids=list(PACK.topics))
def test_a_topic_has_facts_a_source_with_an_address_and_a_date_of_review(topic):
    assert topic.risk in ("low", "high")
    assert topic.facts
    assert all(source.url.startswith(("https://", "http://")) and source.title for source in topic.sources)
    assert timedelta(0) < topic.review_by - topic.reviewed_on <= timedelta(days=186)
    assert topic.id not in topic.related
    assert len(topic.related) == len(set(topic.related)) > 0


@pytest.mark.parametrize("code", CODES)
def test_no_example_question_belongs_to_two_topics(code):
    seen: dict[str, str] = {}
    for (topic, language), text in PACK.texts.items():
        if language == code:
            for example in text.examples:
                assert seen.setdefault(fold(example), topic) == topic, example


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_evaluation_questions_never_occur_in_training(path):
    questions = evaluation.load(path)
    assert len(questions) > 100
    for language in {question.language for question in questions} & set(LANGUAGES):
        known = trained_on(language)
        assert len(known) > 1000
        assert [question.text for question in questions if fold(question.text) in known] == []


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_evaluation_questions_expect_what_exists(path):
    kinds = {f"crisis.{kind}" for kind in read_yaml(DATA / "crisis" / "en.yml")["kinds"]}
    known = set(PACK.topics) | kinds | {"handoff", "oos", "smalltalk"}
    for question in evaluation.load(path):
        assert set(question.expected) <= known, question.text
        assert question.language in LANGUAGES or (DATA / "languages" / f"{question.language}.txt").exists()


def test_questions_in_languages_that_are_not_launched_never_occur_among_their_samples():
    questions = evaluation.load(Path("tests/evaluation/neighbours.tsv"))
    for language in {question.language for question in questions}:
        assert not is_launched(language)
        lines = (DATA / "languages" / f"{language}.txt").read_text(encoding="utf-8").splitlines()
        known = {fold(line) for line in lines}
        assert [q.text for q in questions if q.language == language and fold(q.text) in known] == []


@pytest.mark.parametrize("path", QUESTIONS, ids=lambda path: path.stem)
def test_no_evaluation_question_is_there_twice(path):
    folded = [fold(question.text) for question in evaluation.load(path)]
    assert {text for text in folded if folded.count(text) > 1} == set()
