"""What a platform and its people do, as the contract suite needs it of every channel."""

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import httpx

Failure = Literal["refused", "wait"]
PUBLIC = "https://waymark.example.org"  # our address, which some platforms sign
_NUMBERED = re.compile(r"^[\u200e\u200f]*(\d+)\. (.+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Call:
    """A request to our webhook."""

    path: str
    content: bytes
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Choice:
    """Something a person can press or type; ``mark`` is what the platform sends back."""

    title: str
    mark: str


@dataclass(frozen=True, slots=True)
class Seen:
    """One message on a person's screen."""

    text: str
    choices: tuple[Choice, ...] = ()


class Peer(ABC):
    """A platform's stand-in with the people who use it.

    Attributes:
        name: The channel's name.
        module: Where the channel's ``TIMEOUT`` stands; empty for channels that call nobody.
        sending: How the path ends under which the platform takes messages.
        limit: The longest message in UTF-16 units; ``None``: no limit.
        pause: Seconds that the platform asks for when it says "too many messages".
        pulled: People fetch their messages themselves, so that sending cannot fail.
        settles: The platform's receipts carry our reference.
    """

    name: ClassVar[str]
    module: ClassVar[str] = ""
    sending: ClassVar[str] = ""
    limit: ClassVar[int | None] = None
    pause: ClassVar[float] = 7.0
    pulled: ClassVar[bool] = False
    settles: ClassVar[bool] = False

    def __init__(self, url: str) -> None:
        self.url = url

    @property
    def app(self) -> Any:
        """The platform's API as an ASGI app; it is served at ``url``."""
        return None

    @abstractmethod
    def environment(self) -> dict[str, str]:
        """The environment of an installation that has this channel."""

    @abstractmethod
    def address(self, number: int) -> str:
        """The platform's own id of one of its people."""

    @abstractmethod
    def written(self, address: str, text: str, number: int) -> Call:
        """What the platform sends us, with its proof, when a person writes; ``number`` becomes the message's id."""

    @abstractmethod
    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        """The same when a person makes a choice."""

    @abstractmethod
    def signed(self, content: bytes) -> Call:
        """Any body with a proof that is right."""

    @abstractmethod
    def forged(self, call: Call) -> list[Call]:
        """The same request with proofs that are missing or wrong."""

    @abstractmethod
    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        """All that a person received, in order; ``client`` talks to our web application."""

    def choices(self, seen: Sequence[Seen]) -> tuple[Choice, ...]:
        """What a person can choose now."""
        return seen[-1].choices

    def mangled(self, call: Call) -> list[Call]:
        """A right request with one thing missing or of another kind, for everything in it."""
        return [self.signed(json.dumps(body).encode()) for body in _mangled(json.loads(call.content))]

    def fail_once(self, failure: Failure, after: int = 0) -> None:
        """Lets the platform refuse a message for good, or ask to wait, after it took ``after`` others."""
        raise NotImplementedError

    def receipts(self) -> list[Call]:
        """What the platform tells, with its proof, when all it took has arrived."""
        raise NotImplementedError


def numbered(seen: Sequence[Seen]) -> tuple[Choice, ...]:
    """The choices that are written as a numbered list, from the last number 1 on."""
    rows = _NUMBERED.findall("\n".join(message.text for message in seen))
    start = max((place for place, (number, _) in enumerate(rows) if number == "1"), default=0)
    return tuple(Choice(title, number) for number, title in rows[start:])


def _mangled(body: Any) -> list[Any]:
    """Copies of a JSON value, each with one part of it gone or of another kind."""
    made: list[Any] = [None, 7, "x", [], {}]
    if isinstance(body, dict):
        for key in body:
            made.append({name: value for name, value in body.items() if name != key})
            made.extend({**body, key: value} for value in _mangled(body[key]))
    if isinstance(body, list):
        made.extend([value] for row in body for value in _mangled(row))
    return made
