import json

from hypothesis import given
from hypothesis import strategies as st

from bot.messaging.messages import Button, Outcome, Outgoing, Response, Shown

words = st.text(st.characters(exclude_categories=("Cs",)), max_size=40)
buttons = st.builds(Button, title=words, payload=words, description=words)
outgoing = st.builds(
    Outgoing,
    text=words,
    language=st.sampled_from(["en", "ar"]),
    buttons=st.lists(buttons, max_size=3).map(tuple),
    speaker=st.sampled_from(["bot", "counsellor", "system"]),
    shown=st.none() | st.builds(Shown, entry=words, language=words, version=st.integers(1, 99)),
    document=st.sampled_from(["", "export"]),
    listed=st.booleans(),
)


@given(outgoing)
def test_a_message_is_the_same_after_it_was_kept_as_json(message):
    assert Outgoing.from_json(json.loads(json.dumps(message.to_json()))) == message


def test_a_message_kept_by_an_older_version_without_newer_fields_is_still_read():
    kept = {"text": "hello", "language": "en", "buttons": [{"title": "Yes", "payload": "d:yes"}]}
    assert Outgoing.from_json(kept) == Outgoing("hello", "en", (Button("Yes", "d:yes"),))


def test_saying_something_first_shifts_what_the_transcript_has_already():
    first, second = Outgoing("a", "en"), Outgoing("b", "en")
    response = Response((second,), (), Outcome("answer"), frozenset({0})).preceded_by(first)
    assert response.replies == (first, second)
    assert response.remembered == {1}
    assert response.outcome.kind == "answer"
