import copy
import hashlib
import hmac
import json
import logging
from collections.abc import AsyncIterator, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.whatsapp import Receipt, WhatsAppChannel
from bot.channels.whatsapp_webhook import parse
from bot.messaging import payloads
from bot.messaging.messages import Button, Incoming, Outgoing
from bot.messaging.protocols import DeliveryError
from bot.settings import Settings
from tests.support.graph import Graph
from tests.support.server import serve

SPEC = "shared/specs/whatsapp-cloud-api-v23.openapi.yaml"
PHONE = Graph().phone_id
ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "


@pytest.fixture
def graph() -> Graph:
    return Graph()


@pytest.fixture
def settings(graph: Graph) -> Iterator[Settings]:
    with serve(graph.app) as url:
        yield Settings(
            whatsapp_token=graph.token,
            whatsapp_phone_id=graph.phone_id,
            whatsapp_app_secret="old-secret, new-secret",
            whatsapp_verify_token="handshake",
            whatsapp_api=url,
        )


@pytest.fixture
async def channel(settings: Settings) -> AsyncIterator[WhatsAppChannel]:
    made = WhatsAppChannel(settings)
    yield made
    await made.close()


def value(**fields: Any) -> dict[str, Any]:
    metadata = {"display_phone_number": "3221234567", "phone_number_id": PHONE}
    return {"messaging_product": "whatsapp", "metadata": metadata} | fields


def body(*values: dict[str, Any]) -> dict[str, Any]:
    changes = [{"field": "messages", "value": row} for row in values]
    return {"object": "whatsapp_business_account", "entry": [{"id": "215589313241560883", "changes": changes}]}


def message(kind: str, number: int = 1, /, **fields: Any) -> dict[str, Any]:
    base = {"from": "32470000001", "id": f"wamid.in{number}", "timestamp": "1700000000", "type": kind}
    return base | fields


def only(*rows: dict[str, Any]) -> Incoming:
    found, receipts = parse(body(value(messages=list(rows))), PHONE)
    assert receipts == []
    assert len(found) == 1
    return found[0]


# --- webhook: handshake and signature


def test_the_handshake_is_answered_only_with_the_right_token(channel: WhatsAppChannel) -> None:
    query = {"hub.mode": "subscribe", "hub.verify_token": "handshake", "hub.challenge": "1158201444"}
    assert channel.challenge(query) == "1158201444"
    for wrong in ({"hub.verify_token": "guess"}, {"hub.verify_token": "é"}, {"hub.mode": "unsubscribe"}):
        assert channel.challenge(query | wrong) is None
    assert channel.challenge({}) is None


async def test_without_a_verify_token_nobody_passes_the_handshake() -> None:
    channel = WhatsAppChannel(Settings(whatsapp_token="t", whatsapp_phone_id="1"))
    assert channel.challenge({"hub.mode": "subscribe", "hub.verify_token": "", "hub.challenge": "1"}) is None
    await channel.close()


def signed(secret: str, content: bytes) -> str:
    return "sha256=" + hmac.new(secret.encode(), content, hashlib.sha256).hexdigest()


def test_a_signature_with_either_secret_is_accepted_during_rotation(channel: WhatsAppChannel) -> None:
    content = json.dumps({"text": "مرحبا"}, ensure_ascii=False).encode()
    assert channel.verify(content, signed("old-secret", content))
    assert channel.verify(content, signed("new-secret", content))


@pytest.mark.parametrize("header", [None, "", "sha256=", "sha256=é", "sha1=abc", signed("other", b"{}")])
def test_a_wrong_signature_is_refused(channel: WhatsAppChannel, header: str | None) -> None:
    assert not channel.verify(b"{}", header)


def test_a_signature_holds_for_its_own_body_alone(channel: WhatsAppChannel) -> None:
    assert not channel.verify(b'{"a": 1}', signed("new-secret", b'{"a": 2}'))
    assert not channel.verify(b"{}", signed("new-secret", b"{}").removeprefix("sha256="))


