"""What channels have in common, so that a new one needs no more than its own."""

import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from bot.messaging.hooks import Heard, HookRefused, TemplateState
from bot.messaging.protocols import Check, DeliveryError, Pace


class BaseChannel:
    """The answers of a channel without service window, templates, files, profile and typing indicator."""

    name = ""
    label = ""
    service_window_hours: int | None = None
    pace: Pace | None = None
    settles = False

    async def typing(self, address: str, message_id: str) -> None:
        """Shows nothing."""

    async def check(self) -> list[Check]:
        """Nothing is examined."""
        return []

    async def templates(self) -> list[TemplateState]:
        """There are none."""
        return []

    async def submit_template(self, name: str, language: str) -> TemplateState:
        """Refuses: there are none.

        Raises:
            DeliveryError: Always.
        """
        raise DeliveryError("this channel has no templates", permanent=True)

    async def fetch(self, media: Mapping[str, str], *, limit: int) -> bytes:
        """Refuses: there are no files.

        Raises:
            DeliveryError: Always.
        """
        raise DeliveryError("this channel has no files", permanent=True)

    async def run(self, hear: Callable[[Heard], Awaitable[None]]) -> None:
        """Nothing is to be done."""

    async def close(self) -> None:
        """Nothing is to be freed."""


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in a webhook's body.

    Raises:
        HookRefused: 400 when it is not one.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        raise HookRefused(400, "The body is not valid JSON.") from None
    if not isinstance(found, dict):
        raise HookRefused(400, "The body must be a JSON object.")
    return found
