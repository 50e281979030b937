from collections.abc import Mapping
from datetime import timedelta

import pytest
import time_machine
from sqlalchemy import select

from bot.channels.base import BaseChannel
from bot.messaging import inbox
from bot.messaging.messages import Incoming
from bot.messaging.protocols import DeliveryError
from bot.storage.account import AuditEvent
from bot.storage.base import now
from bot.storage.inbox import InboxMessage
from bot.storage.media import MediaFile
from bot.web.console import media
from tests.messaging.test_filetypes import ELF, HTML, MP4, OGG, PDF, PNG, SVG, archive

FILE = MP4 + bytes(range(100))


class Provider(BaseChannel):
    """A provider that streams what people sent, keeps the limit, and remembers what it was asked for."""

    name = "telegram"
    label = "Telegram"

    def __init__(self) -> None:
        self.content: bytes = PNG
        self.problem: DeliveryError | None = None
        self.asked: list[str] = []

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        self.asked.append(media["ref"])
        if self.problem is not None:
            raise self.problem
        if len(self.content) > limit:
            raise DeliveryError("the file is too large", permanent=True)
        return self.content


@pytest.fixture
def provider(edge):
    edge.channels["telegram"] = Provider()
    return edge.channels["telegram"]


@pytest.fixture
def ana(signed_in):
    return signed_in("Ana", "counsellor")


@pytest.fixture
def send(edge):
    """Somebody sends something; gives its id."""
    count = 0

    def make(kind: str = "photo", ref: str = "f1", *, mime: str = "image/jpeg", address: str = "a") -> int:
        nonlocal count
        count += 1
        what = {"kind": kind, "ref": ref, "mime": mime, "size": ""}
        with edge.database.write() as session:
            inbox.accept(
                session, Incoming("telegram", f"file{count}", address, kind="media", media=what), per_minute=100
            )
            return session.scalars(select(InboxMessage.id).order_by(InboxMessage.id.desc())).first()

    return make


@pytest.fixture
def held(ana, case):
    """The address of a case that Ana has taken."""
    made = case()
    ana.get(f"/console/cases/{made.id}")
    assert ana.post(f"/console/cases/{made.id}/claim").status_code == 303
    return f"/console/cases/{made.id}"


@pytest.fixture
def photo(send, held, provider):
    """The address of a photo in the case that Ana has taken."""
    return f"{held}/media/{send()}"


def audited(edge) -> list[tuple[str, str]]:
    with edge.database.read() as session:
        rows = session.scalars(select(AuditEvent).where(AuditEvent.action == "media.open"))
        return [(row.subject, row.detail) for row in rows]


def kept(edge) -> int:
    with edge.database.read() as session:
        return len(list(session.scalars(select(MediaFile.inbox_id))))


def test_nothing_is_fetched_before_somebody_opens_it(ana, held, photo, provider, edge):
    page = ana.get(held).text
    assert f'<a href="{photo}" target="_blank" rel="noopener">Open' in page
    assert "<img" not in page
    assert (provider.asked, kept(edge), audited(edge)) == ([], 0, [])


def test_two_openings_ask_the_provider_once(ana, photo, provider, edge):
    first, second = ana.client.get(photo), ana.client.get(photo)
    assert first.status_code == second.status_code == 200
    assert first.content == second.content == PNG
    assert provider.asked == ["f1"]
    assert kept(edge) == 1


def test_a_file_comes_as_what_it_is_and_can_do_nothing(ana, photo):
    headers = ana.client.get(photo).headers
    number = photo.rsplit("/", 1)[1]
    assert headers["content-type"] == "image/png", "claimed was image/jpeg"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "private, no-store"
    assert headers["content-disposition"] == f'inline; filename="W-1001-{number}.png"'


@pytest.mark.parametrize(
    ("content", "mime", "told", "way"),
    [
        (OGG, "audio/ogg; codecs=opus", "audio/ogg", "inline"),
        (MP4, "video/mp4", "video/mp4", "inline"),
        (PDF, "application/pdf", "application/pdf", "attachment"),
        (b"hello", "text/plain", "text/plain; charset=utf-8", "attachment"),
        (HTML, "text/plain", "text/plain; charset=utf-8", "attachment"),
    ],
)
def test_only_images_sound_and_films_are_shown_by_the_browser(ana, held, send, provider, content, mime, told, way):
    provider.content = content
    answer = ana.client.get(f"{held}/media/{send('document', mime=mime)}")
    assert (answer.status_code, answer.content, answer.headers["content-type"]) == (200, content, told)
    assert answer.headers["content-disposition"].startswith(f'{way}; filename="W-1001-')


@pytest.mark.parametrize(
    ("content", "policy"),
    [
        (PNG, "default-src 'none'; style-src 'unsafe-inline'; sandbox"),
        (PDF, "default-src 'none'; sandbox"),
        # a browser's player fetches the film again and must be let through; scripts stay forbidden
        (MP4, "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"),
        (OGG, "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox allow-same-origin"),
    ],
)
def test_a_file_runs_nothing_and_loads_nothing_but_itself(ana, photo, provider, content, policy):
    provider.content = content
    assert ana.client.get(photo).headers["content-security-policy"] == policy


@pytest.mark.parametrize("content", [ELF, HTML, SVG, archive("a.txt"), archive("word/document.xml")])
def test_what_could_do_harm_is_not_opened(ana, held, photo, provider, edge, content):
    provider.content = content
    answer = ana.get(photo)
    assert answer.status_code == 415
    assert "This kind of file is not opened here" in answer.text
    assert "1\u00a0KB" in answer.text
    assert f'href="{held}"' in answer.text
    assert (kept(edge), audited(edge)) == (0, [])


