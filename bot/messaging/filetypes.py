"""What a file is, by its first bytes, and which kinds counsellors may open. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import filetype  # type: ignore[import-untyped]  # comes without types

PLAIN = "text/plain"

# media type by which it is served -> ending of its name; nothing here runs in a browser or, by itself, on a computer
_OPENED = {
    "image/jpeg": "jpg",
    "image/png": "png",
    "image/webp": "webp",
    "image/gif": "gif",
    "audio/ogg": "ogg",
    "audio/mpeg": "mp3",
    "audio/mp4": "m4a",
    "audio/aac": "aac",
    "audio/amr": "amr",
    "audio/wav": "wav",
    "video/mp4": "mp4",
    "video/3gpp": "3gp",
    "video/webm": "webm",
    "video/quicktime": "mov",
    "application/pdf": "pdf",
    PLAIN: "txt",
}
_SAME = {"image/apng": "image/png", "audio/x-wav": "audio/wav"}
# films of phones that the library does not know by their main brand
_BRANDS = {b"3gp": "video/3gpp", b"iso": "video/mp4", b"avc": "video/mp4", b"M4V": "video/mp4"}
_SHOWN = ("image", "audio", "video")

_COORDINATES = re.compile(r"-?\d{1,3}(\.\d+)?,-?\d{1,3}(\.\d+)?")

_FILES = {
    "photo": "Photo",
    "image": "Photo",
    "voice": "Voice message",
    "audio": "Sound file",
    "video": "Video",
    "video_note": "Video message",
    "animation": "Animation",
    "sticker": "Sticker",
    "document": "Document",
}
_OTHERS = {
    "contact": "Contact",
    "contacts": "Contact",
    "location": "Location",
    "venue": "Location",
    "story": "Story",
    "poll": "Poll",
}


@dataclass(frozen=True, slots=True)
class FileType:
    """A kind of file that may be opened.

    Attributes:
        mime: What it really is, whatever was claimed.
        ending: Of a file's name, without the dot.
        shown: A browser may show it itself; it is saved otherwise.
    """

    mime: str
    ending: str
    shown: bool


def recognise(content: bytes, *, claimed: str) -> FileType | None:
    """The kind of a file, or ``None`` when it is not among those that are opened.

    Args:
        claimed: The media type that the sender's app told; only plain text needs it, having no mark of its own.
    """
    mime = PLAIN if claimed.split(";")[0].strip().lower() == PLAIN and _is_text(content) else _marked(content)
    return of(mime) if mime in _OPENED else None


def of(mime: str) -> FileType:
    """The kind of a file that was recognised before.

    Raises:
        KeyError: It is not among those that are opened.
    """
    return FileType(mime, _OPENED[mime], mime.partition("/")[0] in _SHOWN)


def _is_text(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return b"\0" not in content


def _marked(content: bytes) -> str:
    if content[4:8] == b"ftyp" and content[8:11] in _BRANDS:
        return _BRANDS[content[8:11]]
    mime = str(filetype.guess_mime(content) or "")
    return _SAME.get(mime, mime)


def describe(content: bytes) -> str:
    """What a file that is not opened is, in a few words for counsellors, such as ``ZIP file``."""
    ending = filetype.guess_extension(content)
    return f"{ending.upper()} file" if ending else "not a known kind of file"


def label(media: Mapping[str, Any]) -> str:
    """What a person sent, in a word for counsellors."""
    kind = str(media.get("kind", ""))
    return _FILES.get(kind) or _OTHERS.get(kind) or "Something that is not shown here"


def is_file(media: Mapping[str, Any]) -> bool:
    """Whether a person sent a file that the provider can be asked for."""
    return media.get("kind") in _FILES and bool(media.get("ref"))


def place(media: Mapping[str, Any]) -> str:
    """Latitude and longitude of a place that a person sent, such as ``50.8503,4.3517``; empty for all else."""
    ref = str(media.get("ref", ""))
    return ref if media.get("kind") in ("location", "venue") and _COORDINATES.fullmatch(ref) else ""
