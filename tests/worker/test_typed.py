import pytest

from bot.messaging.messages import Button
from bot.worker.typed import chosen

BUTTONS = (
    Button("Oui", "e:detention:yes"),
    Button("Non", "e:detention:no"),
    Button("Bureau", "t:process_contact_office", "Où se trouve le bureau ?"),
    Button("👍 Utile", "f:+:0"),
)


@pytest.mark.parametrize(
    ("text", "payload"),
    [
        ("oui", "e:detention:yes"), ("NON !", "e:detention:no"), ("1", "e:detention:yes"), ("2.", "e:detention:no"),
        ("bureau", "t:process_contact_office"), ("ou se trouve le bureau", "t:process_contact_office"),
        ("٢", "e:detention:no"), ("২", "e:detention:no"),
    ],
)  # fmt: skip
def test_a_typed_title_or_number_is_the_button(text, payload):
    assert chosen(text, BUTTONS) == payload


@pytest.mark.parametrize("text", ["0", "4", "99", "oui mais", "", "👍", "utile", "o" * 50])
def test_anything_else_is_a_message(text):
    assert chosen(text, BUTTONS) is None


def test_without_buttons_nothing_is_chosen():
    assert chosen("1", ()) is None
