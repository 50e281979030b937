import asyncio
from datetime import timedelta

import pytest

from bot.messaging import outbox
from tests.contract.line import Fault
from tests.contract.samples import SENTENCE, bare
from tests.contract.stage import Stage

THREE = ["one", "two", "three"]


async def test_a_message_that_is_refused_for_good_fails_with_a_reason_and_later_ones_go_on(sending: Stage) -> None:
    person = await sending.meet()
    sending.peer.fail_once("refused")
    first, *_ = await sending.reply(person, *THREE)
    assert await sending.texts(person) == ["two", "three"]
    row = sending.row(first)
    assert (row.state, row.attempts) == ("failed", 1)
    assert row.problem
    assert "one" not in row.problem.split()
    assert person.address not in row.problem


async def test_the_platforms_wish_to_wait_is_kept_and_is_no_failed_try(sending: Stage) -> None:
    person = await sending.meet()
    sending.peer.fail_once("wait")
    first = sending.put(person, "one")
    await sending.deliver()
    sending.clock.shift(sending.peer.pause - 0.5)
    await sending.deliver()
    assert await sending.texts(person) == []
    sending.clock.shift(1)
    await sending.deliver()
    assert await sending.texts(person) == ["one"]
    assert (sending.row(first).state, sending.row(first).attempts) == ("sent", 0)


@pytest.mark.parametrize("failure", ["wait", "broken"])
async def test_messages_stay_in_order_when_the_first_must_be_tried_again(sending: Stage, failure: str) -> None:
    person = await sending.meet()
    if failure == "wait":
        sending.peer.fail_once("wait")
    else:
        sending.disturb("broken")
    await sending.reply(person, *THREE)
    assert await sending.texts(person) == THREE


async def test_a_server_error_is_tried_again_after_a_pause(sending: Stage) -> None:
    person = await sending.meet()
    sending.disturb("broken")
    first = sending.put(person, "one")
    await sending.deliver()
    row = sending.row(first)
    assert (row.state, row.attempts, await sending.texts(person)) == ("due", 1, [])
    await sending.settle()
    assert (sending.row(first).state, await sending.texts(person)) == ("sent", ["one"])


async def test_many_server_errors_lose_nothing(sending: Stage) -> None:
    person = await sending.meet()
    for _ in range(outbox.MAX_FAULTS + 1):
        sending.disturb("broken")
    await sending.reply(person, *THREE)
    assert await sending.texts(person) == THREE


async def test_a_retry_of_a_long_message_does_not_repeat_the_parts_that_arrived(sending: Stage) -> None:
    person = await sending.meet()
    assert sending.peer.limit is not None
    text = " ".join([SENTENCE] * (3 * sending.peer.limit // len(SENTENCE)))
    sending.disturb("broken", after=1)
    (long, _) = await sending.reply(person, text, "afterwards")
    *parts, last = await sending.texts(person)
    assert (bare("".join(parts)), last) == (bare(text), "afterwards")
    assert (sending.row(long).attempts, sending.row(long).state) == (1, "sent")


@pytest.mark.parametrize("fault", ["late", "cut"])
async def test_a_message_whose_acceptance_was_not_heard_is_not_lost(
    impatient: None, sending: Stage, fault: Fault
) -> None:
    person = await sending.meet()
    sending.disturb(fault)
    first, *_ = await sending.reply(person, *THREE)
    seen = await sending.texts(person)
    assert list(dict.fromkeys(seen)) == THREE
    assert seen.count("one") == 2  # nothing told that the first had arrived
    assert (sending.row(first).state, sending.row(first).attempts) == ("sent", 1)


@pytest.mark.parametrize("fault", ["late", "cut"])
async def test_it_is_not_repeated_either_where_a_receipt_carries_our_reference(
    impatient: None, sending: Stage, fault: Fault
) -> None:
    if not sending.peer.settles:
        pytest.skip("this platform's receipts carry no reference of ours")
    person = await sending.meet()
    sending.disturb(fault)
    first = sending.put(person, "one")
    await sending.deliver()
    assert sending.row(first).state == "due"
    for call in sending.peer.receipts():
        assert await sending.post(call) < 300
    await sending.settle()
    assert (sending.row(first).state, await sending.texts(person)) == ("sent", ["one"])


async def test_a_process_that_dies_while_it_sends_loses_nothing(sending: Stage) -> None:
    person = await sending.meet()
    sending.disturb("late")
    first, _ = sending.put(person, "one"), sending.put(person, "two")
    dying = asyncio.create_task(sending.deliver())
    assert await asyncio.to_thread(sending.line.taken.wait, 10)
    dying.cancel()
    await asyncio.gather(dying, return_exceptions=True)
    sending.clock.shift(outbox.LEASE + timedelta(seconds=1))
    await sending.settle()
    assert sending.row(first).state == "sent"
    assert list(dict.fromkeys(await sending.texts(person))) == ["one", "two"]


async def test_one_persons_trouble_does_not_hold_up_another(sending: Stage) -> None:
    first, second = await sending.meet(1), await sending.meet(2)
    sending.peer.fail_once("wait")
    sending.put(first, "for the first")
    await sending.deliver()
    sending.put(second, "for the second")
    await sending.deliver()
    assert (await sending.texts(first), await sending.texts(second)) == ([], ["for the second"])


async def test_a_trait_that_the_suite_relies_on_is_the_channels_own(sending: Stage) -> None:
    assert sending.channel is not None
    assert sending.channel.settles == sending.peer.settles
