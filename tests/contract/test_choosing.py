from dataclasses import replace

import pytest

from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing
from bot.texts import text
from tests.contract.peer import Choice
from tests.contract.samples import RIGHT_TO_LEFT, SENTENCE, bare
from tests.contract.stage import Person, Stage

LETTERS = "abcdefghijklmnopqrstuvwxyz"


def offer(size: int) -> Outgoing:
    """A question with so many answers, none of whose titles is a number."""
    buttons = (Button(f"Topic {letter.upper()}", payloads.topic(f"about_{letter}")) for letter in LETTERS[:size])
    return Outgoing("What is it about?", "en", tuple(buttons), listed=size > 3)


async def choose_all(stage: Stage, person: Person) -> list[str]:
    """Makes every choice, then goes on to the next page while there is one; what we understood, in order."""
    more: Choice | None = None
    while True:
        offered = await stage.choices(person)
        more = next((choice for choice in offered if choice.title == text("button.more", "en")), None)
        for choice in offered:
            if choice is not more:
                await stage.choose(person, choice)
        if more is None:
            return [turn.payload for turn in stage.listener.turns]
        await stage.choose(person, more)


@pytest.mark.parametrize("size", [3, 10, 25])
async def test_every_choice_can_be_made_and_is_understood(stage: Stage, size: int) -> None:
    person = await stage.meet()
    stage.listener.turns.clear()
    message = offer(size)
    await stage.reply(person, message)
    assert await choose_all(stage, person) == [button.payload for button in message.buttons]


async def test_every_choice_below_a_long_text_can_be_made_and_the_text_is_whole(stage: Stage) -> None:
    person = await stage.meet()
    stage.listener.turns.clear()
    message = replace(offer(25), text=" ".join([SENTENCE] * 70))
    await stage.reply(person, message)
    assert bare("".join(await stage.texts(person))).startswith(bare(message.text))
    assert await choose_all(stage, person) == [button.payload for button in message.buttons]


async def test_choices_in_a_right_to_left_script_can_be_made(stage: Stage) -> None:
    person = await stage.meet()
    stage.listener.turns.clear()
    buttons = tuple(replace(button, title=f"العودة {button.title[-1]}") for button in offer(10).buttons)
    message = replace(offer(10), text=RIGHT_TO_LEFT, language="ar", buttons=buttons)
    await stage.reply(person, message)
    assert await choose_all(stage, person) == [button.payload for button in buttons]


async def test_choices_are_shown_under_their_question(stage: Stage) -> None:
    person = await stage.meet()
    await stage.reply(person, offer(3))
    seen = "\n".join(await stage.texts(person))
    assert seen.startswith("What is it about?")
    assert [choice.title for choice in await stage.choices(person)] == ["Topic A", "Topic B", "Topic C"]


async def test_a_choice_whose_title_is_typed_is_made(stage: Stage) -> None:
    person = await stage.meet()
    stage.listener.turns.clear()
    await stage.reply(person, offer(25))
    await stage.write(person.address, "topic y")
    await stage.answer()
    assert [turn.payload for turn in stage.listener.turns] == [payloads.topic("about_y")]


async def test_an_invented_choice_does_not_become_a_payload(stage: Stage) -> None:
    person = await stage.meet()
    stage.listener.turns.clear()
    await stage.choose(person, Choice("Delete", "x:drop_everything"))
    assert [turn.payload for turn in stage.listener.turns] == [""]
