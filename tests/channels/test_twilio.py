import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.channels import twilio_client
from bot.channels.twilio import TwilioChannel
from bot.messaging import held
from bot.messaging.hooks import Heard, Hook, Receipt, TemplateState
from bot.messaging.messages import Outgoing
from bot.messaging.protocols import Check, DeliveryError
from bot.settings import Settings
from tests.support.server import serve
from tests.support.twilio import Twilio
from tests.support.twilio_hooks import Reporter

ARABIC = "العودة الطوعية هي قرار تتخذه بنفسك. يمكنك أن تغير رأيك في أي وقت. "
MEDIA = "https://api.twilio.com/2010-04-01/Accounts/{account}/Messages/MM1/Media/{name}"


@pytest.fixture
def twilio() -> Twilio:
    return Twilio()


@pytest.fixture
def url(twilio: Twilio) -> Iterator[str]:
    with serve(twilio.app) as url:
        yield url


@pytest.fixture
async def channel(twilio: Twilio, url: str) -> AsyncIterator[TwilioChannel]:
    made = TwilioChannel(Settings.load(twilio.settings(url, "https://waymark.example.org/")))
    yield made
    await made.close()


async def deliver(channel: TwilioChannel, message: Outgoing, to: str = "32470000001", **content: bytes) -> str:
    """Plans a message and sends every part; returns the id of the last."""
    number = ""
    for part in channel.plan(message, outbox_id=12, document=content.get("document")):
        number = await channel.send(to, part, reference="12")
    return number


async def failure(channel: TwilioChannel, message: Outgoing | None = None, to: str = "32470000001") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await deliver(channel, message or Outgoing("hello", "en"), to)
    return caught.value


# --- sending


async def test_a_text_is_sent_as_it_is_and_carries_its_reference(channel: TwilioChannel, twilio: Twilio) -> None:
    assert await deliver(channel, Outgoing("*stars* 👋🏽 مرحبا & co", "en")) == f"SM{1:032x}"
    assert twilio.sent == [
        {
            "From": "whatsapp:+3221234567",
            "To": "whatsapp:+32470000001",
            "Body": "*stars* 👋🏽 مرحبا & co",
            "StatusCallback": "https://waymark.example.org/webhooks/twilio?ref=12",
        }
    ]


async def test_a_person_without_a_number_is_written_to_by_user_id(channel: TwilioChannel, twilio: Twilio) -> None:
    await deliver(channel, Outgoing("hello", "en"), to="BE.13491208655302741918")
    assert twilio.sent[0]["To"] == "whatsapp:BE.13491208655302741918"


async def test_a_text_of_1601_characters_is_sent_in_two_messages(channel: TwilioChannel, twilio: Twilio) -> None:
    assert await deliver(channel, Outgoing("x" * 1601, "en")) == f"SM{2:032x}"
    assert [len(sent["Body"]) for sent in twilio.sent] == [1600, 1]


async def test_a_long_right_to_left_text_arrives_whole_and_in_order(channel: TwilioChannel, twilio: Twilio) -> None:
    await deliver(channel, Outgoing(ARABIC * 50, "ar"))
    assert " ".join(sent["Body"] for sent in twilio.sent) == (ARABIC * 50).strip()
    assert len(twilio.sent) == 3


async def test_a_file_is_sent_as_text_after_its_words(channel: TwilioChannel, twilio: Twilio) -> None:
    content = "\n".join(f'"نسخة {number}": "👋🏽",' for number in range(200))
    await deliver(channel, Outgoing("Your copy", "en", document="export"), document=content.encode())
    assert twilio.sent[0]["Body"] == "Your copy"
    assert "\n".join(sent["Body"] for sent in twilio.sent[1:]) == content


async def test_the_typing_indicator_names_the_message_and_never_fails(channel: TwilioChannel, twilio: Twilio) -> None:
    await channel.typing("32470000001", "SM1")
    assert twilio.typed == [{"channel": "whatsapp", "messageId": "SM1"}]
    await channel.typing("32470000001", "not a message")
    twilio.drop()
    await channel.typing("32470000001", "SM1")


