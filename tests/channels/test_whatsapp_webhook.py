from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given

from bot.channels.whatsapp_webhook import parse
from bot.messaging.hooks import Heard, Move, Receipt
from bot.messaging.messages import Incoming
from tests.support.graph import Graph
from tests.support.graph_hooks import body, message, value
from tests.support.rubbish import spoilt

PHONE = Graph().phone_id


def heard(*rows: dict[str, Any], **fields: Any) -> Heard:
    return parse(body(value(PHONE, messages=list(rows), **fields)), PHONE)


def only(row: dict[str, Any], **fields: Any) -> Incoming:
    found = heard(row, **fields)
    assert found == Heard(messages=found.messages)
    assert len(found.messages) == 1
    return found.messages[0]


# --- kinds


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
        ("interactive", {"type": "nfm_reply", "nfm_reply": {"response_json": "{}"}}, "nfm_reply", ""),
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
        message("system", system={"type": "customer_identity_changed", "body": "changed"}),
        message("revoke", revoke={"original_message_id": "wamid.in0"}),
        message("request_welcome"),
        message("text", text={"body": "to all"}, group_id="Y2FwaV9ncm91cDox"),
    ],
)
def test_what_asks_nothing_is_left_out(ignored: dict[str, Any]) -> None:
    assert heard(ignored) == Heard()


# --- who wrote, and when


def text_from(**sender: str) -> dict[str, Any]:
    made = message("text", text={"body": "hi"})
    del made["from"]
    return made | sender


@pytest.mark.parametrize(
    ("sender", "contact", "address", "alias"),
    [
        ({"from": "3247"}, {}, "3247", ""),
        ({"from": "3247", "from_user_id": "BE.77"}, {}, "3247", "BE.77"),
        ({"from": "3247"}, {"wa_id": "3247", "user_id": "BE.77"}, "3247", "BE.77"),
        ({"from_user_id": "BE.77"}, {"wa_id": "3247"}, "3247", "BE.77"),
        ({"from_user_id": "BE.77"}, {}, "BE.77", ""),
        ({}, {"user_id": "BE.77", "profile": {"username": "@amina"}}, "BE.77", ""),
    ],
)
def test_a_person_is_known_by_number_and_user_id_or_by_the_one_that_is_told(
    sender: dict[str, str], contact: dict[str, Any], address: str, alias: str
) -> None:
    found = only(text_from(**sender), contacts=[contact] if contact else [])
    assert (found.address, found.alias) == (address, alias)


def test_of_several_contacts_none_is_taken_for_the_sender() -> None:
    contacts = [{"wa_id": "1", "user_id": "BE.1"}, {"wa_id": "2", "user_id": "BE.2"}]
    found = only(text_from(**{"from": "3247"}), contacts=contacts)
    assert (found.address, found.alias) == ("3247", "")
    assert heard(text_from(), contacts=contacts) == Heard(unreadable=1)


def test_the_moment_of_writing_is_told() -> None:
    assert only(message("text", text={"body": "hi"})).sent_at == datetime.fromtimestamp(1_700_000_000, UTC)


@pytest.mark.parametrize("stamp", ["", "0", "-5", "soon", "²", "1700000000.5", "9" * 12, "9" * 40])
def test_a_message_of_an_absurd_moment_counts_as_written_now(stamp: str) -> None:
    found = only(message("text", text={"body": "hi"}, timestamp=stamp))
    assert (found.text, found.sent_at) == ("hi", None)


# --- moves


@pytest.mark.parametrize(
    ("system", "old", "new"),
    [
        ({"type": "user_changed_number", "wa_id": "32470000002", "body": "changed"}, "32470000001", "32470000002"),
        ({"type": "user_changed_number", "new_wa_id": "32470000002"}, "32470000001", "32470000002"),
        ({"type": "customer_changed_number", "new_wa_id": "32470000002"}, "32470000001", "32470000002"),
        ({"type": "user_changed_user_id", "previous_user_id": "BE.1", "user_id": "BE.2"}, "BE.1", "BE.2"),
    ],
)
def test_a_new_number_or_user_id_is_a_move(system: dict[str, str], old: str, new: str) -> None:
    assert heard(message("system", system=system)) == Heard(moves=(Move("whatsapp", old, new),))


# --- several things in one body


