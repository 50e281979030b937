import logging
import socket
from collections.abc import AsyncIterator

import pytest

from bot.channels.limits import WHATSAPP_PACE as PACE
from bot.channels.whatsapp import LONGEST, WhatsAppChannel
from bot.messaging import outbox
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.graph import Graph
from tests.support.rate import Rate
from tests.support.whatsapp_talk import PERSON, choices, deliver, say


async def failure(channel: WhatsAppChannel, text: str = "hello") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, text)
    return caught.value


async def test_a_text_is_sent_as_it_is_and_carries_its_reference(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    assert await say(whatsapp, "*stars* 👋🏽 مرحبا") == "wamid.1"
    assert graph.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": PERSON,
            "type": "text",
            "text": {"body": "*stars* 👋🏽 مرحبا", "preview_url": False},
            "biz_opaque_callback_data": "17",
        }
    ]


async def test_requests_go_to_the_versioned_address_of_our_number(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, "hello")
    version, phone, what = graph.paths[0].strip("/").split("/")
    assert version.startswith("v")
    assert float(version[1:]) >= 23
    assert (phone, what) == (graph.phone_id, "messages")


async def test_a_person_without_a_number_is_written_to_by_user_id(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    for address in ("BE.13491208655302741918", "BE.1a2B3c"):
        await say(whatsapp, "hello", to=address)
        assert graph.sent[-1]["recipient"] == address
        assert "to" not in graph.sent[-1]


async def test_every_part_carries_a_reference_and_only_the_last_names_the_whole(
    whatsapp: WhatsAppChannel, graph: Graph
) -> None:
    message = Outgoing("x" * 9000, "en", tuple(choices(4)), document="export")
    await deliver(whatsapp, message, document=b"copy", outbox_id=12)
    references = [sent["biz_opaque_callback_data"] for sent in graph.sent]
    assert references == ["12.1", "12.2", "12.3", "12"]
    assert [sent["type"] for sent in graph.sent] == ["text", "text", "interactive", "document"]


async def test_a_part_that_fails_leaves_the_earlier_ones_sent(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    first, second = whatsapp.plan(Outgoing("x" * 4096 + "y", "en"), outbox_id=12)
    await whatsapp.send(PERSON, first, reference="12.1")
    graph.fail(131056)
    with pytest.raises(DeliveryError):
        await whatsapp.send(PERSON, second, reference="12")
    assert await whatsapp.send(PERSON, second, reference="12") == "wamid.2"
    assert [sent["text"]["body"][-1] for sent in graph.sent] == ["x", "y"]


# --- refusals


@pytest.mark.parametrize(
    ("code", "status", "reason", "permanent", "pause"),
    [
        (131026, 400, "not reachable on WhatsApp (131026)", True, None),
        (131030, 400, "not among the numbers this test account may write to (131030)", True, None),
        (100, 400, "refused by WhatsApp (100)", True, None),
        (131009, 400, "refused by WhatsApp (131009)", True, None),
        (131047, 400, "outside the 24 hour window", False, None),
        (131056, 400, "too many messages (131056)", False, 6.0),
        (130429, 429, "too many messages (130429)", False, 60.0),
        (80007, 400, "too many messages (80007)", False, 60.0),
        (4, 400, "too many messages (4)", False, 60.0),
        (190, 401, "token refused", False, None),
        (0, 401, "token refused", False, None),
        (10, 403, "permission refused (10)", False, None),
        (131000, 500, "WhatsApp is unavailable (131000)", False, None),
        (131016, 503, "WhatsApp is unavailable (131016)", False, None),
        (777, 500, "WhatsApp is unavailable (777)", False, None),
    ],
)
async def test_each_refusal_has_a_reason_and_says_whether_to_try_again(
    whatsapp: WhatsAppChannel, graph: Graph, code: int, status: int, reason: str, permanent: bool, pause: float | None
) -> None:
    graph.fail(code, status=status, message=f"secret words to {PERSON}")
    error = await failure(whatsapp)
    assert (error.reason, error.permanent, error.retry_after) == (reason, permanent, pause)
    assert error.outside_window is (code == 131047)
    assert not error.uncertain


@pytest.mark.parametrize(
    ("content", "status", "pause", "uncertain"),
    [
        ("<html>busy</html>", 429, 60.0, False),
        ("<html>", 500, None, False),
        ("<html>", 503, None, False),
        ("<html>", 200, None, True),
        ("{}", 200, None, True),
        ('{"messages": []}', 200, None, True),
        ("[]", 200, None, True),
    ],
)
async def test_an_answer_of_something_in_between_is_tried_again(
    whatsapp: WhatsAppChannel, graph: Graph, content: str, status: int, pause: float | None, uncertain: bool
) -> None:
    graph.answer(content, status=status)
    error = await failure(whatsapp)
    assert (error.permanent, error.retry_after, error.uncertain) == (False, pause, uncertain)
    assert "html" not in error.reason


async def test_a_wrong_token_is_no_fault_of_the_message(whatsapp_settings: Settings) -> None:
    channel = WhatsAppChannel(Settings(**vars(whatsapp_settings) | {"whatsapp_token": "x"}))
    error = await failure(channel)
    assert (error.reason, error.permanent) == ("token refused", False)
    await channel.close()


# --- limits of the platform


async def test_somebody_written_to_too_fast_is_left_for_a_while(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.pair = Rate(2, PACE.seconds)
    await say(whatsapp, "one")
    await say(whatsapp, "two")
    error = await failure(whatsapp, "three")
    assert (error.reason, error.retry_after) == ("too many messages (131056)", PACE.seconds)
    assert await say(whatsapp, "to another", to="32470000002")


def test_our_pace_is_the_one_that_the_platform_allows(graph: Graph) -> None:
    assert (graph.pair.burst, graph.pair.seconds) == (PACE.burst, PACE.seconds)
    assert [graph.pair.take(PERSON) for _ in range(PACE.burst + 1)] == [True] * PACE.burst + [False]


async def test_more_than_the_number_may_send_is_left_for_later(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.throughput = Rate(1, 60.0)
    await say(whatsapp, "one")
    with pytest.raises(DeliveryError) as caught:
        await say(whatsapp, "two", to="32470000002")
    assert caught.value.retry_after == 60.0


# --- whether it arrived


@pytest.fixture
async def impatient(monkeypatch: pytest.MonkeyPatch, whatsapp_settings: Settings) -> AsyncIterator[WhatsAppChannel]:
    """Waits 0.3 s for an answer."""
    monkeypatch.setattr("bot.channels.whatsapp.TIMEOUT", 0.3)
    made = WhatsAppChannel(whatsapp_settings)
    yield made
    await made.close()


async def test_an_answer_that_never_comes_leaves_open_whether_it_arrived(
    impatient: WhatsAppChannel, graph: Graph
) -> None:
    graph.hang(1.0)
    error = await failure(impatient)
    assert (error.uncertain, error.permanent) == (True, False)
    assert len(graph.sent) == 1


async def test_a_connection_that_breaks_off_leaves_open_whether_it_arrived(
    whatsapp: WhatsAppChannel, graph: Graph
) -> None:
    graph.drop()
    error = await failure(whatsapp)
    assert (error.uncertain, error.permanent) == (True, False)
    assert len(graph.sent) == 1
    assert await say(whatsapp, "next") == "wamid.2"


async def test_a_slow_answer_is_waited_for(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.dribble(0.005)
    assert await say(whatsapp, "hello") == "wamid.1"


async def test_an_answer_without_end_leaves_open_whether_it_arrived(
    whatsapp: WhatsAppChannel, graph: Graph, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.channels.whatsapp.LONGEST", 0.3)
    graph.dribble(0.1)
    error = await failure(whatsapp)
    assert (error.reason, error.uncertain) == ("WhatsApp did not answer in time", True)
    assert await say(whatsapp, "next") == "wamid.2"


def test_the_longest_send_ends_before_the_outbox_gives_the_message_to_another() -> None:
    assert outbox.LEASE.total_seconds() > LONGEST


async def test_without_a_connection_it_is_certain_that_nothing_arrived() -> None:
    channel = WhatsAppChannel(Settings(whatsapp_token="t", whatsapp_phone_id="1", whatsapp_api="http://127.0.0.1:9"))
    error = await failure(channel)
    assert (error.reason, error.permanent, error.uncertain) == ("WhatsApp cannot be reached", False, False)
    await channel.close()


async def test_a_host_that_takes_no_connection_in_time_got_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("bot.channels.whatsapp.TIMEOUT", 0.3)
    full = socket.socket()
    full.bind(("127.0.0.1", 0))
    full.listen(0)
    waiting = socket.create_connection(full.getsockname())  # fills its queue
    address = f"http://127.0.0.1:{full.getsockname()[1]}"
    channel = WhatsAppChannel(Settings(whatsapp_token="t", whatsapp_phone_id="1", whatsapp_api=address))
    error = await failure(channel)
    assert (error.reason, error.uncertain) == ("WhatsApp cannot be reached", False)
    await channel.close()
    waiting.close()
    full.close()


async def test_a_document_whose_upload_breaks_off_was_not_sent(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.drop(after=1)
    with pytest.raises(DeliveryError) as caught:
        await deliver(whatsapp, Outgoing("Your copy", "en", document="export"), document=b"copy")
    assert (caught.value.permanent, caught.value.uncertain) == (False, False)
    assert [sent["type"] for sent in graph.sent] == ["text"]


# --- what is logged, and courtesies


async def test_nothing_of_a_message_is_logged(
    whatsapp: WhatsAppChannel, graph: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    graph.fail(131000, status=500)
    await failure(whatsapp, "words of a counsellor")
    await say(whatsapp, "words of a counsellor")
    assert "words of a counsellor" not in caplog.text
    assert PERSON not in caplog.text
    assert graph.token not in caplog.text


async def test_typing_also_marks_the_message_as_read(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await whatsapp.typing(PERSON, "wamid.in1")
    assert graph.reads == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.in1",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_typing_never_fails(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    graph.fail(131009)
    await whatsapp.typing(PERSON, "wamid.in1")
    graph.answer("<html>")
    await whatsapp.typing(PERSON, "wamid.in1")
    graph.drop()
    await whatsapp.typing(PERSON, "wamid.in1")