async def test_without_a_secret_nothing_is_accepted() -> None:
    channel = WhatsAppChannel(Settings(whatsapp_token="t", whatsapp_phone_id="1"))
    assert not channel.verify(b"{}", signed("", b"{}"))
    await channel.close()


# --- webhook: reading


def test_a_text_becomes_a_message(channel: WhatsAppChannel) -> None:
    content = body(value(messages=[message("text", text={"body": "كيف أعود؟ 👋🏽"})]))
    expected = Incoming("whatsapp", "wamid.in1", "32470000001", text="كيف أعود؟ 👋🏽")
    assert channel.parse(content) == ([expected], [])


def test_our_slash_commands_work_and_other_slashes_are_text() -> None:
    command = only(message("text", text={"body": "/delete"}))
    assert (command.kind, command.payload) == ("command", "delete")
    assert only(message("text", text={"body": "/var/log"})).kind == "text"
    assert only(message("text", text={"body": "/unknown"})).kind == "text"


@pytest.mark.parametrize(
    ("kind", "content"),
    [
        ("interactive", {"type": "button_reply", "button_reply": {"id": "h", "title": "Talk to a person"}}),
        ("interactive", {"type": "list_reply", "list_reply": {"id": "h", "title": "Talk to a person"}}),
        ("button", {"payload": "h", "text": "Talk to a person"}),
    ],
)
def test_every_kind_of_button_carries_its_id(kind: str, content: dict[str, Any]) -> None:
    pressed = only(message(kind) | {kind: content})
    assert (pressed.kind, pressed.payload, pressed.text) == ("button", "h", "Talk to a person")


FILE = {"id": "M1", "mime_type": "a/b", "sha256": "x"}


@pytest.mark.parametrize(
    ("kind", "content", "shown", "reference"),
    [
        ("image", FILE, "image", "M1"),
        ("video", FILE, "video", "M1"),
        ("audio", FILE | {"voice": False}, "audio", "M1"),
        ("audio", FILE | {"voice": True}, "voice", "M1"),
        ("sticker", FILE | {"animated": False}, "sticker", "M1"),
        ("document", FILE | {"filename": "a.pdf"}, "document", "M1"),
        ("location", {"latitude": 50.85, "longitude": 4.35}, "location", "50.85,4.35"),
        ("contacts", [{"name": {"formatted_name": "A"}, "phones": [{"phone": "+322"}]}], "contacts", "+322"),
        ("order", {"catalog_id": "1", "product_items": []}, "order", ""),
        ("unsupported", {"type": "poll"}, "unsupported", ""),
        ("hologram", {"anything": 1}, "hologram", ""),
    ],
)
def test_what_is_not_text_is_kept_by_kind_and_reference(kind: str, content: Any, shown: str, reference: str) -> None:
    found = only(message(kind) | {kind: content})
    assert found.kind == "media"
    assert (found.media["kind"], found.media["ref"]) == (shown, reference)


def test_a_message_that_whatsapp_cannot_show_is_media() -> None:
    error = {"code": 131051, "title": "Message type unknown", "message": "Message type unknown"}
    assert only(message("unsupported", errors=[error])).media["kind"] == "unsupported"


def test_a_caption_is_read() -> None:
    assert only(message("image", image=FILE | {"caption": "Mon papier"})).text == "Mon papier"


def test_an_edited_message_is_no_new_question() -> None:
    edit = {"original_message_id": "wamid.in0", "message": message("text", text={"body": "corrected"})}
    edited = only(message("edit", edit=edit))
    assert (edited.kind, edited.text, edited.message_id) == ("edited", "corrected", "wamid.in1")


@pytest.mark.parametrize(
    "ignored",
    [
        message("reaction", reaction={"message_id": "wamid.out1", "emoji": "👍"}),
        message("system", system={"type": "user_changed_number", "wa_id": "32470000002", "body": "changed"}),
        message("revoke", revoke={"original_message_id": "wamid.in0"}),
        message("text", text={"body": "to all"}, group_id="Y2FwaV9ncm91cDox"),
    ],
)
def test_what_asks_nothing_is_left_out(ignored: dict[str, Any]) -> None:
    assert parse(body(value(messages=[ignored])), PHONE) == ([], [])


