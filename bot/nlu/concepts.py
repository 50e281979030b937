"""Concepts: everyday words of every language mapped to shared ids, so that one language teaches the others."""

from pathlib import Path

import yaml

from bot.nlu.phrases import PhraseMatcher


def _read(path: Path) -> dict[str, object]:
    found = yaml.load(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    return dict(found)


class Concepts:
    """The lexicon of all languages."""

    def __init__(self, lexicon: dict[str, list[str]]) -> None:
        """Takes ``{concept id: [words and phrases of all languages]}``."""
        self.ids = tuple(sorted(lexicon))
        self._matcher = PhraseMatcher((concept, str(word)) for concept, words in lexicon.items() for word in words)

    @classmethod
    def load(cls, folder: Path) -> "Concepts":
        """Reads ``concepts.yml`` (the ids) and ``<language>.yml`` (their words)."""
        lexicon: dict[str, list[str]] = {concept: [] for concept in _read(folder / "concepts.yml")}
        for path in sorted(folder.glob("*.yml")):
            if path.name == "concepts.yml":
                continue
            concepts = _read(path)["concepts"]
            assert isinstance(concepts, dict)
            for concept, words in concepts.items():
                if concept not in lexicon:
                    raise ValueError(f"{path}: unknown concept {concept!r}")
                lexicon[concept] += words
        return cls(lexicon)

    def find(self, folded: str) -> list[str]:
        """Ids of the concepts that folded text mentions, sorted."""
        return sorted(self._matcher.find(folded))
