from pathlib import Path

import pytest

from bot.nlu.components import language_samples, read_samples
from bot.nlu.importer import faq_messages
from bot.nlu.language_choice import choose
from bot.nlu.language_id import Guess, LanguageModel, script_of


@pytest.fixture(scope="module")
def model(tmp_path_factory) -> LanguageModel:
    samples = language_samples(read_samples(Path("data/languages")), faq_messages(Path("data/faq")))
    path = tmp_path_factory.mktemp("model") / "languages.npz"
    LanguageModel.train(samples).save(path)
    return LanguageModel.load(path)


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("how can i go home", "en"),
        ("débouté de l'asile je peux avoir l'aide ?", "fr"),
        ("g pa de papié", "fr"),
        ("como puedo volver a mi pais", "es"),
        ("كيف أسجل للرجوع إلى بلدي", "ar"),
        ("kif ndir bach nrja3 l bladi", "ar"),
        ("biddi erja3 3a baladi kif sajjel", "ar"),
        ("wie kann ich nach hause zurückkehren", "de"),
        ("چگونه می توانم به کشورم برگردم", "fa"),
        ("میں واپس کیسے جا سکتا ہوں", "ur"),
        ("как мне вернуться домой", "ru"),
        ("як мені повернутися додому", "uk"),
        ("როგორ დავბრუნდე სახლში", "ka"),
        ("আমি কিভাবে দেশে ফিরব", "bn"),
        ("come posso tornare a casa mia", "it"),
    ],
)
def test_short_messages_are_recognised(model, text, language):
    assert model.guess(text).language == language


@pytest.mark.parametrize("text", ["", "123 456", "🙂", "\x00\x01"])
def test_without_letters_nothing_is_guessed(model, text):
    assert model.guess(text).language == "und"


def test_the_same_text_gives_the_same_answer(model):
    assert len({model.guess("quiero ir a casa ahora por favor") for _ in range(5)}) == 1


def test_scripts():
    assert [script_of(text) for text in ("abc", "مرحبا", "привет", "გამარჯობა", "12")] == [
        "Latin", "Arabic", "Cyrillic", "Georgian", None,
    ]  # fmt: skip


SURE_FRENCH = Guess("fr", 0.95, 6, (("fr", 0.95),))
SHORT_FRENCH = Guess("fr", 0.6, 1, (("fr", 0.6),))


def test_a_first_message_is_answered_in_its_language():
    assert choose(SURE_FRENCH, current=None, chosen=False, hint=None).reply == "fr"


def test_one_short_message_never_flips_the_conversation():
    assert choose(SHORT_FRENCH, current="ar", chosen=False, hint=None).reply == "ar"


def test_a_long_clear_message_flips_it():
    assert choose(SURE_FRENCH, current="ar", chosen=False, hint=None).reply == "fr"


def test_a_chosen_language_needs_more_to_flip():
    doubtful = Guess("fr", 0.85, 6, (("fr", 0.85),))
    assert choose(doubtful, current="ar", chosen=True, hint=None).reply == "ar"
    assert choose(SURE_FRENCH, current="ar", chosen=True, hint=None).reply == "fr"


def test_the_channels_hint_helps_where_the_message_does_not():
    assert choose(Guess("und", 0.0, 0), current=None, chosen=False, hint="es").reply == "es"


def test_a_language_that_is_not_launched_is_said_so():
    choice = choose(Guess("de", 0.95, 5, (("de", 0.95),)), current=None, chosen=False, hint=None)
    assert (choice.unlaunched, choice.detected, choice.reply) == (True, "de", "en")


def test_nothing_known_offers_the_buttons():
    assert choose(Guess("und", 0.0, 0), current=None, chosen=False, hint=None).unsure
