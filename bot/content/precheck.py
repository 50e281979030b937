"""The rules of the pre-check, from ``data/precheck/rules.yml``: which published rules fit what a person said. Pure."""

from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from bot.content.pack import Source, sources
from bot.content.places import EVERYWHERE, may_be_shown
from bot.yaml_files import YamlFileError, read_yaml

SKIP = "skip"
UNSURE = "unsure"
# the questions in their order, with the answers that buttons offer; countries can be named besides
QUESTIONS: dict[str, tuple[str, ...]] = {
    "host": (),
    "nationality": ("eu", "other", "none"),
    "status": ("asylum_open", "asylum_refused", "protection", "permit", "order", "no_papers", "visa", "other"),
    "detention": ("yes", "no"),
    "before": ("yes", "no", UNSURE),
    "company": ("alone", "family", "minor", "ill"),
}
COUNTRY_QUESTIONS = ("host", "nationality")
# what is said first when several rules fit: a rule against it, then what can be lost, then what speaks for it
VERDICTS = ("unlikely", "advice", "possible")
UNKNOWN = "unknown"
NOTE = "note"


@dataclass(frozen=True, slots=True)
class Rule:
    """One published rule.

    Attributes:
        host: Country it holds in, or ``*``.
        when: Answers that fit, per question; ``origin`` compares a nationality that was named.
        verdict: ``unlikely``, ``advice``, ``possible`` or ``note``.
        fact: Id of the words, ``fact.*``.
    """

    id: str
    host: str
    when: dict[str, tuple[str, ...]]
    verdict: str
    fact: str
    source: Source


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the rules say.

    Attributes:
        verdict: One of ``VERDICTS``, or ``unknown`` when no rule speaks for or against it.
        deciding: The rules it rests on.
        also: Other rules that fit and matter.
    """

    verdict: str
    deciding: tuple[Rule, ...]
    also: tuple[Rule, ...]


class Rules:
    """All rules of a content pack, with their version."""

    def __init__(self, path: Path, known: dict[str, Source]) -> None:
        """Reads the rules.

        Raises:
            YamlFileError: A rule lacks something or names what does not exist.
        """
        data = read_yaml(path)
        self.version, self.collected = int(data["edition"]), data["collected"]
        self.eu = frozenset(data["eu"])
        self._rules: list[tuple[Rule, str, date]] = []
        for row in data["precheck"]:
            try:
                rule = Rule(
                    row["id"],
                    row["host"],
                    {question: tuple(values) for question, values in row["when"].items()},
                    row["verdict"],
                    row["fact"],
                    known[row["source"]],
                )
                self._rules.append((rule, row["mark"], row["last_checked"]))
            except KeyError as problem:
                raise YamlFileError(f"{path}: rule {row.get('id')} lacks {problem}") from None
            self._refuse_unknown(path, rule)

    @staticmethod
    def _refuse_unknown(path: Path, rule: Rule) -> None:
        if rule.verdict not in (*VERDICTS, NOTE):
            raise YamlFileError(f"{path}: rule {rule.id} has an unknown verdict {rule.verdict!r}")
        for question, values in rule.when.items():
            offered = QUESTIONS.get(question)
            if question != "origin" and (offered is None or not set(values) <= set(offered)):
                raise YamlFileError(f"{path}: rule {rule.id} asks for {question} {values}, which nobody can answer")

    def all(self) -> tuple[Rule, ...]:
        """Every rule, whatever its mark and age."""
        return tuple(rule for rule, _, _ in self._rules)

    def judge(self, answers: dict[str, str], *, today: date) -> Judgement:
        """What the rules say about a person's answers. Unchecked and old rules are left out.

        Args:
            answers: Value per question; a nationality may be a country's code. What is missing fits no condition.
        """
        fitting = [
            rule
            for rule, mark, checked in self._rules
            if may_be_shown(mark, checked, today) and self._fits(rule, answers)
        ]
        # a country's own rule says more than the general one with the same verdict
        fitting.sort(key=lambda rule: rule.host == EVERYWHERE)
        verdict = next((kind for kind in VERDICTS if any(rule.verdict == kind for rule in fitting)), UNKNOWN)
        deciding = tuple(rule for rule in fitting if rule.verdict == verdict)
        also = sorted(
            (rule for rule in fitting if rule.verdict != verdict),
            key=lambda rule: (*VERDICTS, NOTE).index(rule.verdict),
        )
        return Judgement(verdict, deciding, tuple(_distinct(also, deciding)))

    def _fits(self, rule: Rule, answers: dict[str, str]) -> bool:
        if rule.host not in (EVERYWHERE, answers.get("host")):
            return False
        return all(self._value(question, answers) in values for question, values in rule.when.items())

    def _value(self, question: str, answers: dict[str, str]) -> str:
        nationality = answers.get("nationality", "")
        if question == "origin":
            return nationality
        if question == "nationality" and is_country(nationality):
            return "eu" if nationality in self.eu else "other"
        return answers.get(question, "")


def _distinct(rules: list[Rule], said: tuple[Rule, ...]) -> list[Rule]:
    """The rules whose words are not said already."""
    facts = {rule.fact for rule in said}
    found = []
    for rule in rules:
        if rule.fact not in facts:
            facts.add(rule.fact)
            found.append(rule)
    return found


@cache
def load(content: Path) -> Rules:
    """The rules of the content pack in ``content``, read once."""
    return Rules(content / "precheck" / "rules.yml", sources(content))


def is_country(value: str) -> bool:
    """Whether an answer is the code of a country."""
    return len(value) == 2 and value.isalpha() and value.isupper()


def accepts(question: str, value: str) -> bool:
    """Whether ``value`` answers ``question``."""
    if question not in QUESTIONS:
        return False
    if question in COUNTRY_QUESTIONS and is_country(value):
        return True
    return value == SKIP or value in QUESTIONS[question]


def next_question(answers: dict[str, str]) -> str | None:
    """The first question without an answer; ``None`` when all are answered."""
    return next((question for question in QUESTIONS if question not in answers), None)
