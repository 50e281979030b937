from pathlib import Path

import pytest

from bot.languages import launched
from bot.nlu.crisis import KINDS, CrisisRules


@pytest.fixture(scope="module")
def rules() -> CrisisRules:
    return CrisisRules.load(Path("data/crisis"))


def test_every_launched_language_has_rules_for_every_kind():
    from bot.yaml_files import read_yaml

    for language in launched():
        kinds = read_yaml(Path(f"data/crisis/{language.code}.yml"))["kinds"]
        assert set(kinds) == set(KINDS)
        assert all(len(lists["match"]) >= 20 for lists in kinds.values())


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("I don't want to live anymore", "self_harm"),
        ("je veux mourir", "self_harm"),
        ("quiero matarme", "self_harm"),
        ("بدي موت", "self_harm"),
        ("he is beating me now please", "violence"),
        ("mon mari me frappe", "violence"),
        ("mi marido me pega", "violence"),
        ("my boss took my passport and i cant leave", "trafficking"),
        ("i am 15 and alone", "child_alone"),
        ("j'ai 15 ans et je suis seul ici", "child_alone"),
        ("they force me to sign", "coercion"),
        ("i cant breathe my chest hurts", "medical"),
        ("quero morrer", "self_harm"),
        ("meu patrao pegou meu passaporte e nao me deixa sair", "trafficking"),
        ("ölmek istiyorum", "self_harm"),
        ("kocam beni dövüyor yardım edin", "violence"),
        ("не хочу больше жить", "self_harm"),
        ("muzh menya bet pomogite", "violence"),
        ("میخوام خودمو بکشم", "self_harm"),
        ("mara mezanan komak konid", "violence"),
        ("میں مرنا چاہتا ہوں", "self_harm"),
        ("main marna chahta hoon", "self_harm"),
        ("আমি মরে যেতে চাই", "self_harm"),
        ("amar swami amake marche", "violence"),
        ("სიკვდილი მინდა", "self_harm"),
        ("qmari mcems damexmaret", "violence"),
        ("dua te vdes", "self_harm"),
        ("burri po me rreh", "violence"),
    ],
)
def test_a_person_in_danger_is_seen(rules, text, kind):
    found = rules.find(text)
    assert found is not None
    assert found.kind == kind


@pytest.mark.parametrize(
    "text",
    [
        "my phone died",
        "ce film me tue",
        "I was beaten at football",
        "what help is there for victims of trafficking",
        "can a pregnant woman fly",
        "there is war in my country",
        "I am afraid to go back",
        "la batería se murió",
        "je meurs de faim lol",
        "هاتفي مات",
        "meu celular morreu",
        "telefonum öldü şarjı bitti",
        "этот фильм меня убил",
        "گوشیم مرد شارژ نداره",
        "میرا فون مر گیا چارج ختم",
        "ফোনটা মরে গেছে চার্জ নাই",
        "ტელეფონი მოკვდა",
        "me vdiq telefoni",
    ],
)
def test_everyday_words_raise_no_alarm(rules, text):
    assert rules.find(text) is None


def test_where_a_languages_own_rule_is_excused_the_rules_of_others_are_excused_too():
    kinds = {"self_harm": {"match": ["suicid*"], "unless": ["film .. suicid*"]}}
    rules = CrisisRules({"fr": kinds, "en": {"self_harm": {"match": ["suicid*"]}}})
    assert rules.find("un film sur le suicide") is None
    assert rules.find("je pense au suicide").kind == "self_harm"


def test_an_exception_of_a_language_whose_rules_saw_nothing_excuses_nobody():
    other = {"self_harm": {"match": ["xyz"], "unless": ["suicide"]}}
    rules = CrisisRules({"fr": other, "en": {"self_harm": {"match": ["suicide"]}}})
    assert rules.find("suicide") is not None


def test_the_most_pressing_kind_decides(rules):
    assert rules.find("they force me to sign and i want to die").kind == "self_harm"


def test_an_unknown_kind_is_refused():
    with pytest.raises(ValueError, match="unknown kind"):
        CrisisRules({"en": {"boredom": {"match": ["bored"]}}})
