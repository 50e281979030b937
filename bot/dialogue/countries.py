"""What is said about a country: whom to ask, what help can include, amounts, rules, each with source and date."""

import re
from datetime import date

from babel.dates import format_skeleton
from babel.numbers import format_currency

from bot import texts
from bot.content import precheck as rules
from bot.content.places import Amount, Places, Programme
from bot.dialogue import replies
from bot.languages import DEFAULT, LANGUAGES, NOT_COUNTRIES
from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing

HOST, ORIGIN = "host", "origin"
ABOUT_A_COUNTRY = ("process_contact_office", "reintegration_countries")  # what one may want to know of a country
BUTTON_TITLE = 20  # characters


def name(code: str, language: str) -> str:
    """A country's name in a language (CLDR)."""
    return str(LANGUAGES[language].cldr.territories.get(code, code))


def exists(code: str) -> bool:
    """Whether ``code`` is a country's, not CLDR's word for a group of them or for none."""
    return code in LANGUAGES[DEFAULT].cldr.territories and rules.is_country(code) and code not in NOT_COUNTRIES


def ask(places: Places, topic: str, language: str, *, today: date) -> Outgoing:
    """Asks for the country that a topic depends on."""
    about = places.topics[topic].country
    if about == ORIGIN:
        return Outgoing(texts.text("place.ask_origin", language), language)
    hosts = sorted((name(code, language), code) for code in places.hosts(today=today))
    buttons = tuple(
        Button(title[:BUTTON_TITLE], payloads.country(about, code, topic), title[:72]) for title, code in hosts
    )
    return Outgoing(texts.text("place.ask_host", language), language, buttons, listed=True)


def which(code: str, language: str) -> Outgoing:
    """Asks what one would like to know about a country that was named without a question."""
    return Outgoing(
        texts.text("place.which", language, country=name(code, language)),
        language,
        (
            Button(texts.text("button.office", language), payloads.country(HOST, code, ABOUT_A_COUNTRY[0])),
            Button(texts.text("button.support", language), payloads.country(ORIGIN, code, ABOUT_A_COUNTRY[1])),
            replies.human_button(language),
        ),
    )


def about(places: Places, topic: str, code: str, language: str, *, today: date) -> Outgoing:
    """What is known about a country for a topic; says so honestly when nothing checked is known."""
    depends = places.topics[topic]
    if depends.country == ORIGIN:
        lines = _origin(places, code, language, today)
    else:
        programme = places.programme(code, today=today)
        lines = (
            _programme(programme, depends.show, language)
            if programme
            else [texts.text("place.unknown", language, country=name(code, language))]
        )
    lines += ["", texts.text("answer.machine", language)]
    change = choose_button(depends.country, topic, language)
    return Outgoing("\n".join(lines), language, (change, replies.human_button(language)))


def choose_button(about: str, topic: str, language: str) -> Button:
    """The button that asks for another country."""
    return Button(texts.text("button.change_country", language), payloads.ask_country(about, topic))


def _programme(programme: Programme, show: tuple[str, ...], language: str) -> list[str]:
    country = name(programme.country, language)
    found = [line for part in show for line in _PARTS[part](programme, language)]
    if not found:
        missing = texts.text(
            "place.no_duration" if "duration" in show else "place.no_amounts", language, country=country
        )
        return [missing, *_contact(programme, language)]
    lines = [texts.text("place.heading", language, country=country), *found]
    if "contact" not in show:
        lines.append(texts.text("place.who", language, names=programme.who))
    return [
        *lines,
        "",
        replies.source_line(programme.source, language),
        texts.text("answer.checked", language, date=texts.day(programme.last_checked, language)),
        texts.text("place.confirm", language),
    ]


def _contact(programme: Programme, language: str) -> list[str]:
    lines = [texts.text("place.who", language, names=programme.who)]
    for phone in programme.phones:
        lines.append(texts.text("place.phone_free" if phone.free else "place.phone", language, number=phone.number))
        if phone.hours:
            lines.append(texts.text("place.hours", language, hours=phone.hours))
    if not programme.phones:
        lines.append(texts.text("place.no_contact", language, country=name(programme.country, language)))
    if programme.email:
        lines.append(texts.text("place.email", language, address=programme.email))
    lines += [texts.text("place.web", language, address=address) for address in programme.web]
    if programme.offices:
        lines.append(texts.text("place.offices", language, places=programme.offices))
    return lines


def _covers(programme: Programme, language: str) -> list[str]:
    parts = [texts.text(f"cover.{part}", language) for part in programme.covers]
    return [texts.text("place.covers", language, list=texts.joined(parts, language))]


def _amounts(programme: Programme, language: str) -> list[str]:
    if not programme.amounts:
        return [texts.text(f"fact.{fact}", language) for fact in programme.facts if fact.endswith("_amounts")]
    return [texts.text("place.amounts", language), *(_amount(amount, language) for amount in programme.amounts)]


def _amount(amount: Amount, language: str) -> str:
    locale = LANGUAGES[language].cldr
    money = format_currency(amount.value, amount.currency, locale=locale, format="#,##0 ¤¤")
    if amount.up_to:
        money = texts.text("place.up_to", language, amount=money)
    seen = texts.text("place.seen", language, date=_month(amount.seen, language)) if amount.seen else ""
    return texts.text(
        "place.amount",
        language,
        what=f"{texts.text(f'cover.{amount.what}', language)}, {texts.text(f'amount.{amount.for_whom}', language)}",
        amount=money,
        date=seen or texts.text("place.undated", language),
    )


def _month(seen: str, language: str) -> str:
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", seen):
        return seen
    return format_skeleton("yMMMM", date(int(seen[:4]), int(seen[5:]), 1), locale=LANGUAGES[language].cldr)


def _facts(programme: Programme, language: str) -> list[str]:
    return [f"– {texts.text(f'fact.{fact}', language)}" for fact in programme.facts]


def _duration(programme: Programme, language: str) -> list[str]:
    return [texts.text(f"fact.{programme.duration}", language)] if programme.duration else []


_PARTS = {"contact": _contact, "covers": _covers, "amounts": _amounts, "facts": _facts, "duration": _duration}


def _origin(places: Places, code: str, language: str, today: date) -> list[str]:
    found, country = places.origin(code, today=today), name(code, language)
    lines = [f"– {texts.text(f'origin.{key}', language, country=country)}" for key, _ in found.lists]
    if found.not_served:
        hosts = texts.joined([name(host, language) for host, _ in found.not_served], language)
        lines.append(f"– {texts.text('origin.not_served', language, country=country, hosts=hosts)}")
    if not lines:
        return [texts.text("origin.unknown", language, country=country), texts.text("origin.no_verdict", language)]
    sources = dict.fromkeys(source for _, source in (*found.lists, *found.not_served))
    heading = texts.text("place.heading", language, country=country)
    shown = [replies.source_line(source, language) for source in sources]
    return [
        heading,
        *lines,
        texts.text("origin.no_verdict", language),
        "",
        *shown,
        texts.text("place.confirm", language),
    ]
