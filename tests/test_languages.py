import dataclasses

import pytest
import spacy

from bot import languages
from bot.languages import DEFAULT, LANGUAGES

ROWS = list(LANGUAGES.values())
UNLAUNCHED = "uk"


@pytest.mark.parametrize("row", ROWS, ids=list(LANGUAGES))
def test_a_row_fits_what_unicode_says_of_the_language(row):
    assert row.code == row.cldr.language
    assert row.direction == {"left-to-right": "ltr", "right-to-left": "rtl"}[row.cldr.character_order]


@pytest.mark.parametrize("row", ROWS, ids=list(LANGUAGES))
def test_a_row_names_a_tokenizer_that_exists(row):
    assert spacy.blank(row.spacy)("a b")


@pytest.mark.parametrize("row", ROWS, ids=list(LANGUAGES))
def test_the_name_of_a_language_fits_on_a_button(row):
    assert 0 < len(row.name) <= 20


def test_the_default_language_is_launched_and_shown_first():
    assert languages.launched()[0].code == DEFAULT


def test_only_launched_languages_can_be_chosen():
    assert languages.is_launched("fr")
    assert [code for code in (UNLAUNCHED, "xx", "", None, "FR") if languages.is_launched(code)] == []


@pytest.mark.parametrize(
    ("hint", "language"),
    [
        ("fr", "fr"), ("fr-BE", "fr"), ("ar_EG", "ar"), ("EN-us", "en"), ("es-419", "es"),
        ("pt_BR", "pt"), ("ka-GE", "ka"), (UNLAUNCHED, None), ("zh-Hans", None), ("", None), (None, None), ("-", None),
    ],
)  # fmt: skip
def test_a_hint_gives_the_launched_language_behind_it_or_none(hint, language):
    assert languages.from_hint(hint) == language


def test_a_language_launched_later_needs_no_change_but_its_row(monkeypatch):
    row = dataclasses.replace(LANGUAGES["en"], code=UNLAUNCHED, locale=UNLAUNCHED, launched=True)
    monkeypatch.setitem(LANGUAGES, UNLAUNCHED, row)
    assert languages.is_launched(UNLAUNCHED)
    assert languages.from_hint("uk-UA") == UNLAUNCHED
    assert UNLAUNCHED in [row.code for row in languages.launched()]
