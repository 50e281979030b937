from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.content import pack, places
from bot.content.places import FRESH, Places
from bot.yaml_files import YamlFileError, read_yaml

CHECKED = date(2026, 11, 23)
TODAY = CHECKED + timedelta(days=1)

SOURCES = 'S1: {title: "T", publisher: "P", url: "https://p.example", date: "n.d."}\n'
HOST = """
FR:
  who: OFII
  phones: [{number: "1"}, {number: "2", mark: MEMORY}]
  covers: [ticket]
  facts: [fr_free]
  amounts:
    - {what: cash, for: adult, value: 10, currency: EUR, seen: "2026"}
    - {what: cash, for: adult, value: 20, currency: EUR, seen: "2020", mark: EXPIRED}
  mark: MARK
  source: S1
  last_checked: 2026-11-23
"""
ORIGINS = """
lists:
  eurp: {source: S1, mark: VERIFIED, last_checked: 2026-11-23, countries: [GM]}
  hidden: {source: S1, mark: MEMORY, last_checked: 2026-11-23, countries: [GM]}
not_served:
  - {host: GR, source: S1, mark: VERIFIED, last_checked: 2026-11-23, countries: [SY]}
  - {host: IT, source: S1, mark: CONFLICT, last_checked: 2026-11-23, countries: [SY]}
"""


@pytest.fixture
def write(tmp_path):
    def make(mark: str = "VERIFIED", host: str = HOST) -> Places:
        folder = tmp_path / "places"
        folder.mkdir(exist_ok=True)
        (tmp_path / "sources.yml").write_text(SOURCES)
        (folder / "hosts.yml").write_text(host.replace("MARK", mark))
        (folder / "origins.yml").write_text(ORIGINS)
        (folder / "topics.yml").write_text("process_contact_office: {country: host, show: [contact]}\n")
        return Places(folder)

    return make


@pytest.mark.parametrize("mark", ["VERIFIED", "VERIFIED-2ND"])
def test_a_programme_that_was_seen_on_a_page_is_shown(write, mark):
    programme = write(mark).programme("FR", today=TODAY)
    assert (programme.who, programme.source.publisher) == ("OFII", "P")


@pytest.mark.parametrize("mark", ["MEMORY", "EXPIRED", "CONFLICT"])
def test_a_programme_with_another_mark_is_never_shown(write, mark):
    made = write(mark)
    assert made.programme("FR", today=TODAY) is None
    assert made.hosts(today=TODAY) == ()


def test_a_number_or_an_amount_with_a_mark_of_its_own_is_withheld_alone(write):
    programme = write().programme("FR", today=TODAY)
    assert [phone.number for phone in programme.phones] == ["1"]
    assert [amount.value for amount in programme.amounts] == [10]


def test_a_programme_is_shown_until_half_a_year_after_its_check_and_not_a_day_longer(write):
    made = write()
    assert made.programme("FR", today=CHECKED + FRESH)
    assert made.programme("FR", today=CHECKED + FRESH + timedelta(days=1)) is None


def test_a_country_without_a_record_has_none(write):
    assert write().programme("XX", today=TODAY) is None


def test_lists_and_refusals_with_other_marks_are_never_shown(write):
    made = write()
    assert [name for name, _ in made.origin("GM", today=TODAY).lists] == ["eurp"]
    assert [host for host, _ in made.origin("SY", today=TODAY).not_served] == ["GR"]


def test_a_record_that_lacks_something_is_named_when_the_pack_is_read(write):
    with pytest.raises(YamlFileError, match="FR lacks 'who'"):
        write(host=HOST.replace("who: OFII", "whom: OFII"))


SHIPPED = places.load(Path("data/places"))
HOSTS = read_yaml(Path("data/places/hosts.yml"))


@pytest.mark.parametrize("country", sorted(HOSTS))
def test_every_shipped_record_has_a_source_with_an_address_and_may_be_shown(country):
    programme = SHIPPED.programme(country, today=TODAY)
    assert programme.source.url.startswith("http")
    assert programme.covers
    assert programme.facts


def test_topics_that_depend_on_a_country_exist():
    assert set(SHIPPED.topics) <= set(pack.load(Path("data")).topics)


def test_nothing_is_shown_of_what_the_sources_contradict_each_other_on():
    # the fact base, section G: no amounts for France, the Netherlands, Finland; no cap for Germany; no phone for Tunis
    for country in ("FR", "NL", "FI", "CY", "AT", "CH"):
        assert SHIPPED.programme(country, today=TODAY).amounts == ()
    assert {amount.value for amount in SHIPPED.programme("DE", today=TODAY).amounts} == {100, 200, 500, 1000}
    assert "80 101 566" not in [phone.number for phone in SHIPPED.programme("TN", today=TODAY).phones]