def test_a_person_without_a_number_is_known_by_the_user_id() -> None:
    text = message("text", text={"body": "hi"})
    del text["from"]
    contacts = [{"profile": {"username": "@amina"}, "user_id": "BE.13491208655302741918"}]
    found, _ = parse(body(value(messages=[text], contacts=contacts)), PHONE)
    assert found[0].address == "BE.13491208655302741918"
    assert only(text | {"from_user_id": "BE.77"}).address == "BE.77"


def test_a_known_number_is_preferred_to_the_user_id() -> None:
    assert only(message("text", text={"body": "hi"}, from_user_id="BE.77")).address == "32470000001"


def test_several_messages_entries_and_receipts_come_in_one_body() -> None:
    first = value(messages=[message("text", 1, text={"body": "a"}), message("text", 2, text={"body": "b"})])
    status = {"id": "wamid.out1", "status": "read", "timestamp": "1", "recipient_id": "32470000001"}
    content = body(first, value(statuses=[status]))
    content["entry"] += body(value(messages=[message("text", 3, text={"body": "c"})]))["entry"]
    found, receipts = parse(content, PHONE)
    assert [row.text for row in found] == ["a", "b", "c"]
    assert receipts == [Receipt("wamid.out1", "read")]


def test_messages_to_another_of_our_numbers_are_left_out() -> None:
    other = value(messages=[message("text", text={"body": "hi"})])
    other["metadata"]["phone_number_id"] = "999"
    assert parse(body(other), PHONE) == ([], [])


def test_webhooks_on_other_subjects_are_left_out() -> None:
    content = body(value())
    content["entry"][0]["changes"] = [{"field": "template_category_update", "value": {"new": 1}}]
    assert parse(content, PHONE) == ([], [])
    assert parse({"object": "page", "entry": []}, PHONE) == ([], [])


def test_a_failed_receipt_tells_code_reference_and_reason() -> None:
    failed = {
        "id": "wamid.out1",
        "status": "failed",
        "biz_opaque_callback_data": "17",
        "errors": [{"code": 131047, "title": "Re-engagement message"}],
    }
    played = {"id": "wamid.out2", "status": "played"}
    _, receipts = parse(body(value(statuses=[failed, played])), PHONE)
    assert receipts == [Receipt("wamid.out1", "failed", 131047, "17")]
    assert receipts[0].problem == "outside the 24 hour window"


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"object": "whatsapp_business_account"},
        {"object": "whatsapp_business_account", "entry": "none"},
        body({"messages": []}),
        body(value(messages=[{"type": "text"}])),
        body(value(messages=[message("text")])),
        body(value(messages=[message("text", text={"body": 5})])),
        body(value(messages=[message("interactive", interactive={"type": "button_reply"})])),
        body(value(messages=[message("location", location={"latitude": "north"})])),
        body(value(messages=[message("text", text={"body": "fine"}), "not a message"])),
        body(value(statuses=[{"id": "wamid.1", "status": "failed", "errors": [{"code": float("inf")}]}])),
    ],
)
def test_a_malformed_body_is_refused_whole(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"malformed webhook body|could not convert"):
        parse(broken, PHONE)


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text(max_size=5) | st.integers(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)
FULL = body(
    value(
        contacts=[{"wa_id": "32470000001"}],
        messages=[message("text", text={"body": "a"}), message("audio", audio=FILE), message("location", location={})],
        statuses=[{"id": "wamid.1", "status": "failed", "errors": [{"code": 1}]}],
    )
)


