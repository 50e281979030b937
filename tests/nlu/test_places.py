from pathlib import Path

import pytest

from bot.content import pack
from bot.languages import LANGUAGES
from bot.nlu.normalise import fold
from bot.nlu.places import PlaceFinder, ordinary_words

FOLDER = Path("data/places")


@pytest.fixture(scope="module")
def finder() -> PlaceFinder:
    examples = (example for text in pack.load(Path("data")).texts.values() for example in text.examples)
    return PlaceFinder.load(FOLDER, ordinary_words(examples))


def countries(finder: PlaceFinder, text: str) -> list[str]:
    return [place.country for place in finder.find(text)]


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("adresse du bureau à lyon svp", "FR"),
        ("is there any help in gambia", "GM"),
        ("estoy en españa", "ES"),
        ("vivo na irlanda", "IE"),
        ("Almanyadayım ofis nerede", "DE"),
        ("в Германии где офис", "DE"),
        ("من در آلمانم", "DE"),
        ("main germany mein hun", "DE"),
        ("میں یونان میں ہوں", "GR"),
        ("আমি ইতালিতে আছি", "IT"),
        ("ami italite achi", "IT"),
        ("გერმანიაში სად არის ოფისი", "DE"),
        ("jam ne gjermani", "DE"),
        ("انا بألمانيا وين المكتب", "DE"),
        ("بباريس", "FR"),
        ("في القاهرة", "EG"),
        ("yunanistandayim", "GR"),
        ("ben isviçredeyim", "CH"),
    ],
)
def test_a_place_is_found_in_every_language_with_its_endings(finder, text, country):
    assert countries(finder, text) == [country]


@pytest.mark.parametrize(
    ("text", "country"),
    [("gemany", "DE"), ("allemange", "DE"), ("belgiam", "BE"), ("grecce", "GR"), ("swizerland", "CH")],
)
def test_a_misspelt_country_is_found(finder, text, country):
    assert countries(finder, text) == [country]


@pytest.mark.parametrize(
    ("text", "country"), [("i am nigerian", "NG"), ("je suis guinéen", "GN"), ("un pakistani", "PK")]
)
def test_an_inhabitant_names_the_country(finder, text, country):
    assert countries(finder, text) == [country]


@pytest.mark.parametrize(
    "text",
    [
        "cambia mi fecha", "a nice person", "para mi familia", "como puedo", "queria saber", "i am hungry",
        "what is dublin procedure", "my name is not here", "quel est le centre", "mes gares", "la gente",
    ],
)  # fmt: skip
def test_words_that_only_look_like_a_place_are_none(finder, text):
    assert countries(finder, text) == []


def test_two_places_are_both_found_in_their_order(finder):
    assert countries(finder, "i am nigerian in athens") == ["NG", "GR"]


def test_a_city_says_that_it_is_one(finder):
    assert [place.city for place in finder.find("lyon, france")] == [True, False]


def test_a_longer_name_wins_over_the_one_inside_it(finder):
    assert countries(finder, "south sudan") == ["SS"]
    assert countries(finder, "guinea bissau") == ["GW"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("code", ["DE", "FR", "BE", "GR", "MA", "GM", "AF", "GE", "AL", "BD", "PK"])
def test_the_name_that_cldr_gives_is_found(finder, language, code):
    name = LANGUAGES[language].cldr.territories[code]
    assert countries(finder, f"{name}") == [code]


def test_words_that_occur_once_are_not_ordinary():
    assert ordinary_words(["Germany office", "office"]) == {"office"}


def test_positions_count_words_of_the_folded_text(finder):
    text = "My sister: in the U.K. now"
    place = finder.find(text)[0]
    assert fold(text).split()[place.start : place.end] == ["u", "k"]
