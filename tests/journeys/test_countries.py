"""Conversations about a country, and the pre-check, over the web chat and the console."""

import re

from tests.support.installation import Installation, Person

IN_FRANCE = "retourvolontaire.fr"


def begin(waymark: Installation, locale: str = "en") -> Person:
    person = waymark.person()
    person.ask("/start", locale=locale)
    return person


def offered(replies: list[dict]) -> list[str]:
    return [button["payload"] for reply in replies for button in reply["buttons"]]


def said(replies: list[dict]) -> str:
    return "\n".join(reply["text"] for reply in replies)


def test_a_city_in_the_question_brings_the_countrys_own_contacts(waymark):
    assert IN_FRANCE in said(begin(waymark, "fr").ask("adresse du bureau à lyon svp"))


def test_the_country_is_asked_once_and_then_remembered(waymark):
    person = begin(waymark)
    assert "k:host:BE:process_contact_office" in offered(person.ask(payload="t:process_contact_office"))
    assert "0800 327 45" in said(person.ask("i am in belgium"))
    again = person.ask(payload="t:reintegration_amount")
    assert "Fedasil" in said(again)
    assert not [payload for payload in offered(again) if payload.startswith("k:")]


def test_who_does_not_tell_the_country_is_not_asked_again_but_finds_a_button(waymark):
    person = begin(waymark)
    person.ask(payload="t:process_contact_office")
    again = offered(person.ask(payload="t:process_how_to_apply"))
    assert "q:host:process_how_to_apply" in again
    assert not [payload for payload in again if payload.startswith("k:")]


def test_the_number_of_a_country_in_the_list_is_its_button(waymark):
    person = begin(waymark)
    listed = offered(person.ask(payload="t:process_contact_office")[-1:])
    number = listed.index("k:host:IT:process_contact_office") + 1
    assert "800 004 006" in said(person.ask(str(number)))


def test_a_crisis_shows_the_numbers_of_the_country_that_was_told(waymark):
    person = begin(waymark)
    person.ask(payload="k:host:FR:process_contact_office")
    assert "3114" in said(person.ask("i want to kill myself"))


def test_support_in_a_country_of_return_is_told_with_its_source(waymark):
    told = said(begin(waymark).ask(payload="k:origin:GM:reintegration_countries"))
    assert "Gambia" in told
    assert "https://" in told


def test_a_made_up_country_changes_nothing(waymark):
    person = begin(waymark)
    person.ask(payload="k:host:ZZ:process_contact_office")
    assert "k:host:BE:process_contact_office" in offered(person.ask(payload="t:process_contact_office"))


def test_a_pre_check_tells_the_rules_and_passes_the_answers_on_only_when_allowed(waymark):
    person = begin(waymark)
    assert "e:start" in offered(person.ask(payload="t:eligibility_who"))
    assert "e:host:BE" in offered(person.ask(payload="e:start"))
    person.ask("Belgium")
    person.ask("guinea")
    person.ask(payload="e:status:asylum_open")
    between = person.ask(payload="t:process_duration")
    assert "e:resume" in offered(between)
    assert "Question 4 of 6" in said(person.ask(payload="e:resume"))
    person.ask("no")
    person.ask("2")
    result = person.ask(payload="e:company:alone")
    assert "legal advice" in said(result)
    assert "EUR-Lex" in said(result)
    assert "eligible" not in said(result).lower()

    told = said(person.ask(payload="e:share"))
    number = int(re.search(r"W-(\d+)", told)[1]) - 1000
    ana = waymark.counsellor()
    ana.sign_in()
    page = ana.get(f"/console/cases/{number}")
    assert "Asylum claim open" in page
    assert "<dt>Nationality</dt><dd>Guinea</dd>" in page


def test_without_consent_a_counsellor_sees_no_answers(waymark):
    person = begin(waymark)
    for payload in ("e:start", "e:host:BE", "e:nationality:GN"):
        person.ask(payload=payload)
    told = said(person.ask(payload="e:alone"))
    number = int(re.search(r"W-(\d+)", told)[1]) - 1000
    ana = waymark.counsellor()
    ana.sign_in()
    assert "<dt>Nationality</dt>" not in ana.get(f"/console/cases/{number}")


def test_a_stopped_pre_check_is_forgotten(waymark):
    person = begin(waymark)
    for payload in ("e:start", "e:host:BE", "e:stop"):
        person.ask(payload=payload)
    assert "e:resume" not in offered(person.ask(payload="t:about_cost"))
