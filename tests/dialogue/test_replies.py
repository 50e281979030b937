from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from bot import texts
from bot.content import pack
from bot.content.catalogue import Answer, PackCatalogue
from bot.content.pack import Source
from bot.content.places import FRESH
from bot.dialogue import hotlines, replies
from bot.languages import launched
from bot.messaging import payloads

PLACES = Path("data/places")
TODAY = date(2026, 11, 24)
SOURCE = Source("Return handbook", "IOM", "https://example.org/handbook", "11 Mar 2019")
CODES = [row.code for row in launched()]
CRISES = ("self_harm", "violence", "medical", "trafficking", "child_alone", "coercion")


class Shelf:
    """A catalogue of the answers it is given."""

    def __init__(self, *answers: Answer) -> None:
        self._answers = {(answer.topic, answer.language): answer for answer in answers}

    def answer(self, topic: str, language: str) -> Answer | None:
        return self._answers.get((topic, language))

    def topics(self) -> tuple[str, ...]:
        return tuple(topic for topic, _ in self._answers)


def written(topic: str = "rights_refuse", language: str = "en", **values: object) -> Answer:
    made = Answer(
        topic=topic,
        language=language,
        version=3,
        title=f"Title of {topic}",
        label=f"{topic[:14]} {language}",
        text=f"Text of {topic} in {language}.",
        origin="human",
        risk="low",
        source=SOURCE,
        related=(),
        reviewed_on=date(2026, 11, 1),
        review_by=TODAY,
    )
    return replace(made, **values)  # type: ignore[arg-type]  # whichever fields a test cares about


def answered(*answers: Answer, language: str = "en"):
    return replies.answer(Shelf(*answers), answers[0].topic, language, today=TODAY)


def pressed(message) -> list[str]:
    return [button.payload for button in message.buttons]


def test_an_answer_shows_its_source_and_when_it_was_checked():
    shown = answered(written())
    assert shown.text.startswith("Text of rights_refuse in en.")
    assert "Source: Return handbook, IOM (11 Mar 2019)" in shown.text
    assert "https://example.org/handbook" in shown.text
    assert "November 1, 2026" in shown.text


@pytest.mark.parametrize("missing", ["", "n.d."])
def test_a_source_without_a_date_is_said_to_have_none(missing):
    shown = answered(written(source=replace(SOURCE, date=missing)))
    assert "no date on the page" in shown.text
    assert "(n.d.)" not in shown.text


def test_a_reply_says_which_version_it_showed():
    shown = answered(written()).shown
    assert (shown.entry, shown.language, shown.version) == ("rights_refuse", "en", 3)


def test_on_the_last_day_before_its_review_a_text_is_still_shown():
    assert answered(written(review_by=TODAY)).shown is not None


@pytest.mark.parametrize("language", CODES)
def test_a_text_whose_review_is_overdue_is_withheld_and_a_person_offered(language):
    overdue = written(language=language, review_by=TODAY - timedelta(days=1))
    withheld = answered(overdue, language=language)
    assert withheld.text == texts.text("answer.withheld", language)
    assert withheld.shown is None
    assert pressed(withheld) == [payloads.HUMAN]


def test_an_overdue_translation_is_not_replaced_by_an_english_text():
    overdue = written(language="fr", review_by=TODAY - timedelta(days=1))
    assert "Text of" not in answered(overdue, written(), language="fr").text


def test_an_unknown_topic_is_withheld():
    assert replies.answer(Shelf(), "no_such_topic", "en", today=TODAY).shown is None


@pytest.mark.parametrize(
    ("origin", "risk", "marked", "leads"),
    [
        ("machine", "high", True, True),
        ("machine", "low", True, False),
        ("human", "high", False, False),
        ("human", "low", False, False),
    ],
)
def test_what_a_machine_wrote_bears_the_mark_and_on_a_risky_topic_leads_to_the_original(origin, risk, marked, leads):
    shown = answered(written(language="fr", origin=origin, risk=risk), language="fr")
    assert (texts.text("answer.machine", "fr") in shown.text) is marked
    assert (payloads.original("rights_refuse") in pressed(shown)) is leads


def test_an_english_text_has_no_button_to_itself():
    shown = answered(written(origin="machine", risk="high"))
    assert texts.text("answer.machine", "en") in shown.text
    assert payloads.original("rights_refuse") not in pressed(shown)


def test_a_topic_that_is_not_written_in_a_language_is_shown_in_english_with_the_frame_in_that_language():
    shown = answered(written(), language="fr")
    assert "Text of rights_refuse in en." in shown.text
    assert texts.text("answer.source", "fr", title="Return handbook", publisher="IOM", date="11 Mar 2019") in shown.text
    assert shown.buttons[0].title == texts.text("button.human", "fr")
    assert (shown.language, shown.shown.language) == ("en", "en")


def test_an_answer_offers_related_topics_a_person_and_a_rating():
    shown = answered(written(related=("about_cost", "gone")), written("about_cost"))
    expected = ["t:about_cost", payloads.HUMAN, payloads.feedback(True, 0), payloads.feedback(False, 0)]
    assert pressed(shown) == expected