async def test_what_became_of_a_message_comes_back_with_its_reference(channel: TwilioChannel, twilio: Twilio) -> None:
    heard: list[Heard] = []
    done = threading.Event()

    async def webhook(request: Request) -> Response:
        url = f"https://waymark.example.org{request.url.path}?{request.url.query}"
        hook = Hook("POST", url, request.query_params, request.headers, await request.body())
        heard.append(channel.receive(hook))
        if len(heard) == 3:
            done.set()
        return Response()

    with serve(Starlette(routes=[Route("/webhooks/twilio", webhook, methods=["POST"])])) as here:
        twilio.reporter = Reporter(twilio.token, here, states=("queued", "delivered", "sent"))
        sid = await deliver(channel, Outgoing("hello", "en"))
        assert await asyncio.to_thread(done.wait, 10)
    receipts = [row.receipts for row in heard]
    assert receipts == [(), (Receipt(sid, "delivered", "12"),), (Receipt(sid, "sent", "12"),)]


# --- failures


async def test_too_many_messages_to_one_person_wait(channel: TwilioChannel) -> None:
    for _ in range(45):
        await deliver(channel, Outgoing("hello", "en"))
    assert (await failure(channel)).retry_after == 60.0


async def test_a_silent_person_is_outside_the_window(channel: TwilioChannel, twilio: Twilio) -> None:
    twilio.silent.add("whatsapp:+32470000001")
    assert (await failure(channel)).outside_window


async def test_a_number_that_is_none_is_refused_for_good(channel: TwilioChannel) -> None:
    refused = await failure(channel, to="nobody")
    assert (refused.permanent, refused.reason) == (True, "not a number that can be written to (21211)")


async def test_a_server_error_is_tried_again(channel: TwilioChannel, twilio: Twilio) -> None:
    twilio.fail(20500, status=500)
    twilio.answer("<html>Bad Gateway</html>", status=502)
    twilio.answer("<html>Slow down</html>", status=429)
    for pause in (None, None, 60.0):
        error = await failure(channel)
        assert (error.permanent, error.uncertain, error.retry_after) == (False, False, pause)


