import io
import zipfile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.messaging import filetypes

PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108060000001f15c4890000000d49444154789c636060f8cfc000000301010018dd8db0"
    "0000000049454e44ae426082"
)
OGG = b"OggS\0\x02" + bytes(20) + b"\x01\x13OpusHead\x01\x01" + bytes(40)
PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
MP4 = b"\0\0\0\x18ftypisom\0\0\2\0isommp42" + b"\0\0\0\x08free"
ELF = b"\x7fELF\x02\x01\x01" + bytes(57)
HTML = b"<!doctype html><script>alert(document.cookie)</script>"
SVG = b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>'


def archive(name: str) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as content:
        content.writestr(name, "x")
    return file.getvalue()


OPENED = [
    (PNG, "image/png", "png"),
    (PNG[:33] + b"\0\0\0\x08acTL" + bytes(12) + PNG[33:], "image/png", "png"),
    (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "image/jpeg", "jpg"),
    (b"GIF89a\1\0\1\0", "image/gif", "gif"),
    (b"RIFF\x24\0\0\0WEBPVP8 " + bytes(20), "image/webp", "webp"),
    (OGG, "audio/ogg", "ogg"),
    (b"ID3\x04" + bytes(20), "audio/mpeg", "mp3"),
    (b"\xff\xfb\x90\x44" + bytes(20), "audio/mpeg", "mp3"),
    (b"\0\0\0\x1cftypM4A \0\0\0\0M4A mp42isom", "audio/mp4", "m4a"),
    (b"\xff\xf1\x50\x80" + bytes(20), "audio/aac", "aac"),
    (b"#!AMR\n\x3c" + bytes(20), "audio/amr", "amr"),
    (b"RIFF\x24\0\0\0WAVEfmt " + bytes(20), "audio/wav", "wav"),
    (MP4, "video/mp4", "mp4"),
    (b"\0\0\0\x18ftypiso5\0\0\2\0iso5iso6", "video/mp4", "mp4"),
    (b"\0\0\0\x18ftyp3gp4\0\0\0\x003gp43gp5", "video/3gpp", "3gp"),
    (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\x82\x84webm", "video/webm", "webm"),
    (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", "video/quicktime", "mov"),
]


@pytest.mark.parametrize(("content", "mime", "ending"), OPENED)
@pytest.mark.parametrize("claimed", ["", "application/x-msdownload", "text/html"])
def test_what_people_send_is_known_by_its_first_bytes_whatever_was_claimed(content, mime, ending, claimed):
    found = filetypes.recognise(content, claimed=claimed)
    assert found == filetypes.FileType(mime, ending, shown=True)
    assert filetypes.of(mime) == found


def test_a_pdf_is_saved_not_shown():
    assert filetypes.recognise(PDF, claimed="image/png") == filetypes.FileType("application/pdf", "pdf", shown=False)


REFUSED = [
    (ELF, "ELF file"),
    (b"MZ\x90\0" + bytes(60), "EXE file"),
    (HTML, "not a known kind of file"),
    (SVG, "not a known kind of file"),
    (b"<?xml version='1.0'?>" + SVG, "not a known kind of file"),
    (b"#!/bin/sh\nrm -rf /\n", "not a known kind of file"),
    (archive("a.txt"), "ZIP file"),
    (archive("word/document.xml"), "DOCX file"),
    (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), "not a known kind of file"),
    (b"\x1f\x8b\x08" + bytes(20), "GZ file"),
    (b"", "not a known kind of file"),
]


@pytest.mark.parametrize(("content", "told"), REFUSED)
@pytest.mark.parametrize("claimed", ["image/jpeg", "application/pdf", ""])
def test_everything_else_is_refused_whatever_was_claimed(content, told, claimed):
    assert filetypes.recognise(content, claimed=claimed) is None
    assert filetypes.describe(content) == told


@pytest.mark.parametrize("claimed", ["text/plain", "Text/Plain; charset=utf-8"])
def test_plain_text_that_was_claimed_is_saved(claimed):
    found = filetypes.recognise("أريد العودة".encode(), claimed=claimed)
    assert found == filetypes.FileType("text/plain", "txt", shown=False)


@pytest.mark.parametrize("content", [b"caf\xe9", b"a\0b", ELF])
def test_what_is_no_text_is_refused_though_text_was_claimed(content):
    assert filetypes.recognise(content, claimed="text/plain") is None


def test_a_page_that_claims_to_be_plain_text_stays_plain_text():
    found = filetypes.recognise(HTML, claimed="text/plain")
    assert found is not None
    assert (found.mime, found.shown) == ("text/plain", False)


@settings(max_examples=300, deadline=None)
@given(
    head=st.sampled_from([b"", *(content[:12] for content, *_ in [*OPENED, *REFUSED])]),
    rest=st.binary(max_size=80),
    claimed=st.sampled_from(["", "text/plain", ";", "image/png"]),
)
def test_no_bytes_break_the_recognition(head, rest, claimed):
    found = filetypes.recognise(head + rest, claimed=claimed)
    assert found is None or filetypes.of(found.mime) == found
    assert filetypes.describe(head + rest)


@pytest.mark.parametrize(
    ("media", "told"),
    [
        ({"kind": "photo", "ref": "f1"}, "Photo"),
        ({"kind": "image", "ref": "1"}, "Photo"),
        ({"kind": "voice", "ref": "f1"}, "Voice message"),
        ({"kind": "video_note", "ref": "f1"}, "Video message"),
        ({"kind": "document", "ref": "f1"}, "Document"),
    ],
)
def test_files_have_a_name_and_can_be_fetched(media, told):
    assert filetypes.label(media) == told
    assert filetypes.is_file(media)
    assert not filetypes.is_file(media | {"ref": ""})


@pytest.mark.parametrize(
    ("media", "told"),
    [
        ({"kind": "location", "ref": "50.8,4.3"}, "Location"),
        ({"kind": "contact", "ref": "+32470000000"}, "Contact"),
        ({"kind": "hologram", "ref": "f1"}, "Something that is not shown here"),
        ({}, "Something that is not shown here"),
    ],
)
def test_what_is_no_file_is_named_alone(media, told):
    assert filetypes.label(media) == told
    assert not filetypes.is_file(media)


@pytest.mark.parametrize("kind", ["location", "venue"])
def test_a_place_is_its_coordinates(kind):
    assert filetypes.place({"kind": kind, "ref": "-50.85,4.3517"}) == "-50.85,4.3517"


@pytest.mark.parametrize(
    "media",
    [{"kind": "location", "ref": "<b>"}, {"kind": "contact", "ref": "1,2"}, {"kind": "location"}, {}],
)
def test_nothing_else_is_a_place(media):
    assert filetypes.place(media) == ""
