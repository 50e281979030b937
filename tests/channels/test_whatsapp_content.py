import pytest

from bot.channels.whatsapp import WhatsAppChannel
from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing
from bot.messaging.protocols import DeliveryError
from tests.support.graph import Graph
from tests.support.whatsapp_talk import ARABIC, choices, deliver, say


async def test_a_text_of_4097_characters_is_sent_in_two_messages(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    assert await say(whatsapp, "x" * 4097) == "wamid.2"
    assert [len(sent["text"]["body"]) for sent in graph.sent] == [4096, 1]


async def test_a_long_right_to_left_text_arrives_whole_and_in_order(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, ARABIC * 100)
    parts = [sent["text"]["body"] for sent in graph.sent]
    assert len(parts) == 2
    assert " ".join(parts) == (ARABIC * 100).strip()


async def test_up_to_three_choices_are_reply_buttons(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, "Well?", *choices(3))
    interactive = graph.sent[0]["interactive"]
    assert (interactive["type"], interactive["body"]) == ("button", {"text": "Well?"})
    assert [button["reply"]["id"] for button in interactive["action"]["buttons"]] == [
        button.payload for button in choices(3)
    ]


async def test_a_long_text_goes_before_its_buttons(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, "x" * 1025 + "\n\nDid that help?", *choices(2))
    assert [sent["type"] for sent in graph.sent] == ["text", "interactive"]
    assert graph.sent[1]["interactive"]["body"]["text"] == "Did that help?"


@pytest.mark.parametrize("text", ["x" * 1024, "x" * 1025, ARABIC * 300, "😀" * 5000, ""])
async def test_a_text_of_any_length_can_have_buttons(whatsapp: WhatsAppChannel, graph: Graph, text: str) -> None:
    await say(whatsapp, text, *choices(2))
    bodies = [sent["text"]["body"] if sent["type"] == "text" else "" for sent in graph.sent[:-1]]
    last = graph.sent[-1]["interactive"]["body"]["text"]
    assert "".join("".join([*bodies, last]).split()) == "".join(text.split()) or (text, last) == ("", "Choose")


async def test_four_to_ten_choices_are_a_list(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, "Which?", *choices(10, description="d" * 90))
    action = graph.sent[0]["interactive"]["action"]
    assert action["button"] == "Choose"
    rows = action["sections"][0]["rows"]
    assert [row["id"] for row in rows] == [button.payload for button in choices(10)]
    assert len(rows[0]["description"]) == 72


async def test_more_than_ten_choices_lead_on_to_a_next_page(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(whatsapp, "Which?", *choices(11))
    rows = graph.sent[0]["interactive"]["action"]["sections"][0]["rows"]
    assert len(rows) == 10
    assert [row["id"] for row in rows[:9]] == [button.payload for button in choices(9)]
    choice = payloads.parse(rows[9]["id"])
    assert choice is not None
    assert choice.values == {"page": "2", "reply": "17"}


async def test_titles_too_long_or_alike_are_still_accepted(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    await say(
        whatsapp, "Which?", Button("Support after return home", "t:a"), Button("Support after return there", "t:b")
    )
    await say(whatsapp, "Which?", Button("Yes", "t:same"), Button("Yes again", "t:same"))
    assert len(graph.sent) == 2


async def test_a_document_is_uploaded_and_sent_after_its_text(whatsapp: WhatsAppChannel, graph: Graph) -> None:
    copy_of = "نسخة".encode()
    assert await deliver(whatsapp, Outgoing("Your copy", "en", document="export"), document=copy_of) == "wamid.2"
    assert graph.uploads == [("export.txt", "text/plain", copy_of)]
    assert [row["type"] for row in graph.sent] == ["text", "document"]
    assert graph.sent[1]["document"] == {"id": "4490709327384034", "filename": "export.txt"}
    assert graph.sent[1]["biz_opaque_callback_data"] == "17"


def test_a_document_that_is_missing_is_not_announced(whatsapp: WhatsAppChannel) -> None:
    with pytest.raises(DeliveryError) as caught:
        whatsapp.plan(Outgoing("Your copy", "en", document="export"), outbox_id=17)
    assert caught.value.permanent


@pytest.mark.parametrize("text", ["", " \n"])
def test_nothing_to_say_is_never_reported_as_sent(whatsapp: WhatsAppChannel, text: str) -> None:
    with pytest.raises(DeliveryError) as caught:
        whatsapp.plan(Outgoing(text, "en"), outbox_id=17)
    assert caught.value.permanent


def test_the_same_message_is_planned_the_same_way_again(whatsapp: WhatsAppChannel) -> None:
    message = Outgoing(ARABIC * 200, "ar", tuple(choices(25)), document="export")
    first = whatsapp.plan(message, outbox_id=17, document=b"copy")
    assert first == whatsapp.plan(message, outbox_id=17, document=b"copy")
    assert len(first) > 3
