from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.content import precheck
from bot.content.pack import sources
from bot.content.places import FRESH
from bot.content.precheck import QUESTIONS, Rules
from bot.yaml_files import YamlFileError

TODAY = date(2026, 11, 24)
BOOK = precheck.load(Path("data"))

SOURCES = 'S1: {title: "T", publisher: "P", url: "https://p.example", date: "n.d."}\n'
RULES = """
edition: 3
collected: 2026-11-23
eu: [FR]
precheck:
  - {id: a, host: "*", when: {status: [permit]}, verdict: possible, fact: f1}
  - {id: b, host: FR, when: {status: [permit]}, verdict: possible, fact: f2}
  - {id: c, host: "*", when: {nationality: [eu]}, verdict: unlikely, fact: f3}
  - {id: d, host: "*", when: {}, verdict: note, fact: f4}
  - {id: e, host: "*", when: {}, verdict: note, fact: f4}
  - {id: f, host: "*", when: {}, verdict: unlikely, fact: f5, mark: MEMORY}
  - {id: g, host: "*", when: {origin: [SY]}, verdict: advice, fact: f6}
"""


@pytest.fixture
def write(tmp_path):
    def make(rules: str = RULES) -> Rules:
        common = "source: S1, mark: VERIFIED, last_checked: 2026-11-23, "
        (tmp_path / "rules.yml").write_text(rules.replace("{id", f"{{{common}id"))
        (tmp_path / "sources.yml").write_text(SOURCES)
        return Rules(tmp_path / "rules.yml", sources(tmp_path))

    return make


def deciding(found: precheck.Judgement) -> list[str]:
    return [rule.id for rule in found.deciding]


def test_a_rule_whose_conditions_hold_decides_and_the_countrys_own_comes_first(write):
    found = write().judge({"host": "FR", "status": "permit"}, today=TODAY)
    assert (found.verdict, deciding(found)) == ("possible", ["b", "a"])


def test_a_rule_against_it_wins_over_one_for_it(write):
    found = write().judge({"host": "FR", "status": "permit", "nationality": "eu"}, today=TODAY)
    assert (found.verdict, deciding(found)) == ("unlikely", ["c"])
    assert [rule.id for rule in found.also] == ["b", "a", "d"]


def test_a_named_country_counts_as_inside_or_outside_the_eu(write):
    book = write()
    assert deciding(book.judge({"nationality": "FR"}, today=TODAY)) == ["c"]
    assert deciding(book.judge({"nationality": "SY"}, today=TODAY)) == ["g"]


def test_without_answers_no_rule_speaks_for_or_against_it(write):
    found = write().judge({}, today=TODAY)
    assert (found.verdict, found.deciding) == ("unknown", ())


def test_words_are_not_said_twice(write):
    assert [rule.id for rule in write().judge({}, today=TODAY).also] == ["d"]


def test_unchecked_and_old_rules_are_left_out(write):
    book = write()
    assert "f" not in deciding(book.judge({}, today=TODAY))
    late = date(2026, 11, 23) + FRESH + timedelta(days=1)
    assert book.judge({"status": "permit"}, today=late) == precheck.Judgement("unknown", (), ())


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("verdict: advice", "verdict: eligible", "unknown verdict 'eligible'"),
        ("when: {status: [permit]}", "when: {status: [rich]}", "nobody can answer"),
        ("when: {status: [permit]}", "when: {height: [tall]}", "nobody can answer"),
        ("fact: f1}", "fact: f1, source: S9}", "lacks 'S9'"),
    ],
)
def test_a_rule_that_cannot_work_is_refused_when_the_pack_is_read(write, old, new, problem):
    with pytest.raises(YamlFileError, match=problem):
        write(RULES.replace(old, new, 1))


@pytest.mark.parametrize(
    ("question", "value", "taken"),
    [
        ("host", "FR", True), ("nationality", "eu", True), ("nationality", "SY", True), ("status", "permit", True),
        ("status", "skip", True), ("status", "FR", False), ("status", "rich", False), ("host", "eu", False),
        ("height", "skip", False), ("before", "unsure", True),
    ],
)  # fmt: skip
def test_only_answers_to_the_question_are_accepted(question, value, taken):
    assert precheck.accepts(question, value) is taken


def test_questions_come_in_their_order_until_all_are_answered():
    answers: dict[str, str] = {}
    asked = []
    while (question := precheck.next_question(answers)) is not None:
        asked.append(question)
        answers[question] = "skip"
    assert asked == list(QUESTIONS)


@pytest.mark.parametrize(
    ("answers", "verdict", "rule"),
    [
        ({"host": "BE", "status": "no_papers"}, "possible", "be_any"),
        ({"host": "FR", "nationality": "GN", "status": "no_papers"}, "unlikely", "fr_no_oqtf"),
        ({"host": "DE", "nationality": "RO", "status": "other"}, "unlikely", "eu_citizen"),
        ({"host": "DE", "nationality": "IQ", "status": "asylum_open"}, "advice", "de_withdraw"),
        ({"host": "GB", "status": "visa"}, "advice", "gb_ban"),
        ({"host": "GR", "nationality": "AF", "status": "asylum_refused"}, "unlikely", "gr_not_served"),
        ({"host": "NL", "before": "yes"}, "unlikely", "nl_before"),
        ({"host": "US", "status": "no_papers"}, "advice", "us_lawyer"),
        ({"host": "PL", "status": "asylum_refused", "company": "minor"}, "advice", "minor"),
        ({"host": "SN", "status": "no_papers"}, "possible", "no_papers"),
        ({}, "unknown", None),
    ],
)
def test_the_shipped_rules_say_what_the_fact_base_says(answers, verdict, rule):
    found = BOOK.judge(answers, today=TODAY)
    assert found.verdict == verdict
    assert rule is None or rule in deciding(found)


def test_whoever_has_an_open_claim_or_protection_is_always_sent_to_legal_advice_or_told_what_speaks_against_it():
    hosts = {rule.host for rule in BOOK.all()} | {"SN"}
    for host in hosts:
        for status in ("asylum_open", "protection", "permit"):
            found = BOOK.judge({"host": host, "status": status}, today=TODAY)
            assert found.verdict in ("advice", "unlikely"), (host, status)
            assert any(rule.verdict == "advice" for rule in (*found.deciding, *found.also))


def test_fear_of_return_and_that_nobody_has_a_right_to_help_are_always_said():
    for status in QUESTIONS["status"]:
        found = BOOK.judge({"host": "DE", "status": status}, today=TODAY)
        assert {"fear", "no_entitlement"} <= {rule.fact for rule in (*found.deciding, *found.also)}
