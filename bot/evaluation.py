"""Evaluation: questions with known answers through the same code that serves people."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import IO, Any

from bot.messaging.messages import Outcome, Turn
from bot.worker.answering import Answering
from bot.worker.reading import read


class EvaluationError(ValueError):
    """The file of questions cannot be used; the message names the line."""


@dataclass(frozen=True, slots=True)
class Question:
    """One line of an evaluation file.

    Attributes:
        expected: Topic ids, ``handoff``, ``crisis.<kind>``, ``oos`` or ``smalltalk``; any of them is right.
    """

    language: str
    expected: tuple[str, ...]
    text: str


@dataclass(slots=True)
class Score:
    """Counts for one language."""

    topics: int = 0
    right: int = 0
    asked_right: int = 0
    wrong: int = 0
    missed: int = 0
    oos: int = 0
    oos_answered: int = 0
    oos_asked: int = 0
    crises: int = 0
    crises_found: int = 0
    alarms: int = 0
    handoffs: int = 0
    handoffs_found: int = 0
    smalltalk: int = 0
    smalltalk_found: int = 0
    questions: int = 0
    language_right: int = 0
    ms: list[float] = field(default_factory=list)


def load(path: Path) -> list[Question]:
    """Reads ``language<TAB>expected<TAB>text`` lines; empty lines and ``#`` comments are skipped.

    Raises:
        EvaluationError: A line does not have three fields.
    """
    questions = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        if not line.strip() or line.startswith("#"):
            continue
        parts = line.split("\t")
        if len(parts) != 3:
            raise EvaluationError(f"{path}, line {number}: language, expected and text must be separated by tabs")
        questions.append(Question(parts[0].strip(), tuple(parts[1].strip().split("|")), parts[2]))
    return questions


async def judge(answering: Answering, questions: Iterable[Question], out: IO[str] | None = None) -> dict[str, Score]:
    """Asks every question as the first message of a new conversation, without hints.

    Args:
        out: Receives one JSON line per question.

    Returns:
        A score per language.
    """
    scores: dict[str, Score] = {}
    for number, question in enumerate(questions):
        turn = Turn(conversation_id=f"evaluation-{number}", message_id=str(number), text=question.text)
        began = time.perf_counter()
        response = await answering.respond(read("text", question.text, ""), turn)
        elapsed = (time.perf_counter() - began) * 1000
        score = scores.setdefault(question.language, Score())
        count(score, question, response.outcome, elapsed)
        if out is not None:
            out.write(json.dumps(_line(question, response.outcome, elapsed), ensure_ascii=False) + "\n")
    return scores


def _line(question: Question, outcome: Outcome, elapsed: float) -> dict[str, Any]:
    return {
        "language": question.language,
        "expected": "|".join(question.expected),
        "text": question.text,
        "detected_language": outcome.detected,
        "outcome": outcome.kind,
        "topic": outcome.topic,
        "candidates": list(outcome.candidates),
        "crisis": outcome.crisis,
        "confidence": round(outcome.confidence, 4),
        "ms": round(elapsed, 2),
    }


def count(score: Score, question: Question, outcome: Outcome, elapsed: float) -> None:
    """Adds one judged question to a score."""
    score.questions += 1
    score.ms.append(elapsed)
    score.language_right += outcome.detected == question.language
    first = question.expected[0]
    if first.startswith("crisis."):
        score.crises += 1
        score.crises_found += outcome.kind == "crisis"
        return
    score.alarms += outcome.kind == "crisis"
    if first == "oos":
        score.oos += 1
        score.oos_answered += outcome.kind == "answer"
        score.oos_asked += outcome.kind == "clarify"
    elif first == "handoff":
        score.handoffs += 1
        score.handoffs_found += outcome.kind == "handoff"
    elif first == "smalltalk":
        score.smalltalk += 1
        score.smalltalk_found += outcome.kind == "smalltalk"
    else:
        _count_topic(score, question, outcome)


def _count_topic(score: Score, question: Question, outcome: Outcome) -> None:
    score.topics += 1
    if outcome.kind == "answer":
        score.right += outcome.topic in question.expected
        score.wrong += outcome.topic not in question.expected
    elif outcome.kind == "clarify" and set(outcome.candidates) & set(question.expected):
        score.asked_right += 1
    else:
        score.missed += 1


COLUMNS = (
    "n",
    "right",
    "asked",
    "wrong",
    "missed",
    "language",
    "oos ans.",
    "oos ask.",
    "crisis",
    "alarms",
    "handoff",
    "small t.",
    "ms",
)


def table(scores: dict[str, Score]) -> str:
    """The scores as a table, a row per language."""
    lines = [f"{'':4}" + "".join(f"{column:>10}" for column in COLUMNS)]
    for language, score in sorted(scores.items()):
        lines.append(f"{language:4}" + "".join(f"{cell:>10}" for cell in cells(score)))
    return "\n".join(lines)


def report(scores: dict[str, Score]) -> str:
    """The scores as a Markdown page, with what the columns mean."""
    rows = [f"| {language} | " + " | ".join(cells(score)) + " |" for language, score in sorted(scores.items())]
    head = ["| language | " + " | ".join(COLUMNS) + " |", "|" + " --- |" * (len(COLUMNS) + 1)]
    return "\n".join([_INTRODUCTION, *head, *rows, ""])


_INTRODUCTION = """# Quality of understanding

