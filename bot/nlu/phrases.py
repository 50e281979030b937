"""Phrase patterns that people without technical skills can read and extend. Pure.

A pattern is a sequence of words that must follow each other: ``word*`` any ending, ``*word`` any
beginning, ``(a|b c|d*)`` alternatives, ``?`` after a word or group makes it optional, ``..`` stands for
up to four words. Matching happens on folded text (``bot.nlu.normalise.fold``).
"""

import re
from collections import defaultdict
from collections.abc import Iterable
from functools import cached_property

from bot.nlu.normalise import fold

_GAP = r"(?:\S+ ){0,4}"
_PIECE = re.compile(r"\.\.|\([^()]*\)\??|\S+")


class PatternError(ValueError):
    """A pattern cannot be read."""


class Pattern:
    """One pattern, compiled when it is first tried: most of thousands never are in a process's life.

    Attributes:
        source: The pattern as it was written.
        anchors: Literal words of which at least one is in every matching message; empty if there are none.
    """

    def __init__(self, source: str) -> None:
        """Reads the pattern.

        Raises:
            PatternError: Brackets do not match, or nothing is left to look for.
        """
        if source.count("(") != source.count(")"):
            raise PatternError(f"brackets do not match in {source!r}")
        self.source = source
        self._pieces = [piece for piece in map(_read, _PIECE.findall(source.casefold())) if piece[0]]
        required = [words for words, optional in self._pieces if not optional and words != [_GAP]]
        if not required:
            raise PatternError(f"nothing to look for in {source!r}")
        sets = [frozenset(word.split()[0] for word in words) for words in required]
        usable = [words for words in sets if not any("*" in word for word in words)]
        self.anchors = min(usable, key=len, default=frozenset())

    @cached_property
    def regex(self) -> re.Pattern[str]:
        """The regular expression; it expects words followed by one space each."""
        parts = []
        for words, optional in self._pieces:
            if words == [_GAP]:
                parts.append(_GAP)
                continue
            body = "(?:" + "|".join(_words(word) for word in words) + ") "
            parts.append(f"(?:{body})?" if optional else body)
        return re.compile(r"(?:^|(?<= ))" + "".join(parts))


def _read(piece: str) -> tuple[list[str], bool]:
    """A piece of a pattern: its alternatives, and whether it may be missing."""
    if piece == "..":
        return [_GAP], False
    return _alternatives(piece.removesuffix("?")), piece.endswith("?")


def _alternatives(piece: str) -> list[str]:
    words = [_folded(word) for word in piece.strip("()").split("|")]
    return [word for word in words if word]


def _folded(word: str) -> str:
    # the stars and inner spaces carry meaning; everything else is folded like a message
    parts = []
    for part in word.split():
        core = fold(part.strip("*"))
        parts.append(("*" if part.startswith("*") else "") + core + ("*" if part.endswith("*") else ""))
    return " ".join(part for part in parts if part.strip("*"))


def _words(phrase: str) -> str:
    return " ".join(re.escape(word).replace(r"\*", r"\S*") for word in phrase.split())


class PhraseMatcher:
    """Finds which of many labelled patterns occur in a text, fast: by the words the text holds."""

    def __init__(self, labelled: Iterable[tuple[str, str]]) -> None:
        self._by_anchor: dict[str, list[tuple[str, Pattern]]] = defaultdict(list)
        self._unanchored: list[tuple[str, Pattern]] = []
        for label, source in labelled:
            pattern = Pattern(source)
            for anchor in pattern.anchors:
                self._by_anchor[anchor].append((label, pattern))
            if not pattern.anchors:
                self._unanchored.append((label, pattern))

    def find(self, folded: str) -> dict[str, str]:
        """The labels whose patterns occur in ``folded`` text, each with the first pattern that did."""
        text = f"{folded} "
        candidates = [pair for word in dict.fromkeys(folded.split()) for pair in self._by_anchor.get(word, ())]
        found: dict[str, str] = {}
        for label, pattern in candidates + self._unanchored:
            if label not in found and pattern.regex.search(text):
                found[label] = pattern.source
        return found
