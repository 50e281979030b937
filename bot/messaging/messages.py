"""What travels between a channel and the rest: incoming and outgoing messages. Pure data."""

from dataclasses import asdict, dataclass, field, replace
from datetime import date, datetime
from typing import Any, Literal

Kind = Literal["text", "button", "command", "media", "edited", "group"]
Speaker = Literal["bot", "counsellor", "system"]


@dataclass(frozen=True, slots=True)
class Incoming:
    """One message of a person, as a channel parsed it.

    Attributes:
        channel: Name of the channel, such as ``telegram``.
        message_id: The provider's id, unique within the channel; a repeated one is ignored.
        address: Where answers go (chat id, wa_id, web token). Kept in the contact table alone.
        kind: ``text``; ``button`` (``payload`` holds the button's id); ``command`` (``payload`` holds
            the word after the slash); ``media`` (``media`` says which); ``edited``; ``group``.
        text: What the person wrote, or a caption.
        locale: The channel's hint at a language, such as ``fr-BE``.
        media: For kept media: its kind and the provider's reference.
        alias: A second address under which the person may come later, such as a user id beside a phone number.
        sent_at: When the provider says it was written; ``None``: now.
    """

    channel: str
    message_id: str
    address: str
    kind: Kind = "text"
    text: str = ""
    payload: str = ""
    locale: str | None = None
    media: dict[str, str] = field(default_factory=dict)
    alias: str = ""
    sent_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Button:
    """A choice offered to a person.

    Attributes:
        title: At most 20 characters, WhatsApp's limit for a reply button.
        payload: At most 64 bytes, Telegram's limit; an id, never content (``bot.messaging.payloads``).
        description: A longer text that lists show below the title; at most 72 characters.
    """

    title: str
    payload: str
    description: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """Which content a reply showed: entry, language and version."""

    entry: str
    language: str
    version: int


@dataclass(frozen=True, slots=True)
class Outgoing:
    """One message to a person.

    ``document`` names a file made at the moment of sending (``export``). ``template`` is the
    provider's name or id of a message that it has approved beforehand and takes outside the service window;
    ``text`` is what it says.
    """

    text: str
    language: str
    buttons: tuple[Button, ...] = ()
    speaker: Speaker = "bot"
    shown: Shown | None = None
    document: str = ""
    listed: bool = False  # the buttons are alternatives of equal weight: show them as a list
    template: str = ""

    def to_json(self) -> dict[str, Any]:
        """A JSON-ready dict, the form in which the outbox keeps it."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outgoing":
        """The message behind ``to_json``."""
        shown = data.get("shown")
        return cls(
            text=data["text"],
            language=data["language"],
            buttons=tuple(Button(**button) for button in data.get("buttons", ())),
            speaker=data.get("speaker", "bot"),
            shown=Shown(**shown) if shown else None,
            document=data.get("document", ""),
            listed=data.get("listed", False),
            template=data.get("template", ""),
        )


@dataclass(frozen=True, slots=True)
class Effect:
    """Something to do besides answering, done by the worker in the transaction that stores the answer.

    ``name`` is one of ``handoff`` (urgent, reason, facts), ``language`` (code, chosen), ``place`` (host or
    origin: country codes to remember), ``feedback`` (outbox_id, helpful) and ``delete``.
    """

    name: Literal["handoff", "language", "place", "feedback", "delete"]
    values: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a message was understood, for evaluation and statistics.

    Attributes:
        kind: ``answer``, ``clarify``, ``handoff``, ``crisis``, ``fallback`` or ``smalltalk``.
        topic: Id of the topic that was answered.
        candidates: Topic ids offered, best first.
        crisis: Kind of crisis.
        confidence: The classifier's, 0 to 1.
        language: The language answered in.
        detected: The language the message was found to be written in; may be one not launched.
    """

    kind: str
    topic: str | None = None
    candidates: tuple[str, ...] = ()
    crisis: str | None = None
    confidence: float = 0.0
    language: str = ""
    detected: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One message of a person with what the conversation knows, handed to the assistant."""

    conversation_id: str
    message_id: str
    text: str = ""
    payload: str = ""
    language: str | None = None
    language_chosen: bool = False
    locale: str | None = None
    host: str | None = None  # country the person is in, once told (ISO 3166)
    origin: str | None = None  # country of return, once told
    today: date | None = None


@dataclass(frozen=True, slots=True)
class Response:
    """What the assistant wants said and done.

    ``remembered`` holds the positions of the replies that the assistant's transcript has already.
    """

    replies: tuple[Outgoing, ...]
    effects: tuple[Effect, ...] = ()
    outcome: Outcome = Outcome("fallback")
    remembered: frozenset[int] = frozenset()

    def preceded_by(self, word: Outgoing) -> "Response":
        """The same response with ``word`` said first."""
        shifted = frozenset(position + 1 for position in self.remembered)
        return replace(self, replies=(word, *self.replies), remembered=shifted)