def test_a_file_of_seventeen_megabytes_is_not_opened(ana, photo, provider, edge):
    provider.content = PNG + bytes(17 * 1024 * 1024)
    answer = ana.get(photo)
    assert answer.status_code == 410
    assert "the file is too large" in answer.text
    assert kept(edge) == 0


@pytest.mark.parametrize(
    ("problem", "code", "told"),
    [
        (DeliveryError("refused by Telegram", permanent=True), 410, "for some weeks only"),
        (DeliveryError("token refused"), 502, "Try again in a few minutes"),
        (DeliveryError("WhatsApp did not answer in time", uncertain=True), 504, "Try again in a few minutes"),
    ],
)
def test_a_file_that_does_not_come_is_explained_and_leads_back(ana, held, photo, provider, problem, code, told):
    provider.problem = problem
    answer = ana.get(photo)
    assert answer.status_code == code
    assert problem.reason in answer.text
    assert told in answer.text
    assert f'href="{held}"' in answer.text


def test_a_message_of_somebody_else_is_not_in_this_case(ana, held, send, provider):
    assert ana.get(f"{held}/media/{send(address='other')}").status_code == 404
    assert ana.get(f"{held}/media/999").status_code == 404
    assert ana.get("/console/cases/99/media/1").status_code == 404
    assert provider.asked == []


def test_files_of_a_case_that_waits_are_opened_by_nobody_but_an_administrator(ana, signed_in, case, send, provider):
    address = f"/console/cases/{case().id}"
    place = f"{address}/media/{send()}"
    assert ana.get(place).status_code == 403
    assert "Open<" not in ana.get(address).text
    assert provider.asked == []
    root = signed_in("Root", "admin")
    assert "Open<" in root.get(address).text
    assert root.get(place).status_code == 200


@pytest.mark.parametrize("role", ["counsellor", "editor", "reviewer"])
def test_files_of_anothers_case_are_closed(signed_in, photo, provider, role):
    assert signed_in("Bo", role).get(photo).status_code == 403
    assert provider.asked == []


def test_files_are_closed_again_once_the_case_is(ana, held, photo, provider):
    ana.get(held)
    assert ana.post(f"{held}/close").status_code == 303
    assert ana.get(photo).status_code == 403
    assert provider.asked == []


def test_each_opening_is_noted_once_an_hour_without_an_address(ana, photo, edge):
    with time_machine.travel(now(), tick=False) as clock:
        for _ in range(3):
            ana.client.get(photo, headers={"range": "bytes=2-"})
        clock.shift(timedelta(minutes=61))
        ana.client.get(photo)
    inbox_id = photo.rsplit("/", 1)[1]
    assert audited(edge) == [(f"case/1/message/{inbox_id}", "W-1001")] * 2


@pytest.mark.parametrize(
    ("wanted", "piece"),
    [
        ("bytes=0-1", slice(0, 2)),
        ("bytes=10-", slice(10, None)),
        ("bytes=-5", slice(-5, None)),
        ("bytes=100-99999", slice(100, None)),
        ("bytes=-99999", slice(None)),
    ],
)
def test_a_player_may_ask_for_a_piece(ana, photo, provider, wanted, piece):
    provider.content = FILE
    answer = ana.client.get(photo, headers={"range": wanted})
    first = FILE.index(FILE[piece])
    assert (answer.status_code, answer.content) == (206, FILE[piece])
    assert answer.headers["content-range"] == f"bytes {first}-{first + len(FILE[piece]) - 1}/{len(FILE)}"
    assert answer.headers["content-length"] == str(len(FILE[piece]))


@pytest.mark.parametrize("wanted", [f"bytes={len(FILE)}-", "bytes=999999-", "bytes=-0"])
def test_a_piece_beyond_the_end_is_refused(ana, photo, provider, wanted):
    provider.content = FILE
    answer = ana.client.get(photo, headers={"range": wanted})
    assert (answer.status_code, answer.headers["content-range"]) == (416, f"bytes */{len(FILE)}")


@pytest.mark.parametrize("wanted", ["bytes=-", "bytes=5-2", "bytes=0-1,4-5", "lines=1-2", "bytes=x-", "bytes=²-"])
def test_anything_else_gives_the_whole_file(ana, photo, provider, wanted):
    provider.content = FILE
    answer = ana.client.get(photo, headers={"range": wanted.encode()})
    assert (answer.status_code, answer.content) == (200, FILE)


@pytest.mark.parametrize(
    ("kind", "told"), [("photo", "Photo"), ("voice", "Voice message"), ("video", "Video"), ("document", "Document")]
)
def test_the_thread_says_what_was_sent(ana, held, send, provider, kind, told):
    place = f"{held}/media/{send(kind)}"
    assert f'<p class="note">{told} · <a href="{place}"' in ana.get(held).text


def test_a_location_is_its_coordinates_without_a_map(ana, held, send, provider):
    send("location", "50.8503,4.3517")
    page = ana.get(held).text
    assert "<code>50.8503,4.3517</code>" in page
    assert "Location" in page
    assert f"{held}/media" not in page


def test_a_contact_is_a_word_and_nothing_of_the_third_person(ana, held, send, provider):
    send("contact", "+32470000000")
    page = ana.get(held).text
    assert "Contact" in page
    assert "+32470000000" not in page


@pytest.mark.parametrize(
    ("size", "told"), [(0, "1 KB"), (1023, "1 KB"), (12345, "12 KB"), (1 << 20, "1.0 MB"), (5_500_000, "5.2 MB")]
)
def test_sizes_are_told_in_round_numbers(size, told):
    assert media._size(size) == told.replace(" ", "\u00a0")
