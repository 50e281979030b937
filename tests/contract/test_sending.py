from datetime import timedelta

import pytest

from bot.channels import limits
from bot.handoff import queue
from bot.handoff.hours import OpeningHours
from bot.storage.account import Account
from tests.contract.samples import RIGHT_TO_LEFT, SENTENCE, TEXTS, bare
from tests.contract.stage import Stage


async def test_replies_arrive_unchanged_and_in_order(stage: Stage) -> None:
    person = await stage.meet()
    await stage.reply(person, *TEXTS)
    assert await stage.texts(person) == list(TEXTS)


async def test_nobody_sees_another_persons_messages(stage: Stage) -> None:
    first, second = await stage.meet(1), await stage.meet(2)
    await stage.reply(first, "for the first")
    await stage.reply(second, "for the second")
    assert (await stage.texts(first), await stage.texts(second)) == (["for the first"], ["for the second"])


@pytest.mark.parametrize("sentence", [SENTENCE, RIGHT_TO_LEFT], ids=["left to right", "right to left"])
async def test_a_long_text_arrives_whole_and_is_cut_between_sentences(stage: Stage, sentence: str) -> None:
    person = await stage.meet()
    text = " ".join([sentence] * (4097 // len(sentence) + 1))
    await stage.reply(person, text)
    parts = await stage.texts(person)
    assert bare("".join(parts)) == bare(text)
    assert all(part.endswith(sentence[-1]) for part in parts)
    if stage.peer.limit is None:
        assert len(parts) == 1
    else:
        assert max(limits.width(part) for part in parts) <= stage.peer.limit


async def test_the_first_text_that_is_too_long_by_one_arrives_whole(stage: Stage) -> None:
    person = await stage.meet()
    text = ("word " * 4096)[: (stage.peer.limit or 4096)] + "x"
    await stage.reply(person, text)
    parts = await stage.texts(person)
    assert bare("".join(parts)) == bare(text)
    assert len(parts) == (1 if stage.peer.limit is None else 2)


async def test_what_the_assistant_had_queued_is_withdrawn_once_a_counsellor_took_over(
    sending: Stage, open_hours: OpeningHours
) -> None:
    person = await sending.meet()
    queued = sending.put(person, "the assistant's answer")
    with sending.database.write() as session:
        account = Account(email="ana@example.org", name="Ana", password="-", roles=["counsellor"])
        session.add(account)
        case = queue.request(
            session, conversation_id=person.conversation_id, language="en", cause="test", hours=open_hours
        )
        queue.claim(session, case_id=case.id, account=account)
        queue.reply(session, case_id=case.id, account=account, text="Good morning, this is Ana.", key="1")
    await sending.settle()
    assert sending.row(queued).state == "withdrawn"
    assert "the assistant's answer" not in await sending.texts(person)
    assert (await sending.texts(person))[-1] == "Good morning, this is Ana."


async def test_a_message_for_somebody_long_silent_is_sent_or_kept_until_they_write(sending: Stage) -> None:
    person = await sending.meet()
    assert sending.channel is not None
    hours = sending.channel.service_window_hours
    sending.clock.shift(timedelta(hours=hours or 24, minutes=1))
    (late,) = await sending.reply(person, "after a day")
    assert (sending.row(late).state, await sending.texts(person)) == (
        ("sent", ["after a day"]) if hours is None else ("held", [])
    )
    await sending.write(person.address, "I am back")
    await sending.settle()
    assert await sending.texts(person) == ["after a day"]
