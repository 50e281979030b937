import io
import json
from dataclasses import asdict

import pytest

from bot import evaluation
from bot.content import pack
from bot.content.catalogue import PackCatalogue
from bot.evaluation import EvaluationError, Question, Score
from bot.handoff import hours
from bot.messaging.messages import Outcome, Response
from bot.nlu.crisis import CrisisRules
from bot.settings import Settings
from bot.storage.session import Database
from bot.worker.answering import Answering

TOPIC = Question("en", ("travel_ticket", "about_cost"), "who pays")


def counted(outcome: Outcome, *expected: str, language: str = "en") -> Score:
    score = Score()
    evaluation.count(score, Question(language, expected, "x"), outcome, 2.0)
    return score


def marks(score: Score) -> dict[str, int]:
    """The counts that are not zero, without those every question has."""
    left = {"questions", "ms", "language_right"}
    return {name: value for name, value in asdict(score).items() if value and name not in left}


def test_questions_are_read_with_alternatives_and_without_comments(tmp_path):
    path = tmp_path / "questions.tsv"
    path.write_text(
        "# a comment\n\nen\ttravel_ticket|about_cost\twho pays # really\nar\toos\tما هي\n", encoding="utf-8"
    )
    assert evaluation.load(path) == [
        Question("en", ("travel_ticket", "about_cost"), "who pays # really"),
        Question("ar", ("oos",), "ما هي"),
    ]


@pytest.mark.parametrize("line", ["en travel_ticket who pays", "en\ttravel_ticket", "en\ta\tb\tc"])
def test_a_line_that_cannot_be_read_is_named_with_its_number(tmp_path, line):
    path = tmp_path / "questions.tsv"
    path.write_text(f"# first\n{line}\n")
    with pytest.raises(EvaluationError, match=r"questions\.tsv, line 2"):
        evaluation.load(path)


@pytest.mark.parametrize(
    ("outcome", "expected", "found"),
    [
        (Outcome("answer", topic="about_cost"), TOPIC.expected, {"topics": 1, "right": 1}),
        (Outcome("answer", topic="about_who"), TOPIC.expected, {"topics": 1, "wrong": 1}),
        (Outcome("clarify", candidates=("x", "about_cost")), TOPIC.expected, {"topics": 1, "asked_right": 1}),
        (Outcome("clarify", candidates=("x", "y")), TOPIC.expected, {"topics": 1, "missed": 1}),
        (Outcome("fallback"), TOPIC.expected, {"topics": 1, "missed": 1}),
        (Outcome("crisis"), TOPIC.expected, {"topics": 1, "missed": 1, "alarms": 1}),
        (Outcome("answer", topic="about_cost"), ("oos",), {"oos": 1, "oos_answered": 1}),
        (Outcome("clarify", candidates=("x",)), ("oos",), {"oos": 1, "oos_asked": 1}),
        (Outcome("fallback"), ("oos",), {"oos": 1}),
        (Outcome("handoff"), ("handoff",), {"handoffs": 1, "handoffs_found": 1}),
        (Outcome("answer", topic="x"), ("handoff",), {"handoffs": 1}),
        (Outcome("smalltalk"), ("smalltalk",), {"smalltalk": 1, "smalltalk_found": 1}),
        (Outcome("crisis", crisis="medical"), ("crisis.medical",), {"crises": 1, "crises_found": 1}),
        (Outcome("handoff"), ("crisis.medical",), {"crises": 1}),
    ],
)
def test_an_outcome_is_counted_for_what_it_is(outcome, expected, found):
    assert marks(counted(outcome, *expected)) == found


def test_the_language_is_right_when_it_was_found_not_when_it_was_answered_in():
    assert counted(Outcome("answer", language="en", detected="ka"), "x", language="ka").language_right == 1
    assert counted(Outcome("answer", language="ka", detected="en"), "x", language="ka").language_right == 0


