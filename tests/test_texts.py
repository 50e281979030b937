from datetime import date

import pytest

from bot import texts
from bot.languages import LANGUAGES, launched

ALL = list(LANGUAGES)


@pytest.mark.parametrize("language", [row.code for row in launched()])
def test_each_launched_language_has_its_own_catalogue(language):
    assert texts.catalogue(language).info()["language"] == language


def test_values_are_filled_in():
    said = texts.text("handoff.requested", "en", number="W-1042")
    assert "W-1042" in said
    assert "{" not in said


def test_an_unknown_language_speaks_english():
    assert texts.text("ui.send", "tlh") == "Send"


def test_a_key_that_exists_nowhere_is_an_error_that_names_it():
    with pytest.raises(texts.MissingText, match=r"no\.such\.key"):
        texts.text("no.such.key", "fr")


def test_a_text_that_one_language_lacks_is_said_in_english(tmp_path, monkeypatch):
    (tmp_path / "en").mkdir()
    (tmp_path / "fr").mkdir()
    (tmp_path / "en" / "system.po").write_text('msgid "a"\nmsgstr "English a"\n\nmsgid "b"\nmsgstr "English b"\n')
    (tmp_path / "fr" / "system.po").write_text('msgid "a"\nmsgstr "a en français"\n')
    monkeypatch.setattr(texts, "LOCALES", tmp_path)
    texts.catalogue.cache_clear()
    try:
        assert [texts.text(key, "fr") for key in "ab"] == ["a en français", "English b"]
    finally:
        texts.catalogue.cache_clear()


@pytest.mark.parametrize(
    ("language", "count", "said"),
    [
        ("en", 1, "1 person is waiting before you."),
        ("en", 2, "2 people are waiting before you."),
        ("fr", 2, "2 personnes"),
        ("es", 2, "2 personas"),
        ("ar", 11, "11"),
    ],
)
def test_a_count_takes_the_plural_form_of_its_language(language, count, said):
    assert said in texts.plural("handoff.ahead", language, count)


def test_arabic_has_six_forms_and_uses_them():
    said = {texts.plural("handoff.ahead", "ar", count).replace(str(count), "") for count in (1, 2, 3, 11, 100)}
    assert len(said) >= 4


@pytest.mark.parametrize("language", ALL)
def test_dates_and_lists_can_be_written_in_every_language(language):
    assert texts.day(date(2026, 11, 24), language)
    for number in range(5):
        names = [row.name for row in launched()][:number]
        joined = texts.joined(names, language)
        assert all(name in joined for name in names)


def test_dates_are_written_as_the_language_writes_them():
    assert texts.day(date(2026, 11, 24), "en") == "November 24, 2026"
    assert texts.day(date(2026, 11, 24), "fr") == "24 novembre 2026"
    assert texts.day(date(2026, 11, 24), "es") == "24 de noviembre de 2026"