async def test_an_answer_that_never_comes_leaves_it_uncertain(
    channel: TwilioChannel, twilio: Twilio, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(twilio_client, "TIMEOUT", 0.3)
    twilio.hang(1.0)
    twilio.drop()
    twilio.answer("this is no answer", status=201)
    twilio.answer("{}", status=201)
    for reason in ("did not answer in time", "broke the connection off", "was not understood", "was not understood"):
        error = await failure(channel)
        assert error.uncertain
        assert not error.permanent
        assert reason in error.reason


async def test_a_host_that_cannot_be_reached_took_nothing() -> None:
    settings = Settings(twilio_account_sid="AC0", twilio_auth_token="t", twilio_api="http://127.0.0.1:1")
    channel = TwilioChannel(settings)
    error = await failure(channel)
    await channel.close()
    assert (error.reason, error.uncertain, error.permanent) == ("Twilio cannot be reached", False, False)


async def test_no_words_or_addresses_are_logged(
    channel: TwilioChannel, twilio: Twilio, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("twilio").setLevel(logging.WARNING)
    await deliver(channel, Outgoing("my secret", "en"))
    twilio.fail(63024)
    error = await failure(channel, Outgoing("my secret", "en"))
    assert error.__cause__ is None
    for private in ("secret", "32470000001", twilio.token):
        assert private not in caplog.text + str(error)


# --- files


async def test_a_file_is_fetched_with_the_token(channel: TwilioChannel, twilio: Twilio, url: str) -> None:
    twilio.files["ME1"] = ("image/png", b"\x89PNG")
    address = MEDIA.format(account=twilio.account, name="ME1")
    assert await channel.fetch({"ref": address}, limit=4) == b"\x89PNG"
    assert await channel.fetch({"ref": address.replace("https://api.twilio.com", url)}, limit=4) == b"\x89PNG"
    assert all(proof.startswith("Basic ") for proof in twilio.downloads)


async def test_the_token_does_not_follow_to_other_hosts(channel: TwilioChannel, twilio: Twilio) -> None:
    other = Twilio(files={"ME1": ("image/png", b"\x89PNG")})
    with serve(other.app) as elsewhere:
        twilio.files["ME1"] = ("", b"")
        twilio.file_url = f"{elsewhere}/2010-04-01/Accounts/AC0/Messages/MM1/Media/ME1"
        error = await fetch_failure(channel, MEDIA.format(account=twilio.account, name="ME1"))
    assert error.reason == "token refused"
    assert other.downloads == [""]
    assert twilio.downloads[0].startswith("Basic ")


async def fetch_failure(channel: TwilioChannel, address: str, limit: int = 10) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await channel.fetch({"ref": address}, limit=limit)
    return caught.value


@pytest.mark.parametrize(
    "address",
    [
        "",
        "https://example.org/a",
        "https://twilio.com.example.org/a",
        "http://api.twilio.com/a",
        "http://[",
        "file:///",
    ],
)
async def test_nothing_is_fetched_from_foreign_hosts(channel: TwilioChannel, twilio: Twilio, address: str) -> None:
    error = await fetch_failure(channel, address)
    assert (error.permanent, error.reason) == (True, "the file is at an unknown address")
    assert twilio.downloads == []


async def test_a_file_too_large_gone_or_in_a_circle_is_given_up(channel: TwilioChannel, twilio: Twilio) -> None:
    address = MEDIA.format(account=twilio.account, name="ME1")
    assert (await fetch_failure(channel, address)).reason == "the file is gone"
    twilio.files["ME1"] = ("image/png", b"x" * 200_000)
    assert (await fetch_failure(channel, address, 199_999)).reason == "the file is too large"
    twilio.file_url = address
    assert (await fetch_failure(channel, address)).reason == "the file is not where Twilio says"


# --- the account and its templates


async def test_the_account_is_looked_at(channel: TwilioChannel, twilio: Twilio) -> None:
    assert await channel.check() == [Check("the token is accepted")]
    twilio.status = "suspended"
    found = await channel.check()
    assert (found[0].what, found[0].well) == ("the Twilio account is suspended", False)


@pytest.mark.parametrize("changed", [{"token": "rotated"}, {"account": "AC" + "1" * 32}])
async def test_a_refused_token_is_told(channel: TwilioChannel, twilio: Twilio, changed: dict[str, Any]) -> None:
    for name, told in changed.items():
        setattr(twilio, name, told)
    for asked in (channel.check(), channel.templates(), channel.submit_template(held.REOPEN, "en")):
        with pytest.raises(DeliveryError, match="token refused"):
            await asked


async def test_a_template_is_handed_in_listed_and_sent(channel: TwilioChannel, twilio: Twilio) -> None:
    first = await channel.submit_template(held.REOPEN, "pt")
    assert first == TemplateState(held.REOPEN, "pt", "received", "", f"HX{0:032x}")
    action = twilio.contents[first.provider_id]["types"]["twilio/quick-reply"]["actions"][0]
    assert (twilio.contents[first.provider_id]["language"], action["id"]) == ("pt_BR", "r")
    twilio.decide(first.provider_id, "approved")
    assert await channel.templates() == [TemplateState(held.REOPEN, "pt", "approved", "", first.provider_id)]
    twilio.silent.add("whatsapp:+32470000001")
    await deliver(channel, held.reopening("pt", first.provider_id))
    assert twilio.sent[0]["ContentSid"] == first.provider_id
    assert "Body" not in twilio.sent[0]


async def test_of_several_contents_the_one_that_can_be_sent_counts(channel: TwilioChannel, twilio: Twilio) -> None:
    twilio.page_size = 2
    twilio.add(friendly_name="of_somebody_else", language="en")
    for _ in range(2):
        await channel.submit_template(held.REOPEN, "en")
        await channel.submit_template(held.REOPEN, "fr")
    twilio.add(friendly_name=held.REOPEN, language="sq", approval_requests=None)
    twilio.decide(f"HX{1:032x}", "approved")
    twilio.decide(f"HX{4:032x}", "rejected", "INVALID_FORMAT")
    assert await channel.templates() == [
        TemplateState(held.REOPEN, "en", "approved", "", f"HX{1:032x}"),
        TemplateState(held.REOPEN, "fr", "rejected", "INVALID_FORMAT", f"HX{4:032x}"),
        TemplateState(held.REOPEN, "sq", "unsubmitted", "", f"HX{5:032x}"),
    ]


async def test_a_template_that_is_not_approved_is_not_sent(channel: TwilioChannel) -> None:
    made = await channel.submit_template(held.REOPEN, "en")
    assert (await failure(channel, held.reopening("en", made.provider_id))).outside_window
    assert (await failure(channel, held.reopening("en", "HX9"))).permanent


async def test_many_requests_share_the_pool(channel: TwilioChannel, twilio: Twilio) -> None:
    await asyncio.gather(*(deliver(channel, Outgoing("hi", "en"), to=f"3247000{n:04d}") for n in range(40)))
    assert len({sent["To"] for sent in twilio.sent}) == 40
