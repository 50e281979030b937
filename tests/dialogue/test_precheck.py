from datetime import date
from pathlib import Path

import pytest

from bot import texts
from bot.content import places, precheck
from bot.dialogue import precheck as words
from bot.languages import launched
from bot.messaging import payloads

TODAY = date(2026, 11, 24)
BOOK = precheck.load(Path("data"))
PLACES = places.load(Path("data/places"))
CODES = [row.code for row in launched()]
ANSWERS = {"host": "DE", "nationality": "IQ", "status": "asylum_open", "detention": "no", "company": "skip"}


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("asked", precheck.QUESTIONS)
def test_a_question_offers_all_answers_a_way_to_leave_it_out_and_a_way_to_stop(asked, language):
    shown = words.question(asked, language, places=PLACES, today=TODAY)
    offered = [button.payload for button in shown.buttons]
    assert all(payloads.parse(payload) and len(payload.encode()) <= 64 for payload in offered)
    assert offered[-2:] == [payloads.precheck_answer(asked, "skip"), payloads.precheck("stop")]
    for value in precheck.QUESTIONS[asked]:
        assert payloads.precheck_answer(asked, value) in offered
    assert len({button.title for button in shown.buttons}) == len(shown.buttons)
    assert all(len(button.title) <= 20 for button in shown.buttons)


def test_every_offered_answer_is_accepted():
    for asked in precheck.QUESTIONS:
        for button in words.question(asked, "en", places=PLACES, today=TODAY).buttons[:-1]:
            values = payloads.parse(button.payload).values
            assert precheck.accepts(values["question"], values["value"])


def test_the_first_question_says_that_nothing_is_decided_and_that_no_names_are_wanted():
    shown = words.question("host", "en", places=PLACES, today=TODAY, first=True)
    assert shown.text.startswith(texts.text("precheck.begin", "en"))


@pytest.mark.parametrize("language", CODES)
def test_a_result_says_which_rule_decided_its_source_and_that_a_person_must_confirm(language):
    found = BOOK.judge(ANSWERS, today=TODAY)
    shown = words.result(found, ANSWERS, language, book=BOOK)
    assert shown.text.startswith(texts.text("precheck.verdict.advice", language))
    assert texts.text("fact.asylum_pending", language) in shown.text
    assert "EUR-Lex" in shown.text
    assert "{" not in shown.text
    assert [button.payload for button in shown.buttons] == ["e:share", "e:alone", "e:again"]


@pytest.mark.parametrize("verdict", [*precheck.VERDICTS, "unknown"])
def test_no_verdict_promises_or_calls_anybody_eligible(verdict):
    said = texts.text(f"precheck.verdict.{verdict}", "en").lower()
    assert "eligible" not in said
    assert "counsellor" in said


@pytest.mark.parametrize("language", CODES)
def test_every_rule_has_words(language):
    for rule in BOOK.all():
        assert texts.text(f"fact.{rule.fact}", language)


def test_what_was_left_out_is_not_told():
    assert not [line for line in words.told(ANSWERS, "en") if "travelling" in line]
    assert words.told(ANSWERS, "en")[0] == "country: Germany"


def test_a_counsellor_sees_the_answers_the_rules_and_their_version_in_english():
    facts = words.facts(ANSWERS, BOOK.judge(ANSWERS, today=TODAY), book=BOOK)
    assert facts["host"] == "Germany"
    assert facts["status"] == "Asylum claim open"
    assert facts["verdict"] == "advice"
    assert "version" in facts["rules"]
    assert "company" not in facts
