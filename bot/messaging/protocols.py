"""The contracts between the messaging core and what plugs into it."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from bot.messaging.messages import Outgoing, Response, Turn

if TYPE_CHECKING:
    from bot.messaging.hooks import Heard, Hook, TemplateState

Part = Mapping[str, Any]  # one message of the platform, in the channel's own form


class DeliveryError(Exception):
    """A message could not be handed to the provider.

    Attributes:
        reason: Short, without message text or address, shown to counsellors.
        permanent: Trying again is useless (blocked by the user, number unknown).
        retry_after: Seconds the provider asks to wait; ``None``: use the usual back-off.
        outside_window: The platform takes no free text until the person writes again.
        uncertain: The provider may have taken the message; only its answer is missing.
    """

    def __init__(
        self,
        reason: str,
        *,
        permanent: bool = False,
        retry_after: float | None = None,
        outside_window: bool = False,
        uncertain: bool = False,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after
        self.outside_window = outside_window
        self.uncertain = uncertain


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that a channel examined about itself, and how to mend it when it is not well."""

    what: str
    well: bool = True
    fix: str = ""


@dataclass(frozen=True, slots=True)
class Pace:
    """How fast one person may be written to: ``burst`` messages at once, one more every ``seconds``."""

    burst: int
    seconds: float


class Channel(Protocol):
    """A way to reach people. Parses and sends, keeps the platform's limits, never touches storage.

    ``bot.channels.base.BaseChannel`` has sensible answers for everything but ``receive``, ``plan`` and ``send``.

    Attributes:
        name: Short and stable; part of the webhook's address and of stored rows.
        label: The name as people write it.
        service_window_hours: Free text is allowed this long after the person's last message; ``None``: always.
        pace: The platform's limit on messages to one person, if it has one.
        settles: Receipts carry our reference, so that an uncertain send waits for its receipt before it is repeated.
    """

    name: str
    label: str
    service_window_hours: int | None
    pace: Pace | None
    settles: bool

    def receive(self, hook: "Hook") -> "Heard":
        """Proves that a webhook request comes from the provider, then reads it.

        Raises:
            HookRefused: It does not, or it is not what the provider sends. Nothing of it is used.
        """

    def plan(self, message: Outgoing, *, outbox_id: int, document: bytes | None = None) -> list[Part]:
        """The messages of the platform that together say what ``message`` says; each keeps the platform's limits.

        Args:
            outbox_id: Named by buttons that lead to further choices.
            document: Content of the file when ``message.document`` names one.

        Raises:
            DeliveryError: There is nothing to send.
        """

    async def send(self, address: str, part: Part, *, reference: str) -> str:
        """Sends one part.

        Args:
            address: The contact's address in this channel.
            reference: Passed to the provider where it can carry one; comes back in receipts.

        Returns:
            The provider's id of the message.

        Raises:
            DeliveryError: Permanent, or to be tried again.
        """

    async def typing(self, address: str, message_id: str) -> None:
        """Shows that a message was read and an answer is being written. Never raises: it is a courtesy."""

    async def check(self) -> list[Check]:
        """Whether the provider accepts our token and knows our webhook.

        Raises:
            DeliveryError: The token is refused, or the provider cannot be reached.
        """

    async def templates(self) -> "list[TemplateState]":
        """The states of our template messages at the provider; empty where there are none.

        Raises:
            DeliveryError: The provider cannot be asked.
        """

    async def submit_template(self, name: str, language: str) -> "TemplateState":
        """Hands a template message in for approval.

        Raises:
            DeliveryError: The provider refused it, or there are no templates here.
        """

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        """The content of a file that a person sent (``Incoming.media``).

        Raises:
            DeliveryError: It is larger than ``limit`` bytes, gone, or cannot be fetched now.
        """

    async def run(self, hear: "Callable[[Heard], Awaitable[None]]") -> None:
        """What the edge does for this channel while it runs: publish a profile, set a webhook, or poll.

        Ends when there is nothing more to do.

        Args:
            hear: Stores what was heard; it is safe on disk once the call returns.
        """

    async def close(self) -> None:
        """Frees connections."""


class Unavailable(Exception):
    """Something the assistant needs is away for a while: the message is not to blame, and is tried again."""


class Assistant(Protocol):
    """Understands a message and decides what to say."""

    async def respond(self, turn: Turn) -> Response:
        """The answer to one message of a person.

        Raises:
            Unavailable: Something it needs is away for a while.
        """

    async def remember(self, conversation_id: str, *, key: str, text: str, speaker: str) -> None:
        """Adds to the transcript something said outside the assistant; repeated keys are ignored."""

    async def forget(self, conversation_id: str) -> None:
        """Erases the transcript of a conversation."""


class Poke(Protocol):
    """Wakes the other process when there is work. Losing one is harmless: polling finds the work."""

    async def send(self, topic: str, key: str = "") -> None:
        """Tells listeners of ``topic`` that something about ``key`` is new."""

    async def listen(self, topic: str, callback: Callable[[str], None]) -> None:
        """Calls ``callback`` with the key of each poke, until cancelled."""