def test_several_messages_entries_and_receipts_come_in_one_body() -> None:
    first = value(PHONE, messages=[message("text", 1, text={"body": "a"}), message("text", 2, text={"body": "b"})])
    status = {"id": "wamid.out1", "status": "read", "timestamp": "1", "recipient_id": "32470000001"}
    content = body(first, value(PHONE, statuses=[status]))
    content["entry"] += body(value(PHONE, messages=[message("text", 3, text={"body": "c"})]))["entry"]
    found = parse(content, PHONE)
    assert [row.text for row in found.messages] == ["a", "b", "c"]
    assert found.receipts == (Receipt("wamid.out1", "read"),)


def test_messages_to_another_of_our_numbers_are_left_out() -> None:
    other = value("999", messages=[message("text", text={"body": "hi"})], statuses=[{"id": "1", "status": "read"}])
    assert parse(body(other), PHONE) == Heard()


def test_webhooks_on_other_subjects_are_left_out() -> None:
    assert parse(body({"new": 1}, field="template_category_update"), PHONE) == Heard()
    assert parse({"object": "page", "entry": []}, PHONE) == Heard()


# --- what cannot be read


@pytest.mark.parametrize(
    "broken",
    [
        {},
        {"object": "whatsapp_business_account"},
        {"object": "whatsapp_business_account", "entry": "none"},
        body({"messages": []}),
        body(value(PHONE, messages=[message("text", text={"body": "fine"}), "not a message"])),
    ],
)
def test_a_body_that_whatsapp_never_sends_is_refused_whole(broken: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="malformed webhook body"):
        parse(broken, PHONE)


@pytest.mark.parametrize(
    "broken",
    [
        {"type": "text"},
        message("text"),
        message("text", text={"body": 5}),
        message("interactive", interactive={"type": "button_reply"}),
        message("location", location={"latitude": "north"}),
        message("location", location={"latitude": "1", "longitude": None}),
        message("image", image={"caption": "no id"}),
        message("edit", edit={"message": {}}),
        text_from(),
        message("text", text={"body": "hi"}, timestamp=5),
    ],
)
def test_one_unreadable_message_leaves_the_others(broken: dict[str, Any]) -> None:
    found = heard(message("text", 1, text={"body": "a"}), broken, message("text", 2, text={"body": "b"}))
    assert [row.text for row in found.messages] == ["a", "b"]
    assert found.unreadable == 1


def test_one_unreadable_receipt_or_move_leaves_the_others() -> None:
    moved = message("system", system={"type": "user_changed_number", "wa_id": "2"})
    broken = [{"id": "wamid.1", "status": "failed", "errors": [{"code": float("inf")}]}, {"status": "sent"}]
    sound = {"id": "wamid.2", "status": "delivered"}
    found = heard(message("system"), moved, statuses=[*broken, sound])
    assert found.moves == (Move("whatsapp", "32470000001", "2"),)
    assert found.receipts == (Receipt("wamid.2", "delivered"),)
    assert found.unreadable == 3


def test_a_state_of_a_template_that_cannot_be_read_leaves_the_messages() -> None:
    content = body({"event": "APPROVED"}, field="message_template_status_update", account_id="7")
    content["entry"] += body(value(PHONE, messages=[message("text", text={"body": "hi"})]))["entry"]
    found = parse(content, PHONE, "7")
    assert ([row.text for row in found.messages], found.unreadable) == (["hi"], 1)


FULL = body(
    value(
        PHONE,
        contacts=[{"wa_id": "32470000001"}],
        messages=[
            message("text", text={"body": "a"}),
            message("audio", audio=FILE),
            message("location", location={}),
            message("system", system={"type": "user_changed_number", "wa_id": "2"}),
        ],
        statuses=[{"id": "wamid.1", "status": "failed", "errors": [{"code": 1}]}],
    )
)
STATE = {"message_template_name": "waymark_reopen", "message_template_language": "en", "event": "APPROVED"}
FULL["entry"] += body(STATE, field="message_template_status_update")["entry"]


@given(spoilt(FULL))
def test_no_body_however_wrong_raises_anything_but_a_value_error(content: dict[str, Any]) -> None:
    try:
        found = parse(content, PHONE)
    except ValueError:
        return
    assert all(isinstance(row.address, str) and row.address for row in found.messages)
    assert all(row.state in ("sent", "delivered", "read", "failed") for row in found.receipts)
    assert all(isinstance(row.new, str) and isinstance(row.old, str) for row in found.moves)
    assert all(isinstance(row.reason, str) for row in found.templates)
