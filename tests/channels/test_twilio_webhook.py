from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels import twilio_webhook
from bot.channels.twilio import TwilioChannel
from bot.channels.twilio_errors import delivery_error
from bot.messaging.hooks import Heard, Hook, HookRefused, Receipt
from bot.messaging.messages import Incoming
from bot.settings import Settings
from tests.support.twilio_hooks import message, signature, status

PUBLIC = "https://waymark.example.org"
URL = f"{PUBLIC}/webhooks/twilio"
CHANNEL = TwilioChannel(
    Settings(
        twilio_account_sid="AC" + "0" * 32,
        twilio_auth_token="new-token, old-token",
        twilio_number="+32 2 123 45 67",
        public_url=f"{PUBLIC}/",
    )
)
FILE = "https://api.twilio.com/2010-04-01/Accounts/AC0/Messages/MM0/Media/ME0"


def silent(**told: Any) -> Heard:
    """What was heard, with an answer that makes Twilio say nothing itself."""
    return Heard(answer="<Response/>", **told)


def hook(form: dict[str, str], *, url: str = URL, key: str = "new-token", **changed: Any) -> Hook:
    query = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    fields: dict[str, Any] = {
        "method": "POST",
        "url": url,
        "query": query,
        "headers": {"x-twilio-signature": signature(key, url, form)},
        "body": urlencode(form).encode(),
    }
    return Hook(**fields | changed)


def refusal(request: Hook) -> int:
    with pytest.raises(HookRefused) as caught:
        CHANNEL.receive(request)
    return caught.value.status


def only(**fields: str) -> Incoming:
    heard = CHANNEL.receive(hook(message(**fields)))
    assert heard == silent(messages=heard.messages)
    assert len(heard.messages) == 1
    return heard.messages[0]


# --- proof


@pytest.mark.parametrize("token", ["new-token", "old-token"])
def test_a_signature_with_either_token_is_accepted_during_rotation(token: str) -> None:
    form = message(Body="مرحبا 👋🏽 & so = on", Label="")
    assert CHANNEL.receive(hook(form, key=token)).messages[0].text == "مرحبا 👋🏽 & so = on"


def test_the_address_is_signed_with_its_query() -> None:
    form = status("SM1", "delivered")
    url = f"{URL}?ref=17"
    assert CHANNEL.receive(hook(form, url=url)).receipts[0].reference == "17"
    forged = f"{URL}?ref=18"
    headers = {"x-twilio-signature": signature("new-token", url, form)}
    assert refusal(hook(form, url=forged, headers=headers)) == 401


def test_a_signature_holds_for_its_own_form_alone() -> None:
    form = message(Body="hello")
    assert refusal(hook(form, body=urlencode(form | {"Body": "bye"}).encode())) == 401
    assert refusal(hook(form, body=urlencode(form | {"More": ""}).encode())) == 401


def test_a_second_value_of_a_signed_name_is_not_heard_unsigned() -> None:
    form = message(Body="hello")
    assert refusal(hook(form, body=urlencode([*form.items(), ("Body", "bye")]).encode())) == 401


@pytest.mark.parametrize("header", ["", "é", "AAAA", signature("other", URL, message())])
def test_a_wrong_signature_is_refused(header: str) -> None:
    assert refusal(hook(message(), headers={"x-twilio-signature": header})) == 401
    assert refusal(hook(message(), headers={})) == 401


def test_without_a_token_nothing_is_accepted() -> None:
    channel = TwilioChannel(Settings(twilio_account_sid="AC0", public_url=PUBLIC))
    with pytest.raises(HookRefused):
        channel.receive(hook(message(), key=""))


def test_only_posts_of_forms_are_read() -> None:
    assert refusal(hook(message(), method="GET")) == 405
    assert refusal(hook({}, body=b"\xff\xfe")) == 400
    assert refusal(hook({}, body=b"&".join(b"a%d=1" % number for number in range(501)))) == 400
    assert refusal(hook({"Body": "hello"})) == 400
    assert refusal(hook(message() | {"From": ""})) == 400


def test_twilio_is_answered_with_nothing_that_it_would_send() -> None:
    assert CHANNEL.receive(hook(message(Body="hello"))).answer == "<Response/>"


@given(st.dictionaries(st.sampled_from([*message(), "MessageStatus", "ErrorCode", "MediaUrl0"]), st.text(max_size=20)))
def test_no_form_however_wrong_raises_anything_but_a_refusal(fields: dict[str, str]) -> None:
    form = message() | fields
    try:
        request = hook(form)
    except UnicodeEncodeError:  # lone surrogates cannot be sent
        return
    try:
        heard = CHANNEL.receive(request)
    except HookRefused:
        return
    assert all(row.address and row.message_id for row in heard.messages)


@given(st.binary(max_size=200), st.text(max_size=40), st.text(max_size=40))
def test_no_bytes_however_wrong_raise_anything_but_a_refusal(body: bytes, header: str, path: str) -> None:
    request = hook({}, body=body, headers={"x-twilio-signature": header})
    with pytest.raises(HookRefused):
        CHANNEL.receive(Hook("POST", f"{URL}{path}", {}, request.headers, request.body))


# --- messages


def test_a_text_becomes_a_message() -> None:
    sid = message()["MessageSid"]
    assert only(Body="كيف أعود؟ 👋🏽") == Incoming("twilio", sid, "32470000001", text="كيف أعود؟ 👋🏽")


def test_our_slash_commands_work_and_other_slashes_are_text() -> None:
    command = only(Body="/delete")
    assert (command.kind, command.payload) == ("command", "delete")
    assert only(Body="/var/log").kind == "text"
    assert only(Body="/unknown").kind == "text"