def places(content: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    keys = content if isinstance(content, dict) else range(len(content)) if isinstance(content, list) else ()
    for key in keys:
        yield (*path, key)
        yield from places(content[key], (*path, key))


@given(st.sampled_from(list(places(FULL))), JSON)
def test_no_body_however_wrong_raises_anything_but_a_value_error(path: tuple[Any, ...], wrong: Any) -> None:
    content = copy.deepcopy(FULL)
    parent: Any = content
    for key in path[:-1]:
        parent = parent[key]
    parent[path[-1]] = wrong
    try:
        messages, receipts = parse(content, PHONE)
    except ValueError:
        return
    assert all(isinstance(row.address, str) and row.address for row in messages)
    assert all(row.state in ("sent", "delivered", "read", "failed") for row in receipts)


# --- sending


def choices(count: int, **fields: str) -> list[Button]:
    letters = [chr(97 + number) for number in range(count)]
    return [Button(f"Choice {letter}", f"t:topic_{letter}", **fields) for letter in letters]


async def say(channel: WhatsAppChannel, text: str, *buttons: Button, to: str = "32470000001") -> str:
    return await channel.send(to, Outgoing(text, "en", buttons), reference="17")


async def test_a_text_is_sent_as_it_is_and_carries_its_reference(channel: WhatsAppChannel, graph: Graph) -> None:
    assert await say(channel, "*stars* 👋🏽 مرحبا") == "wamid.1"
    assert graph.sent == [
        {
            "messaging_product": "whatsapp",
            "recipient_type": "individual",
            "to": "32470000001",
            "type": "text",
            "text": {"body": "*stars* 👋🏽 مرحبا", "preview_url": False},
            "biz_opaque_callback_data": "17",
        }
    ]


async def test_requests_go_to_the_versioned_address_of_our_number(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, "hello")
    version, phone, what = graph.paths[0].strip("/").split("/")
    assert version.startswith("v")
    assert float(version[1:]) >= 23
    assert (phone, what) == (PHONE, "messages")


async def test_a_person_without_a_number_is_written_to_by_user_id(channel: WhatsAppChannel, graph: Graph) -> None:
    for address in ("BE.13491208655302741918", "BE.1a2B3c"):
        await say(channel, "hello", to=address)
        assert graph.sent[-1]["recipient"] == address
        assert "to" not in graph.sent[-1]


async def test_only_the_last_part_of_a_long_text_carries_the_reference(channel: WhatsAppChannel, graph: Graph) -> None:
    assert await say(channel, "x" * 4097) == "wamid.2"
    assert [len(sent["text"]["body"]) for sent in graph.sent] == [4096, 1]
    assert [sent.get("biz_opaque_callback_data") for sent in graph.sent] == [None, "17"]


async def test_a_long_right_to_left_text_arrives_whole_and_in_order(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, ARABIC * 100)
    parts = [sent["text"]["body"] for sent in graph.sent]
    assert len(parts) == 2
    assert " ".join(parts) == (ARABIC * 100).strip()


async def test_up_to_three_choices_are_reply_buttons(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, "Well?", *choices(3))
    interactive = graph.sent[0]["interactive"]
    assert (interactive["type"], interactive["body"]) == ("button", {"text": "Well?"})
    assert [button["reply"]["id"] for button in interactive["action"]["buttons"]] == [
        button.payload for button in choices(3)
    ]


async def test_a_long_text_goes_before_its_buttons(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, "x" * 1025 + "\n\nDid that help?", *choices(2))
    assert [sent["type"] for sent in graph.sent] == ["text", "interactive"]
    assert graph.sent[1]["interactive"]["body"]["text"] == "Did that help?"


@pytest.mark.parametrize("text", ["x" * 1024, "x" * 1025, ARABIC * 300, "😀" * 5000, ""])
async def test_a_text_of_any_length_can_have_buttons(channel: WhatsAppChannel, graph: Graph, text: str) -> None:
    await say(channel, text, *choices(2))
    bodies = [sent["text"]["body"] if sent["type"] == "text" else "" for sent in graph.sent[:-1]]
    last = graph.sent[-1]["interactive"]["body"]["text"]
    assert "".join("".join([*bodies, last]).split()) == "".join(text.split()) or (text, last) == ("", "Choose")


async def test_four_to_ten_choices_are_a_list(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, "Which?", *choices(10, description="d" * 90))
    action = graph.sent[0]["interactive"]["action"]
    assert action["button"] == "Choose"
    rows = action["sections"][0]["rows"]
    assert [row["id"] for row in rows] == [button.payload for button in choices(10)]
    assert len(rows[0]["description"]) == 72


async def test_more_than_ten_choices_lead_on_to_a_next_page(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(channel, "Which?", *choices(11))
    rows = graph.sent[0]["interactive"]["action"]["sections"][0]["rows"]
    assert len(rows) == 10
    assert [row["id"] for row in rows[:9]] == [button.payload for button in choices(9)]
    choice = payloads.parse(rows[9]["id"])
    assert choice is not None
    assert choice.values == {"page": "2", "reply": "17"}


async def test_titles_too_long_or_alike_are_still_accepted(channel: WhatsAppChannel, graph: Graph) -> None:
    await say(
        channel, "Which?", Button("Support after return home", "t:a"), Button("Support after return there", "t:b")
    )
    await say(channel, "Which?", Button("Yes", "t:same"), Button("Yes again", "t:same"))
    assert len(graph.sent) == 2


async def test_a_document_is_uploaded_and_sent_after_its_text(channel: WhatsAppChannel, graph: Graph) -> None:
    copy_of = "نسخة".encode()
    sent = await channel.send(
        "32470000001", Outgoing("Your copy", "en", document="export"), reference="17", document=copy_of
    )
    assert sent == "wamid.2"
    assert graph.uploads == [("export.txt", "text/plain", copy_of)]
    assert [row["type"] for row in graph.sent] == ["text", "document"]
    assert graph.sent[1]["document"] == {"id": "4490709327384034", "filename": "export.txt"}
    assert graph.sent[1]["biz_opaque_callback_data"] == "17"


async def test_a_document_that_is_missing_is_not_announced(channel: WhatsAppChannel, graph: Graph) -> None:
    with pytest.raises(DeliveryError) as caught:
        await channel.send("32470000001", Outgoing("Your copy", "en", document="export"), reference="17")
    assert caught.value.permanent
    assert graph.sent == []


# --- the official contract


@cache
def contract() -> dict[str, Any]:
    for folder in Path(__file__).resolve().parents:
        if (path := folder / SPEC).exists():
            with path.open("rb") as source:
                schemas = yaml.load(source, yaml.CSafeLoader)["components"]["schemas"]  # a safe loader
            return {"components": {"schemas": _adjusted(schemas)}, "$ref": "#/components/schemas/Message"}
    pytest.skip(f"{SPEC} is not beside this repository")


def _adjusted(schema: Any, inside_all_of: bool = False) -> Any:
    # each half of an allOf forbids the other half's properties, so that no message at all would be valid
    if isinstance(schema, list):
        return [_adjusted(row, inside_all_of) for row in schema]
    if not isinstance(schema, dict):
        return schema
    kept = {key: row for key, row in schema.items() if not (inside_all_of and key == "additionalProperties")}
    return {key: _adjusted(row, key == "allOf") for key, row in kept.items()}


def violations(sent: dict[str, Any]) -> list[str]:
    schema = contract()
    kind = {"text": "TextMessage", "interactive": "InteractiveMessage", "document": "DocumentMessage"}[sent["type"]]
    validator = jsonschema.Draft202012Validator(schema | {"$ref": f"#/components/schemas/{kind}"})
    overall = jsonschema.Draft202012Validator(schema)
    return [problem.message for checked in (validator, overall) for problem in checked.iter_errors(sent)]


async def test_every_kind_of_message_fits_the_official_contract(channel: WhatsAppChannel, graph: Graph) -> None:
    contract()
    await say(channel, ARABIC * 100)
    for count in (1, 3, 4, 10, 25):
        await say(channel, ARABIC * 30, *choices(count, description="وصف"))
    await channel.send("32470000001", Outgoing("Copy", "en", document="export"), reference="17", document=b"copy")
    assert {sent["type"] for sent in graph.sent} == {"text", "interactive", "document"}
    assert [violations(sent) for sent in graph.sent] == [[]] * len(graph.sent)


async def test_the_contract_notices_what_is_wrong(channel: WhatsAppChannel, graph: Graph) -> None:
    contract()
    await say(channel, "Well?", *choices(3))
    wrong = copy.deepcopy(graph.sent[0])
    wrong["interactive"]["action"]["buttons"][0]["reply"]["title"] = "x" * 21
    assert violations(wrong)
    assert violations(graph.sent[0] | {"recipient_type": "everybody"})


# --- failing


@pytest.mark.parametrize(
    ("code", "status", "reason", "permanent", "pause"),
    [
        (131047, 400, "outside the 24 hour window", True, None),
        (131026, 400, "not reachable on WhatsApp (131026)", True, None),
        (131030, 400, "not among the numbers this test account may write to (131030)", True, None),
        (100, 400, "refused by WhatsApp (100)", True, None),
        (131009, 400, "refused by WhatsApp (131009)", True, None),
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
    channel: WhatsAppChannel, graph: Graph, code: int, status: int, reason: str, permanent: bool, pause: float | None
) -> None:
    graph.fail(code, status=status, message="secret words to 32470000001")
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent, caught.value.retry_after) == (reason, permanent, pause)


@pytest.mark.parametrize(
    ("content", "status", "pause"), [("<html>busy</html>", 429, 60.0), ("<html>", 502, None), ("<html>", 200, None)]
)
async def test_an_answer_of_something_in_between_is_tried_again(
    channel: WhatsAppChannel, graph: Graph, content: str, status: int, pause: float | None
) -> None:
    graph.answer(content, status=status)
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.permanent, caught.value.retry_after) == (False, pause)
    assert "html" not in caught.value.reason


async def test_a_wrong_token_is_no_fault_of_the_message(settings: Settings) -> None:
    channel = WhatsAppChannel(Settings(whatsapp_token="x", whatsapp_phone_id=PHONE, whatsapp_api=settings.whatsapp_api))
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent) == ("token refused", False)
    await channel.close()


