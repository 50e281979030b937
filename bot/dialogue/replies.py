"""What the assistant says: every reply built from published content and system texts. Pure but for the catalogue."""

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot import texts
from bot.content.catalogue import Answer, Catalogue
from bot.content.pack import Source
from bot.dialogue import hotlines
from bot.languages import DEFAULT, launched
from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing, Shown

WELCOME_TOPICS = ("about_what_is_avr", "process_how_to_apply", "eligibility_who", "reintegration_what")
SMALLTALK = ("greet", "goodbye", "thanks", "how_are_you", "bot", "ok", "insult", "capabilities")


def answer(catalogue: Catalogue, topic: str, language: str, *, today: date) -> Outgoing:
    """The answer to a topic, with source, date, honest marks and what one may press next.

    A text whose review is overdue is withheld. A topic not written in ``language`` is shown in English.
    """
    found = _best(catalogue, topic, language)
    if found is None or found.review_by < today:
        return Outgoing(texts.text("answer.withheld", language), language, (human_button(language),))
    lines = [found.text, "", source_line(found.source, language)]
    lines.append(texts.text("answer.checked", language, date=texts.day(found.reviewed_on, language)))
    if found.origin == "machine":
        lines += ["", texts.text("answer.machine", language)]
    return Outgoing(
        text="\n".join(lines),
        language=found.language,
        buttons=_answer_buttons(catalogue, found, language),
        shown=Shown(found.topic, found.language, found.version),
    )


def _best(catalogue: Catalogue, topic: str, language: str) -> Answer | None:
    """The answer in the person's language, or in English where it is not written."""
    return catalogue.answer(topic, language) or catalogue.answer(topic, DEFAULT)


def _button(found: Answer) -> Button:
    return Button(found.label, payloads.topic(found.topic), found.title[:72])


def source_line(source: Source, language: str) -> str:
    """Title, publisher and date of a source, and its address."""
    key = "answer.source_undated" if source.date in ("", "n.d.") else "answer.source"
    return (
        f"{texts.text(key, language, title=source.title, publisher=source.publisher, date=source.date)}\n{source.url}"
    )


def _answer_buttons(catalogue: Catalogue, found: Answer, language: str) -> tuple[Button, ...]:
    buttons = [topic_button(catalogue, topic, language) for topic in found.related]
    buttons.append(human_button(language))
    if found.origin == "machine" and found.risk == "high" and found.language != DEFAULT:
        buttons.append(Button(texts.text("button.original", language), payloads.original(found.topic)))
    buttons.append(Button(texts.text("button.helpful", language), payloads.feedback(True, 0)))
    buttons.append(Button(texts.text("button.not_helpful", language), payloads.feedback(False, 0)))
    return tuple(button for button in buttons if button is not None)


def with_button(message: Outgoing, button: Button) -> Outgoing:
    """The message with one more button, before all others: it is what most people want next."""
    return replace(message, buttons=(button, *message.buttons))


def topic_button(catalogue: Catalogue, topic: str, language: str) -> Button | None:
    """A button that shows a topic; ``None`` when there is no text for it."""
    found = _best(catalogue, topic, language)
    return _button(found) if found else None


def human_button(language: str) -> Button:
    """The button that asks for a counsellor."""
    return Button(texts.text("button.human", language), payloads.HUMAN)


def language_buttons() -> tuple[Button, ...]:
    """A button per launched language, in its own name."""
    return tuple(Button(language.name, payloads.language(language.code)) for language in launched())


def welcome(catalogue: Catalogue, language: str, *, retention_days: int) -> tuple[Outgoing, ...]:
    """Who is speaking, a short privacy notice, the languages, and where to begin."""
    first = "\n\n".join((texts.text("welcome", language), texts.text("welcome.privacy", language, days=retention_days)))
    begin = [topic_button(catalogue, topic, language) for topic in WELCOME_TOPICS]
    return (
        Outgoing(first, language, language_buttons(), listed=True),
        Outgoing(
            texts.text("welcome.ask", language),
            language,
            (*(button for button in begin if button), human_button(language)),
            listed=True,
        ),
    )


def choose_language(language: str) -> Outgoing:
    """The language buttons."""
    return Outgoing(texts.text("choose_language", language), language, language_buttons(), listed=True)


def language_changed(language: str) -> Outgoing:
    """Says, in the new language, that it is used from now on."""
    return plain("language_changed", language)


def did_you_mean(catalogue: Catalogue, topics: tuple[str, ...], language: str) -> Outgoing:
    """Two or three topics that come close, to choose from."""
    found = [one for topic in topics if (one := _best(catalogue, topic, language))]
    buttons = [_button(one) for one in found]
    lines = [texts.text("did_you_mean", language), *(f"– {one.title}" for one in found)]
    buttons.append(Button(texts.text("button.none_of_these", language), payloads.NONE_OF_THESE))
    return Outgoing("\n".join(lines), language, (*buttons, human_button(language)), listed=True)


def fallback(catalogue: Catalogue, language: str, *, key: str = "fallback") -> Outgoing:
    """An honest word that this was not understood, and the way to a person."""
    begin = [topic_button(catalogue, topic, language) for topic in WELCOME_TOPICS[:2]]
    return Outgoing(texts.text(key, language), language, (human_button(language), *(b for b in begin if b)))


def unlaunched(language: str) -> Outgoing:
    """Says which languages there are, and offers them and a person."""
    names = texts.joined([row.name for row in launched()], language)
    words = texts.text("unlaunched_language", language, languages=names)
    return Outgoing(words, language, (*language_buttons(), human_button(language)), listed=True)


def smalltalk(kind: str, language: str) -> Outgoing:
    """A short, honest answer to small talk."""
    return plain(f"smalltalk.{kind}", language)


def privacy(language: str, *, retention_days: int) -> Outgoing:
    """The privacy text, with the retention that the job really enforces."""
    return Outgoing(texts.text("privacy", language, days=retention_days), language, (), speaker="system")


def delete_question(language: str) -> Outgoing:
    """Asks before erasing."""
    buttons = (
        Button(texts.text("delete.yes", language), payloads.DELETE_YES),
        Button(texts.text("delete.no", language), payloads.DELETE_NO),
    )
    return Outgoing(texts.text("delete.confirm", language), language, buttons, speaker="system")


def export(language: str) -> Outgoing:
    """A copy of everything kept; the file is made when it is sent."""
    return Outgoing(texts.text("export.ready", language), language, speaker="system", document="export")


def crisis(kind: str, language: str, *, country: str | None, today: date, places: Path) -> Outgoing:
    """The safety text with verified numbers, before anything else.

    Args:
        country: ISO 3166 code of the country the person is in, if known.
        places: The folder with the numbers.
    """
    numbers = hotlines.numbers(kind, country, today=today, folder=places)
    lines = [texts.text(f"crisis.{kind}", language), ""]
    lines += [
        texts.text("crisis.number", language, number=n.number, what=texts.text(n.what, language)) for n in numbers
    ]
    if country is None:
        lines.append(texts.text("crisis.numbers_elsewhere", language))
    if numbers:
        oldest = min(number.last_checked for number in numbers)
        lines.append(texts.text("crisis.checked", language, date=texts.day(oldest, language)))
    return Outgoing("\n".join(lines), language, (), speaker="system")


def plain(key: str, language: str, *, system: bool = False) -> Outgoing:
    """A system text without buttons."""
    return Outgoing(texts.text(key, language), language, speaker="system" if system else "bot")
