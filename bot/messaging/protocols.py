"""The contracts between the messaging core and what plugs into it."""

from collections.abc import Callable
from typing import Protocol

from bot.messaging.messages import Outgoing, Response, Turn


class DeliveryError(Exception):
    """A message could not be handed to the provider.

    Attributes:
        reason: Short, without message text or address, shown to counsellors.
        permanent: Trying again is useless (blocked by the user, number unknown).
        retry_after: Seconds the provider asks to wait; ``None``: use the usual back-off.
    """

    def __init__(self, reason: str, *, permanent: bool = False, retry_after: float | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.permanent = permanent
        self.retry_after = retry_after


class Channel(Protocol):
    """A way to reach people. Parses and sends, keeps the platform's limits, never touches storage."""

    name: str
    service_window_hours: int | None  # free text is allowed this long after the person's last message

    async def send(self, address: str, message: Outgoing, *, reference: str, document: bytes | None = None) -> str:
        """Sends one message, split into as many parts as the platform's limits ask for.

        Args:
            address: The contact's address in this channel.
            message: What to send.
            reference: The outbox id, passed to the provider where it can carry one.
            document: Content of the file when ``message.document`` names one.

        Returns:
            The provider's id of the (last) message.

        Raises:
            DeliveryError: Permanent, or to be tried again.
        """

    async def typing(self, address: str, message_id: str) -> None:
        """Shows that an answer is being written. Never raises: it is a courtesy."""

    async def close(self) -> None:
        """Frees connections."""


class Assistant(Protocol):
    """Understands a message and decides what to say."""

    async def respond(self, turn: Turn) -> Response:
        """The answer to one message of a person."""

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
