import pytest

from bot.nlu.normalise import fold


@pytest.mark.parametrize(
    ("text", "folded"),
    [
        ("I can't BREATHE!!", "i cant breathe"),
        ("J'ai été débouté de l'asile ?", "j ai ete deboute de l asile"),
        ("¿Cuánto   dinero?", "cuanto dinero"),
        ("heeeelp meee", "help me"),
        ("أُريدُ الرّجوعَ إلى بلدي", "اريد الرجوع الي بلدي"),
        ("ســـــفارة", "سفاره"),
        ("شেষ কবে?".replace("ش", ""), "েষ কবে"),
        ("İstanbul ışık", "istanbul isik"),
        ("🙂🙂", ""),
        ("a\u0000b\u200bc", "a b c"),
    ],
)
def test_folding(text, folded):
    assert fold(text) == folded


def test_folding_twice_changes_nothing():
    for text in ("J'ai été débouté", "أُريدُ الرّجوعَ", "কবে শেষ", "ça va?"):
        assert fold(fold(text)) == fold(text)
