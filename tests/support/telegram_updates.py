"""Updates as Telegram sends them."""

import json
from typing import Any

from bot.messaging.hooks import Hook

SECRET = "s3cret"
GROUP = {"id": -500, "type": "supergroup", "title": "Camp"}


def update(**message: Any) -> dict[str, Any]:
    """A message of Amina's; what is given replaces or adds to what it holds."""
    person = {"id": 77, "is_bot": False, "first_name": "Amina", "language_code": "ar"}
    base = {"message_id": 5, "date": 1_700_000_000, "chat": {"id": 77, "type": "private"}, "from": person}
    return {"update_id": 900, "message": base | message}


def numbered(number: int, text: str) -> dict[str, Any]:
    """A text with the number of its update."""
    return update(text=text) | {"update_id": number}


def pressed(data: str, **message: Any) -> dict[str, Any]:
    """A pressed button under a message of ours."""
    sent = update(**message)["message"]
    return {
        "update_id": 901,
        "callback_query": {"id": "cb1", "chat_instance": "1", "from": sent["from"], "message": sent, "data": data},
    }


def hook(content: Any, *, secret: str | None = SECRET, method: str = "POST") -> Hook:
    """The request that brings an update, or other content as it is."""
    headers = {"content-type": "application/json"}
    if secret is not None:
        headers["x-telegram-bot-api-secret-token"] = secret
    body = content if isinstance(content, bytes) else json.dumps(content, ensure_ascii=False).encode()
    return Hook(method, "https://waymark.example.org/webhooks/telegram", {}, headers, body)
