"""Countries and cities in a message, in every launched language, inflected and misspelt. Pure but for reading files."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from babel import Locale
from rapidfuzz.distance import OSA
from rapidfuzz.process import extractOne
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans
from spacy.vocab import Vocab

from bot.languages import LANGUAGES, NOT_COUNTRIES
from bot.nlu.language_id import script_of, words_of
from bot.nlu.normalise import fold
from bot.yaml_files import read_yaml

SHORTEST = 4  # letters of a name that CLDR or GeoNames gives; shorter ones are named by hand in names.yml
SHORTEST_STEM = 4  # letters that must be left of a name when an ending is taken off
SHORTEST_MISSPELT = 6
# territories nobody comes from or goes to, whose names are everyday words in some language
_LEFT_OUT = frozenset(
    {"IM", "AQ", "BV", "CP", "CQ", "DG", "EA", "IC", "HM", "TA", "UM", "GS", "TF", "IO", "AC"} | NOT_COUNTRIES
)
_VOWELS = "aeiouyаеиоуыяюэйაეიოუািীুূেৈোৌাايهو"


@dataclass(frozen=True, slots=True)
class Place:
    """A country, or a city in it, that a message names.

    Attributes:
        country: ISO 3166 code.
        start: First word of the folded message.
        end: Word after the last.
        city: The name is a city's.
    """

    country: str
    start: int
    end: int
    city: bool = False


class PlaceFinder:
    """Finds names of places with spaCy's PhraseMatcher over words brought back to their basic form."""

    def __init__(
        self,
        countries: dict[str, str],
        cities: dict[str, str],
        endings: dict[str, dict[str, list[str]]],
        ordinary: Iterable[str] = (),
        not_places: Iterable[str] = (),
    ) -> None:
        """Builds the matcher.

        Args:
            countries: ISO code by folded name.
            cities: ISO code of the city's country by folded name.
            endings: Endings and beginnings per script, see ``data/places/endings.yml``.
            ordinary: Folded words that people use for other things; they are never a misspelt place.
            not_places: Folded words that are never a city, nor an inflected or misspelt place.
        """
        not_places = set(not_places)
        names = {name: code for name, code in cities.items() if name not in not_places} | countries
        self._vocab = Vocab()
        self._matcher = PhraseMatcher(self._vocab, attr="ORTH")
        self._codes: dict[str, tuple[str, bool]] = {}
        for name, code in names.items():
            key = f"{code}{'' if name in countries else '+'}"
            self._codes[key] = (code, name not in countries)
            self._matcher.add(key, [Doc(self._vocab, words=name.split())])
        self._known = {word for name in names for word in name.split()}
        of_countries = {word for name in countries for word in name.split()}
        self._stems = {word[:-1]: word for word in of_countries if word[-1] in _VOWELS} | {w: w for w in of_countries}
        self._misspelt: dict[str, list[str]] = defaultdict(list)  # by first letter, which people rarely get wrong
        for name in sorted(countries):
            if " " not in name and len(name) >= SHORTEST_MISSPELT:
                self._misspelt[name[0]].append(name)
        self._not_places, self._ordinary = not_places, set(ordinary)
        self._endings = {
            script: {kind: frozenset(map(fold, words)) for kind, words in rows.items()}
            for script, rows in endings.items()
        }

    @classmethod
    def load(cls, folder: Path, ordinary: Iterable[str] = ()) -> "PlaceFinder":
        """Reads ``names.yml``, ``cities.tsv`` and ``endings.yml`` in ``folder``; countries come from CLDR too."""
        countries = _cldr_countries()
        for code, names in read_yaml(folder / "names.yml").items():
            countries |= {fold(str(name)): code for name in names}
        words = read_yaml(folder / "endings.yml")
        not_places = {fold(word) for word in words.pop("not_places")}
        cities: dict[str, str] = {}
        for line in (folder / "cities.tsv").read_text(encoding="utf-8").splitlines():
            code, *names = line.split("\t")
            cities |= {folded: code for name in names if len(folded := fold(name)) >= SHORTEST}
        return cls(countries, cities, words, ordinary, not_places)

    def find(self, text: str) -> tuple[Place, ...]:
        """The places that ``text`` names, in their order."""
        words = fold(text).split()
        document = Doc(self._vocab, words=[self._base_form(word) for word in words])
        spans = [Span(document, start, end, label=key) for key, start, end in self._matcher(document)]
        found = sorted(filter_spans(spans), key=lambda span: span.start)
        places = []
        for span in found:
            code, city = self._codes[span.label_]
            places.append(Place(code, span.start, span.end, city))
        return tuple(places)

    def _base_form(self, word: str) -> str:
        """The known word behind an inflected or misspelt one; the word itself if there is none."""
        if word in self._known or word in self._not_places or len(word) <= SHORTEST_STEM:
            return word
        script = script_of(word) or ""
        rows = self._endings.get(script, {})
        for bare in _without_beginning(word, rows.get("before", frozenset())):
            if bare in self._known:
                return bare
            for cut in range(len(bare), SHORTEST_STEM - 1, -1):
                stem, ending = bare[:cut], bare[cut:]
                if stem in self._stems and (not ending or ending in rows["after"]):
                    return self._stems[stem]
                if stem in self._known and ending in rows["after_city"]:
                    return stem
        if len(word) >= SHORTEST_MISSPELT and word not in self._ordinary:
            close = extractOne(word, self._misspelt.get(word[0], ()), scorer=OSA.distance, score_cutoff=1)
            if close is not None:
                return str(close[0])
        return word


def ordinary_words(texts: Iterable[str]) -> set[str]:
    """Folded words that occur at least twice in ``texts``: they mean something by themselves, however they look."""
    counts: Counter[str] = Counter()
    for written, times in Counter(word for text in texts for word in words_of(text)).items():
        for word in fold(written).split():
            counts[word] += times
    return {word for word, count in counts.items() if count > 1}


def _without_beginning(word: str, beginnings: frozenset[str]) -> list[str]:
    found = [word[cut:] for cut in (1, 2, 3) if word[:cut] in beginnings]
    return [word, *(bare for bare in found if len(bare) >= SHORTEST_STEM)]


def _cldr_countries() -> dict[str, str]:
    """Folded names of all countries in all languages of the table (CLDR, through Babel)."""
    found: dict[str, str] = {}
    for language in LANGUAGES.values():
        for code, name in Locale.parse(language.locale).territories.items():
            folded = fold(name)
            if len(code) == 2 and code.isalpha() and code not in _LEFT_OUT and len(folded) >= SHORTEST:
                found.setdefault(folded, code)
    return found
