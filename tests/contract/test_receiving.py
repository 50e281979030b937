import asyncio

from bot.messaging import payloads
from tests.contract.samples import TEXTS
from tests.contract.stage import Stage

# with a right proof, but not what any platform sends
RUBBISH = (b"", b"{", b"[]", b"null", b"7", b"\xff\xfe\x00", b"[" * 50_000, b"a=b&a=c&%")


async def test_a_text_is_stored_exactly_as_it_was_written(stage: Stage) -> None:
    for text in TEXTS:
        assert await stage.write(stage.peer.address(1), text) < 300
    assert [row.text for row in stage.inbox()] == list(TEXTS)
    assert {(row.channel, row.kind) for row in stage.inbox()} == {(stage.peer.name, "text")}


async def test_a_message_that_comes_again_is_stored_once(stage: Stage) -> None:
    for _ in range(2):
        assert await stage.write(stage.peer.address(1), "hello", 5) < 300
    assert len(stage.inbox()) == 1


async def test_a_message_that_comes_ten_times_at_once_is_stored_once(stage: Stage) -> None:
    statuses = await asyncio.gather(*(stage.write(stage.peer.address(1), "hello", 5) for _ in range(10)))
    assert max(statuses) < 300
    assert len(stage.inbox()) == 1


async def test_messages_of_two_people_are_kept_apart(stage: Stage) -> None:
    first, second = await stage.meet(1), await stage.meet(2)
    assert first.conversation_id != second.conversation_id
    await stage.write(second.address, "again")
    assert stage.inbox()[-1].conversation_id == second.conversation_id


async def test_messages_keep_their_order(stage: Stage) -> None:
    for number in range(8):
        await stage.write(stage.peer.address(1), f"number {number}")
    assert [row.text for row in stage.inbox()] == [f"number {number}" for number in range(8)]


async def test_a_forged_request_is_refused_and_nothing_is_stored(stage: Stage) -> None:
    for call in stage.peer.forged(stage.peer.written(stage.peer.address(1), "hello", 1)):
        assert await stage.post(call) in (400, 401, 403, 404)
    assert stage.inbox() == []


async def test_rubbish_with_a_right_proof_is_no_error_of_ours(stage: Stage) -> None:
    for content in RUBBISH:
        assert await stage.post(stage.peer.signed(content)) < 500, content
    assert stage.inbox() == []


async def test_a_request_with_anything_missing_or_wrong_is_no_error_of_ours(stage: Stage) -> None:
    for call in stage.peer.mangled(stage.peer.written(stage.peer.address(1), "hello", 1)):
        assert await stage.post(call) < 500, call.content
    assert await stage.write(stage.peer.address(2), "still here", 99) < 300
    assert stage.inbox()[-1].text == "still here"


async def test_our_slash_commands_are_commands(stage: Stage) -> None:
    for name in payloads.COMMANDS:
        await stage.write(stage.peer.address(1), f"/{name}")
    assert [(row.kind, row.payload) for row in stage.inbox()] == [("command", name) for name in payloads.COMMANDS]
    await stage.answer()
    assert [turn.payload for turn in stage.listener.turns] == [payloads.command(name) for name in payloads.COMMANDS]