@pytest.mark.parametrize(
    "fields",
    [
        {"MessageType": "button", "ButtonPayload": "r", "ButtonText": "Read the message", "Body": "Read the message"},
        {"MessageType": "interactive", "ListId": "r", "ListTitle": "Read the message"},
        {"MessageType": "button", "ButtonPayload": "r", "Body": "Read the message"},
    ],
)
def test_every_kind_of_button_carries_its_id(fields: dict[str, str]) -> None:
    pressed = only(**fields)
    assert (pressed.kind, pressed.payload, pressed.text) == ("button", "r", "Read the message")


@pytest.mark.parametrize(
    ("told", "mime", "kind"),
    [
        ("image", "image/jpeg", "image"),
        ("video", "video/mp4", "video"),
        ("audio", "audio/mpeg", "audio"),
        ("audio", "audio/ogg", "voice"),
        ("sticker", "image/webp", "sticker"),
        ("document", "application/pdf", "document"),
        ("contacts", "text/vcard", "contacts"),
        ("", "image/png", "image"),
        ("", "text/x-vcard", "contacts"),
        ("", "application/pdf", "document"),
        ("hologram", "", "document"),
    ],
)
def test_files_are_kept_by_kind_and_address(told: str, mime: str, kind: str) -> None:
    found = only(MessageType=told, NumMedia="1", MediaUrl0=FILE, MediaContentType0=mime, Body="Mon papier")
    assert (found.kind, found.text) == ("media", "Mon papier")
    assert found.media == {"kind": kind, "ref": FILE, "mime": mime, "size": ""}


def test_a_place_is_kept_by_its_coordinates() -> None:
    place = only(MessageType="location", Latitude="50.85", Longitude="4.35", Label="Office")
    assert (place.media["kind"], place.media["ref"]) == ("location", "50.85,4.35")


@pytest.mark.parametrize(("told", "kind"), [("order", "order"), ("", "unsupported"), ("text", "unsupported")])
def test_what_cannot_be_shown_is_media(told: str, kind: str) -> None:
    found = only(MessageType=told)
    assert (found.kind, found.media["kind"]) == ("media", kind)


@pytest.mark.parametrize("fields", [{"MessageType": "reaction", "Body": "👍"}, {"To": "whatsapp:+32999999999"}])
def test_reactions_and_messages_to_another_of_our_numbers_are_left_out(fields: dict[str, str]) -> None:
    assert CHANNEL.receive(hook(message(**fields))) == silent()


def test_text_messages_to_a_telephone_are_counted_and_not_answered() -> None:
    assert CHANNEL.receive(hook(message(From="+32470000001", Body="hello"))) == silent(unreadable=1)


@pytest.mark.parametrize("told", ["whatsapp:+32470000001", "whatsapp:BE.13491208655302741918", "whatsapp:BE.ENT.1a2B"])
def test_an_address_comes_back_as_twilio_told_it(told: str) -> None:
    known = only(From=told, Body="hello").address
    assert twilio_webhook.recipient(known) == told


# --- what became of messages


@pytest.mark.parametrize(
    ("told", "state"), [("sent", "sent"), ("delivered", "delivered"), ("read", "read"), ("undelivered", "failed")]
)
def test_a_status_becomes_a_receipt_with_our_reference(told: str, state: Any) -> None:
    heard = CHANNEL.receive(hook(status("SM1", told), url=f"{URL}?ref=17.2"))
    assert heard == silent(receipts=(Receipt("SM1", state, "17.2"),))


@pytest.mark.parametrize("told", ["accepted", "queued", "sending", "scheduled", "canceled", "unheard_of"])
def test_a_status_that_settles_nothing_is_left_out(told: str) -> None:
    assert CHANNEL.receive(hook(status("SM1", told), url=f"{URL}?ref=17")) == silent()


def test_a_failure_tells_why() -> None:
    receipt = CHANNEL.receive(hook(status("SM1", "failed", ErrorCode="63016"))).receipts[0]
    assert receipt.error is not None
    assert receipt.error.outside_window
    strange = CHANNEL.receive(hook(status("SM1", "failed", ErrorCode="²"))).receipts[0]
    assert (strange.state, strange.error) == ("failed", None)


@pytest.mark.parametrize(
    ("code", "status", "reason", "permanent", "retry_after"),
    [
        (63018, None, "too many messages (63018)", False, 60.0),
        (63038, None, "too many messages (63038)", False, 3600.0),
        (20429, 429, "too many messages (20429)", False, 60.0),
        (429, 429, "too many messages (429)", False, 60.0),
        (21211, 400, "not a number that can be written to (21211)", True, None),
        (21610, 400, "has asked by STOP not to be written to (21610)", True, None),
        (63024, None, "not reachable on WhatsApp (63024)", True, None),
        (63049, None, "WhatsApp chose not to deliver it (63049)", True, None),
        (63999, None, "refused by Twilio (63999)", True, None),
        (21609, 400, "refused by Twilio (21609)", True, None),
        (20003, 401, "token refused", False, None),
        (20404, 404, "token refused", False, None),
        (63007, 400, "the sender is not a WhatsApp number of this Twilio account (63007)", False, None),
        (63012, None, "Twilio is unavailable (63012)", False, None),
        (20500, 500, "Twilio is unavailable (20500)", False, None),
        (503, 503, "Twilio is unavailable (503)", False, None),
    ],
)
def test_an_error_code_says_whether_trying_again_may_help(
    code: int, status: int | None, reason: str, permanent: bool, retry_after: float | None
) -> None:
    error = delivery_error(code, status)
    assert (error.reason, error.permanent, error.retry_after) == (reason, permanent, retry_after)
    assert not error.outside_window
