"""Crisis rules: deterministic, in every language at once, without a model."""

from dataclasses import dataclass
from pathlib import Path

from bot.nlu.normalise import fold
from bot.nlu.phrases import PhraseMatcher
from bot.yaml_files import read_yaml

# the most pressing first: when several are found, this one decides what is said
KINDS = ("self_harm", "medical", "violence", "trafficking", "child_alone", "coercion")


@dataclass(frozen=True, slots=True)
class Crisis:
    """A crisis found in a message, and the rule that found it."""

    kind: str
    rule: str
    language: str = ""


class CrisisRules:
    """The rules of all languages. Every message is checked against all of them: people mix languages."""

    def __init__(self, rules: dict[str, dict[str, dict[str, list[str]]]]) -> None:
        """Takes ``{language: {kind: {"match": [...], "unless": [...]}}}``."""
        matches, exceptions = [], []
        for language, kinds in rules.items():
            for kind, lists in kinds.items():
                if kind not in KINDS:
                    raise ValueError(f"crisis rules in {language}: unknown kind {kind!r}")
                matches += [(f"{kind}:{language}", pattern) for pattern in lists.get("match") or ()]
                exceptions += [(f"{kind}:{language}", pattern) for pattern in lists.get("unless") or ()]
        self._matches, self._exceptions = PhraseMatcher(matches), PhraseMatcher(exceptions)

    @classmethod
    def load(cls, folder: Path) -> "CrisisRules":
        """Reads ``<folder>/<language>.yml``."""
        rules = {}
        for path in sorted(folder.glob("*.yml")):
            data = read_yaml(path)
            rules[data["language"]] = data["kinds"]
        return cls(rules)

    def find(self, text: str) -> Crisis | None:
        """The most pressing crisis that the rules see in ``text``."""
        folded = fold(text)
        hits = self._matches.find(folded)
        if not hits:
            return None
        # a language whose rule fired and was excused knows the phrase: rules of other languages that see
        # the same kind of crisis in it (words such as "suicide" are shared) are excused with it
        excused = {label.split(":")[0] for label in self._exceptions.find(folded) if label in hits}
        for kind in KINDS:
            for label, rule in hits.items():
                found, language = label.split(":")
                if found == kind and kind not in excused:
                    return Crisis(kind, rule, language)
        return None