def test_did_you_mean_names_the_topics_in_words_and_on_buttons_and_lets_one_refuse_all():
    shelf = Shelf(written("about_cost", "fr", title="Combien ça coûte ?"), written("travel_ticket", "fr"))
    asked = replies.did_you_mean(shelf, ("about_cost", "travel_ticket"), "fr")
    assert asked.text.splitlines() == [
        texts.text("did_you_mean", "fr"), "– Combien ça coûte ?", "– Title of travel_ticket",
    ]  # fmt: skip
    assert pressed(asked) == ["t:about_cost", "t:travel_ticket", payloads.NONE_OF_THESE, payloads.HUMAN]
    assert asked.listed


def test_did_you_mean_leaves_out_topics_that_do_not_exist():
    asked = replies.did_you_mean(Shelf(written("about_cost")), ("about_cost", "gone"), "en")
    assert pressed(asked) == ["t:about_cost", payloads.NONE_OF_THESE, payloads.HUMAN]


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("days", [7, 90])
def test_the_privacy_text_prints_the_retention_that_is_set(language, days):
    assert f"{days}" in replies.privacy(language, retention_days=days).text
    assert "{" not in replies.privacy(language, retention_days=days).text


@pytest.mark.parametrize("language", CODES)
def test_the_welcome_prints_the_retention_and_offers_languages_topics_and_a_person(language):
    shelf = PackCatalogue(pack.load(Path("data")))
    first, second = replies.welcome(shelf, language, retention_days=31)
    assert "31" in first.text
    assert pressed(first) == [payloads.language(code) for code in CODES]
    assert pressed(second) == [*(payloads.topic(topic) for topic in replies.WELCOME_TOPICS), payloads.HUMAN]


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("kind", CRISES)
def test_a_safety_text_comes_first_and_its_numbers_are_checked_ones(kind, language):
    shown = replies.crisis(kind, language, country=None, today=TODAY, places=PLACES)
    numbers = hotlines.numbers(kind, None, today=TODAY, folder=PLACES)
    assert shown.text.startswith(texts.text(f"crisis.{kind}", language))
    assert all(line.number in shown.text for line in numbers)
    assert shown.text.count("☎") == len(numbers)
    assert texts.text("crisis.numbers_elsewhere", language) in shown.text
    assert shown.speaker == "system"
    assert "{" not in shown.text


def test_a_safety_text_shows_no_number_that_was_not_checked_for_half_a_year():
    late = max(line.last_checked for line in hotlines.load(Path("data/places"))) + FRESH + timedelta(days=1)
    shown = replies.crisis("self_harm", "en", country=None, today=late, places=PLACES)
    assert "☎" not in shown.text
    assert "Numbers checked" not in shown.text
    assert texts.text("crisis.self_harm", "en") in shown.text


def test_a_safety_text_for_a_known_country_shows_its_number_first():
    shown = replies.crisis("self_harm", "fr", country="FR", today=TODAY, places=PLACES).text
    assert 0 < shown.index("3114") < shown.index("116 123")
    assert texts.text("crisis.numbers_elsewhere", "fr") not in shown


@pytest.mark.parametrize("language", CODES)
@pytest.mark.parametrize("kind", replies.SMALLTALK)
def test_every_kind_of_small_talk_has_an_answer(kind, language):
    assert replies.smalltalk(kind, language).text


@pytest.mark.parametrize("language", CODES)
def test_whatever_is_not_understood_leads_to_a_person(language):
    shelf = PackCatalogue(pack.load(Path("data")))
    for key in ("fallback", "out_of_scope", "feedback.not_helpful"):
        assert pressed(replies.fallback(shelf, language, key=key))[0] == payloads.HUMAN
    assert payloads.HUMAN in pressed(replies.unlaunched(language))
    assert all(row.name in replies.unlaunched(language).text for row in launched())


@pytest.mark.parametrize("language", CODES)
def test_every_button_of_every_reply_is_understood_and_fits(language):
    shelf = PackCatalogue(pack.load(Path("data")))
    said = [
        *replies.welcome(shelf, language, retention_days=90),
        *(replies.answer(shelf, topic, language, today=TODAY) for topic in shelf.topics()),
        replies.did_you_mean(shelf, shelf.topics()[:3], language),
        replies.fallback(shelf, language),
        replies.unlaunched(language),
        replies.delete_question(language),
        replies.choose_language(language),
    ]
    for button in (button for message in said for button in message.buttons):
        assert payloads.parse(button.payload) is not None, button
        assert len(button.payload.encode()) <= 64
        assert len(button.title) <= 20
        assert len(button.description) <= 72


def test_erasing_is_asked_before_it_is_done():
    assert pressed(replies.delete_question("en")) == [payloads.DELETE_YES, payloads.DELETE_NO]


def test_an_export_names_its_file_and_is_said_by_the_system():
    assert (replies.export("en").document, replies.export("en").speaker) == ("export", "system")
