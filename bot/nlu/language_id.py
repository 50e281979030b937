"""Which language a short message is written in: script first, then character n-grams, then langdetect."""

import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import regex as re
from langdetect import DetectorFactory
from langdetect.lang_detect_exception import LangDetectException
from numpy.typing import NDArray

DetectorFactory.seed = 0  # langdetect draws random samples; answers must not change from run to run

BUCKETS = 1 << 16
ORDERS = (1, 2, 3, 4, 5)
SMOOTHING = 0.1
DOUBTFUL = 0.6  # below this share a second opinion is asked for; it costs milliseconds and 60 MB

_SCRIPTS = (
    "Latin", "Arabic", "Cyrillic", "Greek", "Hebrew", "Armenian", "Georgian", "Ethiopic", "Devanagari", "Bengali",
    "Gurmukhi", "Tamil", "Sinhala", "Thai", "Myanmar", "Hangul", "Hiragana", "Katakana", "Han",
)  # fmt: skip
# written forms of their own that are answered in the language beside them
_REPORTED_AS = {"ary": "ar", "pcm": "en"}
_BY_SCRIPT = {script: re.compile(rf"\p{{Script={script}}}") for script in _SCRIPTS}
_WORD = re.compile(r"[\p{L}\p{M}\p{N}'’]+")


@dataclass(frozen=True, slots=True)
class Guess:
    """What the message alone says about its language.

    Attributes:
        language: ISO 639 code of the likeliest language, launched or not; ``und`` when there are no letters.
        confidence: 0 to 1.
        words: How many words it rests on.
        ranking: The likeliest languages with their shares, best first.
    """

    language: str
    confidence: float
    words: int
    ranking: tuple[tuple[str, float], ...] = ()


def script_of(text: str) -> str | None:
    """The script most letters of ``text`` belong to; ``None`` without letters."""
    if text.isascii():
        return "Latin" if any(character.isalpha() for character in text) else None
    counts = {script: len(pattern.findall(text)) for script, pattern in _BY_SCRIPT.items()}
    best = max(counts, key=lambda script: counts[script])
    if not counts[best]:
        return None
    return "Japanese" if counts["Hiragana"] + counts["Katakana"] else best


def words_of(text: str) -> list[str]:
    """The words of ``text``, in lower case."""
    return [word.casefold() for word in _WORD.findall(text) if not word.isdigit()]


def _ngrams(word: str) -> Iterator[int]:
    """Buckets of the n-grams of a word with its borders, and of the whole word."""
    padded = f" {word} "
    for order in ORDERS:
        for start in range(len(padded) - order + 1):
            yield zlib.crc32(padded[start : start + order].encode()) % BUCKETS
    yield zlib.crc32(padded.encode()) % BUCKETS


def _counts(lines: Iterable[str]) -> Counter[int]:
    counts: Counter[int] = Counter()
    for word, times in Counter(word for line in lines for word in words_of(line)).items():
        for bucket in _ngrams(word):
            counts[bucket] += times
    return counts


class LanguageModel:
    """Naive Bayes over whole words and their hashed character 1-5-grams, one group of languages per script.

    Trained on a few hundred short lines per language. Romanised forms ("ar-latn") are classes of their
    own and reported as their language.
    """

    def __init__(self, classes: list[str], scripts: list[str], weights: NDArray[np.float16]) -> None:
        self.classes = classes
        self.scripts = scripts
        self.weights = weights  # (buckets, classes): log probabilities
        self._groups = {
            script: np.array([i for i, own in enumerate(scripts) if own == script]) for script in set(scripts)
        }

    @classmethod
    def train(cls, samples: dict[str, list[str]]) -> "LanguageModel":
        """Learns from ``{class: lines}``."""
        classes = sorted(samples)
        scripts, columns = [], []
        for name in classes:
            counts = np.full(BUCKETS, SMOOTHING)
            for bucket, times in _counts(samples[name]).items():
                counts[bucket] += times
            columns.append(np.log(counts / counts.sum()).astype(np.float16))
            scripts.append(script_of(" ".join(samples[name])) or "Latin")
        return cls(classes, scripts, np.stack(columns, axis=1))

    def save(self, path: Path) -> None:
        """Writes the model as a compressed numpy archive without pickled objects."""
        np.savez_compressed(path, classes=self.classes, scripts=self.scripts, weights=self.weights)

    @classmethod
    def load(cls, path: Path) -> "LanguageModel":
        """Reads what ``save`` wrote."""
        with np.load(path, allow_pickle=False) as data:
            return cls(data["classes"].tolist(), data["scripts"].tolist(), data["weights"])

    def guess(self, text: str) -> Guess:
        """The likeliest language of ``text`` alone."""
        script = script_of(text)
        words = words_of(text)
        if script is None or not words:
            return Guess("und", 0.0, len(words))
        group = self._groups.get(script)
        if group is None:
            return Guess(f"und-{script.lower()}", 1.0, len(words))
        shares = self._shares(text, group)
        if len(words) >= 4 and max(shares.values()) < DOUBTFUL:
            shares = _with_langdetect(text, shares)
        ranking = tuple(sorted(shares.items(), key=lambda pair: -pair[1])[:4])
        return Guess(ranking[0][0], ranking[0][1], len(words), ranking)

    def _shares(self, text: str, group: NDArray[np.int_]) -> dict[str, float]:
        grams = np.fromiter((bucket for word in words_of(text) for bucket in _ngrams(word)), dtype=np.int64)
        scores = self.weights[grams][:, group].astype(np.float64).sum(axis=0)
        # neighbouring n-grams overlap, so the product of their probabilities is far too sure of itself
        scores = scores / len(ORDERS)
        odds = np.exp(scores - scores.max())
        shares: dict[str, float] = {}
        for index, share in zip(group, odds / odds.sum(), strict=True):
            language = self.classes[index].split("-")[0]
            language = _REPORTED_AS.get(language, language)
            shares[language] = shares.get(language, 0.0) + float(share)
        return shares


def _with_langdetect(text: str, shares: dict[str, float], weight: float = 0.15) -> dict[str, float]:
    """Lets langdetect's profiles, made from Wikipedia, weigh in on longer messages."""
    try:
        detector = _factory().create()
        detector.append(text)
        found = {guess.lang.split("-")[0]: guess.prob for guess in detector.get_probabilities()}
    except LangDetectException:
        return shares
    known = {language: probability for language, probability in found.items() if language in shares}
    if not known:
        return shares
    return {language: share * (1 - weight) + known.get(language, 0.0) * weight for language, share in shares.items()}


def _factory() -> DetectorFactory:
    from langdetect import detector_factory

    detector_factory.init_factory()
    return detector_factory._factory
