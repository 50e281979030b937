import pytest

from bot.channels.limits import width
from bot.channels.twilio_content import plan
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.worker.typed import chosen

ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "
RIGHT, LEFT = "\u200f", "\u200e"
RATINGS = (Button("👍 Helpful", "f:+:12"), Button("👎 Not helpful", "f:-:12"))


def planned(text: str, language: str = "en", *buttons: Button) -> list[str]:
    return [part["body"] for part in plan(Outgoing(text, language, buttons))]


def test_a_file_that_is_missing_is_not_announced() -> None:
    with pytest.raises(DeliveryError, match="missing"):
        plan(Outgoing("Your copy", "en", document="export"))


def test_nothing_is_made_of_nothing() -> None:
    with pytest.raises(DeliveryError, match="nothing to send"):
        plan(Outgoing(" ", "en", RATINGS))


def test_choices_are_numbered_lines_below_the_text() -> None:
    buttons = (Button("Yes", "d:yes", "Delete all\nof it"), Button("No", "d:no"), *RATINGS)
    assert planned("Are you sure?", "en", *buttons) == [
        f"Are you sure?\n\nChoose\n{LEFT}1. Yes — Delete all of it\n{LEFT}2. No"
    ]


def test_numbers_stand_at_the_right_in_right_to_left_languages() -> None:
    body = planned("أي لغة؟", "ar", Button("English", "l:en"), Button("العربية", "l:ar"))[0]
    assert body.split("\n")[3:] == [f"{RIGHT}1. English", f"{RIGHT}2. العربية"]


@pytest.mark.parametrize("language", ["en", "ar", "bn", "ka"])
def test_the_number_of_each_line_chooses_its_button(language: str) -> None:
    same = [Button("Same", f"t:topic_{letter}") for letter in "aab"]
    buttons = (RATINGS[0], *same, RATINGS[1], Button("Talk to a person", "h"))
    lines = planned("Which?", language, *buttons)[0].split("\n")[3:]
    numbers = [line[1:].split(".")[0] for line in lines]
    assert [chosen(number, buttons) for number in numbers] == ["t:topic_a", "t:topic_a", "t:topic_b", "h"]


def test_a_message_of_ratings_alone_lists_nothing() -> None:
    assert planned("The answer.", "en", *RATINGS) == ["The answer."]


@pytest.mark.parametrize("text", ["", "x" * 1500, "x" * 1601, ARABIC * 300, "😀" * 5000, f"{ARABIC * 20}\n\nWhich?"])
@pytest.mark.parametrize("count", [1, 3, 12, 60])
def test_choices_of_any_number_stay_together_behind_a_text_of_any_length(text: str, count: int) -> None:
    buttons = tuple(Button(f"Choice {number}", f"p:{number}:12", "d" * 72) for number in range(1, count + 1))
    bodies = planned(text, "en", *buttons)
    assert all(0 < width(body) <= 1600 for body in bodies)
    joined = "\n".join(bodies)
    assert [f"{LEFT}{number}. Choice {number} —" in joined for number in range(1, count + 1)] == [True] * count
    if count <= 12:
        assert f"Choose\n{LEFT}1." in bodies[-1]
    words = "".join(joined.partition("Choose")[0].split())
    assert words == "".join(text.split())
