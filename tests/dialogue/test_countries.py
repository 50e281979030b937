from datetime import date
from pathlib import Path

import pytest

from bot import texts
from bot.content import places as records
from bot.dialogue import countries
from bot.languages import launched
from bot.messaging import payloads

TODAY = date(2026, 11, 24)
PLACES = records.load(Path("data/places"))
CODES = [row.code for row in launched()]
HOSTS = PLACES.hosts(today=TODAY)
OF_HOSTS = [topic for topic, depends in PLACES.topics.items() if depends.country == "host"]


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("country", HOSTS)
def test_what_is_known_of_a_country_is_shown_in_every_language_with_its_source(country, language):
    shown = countries.about(PLACES, "process_contact_office", country, language, today=TODAY)
    programme = PLACES.programme(country, today=TODAY)
    assert countries.name(country, language) in shown.text
    assert programme.who in shown.text
    assert programme.source.url in shown.text
    assert texts.text("place.confirm", language) in shown.text
    assert texts.text("answer.machine", language) in shown.text
    assert all(phone.number in shown.text for phone in programme.phones)
    assert "{" not in shown.text


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("country", [code for code in HOSTS if PLACES.programme(code, today=TODAY).amounts])
def test_an_amount_is_shown_with_the_date_of_its_page_and_the_advice_to_ask(country, language):
    shown = countries.about(PLACES, "reintegration_amount", country, language, today=TODAY)
    for amount in PLACES.programme(country, today=TODAY).amounts:
        assert amount.currency in shown.text
        assert amount.seen[:4] in shown.text or texts.text("place.undated", language) in shown.text
    assert texts.text("place.confirm", language) in shown.text


def test_a_month_is_written_in_the_language():
    shown = countries.about(PLACES, "reintegration_amount", "IE", "fr", today=TODAY)
    assert "septembre 2025" in shown.text


def test_where_no_amount_may_be_shown_the_reason_is_given():
    shown = countries.about(PLACES, "reintegration_amount", "FR", "en", today=TODAY)
    assert texts.text("fact.fr_amounts", "en") in shown.text
    assert "EUR" not in shown.text


def test_where_nothing_is_known_for_a_topic_the_office_is_named_instead():
    shown = countries.about(PLACES, "process_duration", "BE", "en", today=TODAY)
    assert shown.text.startswith(texts.text("place.no_duration", "en", country="Belgium"))
    assert "0800 327 45" in shown.text


@pytest.mark.parametrize("topic", OF_HOSTS)
def test_a_country_without_a_record_is_said_to_be_unknown_and_a_person_offered(topic):
    shown = countries.about(PLACES, topic, "JP", "en", today=TODAY)
    assert shown.text.startswith(texts.text("place.unknown", "en", country="Japan"))
    assert payloads.HUMAN in [button.payload for button in shown.buttons]


def test_a_country_of_return_is_shown_with_the_lists_that_name_it_and_no_verdict_on_its_safety():
    shown = countries.about(PLACES, "reintegration_countries", "IQ", "en", today=TODAY).text
    assert texts.text("origin.eurp", "en", country="Iraq") in shown
    assert texts.text("origin.se_support", "en", country="Iraq") in shown
    assert texts.text("origin.no_verdict", "en") in shown
    assert "https://" in shown


def test_programmes_that_do_not_support_returns_to_a_country_are_named():
    shown = countries.about(PLACES, "reintegration_countries", "SY", "en", today=TODAY).text
    assert "Greece" in shown
    assert "Norway" in shown
    assert "Iraq" not in shown


def test_a_country_of_return_that_no_list_names_is_said_to_be_unknown():
    shown = countries.about(PLACES, "reintegration_countries", "JP", "en", today=TODAY).text
    assert shown.startswith(texts.text("origin.unknown", "en", country="Japan"))


@pytest.mark.parametrize("language", CODES)
def test_the_question_for_the_country_offers_every_host_country_by_its_name(language):
    asked = countries.ask(PLACES, "process_contact_office", language, today=TODAY)
    offered = {button.payload for button in asked.buttons}
    assert offered == {payloads.country("host", code, "process_contact_office") for code in HOSTS}
    assert all(payloads.parse(payload) for payload in offered)
    assert all(len(payload.encode()) <= 64 for payload in offered)
    assert len({button.title for button in asked.buttons}) == len(HOSTS)


@pytest.mark.parametrize("topic", PLACES.topics)
def test_payloads_about_a_country_fit_into_telegrams_limit(topic):
    about = PLACES.topics[topic].country
    for payload in (payloads.country(about, "BE", topic), payloads.ask_country(about, topic)):
        assert payloads.parse(payload)
        assert len(payload.encode()) <= 64


def test_the_country_of_return_is_asked_without_buttons_because_there_are_too_many():
    assert countries.ask(PLACES, "reintegration_countries", "en", today=TODAY).buttons == ()


def test_a_country_alone_is_asked_back():
    shown = countries.which("GM", "en")
    assert "Gambia" in shown.text
    assert [payloads.parse(button.payload).name for button in shown.buttons] == [
        "choose_country", "choose_country", "handoff",
    ]  # fmt: skip


@pytest.mark.parametrize("language", CODES)
def test_every_id_in_the_records_has_words(language):
    for country in HOSTS:
        programme = PLACES.programme(country, today=TODAY)
        keys = [f"cover.{part}" for part in programme.covers] + [f"fact.{fact}" for fact in programme.facts]
        keys += [f"cover.{amount.what}" for amount in programme.amounts]
        keys += [f"amount.{amount.for_whom}" for amount in programme.amounts]
        for key in [*keys, *([f"fact.{programme.duration}"] if programme.duration else [])]:
            assert texts.text(key, language)
