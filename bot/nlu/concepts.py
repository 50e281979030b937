"""Concepts: everyday words of every language mapped to shared ids, so that one language teaches the others."""

from pathlib import Path

from bot.nlu.phrases import PhraseMatcher
from bot.yaml_files import read_yaml


class Concepts:
    """The lexicon of all languages."""

    def __init__(self, lexicon: dict[str, list[str]]) -> None:
        """Takes ``{concept id: [words and phrases of all languages]}``."""
        self.ids = tuple(sorted(lexicon))
        self._matcher = PhraseMatcher((concept, str(word)) for concept, words in lexicon.items() for word in words)

    @classmethod
    def load(cls, folder: Path) -> "Concepts":
        """Reads ``concepts.yml`` (the ids) and ``<language>.yml`` (their words)."""
        lexicon: dict[str, list[str]] = {concept: [] for concept in read_yaml(folder / "concepts.yml")}
        for path in sorted(folder.glob("*.yml")):
            if path.name == "concepts.yml":
                continue
            for concept, words in read_yaml(path)["concepts"].items():
                if concept not in lexicon:
                    raise ValueError(f"{path}: unknown concept {concept!r}")
                lexicon[concept] += words
        return cls(lexicon)

    def find(self, folded: str) -> list[str]:
        """Ids of the concepts that folded text mentions, sorted."""
        return sorted(self._matcher.find(folded))
