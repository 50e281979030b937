import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.nlu.normalise import fold
from bot.nlu.phrases import Pattern, PatternError, PhraseMatcher


def found(pattern: str, text: str) -> bool:
    return bool(PhraseMatcher([("x", pattern)]).find(fold(text)))


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("want to die", "I really want to die now"),
        ("want .. die", "i want to just die"),
        ("(end|finish) my life", "I will finish my life"),
        ("(tengo|soy) .. (solo|sola)", "tengo quince años y estoy solo"),
        ("deport*", "they will be deporting me"),
        ("*جواز*", "ضاع وجوازي"),
        ("want (to)? go", "I want go"),
        ("want (to)? go", "I want to go"),
        ("(i am|im) (15|16) .. alone", "im 16 and alone"),
        ("self harm", "SELF-HARM"),
    ],
)
def test_a_pattern_finds_what_it_describes(pattern, text):
    assert found(pattern, text)


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        ("want to die", "I want to diet"),
        ("want .. die", "i want a b c d e die"),
        ("die", "diesel"),
        ("deport*", "undeported"),
        ("want (to)? go", "want not go"),
        ("my life", "my wildlife"),
    ],
)
def test_a_pattern_finds_nothing_else(pattern, text):
    assert not found(pattern, text)


@pytest.mark.parametrize("pattern", ["", "..", "(a|b", "!!!"])
def test_a_pattern_that_says_nothing_is_refused(pattern):
    with pytest.raises(PatternError):
        Pattern(pattern)


WORDS = st.lists(
    st.sampled_from(["want", "die", "passport", "جواز", "আমি", "l'asile", "no", "help*", "*way"]),
    min_size=1,
    max_size=4,
)


@given(WORDS, st.lists(st.sampled_from(["x", "yy", "zzz"]), max_size=3))
def test_the_index_never_hides_a_match_that_the_expression_would_find(words, around):
    pattern = " ".join(words)
    text = fold(" ".join([*around, *(word.replace("*", "q") for word in words), *around]))
    assert bool(Pattern(pattern).regex.search(text + " ")) == bool(PhraseMatcher([("x", pattern)]).find(text))
