import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import limits
from bot.messaging import payloads
from bot.messaging.messages import Button


def words(text: str) -> str:
    return "".join(text.split())


def buttons(count: int) -> list[Button]:
    return [Button(f"Choice {number}", f"t:topic_{'abcdefghijklmnopqrstuvwxyz'[number]}") for number in range(count)]


def test_a_text_within_the_limit_stays_whole() -> None:
    assert limits.split_text("a" * 4096, 4096) == ["a" * 4096]


def test_one_character_too_many_makes_a_second_part() -> None:
    assert [len(part) for part in limits.split_text("a" * 4097, 4096)] == [4096, 1]


def test_an_empty_text_has_no_parts() -> None:
    assert limits.split_text(" \n ", 10) == []


def test_a_limit_that_no_emoji_fits_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 2"):
        limits.split_text("text", 1)


def test_paragraphs_are_preferred_to_sentences() -> None:
    text = "First one. Still the first.\n\nSecond one. And more of it."
    assert limits.split_text(text, 45) == ["First one. Still the first.", "Second one. And more of it."]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("How do I apply? Where do I go now", "How do I apply?"),
        ("كيف أقدم الطلب؟ أين أذهب الآن يا صديقي", "كيف أقدم الطلب؟"),
        ("میں درخواست کیسے دوں۔ اب کہاں جاؤں بھائی", "میں درخواست کیسے دوں۔"),
        ("मैं आवेदन कैसे करूँ। अब कहाँ जाऊँ मित्र", "मैं आवेदन कैसे करूँ।"),
        ("আমি কীভাবে আবেদন করব। এখন কোথায় যাব বন্ধু", "আমি কীভাবে আবেদন করব।"),
        ("我怎么申请呢朋友。现在我应该去哪里问问题", "我怎么申请呢朋友。"),
    ],
)
def test_sentences_end_as_each_script_ends_them(text: str, first: str) -> None:
    assert limits.split_text(text, len(first) + 6)[0] == first


def test_words_are_kept_whole_where_there_are_no_sentences() -> None:
    assert limits.split_text("eins zwei drei vier", 10) == ["eins zwei", "drei vier"]


@pytest.mark.parametrize("character", ["👨‍👩‍👧‍👦", "🇧🇪", "👍🏽", "e\u0301", "🏴󠁧󠁢󠁳󠁣󠁴󠁿", "कि"])
def test_a_visible_character_is_never_torn(character: str) -> None:
    parts = limits.split_text(character * 60, 50)
    assert len(parts) > 1
    assert all(part.count(character) * len(character) == len(part) for part in parts)


def test_length_is_counted_as_the_strictest_platform_counts() -> None:
    assert [len(part) for part in limits.split_text("😀" * 2049, 4096)] == [2048, 1]


@given(st.text(), st.integers(min_value=2, max_value=60))
def test_nothing_is_lost_and_no_part_is_too_long(text: str, limit: int) -> None:
    parts = limits.split_text(text, limit)
    assert words("".join(parts)) == words(text)
    assert all(part.strip() and limits.width(part) <= limit for part in parts)


@given(st.text(), st.integers(min_value=2, max_value=60))
def test_a_tail_fits_and_loses_nothing(text: str, limit: int) -> None:
    head, tail = limits.split_tail(text, limit)
    assert words(head + tail) == words(text)
    assert limits.width(tail) <= limit
    assert bool(tail) == bool(text.strip())


def test_the_tail_of_a_long_text_is_its_last_paragraph() -> None:
    assert limits.split_tail("a " * 30 + "\n\nDid that help?", 40) == (("a " * 30).strip(), "Did that help?")


def test_a_long_title_is_clipped_between_visible_characters() -> None:
    assert limits.clip("Talk to a person", 20) == "Talk to a person"
    assert limits.clip("Asile et protection 👨‍👩‍👧", 22) == "Asile et protection…"
    assert len(limits.clip("طلب المساعدة على العودة الطوعية", 20)) <= 20


def test_titles_that_look_alike_are_told_apart_and_repeated_ids_dropped() -> None:
    same = [Button("Support after return home", "t:one"), Button("Support after return there", "t:two")]
    shown = limits.distinct([*same, same[0]], 20)
    assert [button.payload for button in shown] == ["t:one", "t:two"]
    assert len({button.title for button in shown}) == 2
    assert all(len(button.title) <= 20 for button in shown)


def test_as_many_buttons_as_fit_need_no_second_page() -> None:
    assert limits.page(buttons(10), 10, "More", "17") == tuple(buttons(10))


def test_pages_together_show_every_button_once() -> None:
    shown: list[Button] = []
    for number in (1, 2, 3):
        page = limits.page(buttons(25), 10, "More", "17", number)
        assert len(page) <= 10
        shown += [button for button in page if button.title != "More"]
    assert shown == buttons(25)


def test_the_button_to_the_next_page_is_one_of_our_payloads() -> None:
    choice = payloads.parse(limits.page(buttons(11), 10, "More", "17")[-1].payload)
    assert choice is not None
    assert (choice.name, choice.values) == ("next_page", {"page": "2", "reply": "17"})
    assert limits.after(buttons(11), 2) == tuple(buttons(11)[9:])


def test_a_document_is_named_as_the_plain_text_it_is() -> None:
    assert limits.attachment("export") == ("export.txt", "text/plain")
    assert limits.attachment("copy.txt") == ("copy.txt", "text/plain")
