"""People on Telegram."""

import json
from typing import Any

import httpx

from tests.contract.peer import Call, Choice, Failure, Peer, Seen
from tests.support.botapi import BotApi

SECRET = "hook-secret"


class TelegramPeer(Peer):
    """A bot with a webhook."""

    name = "telegram"
    module = "bot.channels.telegram"
    sending = "/sendMessage"
    limit = 4096

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self._api = BotApi()

    @property
    def app(self) -> Any:
        return self._api.app

    def environment(self) -> dict[str, str]:
        return {
            "WAYMARK_TELEGRAM_TOKEN": self._api.token,
            "WAYMARK_TELEGRAM_SECRET": SECRET,
            "WAYMARK_TELEGRAM_API": self.url,
        }

    def address(self, number: int) -> str:
        return str(7000 + number)

    def written(self, address: str, text: str, number: int) -> Call:
        message = _message(address) | {"from": _person(address), "text": text}
        return self._update(number, message=message)

    def pressed(self, address: str, choice: Choice, number: int) -> Call:
        query = {"id": str(number), "from": _person(address), "chat_instance": "1", "data": choice.mark}
        return self._update(number, callback_query=query | {"message": _message(address)})

    def _update(self, number: int, **content: Any) -> Call:
        return self.signed(json.dumps({"update_id": number} | content).encode())

    def signed(self, content: bytes) -> Call:
        headers = {"x-telegram-bot-api-secret-token": SECRET, "content-type": "application/json"}
        return Call("/webhooks/telegram", content, headers)

    def forged(self, call: Call) -> list[Call]:
        proofs: list[dict[str, str]] = [{}, {"x-telegram-bot-api-secret-token": ""}]
        proofs.append({"x-telegram-bot-api-secret-token": SECRET[:-1]})
        return [Call(call.path, call.content, proof) for proof in proofs]

    async def seen(self, client: httpx.AsyncClient, address: str) -> list[Seen]:
        return [
            Seen(call["text"], _keys(call.get("reply_markup") or {}))
            for call in self._api.of("sendMessage")
            if str(call["chat_id"]) == address
        ]

    def fail_once(self, failure: Failure, after: int = 0) -> None:
        if failure == "refused":
            self._api.fail("sendMessage", 403, "Forbidden: bot was blocked by the user", after=after)
        else:
            words = f"Too Many Requests: retry after {self.pause:.0f}"
            self._api.fail("sendMessage", 429, words, after=after, retry_after=int(self.pause))


def _person(address: str) -> dict[str, Any]:
    return {"id": int(address), "is_bot": False, "first_name": "A", "language_code": "en"}


def _message(address: str) -> dict[str, Any]:
    chat = {"id": int(address), "type": "private", "first_name": "A"}
    return {"message_id": 1, "date": 1795000000, "chat": chat}


def _keys(markup: dict[str, Any]) -> tuple[Choice, ...]:
    rows = markup.get("inline_keyboard", [])
    return tuple(Choice(key["text"], key["callback_data"]) for row in rows for key in row)