Made by `make evaluate` from the project's own questions in `tests/evaluation/`, which training never sees.
Each is judged as the first message of a new conversation, without hints. A machine wrote them, apart from the training
questions. The thresholds of the decision were chosen on them, so that unseen questions do a little worse.

- **right**, **asked**: questions on a topic answered rightly, or asked back with the right topic offered
- **wrong**, **missed**: answered with another topic; or not understood
- **language**: the language was recognised
- **oos ans.**, **oos ask.**: questions out of scope that were answered, or asked back, as if in scope
- **crisis**, **alarms**: people in danger found; harmless messages taken for a crisis
- **handoff**, **small t.**: requests for a person, and small talk, recognised
- **ms**: median time of one message from reading to replies, in milliseconds
"""


def cells(score: Score) -> list[str]:
    """One row: counts and shares in percent; ``-`` where there was nothing to count."""
    safe = score.questions - score.crises
    return [
        str(score.questions),
        _share(score.right, score.topics),
        _share(score.asked_right, score.topics),
        _share(score.wrong, score.topics),
        _share(score.missed, score.topics),
        _share(score.language_right, score.questions),
        _share(score.oos_answered, score.oos),
        _share(score.oos_asked, score.oos),
        _share(score.crises_found, score.crises),
        _share(score.alarms, safe),
        _share(score.handoffs_found, score.handoffs),
        _share(score.smalltalk_found, score.smalltalk),
        f"{median(score.ms):.1f}",
    ]


def _share(part: int, whole: int) -> str:
    percent = _percent(part, whole)
    return "-" if percent is None else f"{percent:.1f}%"


# what a floor can be set for: the share in percent, and whether more or less of it is better
MEASURES: dict[str, tuple[Callable[[Score], float | None], bool]] = {
    "understood": (lambda s: _percent(s.right + s.asked_right, s.topics), True),
    "wrong": (lambda s: _percent(s.wrong, s.topics), False),
    "language": (lambda s: _percent(s.language_right, s.questions), True),
    "oos": (lambda s: _percent(s.oos_answered + s.oos_asked, s.oos), False),
    "crisis": (lambda s: _percent(s.crises_found, s.crises), True),
    "alarms": (lambda s: _percent(s.alarms, s.questions - s.crises), False),
    "handoff": (lambda s: _percent(s.handoffs_found, s.handoffs), True),
}


def _percent(part: int, whole: int) -> float | None:
    return 100 * part / whole if whole else None


def below(scores: dict[str, Score], floors: dict[str, dict[str, float]]) -> list[str]:
    """What has fallen below its floor (or risen above it, where less is better), in words.

    Args:
        floors: ``{language: {measure: percent}}``, see ``MEASURES``; languages that were not asked are passed over.

    Raises:
        EvaluationError: A floor names a measure that does not exist.
    """
    found = []
    for language, limits in floors.items():
        if language not in scores:
            continue
        for measure, limit in limits.items():
            if measure not in MEASURES:
                raise EvaluationError(f"floor for {language}: unknown measure {measure!r}")
            value, more_is_better = MEASURES[measure][0](scores[language]), MEASURES[measure][1]
            if value is not None and (value < limit if more_is_better else value > limit):
                found.append(f"{language}: {measure} is {value:.1f} %, the floor is {limit:g} %")
    return found
