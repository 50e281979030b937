"""Phrase patterns that people without technical skills can read and extend. Pure.

A pattern is a sequence of words that must follow each other: ``word*`` any ending, ``*word`` any
beginning, ``(a|b c|d*)`` alternatives, ``?`` after a word or group makes it optional, ``..`` stands for
up to four words. Matching happens on folded text (``bot.nlu.normalise.fold``).
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from functools import cache, cached_property

from bot.nlu.normalise import fold

_GAP = r"(?:\S+ ){0,4}"
_GRAM = 3  # letters of a word with stars that must be literal for it to be an anchor
_PIECE = re.compile(r"\.\.|\([^()]*\)\??|\S+")


class PatternError(ValueError):
    """A pattern cannot be read."""


class Pattern:
    """One pattern, compiled when it is first tried: most of thousands never are in a process's life.

    Attributes:
        source: The pattern as it was written.
        anchors: Keys of which every matching message has at least one (see ``_keys``); empty if there are none.
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
        sets = [frozenset(_anchor(word.split()[0]) for word in words) for words in required]
        self.anchors = min((keys for keys in sets if None not in keys), key=_breadth, default=frozenset())

    @property
    def single_word(self) -> str:
        """The word, when the pattern is one word or its beginning (``word*``) and nothing else; otherwise empty."""
        alternatives = self._pieces[0][0] if len(self._pieces) == 1 and not self._pieces[0][1] else []
        word = alternatives[0] if len(alternatives) == 1 else ""
        return word if word and not word.startswith("*") and " " not in word else ""

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


@cache
def _folded(word: str) -> str:
    # the stars and inner spaces carry meaning; everything else is folded like a message
    parts = []
    for part in word.split():
        core = fold(part.strip("*"))
        parts.append(("*" if part.startswith("*") else "") + core + ("*" if part.endswith("*") else ""))
    return " ".join(part for part in parts if part.strip("*"))


def _words(phrase: str) -> str:
    return " ".join(re.escape(word).replace(r"\*", r"\S*") for word in phrase.split())


def _anchor(word: str) -> str | None:
    """The key under which a word with its stars is looked up; ``None`` if too little of it is literal."""
    core = word.strip("*")
    if word.startswith("*"):
        return f"in:{core[:_GRAM]}" if len(core) >= _GRAM else None
    if word.endswith("*"):
        return f"begins:{core[:_GRAM]}" if len(core) >= _GRAM else None
    return core


def _breadth(keys: frozenset[str | None]) -> tuple[bool, int]:
    # whole words are rarer than beginnings, so they are the better anchors
    return any(":" in key for key in keys if key), len(keys)


def _keys(word: str) -> Iterator[str]:
    """The keys under which patterns for ``word`` are found."""
    yield word
    if len(word) >= _GRAM:
        yield f"begins:{word[:_GRAM]}"
        for start in range(len(word) - _GRAM + 1):
            yield f"in:{word[start : start + _GRAM]}"


class PhraseMatcher:
    """Finds which of many labelled patterns occur in a text, fast: by the words the text holds."""

    def __init__(self, labelled: Iterable[tuple[str, str]]) -> None:
        self._words: dict[str, list[tuple[str, str]]] = defaultdict(list)  # patterns that are one word: label, source
        self._beginnings: dict[str, list[tuple[str, str]]] = defaultdict(list)  # and those that are its beginning
        self._by_anchor: dict[str, list[tuple[str, Pattern]]] = defaultdict(list)
        self._unanchored: list[tuple[str, Pattern]] = []
        for label, source in labelled:
            pattern = Pattern(source)
            if word := pattern.single_word:
                table = self._beginnings if word.endswith("*") else self._words
                table[word.rstrip("*")].append((label, source))
                continue
            for anchor in pattern.anchors:
                self._by_anchor[str(anchor)].append((label, pattern))
            if not pattern.anchors:
                self._unanchored.append((label, pattern))

    def find(self, folded: str) -> dict[str, str]:
        """The labels whose patterns occur in ``folded`` text, each with the first pattern that did."""
        text, words = f"{folded} ", folded.split()
        found: dict[str, str] = {}
        for label, source in self._single(words):
            found.setdefault(label, source)
        keys = dict.fromkeys(key for word in words for key in _keys(word))
        candidates = [pair for key in keys for pair in self._by_anchor.get(key, ())]
        for label, pattern in candidates + self._unanchored:
            if label not in found and pattern.regex.search(text):
                found[label] = pattern.source
        return found

    def _single(self, words: list[str]) -> Iterator[tuple[str, str]]:
        for word in words:
            yield from self._words.get(word, ())
            for end in range(1, len(word) + 1):
                yield from self._beginnings.get(word[:end], ())
