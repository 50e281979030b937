"""What providers tell us over webhooks, as pure data: a request, and what a channel heard in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from bot.messaging.messages import Incoming
from bot.messaging.protocols import DeliveryError

State = Literal["sent", "delivered", "read", "failed"]


@dataclass(frozen=True, slots=True)
class Hook:
    """One request to a channel's webhook.

    Attributes:
        url: The address as the provider called it, with the query; some providers sign it.
        headers: Names in lower case.
        body: The raw body, which most providers sign.
    """

    method: str
    url: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes


class HookRefused(Exception):
    """A request is not from the provider, or is not what the provider sends.

    Attributes:
        status: The HTTP status to refuse it with.
    """

    def __init__(self, status: int, reason: str = "") -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a message we sent.

    Attributes:
        provider_id: The provider's id of the message.
        reference: What was passed along when it was sent (see ``outbox.reference``); empty if nothing was.
        error: For a failure, why, and whether trying again may help.
    """

    provider_id: str
    state: State
    reference: str = ""
    error: DeliveryError | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """A person is reached under another address from now on, such as a new phone number."""

    channel: str
    old: str
    new: str


@dataclass(frozen=True, slots=True)
class TemplateState:
    """Whether the provider lets a template message be sent.

    Attributes:
        language: Our code of the language.
        state: ``approved``, ``pending``, ``rejected``, ``paused`` or another word of the provider, in lower case.
        reason: Why it was rejected or paused.
        provider_id: What the provider wants to be told when it is sent, if it is not the name.
    """

    name: str
    language: str
    state: str
    reason: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True)
class Heard:
    """All that one webhook request told.

    Attributes:
        answer: Body of our answer; JSON when it starts with a brace, XML when it starts with an angle bracket.
        unreadable: How many messages in it could not be understood; the others are used.
    """

    messages: tuple[Incoming, ...] = ()
    receipts: tuple[Receipt, ...] = ()
    moves: tuple[Move, ...] = ()
    templates: tuple[TemplateState, ...] = ()
    answer: str = ""
    unreadable: int = 0
