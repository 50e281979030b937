from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import texts
from bot.content.places import FRESH
from bot.dialogue import hotlines
from bot.languages import launched

TODAY = date(2026, 11, 24)
SHIPPED = Path("data/places")

LINES = """
hotlines:
  - {country: "*", number: "112", what: hotline.emergency, kinds: [medical], mark: VERIFIED, last_checked: 2026-11-23}
  - {country: FR, number: "15", what: hotline.ambulance, kinds: [medical], mark: VERIFIED-2ND, last_checked: 2026-11-23}
  - {country: ES, number: "061", what: hotline.ambulance, kinds: [medical], mark: VERIFIED, last_checked: 2026-11-23}
  - {country: FR, number: "1", what: hotline.ambulance, kinds: [medical], mark: UNVERIFIED, last_checked: 2026-11-23}
  - {country: FR, number: "2", what: hotline.ambulance, kinds: [medical], mark: VERIFIED, last_checked: 2026-05-24}
  - {country: FR, number: "3", what: hotline.suicide, kinds: [self_harm], mark: VERIFIED, last_checked: 2026-11-23}
"""


@pytest.fixture
def path(tmp_path):
    made = tmp_path / "hotlines.yml"
    made.write_text(LINES)
    return tmp_path


def shown(path: Path, country: str | None, kind: str = "medical", today: date = TODAY) -> list[str]:
    return [line.number for line in hotlines.numbers(kind, country, today=today, folder=path)]


def test_a_countrys_own_numbers_come_before_those_that_hold_in_many(path):
    assert shown(path, "FR") == ["15", "112"]


def test_without_a_country_only_the_numbers_that_hold_in_many_are_shown(path):
    assert shown(path, None) == ["112"]


def test_a_country_without_numbers_of_its_own_shows_those_that_hold_in_many(path):
    assert shown(path, "XX") == ["112"]


def test_a_number_is_shown_for_its_own_kind_of_crisis_alone(path):
    assert shown(path, "FR", "self_harm") == ["3"]


def test_a_number_that_nobody_saw_on_a_page_is_never_shown(path):
    assert "1" not in shown(path, "FR")


def test_a_number_is_shown_until_half_a_year_after_its_check_and_not_a_day_longer(path):
    last_day = date(2026, 5, 24) + FRESH
    assert "2" in shown(path, "FR", today=last_day)
    assert "2" not in shown(path, "FR", today=last_day + timedelta(days=1))


def test_at_most_four_numbers_are_shown_so_that_the_first_is_seen(tmp_path):
    row = '  - {country: "*", number: "%d", what: w, kinds: [medical], mark: VERIFIED, last_checked: 2026-11-23}\n'
    path = tmp_path / "hotlines.yml"
    path.write_text("hotlines:\n" + "".join(row % number for number in range(9)))
    assert shown(tmp_path, None) == ["0", "1", "2", "3"]


def test_every_shipped_number_says_what_answers_there_in_every_language():
    for line in hotlines.load(SHIPPED):
        for row in launched():
            assert texts.text(line.what, row.code)


def test_every_shipped_number_can_be_dialled():
    for line in hotlines.load(SHIPPED):
        assert line.number.replace(" ", "").replace("-", "").isdigit(), line
        assert line.country == hotlines.EVERYWHERE or (len(line.country) == 2 and line.country.isupper())


@pytest.mark.parametrize("kind", ["self_harm", "medical", "violence", "trafficking", "child_alone"])
def test_every_danger_to_life_has_a_number_without_a_country(kind):
    checked = max(line.last_checked for line in hotlines.load(SHIPPED))
    assert "112" in shown(SHIPPED, None, kind, checked)