async def test_nothing_to_say_is_never_reported_as_sent(channel: WhatsAppChannel) -> None:
    with pytest.raises(DeliveryError) as caught:
        await say(channel, " \n")
    assert caught.value.permanent


async def test_no_connection_is_tried_again() -> None:
    channel = WhatsAppChannel(Settings(whatsapp_token="t", whatsapp_phone_id=PHONE, whatsapp_api="http://127.0.0.1:9"))
    with pytest.raises(DeliveryError) as caught:
        await say(channel, "hello")
    assert (caught.value.reason, caught.value.permanent) == ("WhatsApp cannot be reached", False)
    await channel.close()


async def test_a_second_try_sends_only_what_is_missing(channel: WhatsAppChannel, graph: Graph) -> None:
    graph.fail(131056, after=1)
    with pytest.raises(DeliveryError):
        await say(channel, "x" * 4096 + "y")
    assert await say(channel, "x" * 4096 + "y") == "wamid.2"
    assert [sent["text"]["body"][-1] for sent in graph.sent] == ["x", "y"]


async def test_nothing_of_a_message_is_logged(
    channel: WhatsAppChannel, graph: Graph, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    graph.fail(131000, status=500)
    with pytest.raises(DeliveryError):
        await say(channel, "words of a counsellor")
    await say(channel, "words of a counsellor")
    assert "words of a counsellor" not in caplog.text
    assert "32470000001" not in caplog.text
    assert graph.token not in caplog.text


# --- courtesies


async def test_typing_also_marks_the_message_as_read(channel: WhatsAppChannel, graph: Graph) -> None:
    await channel.typing("32470000001", "wamid.in1")
    assert graph.reads == [
        {
            "messaging_product": "whatsapp",
            "status": "read",
            "message_id": "wamid.in1",
            "typing_indicator": {"type": "text"},
        }
    ]


async def test_typing_never_fails(channel: WhatsAppChannel, graph: Graph) -> None:
    graph.fail(131009)
    await channel.typing("32470000001", "wamid.in1")
    graph.answer("<html>")
    await channel.typing("32470000001", "wamid.in1")


def test_free_text_is_allowed_for_a_day(channel: WhatsAppChannel) -> None:
    assert channel.service_window_hours == 24