def test_shares_are_of_what_there_was_and_a_dash_where_there_was_nothing():
    score = Score()
    for topic in ("travel_ticket", "travel_ticket", "other"):
        evaluation.count(score, TOPIC, Outcome("answer", topic=topic, detected="en"), 3.0)
    evaluation.count(score, Question("en", ("crisis.medical",), "x"), Outcome("crisis", detected="fr"), 5.0)
    row = dict(zip(evaluation.COLUMNS, evaluation.cells(score), strict=True))
    assert (row["n"], row["right"], row["wrong"], row["language"]) == ("4", "66.7%", "33.3%", "75.0%")
    assert (row["crisis"], row["alarms"], row["oos ans."], row["handoff"]) == ("100.0%", "0.0%", "-", "-")
    assert row["ms"] == "3.0"


def test_the_table_has_a_row_for_each_language():
    scores = {code: counted(Outcome("fallback"), "oos", language=code) for code in ("fr", "ar")}
    lines = evaluation.table(scores).splitlines()
    assert [line[:4].strip() for line in lines] == ["", "ar", "fr"]
    assert len({len(line) for line in lines}) == 1


FLOORS = {"en": {"understood": 90, "wrong": 3, "language": 95}, "ka": {"understood": 90}}


def test_a_language_at_its_floors_has_not_fallen():
    score = Score(topics=100, right=80, asked_right=10, wrong=3, questions=100, language_right=95)
    assert evaluation.below({"en": score}, FLOORS) == []


def test_what_has_fallen_below_or_risen_above_its_floor_is_named():
    score = Score(topics=100, right=80, asked_right=9, wrong=4, questions=100, language_right=94)
    fallen = evaluation.below({"en": score}, FLOORS)
    assert fallen == [
        "en: understood is 89.0 %, the floor is 90 %",
        "en: wrong is 4.0 %, the floor is 3 %",
        "en: language is 94.0 %, the floor is 95 %",
    ]


def test_what_was_not_asked_cannot_fall():
    assert evaluation.below({"en": Score()}, {"en": {"crisis": 98}}) == []


def test_a_floor_for_what_is_not_measured_is_refused():
    with pytest.raises(EvaluationError, match="unknown measure 'charm'"):
        evaluation.below({"en": Score()}, {"en": {"charm": 1}})


class Knowing:
    """An assistant that answers every question with one topic and remembers who asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def respond(self, turn):
        self.asked.append(turn.conversation_id)
        assert (turn.language, turn.locale) == (None, None), "no hint is given"
        return Response(
            (), (), Outcome("answer", topic="travel_ticket", confidence=0.91234, language="en", detected="en")
        )

    async def remember(self, conversation_id, *, key, text, speaker):
        """Nothing is kept."""

    async def forget(self, conversation_id):
        """Nothing is kept."""


@pytest.fixture
def answering(open_hours: hours.OpeningHours) -> Answering:
    settings = Settings()
    return Answering(
        database=Database("sqlite://"),
        assistant=Knowing(),
        crisis=CrisisRules.load(settings.content / "crisis"),
        catalogue=PackCatalogue(pack.load(settings.content)),
        hours=open_hours,
        retention_days=90,
        places=settings.content / "places",
        worker="test",
    )


async def test_every_question_opens_a_new_conversation_and_gives_one_line(answering):
    out = io.StringIO()
    questions = [TOPIC, Question("en", ("about_cost",), "is it free")]
    scores = await evaluation.judge(answering, questions, out)
    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert len(set(answering.assistant.asked)) == 2
    assert (scores["en"].right, scores["en"].wrong) == (1, 1)
    assert set(lines[0]) == {
        "language", "expected", "text", "detected_language", "outcome", "topic", "candidates", "crisis",
        "confidence", "ms",
    }  # fmt: skip
    assert (lines[0]["expected"], lines[0]["topic"], lines[0]["confidence"]) == (
        "travel_ticket|about_cost", "travel_ticket", 0.9123,
    )  # fmt: skip


async def test_a_person_in_danger_is_found_without_asking_the_assistant(answering):
    scores = await evaluation.judge(answering, [Question("en", ("crisis.self_harm",), "i want to kill myself")])
    assert scores["en"].crises_found == 1
    assert answering.assistant.asked == []
