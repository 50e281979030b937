"""A stand-in for Telegram's Bot API: it keeps the limits, records requests and fails on demand."""

import asyncio
import json
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

_PLAIN = {
    "answerCallbackQuery",
    "sendChatAction",
    "setMyCommands",
    "setMyShortDescription",
    "setMyDescription",
    "deleteWebhook",
    "setWebhook",
}
_LENGTHS = {"setMyShortDescription": ("short_description", 120), "setMyDescription": ("description", 512)}


@dataclass
class BotApi:
    """One bot.

    Attributes:
        calls: Every accepted call as its method and parameters, in order.
        updates: What ``getUpdates`` still has to give; asking with a higher offset removes the earlier ones.
    """

    token: str = "123456:test-token"
    username: str = "WaymarkBot"
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    _answers: deque[tuple[str, Response | None]] = field(default_factory=deque)

    def fail(self, method: str, status: int, description: str, *, after: int = 0, **parameters: int) -> None:
        """Answers a later call of ``method`` with an error; ``after`` calls of it pass before."""
        self._answers.extend([(method, None)] * after)
        body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
        if parameters:
            body["parameters"] = parameters
        self._answers.append((method, JSONResponse(body, status)))

    def of(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the accepted calls of a method."""
        return [parameters for name, parameters in self.calls if name == method]

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        return Starlette(routes=[Route("/bot{token}/{method}", self._call, methods=["POST"])])

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        if request.path_params["token"] != self.token:
            return _refusal(401, "Unauthorized")
        parameters = {key: await _value(value) for key, value in (await request.form()).multi_items()}
        failing = next((row for row in self._answers if row[0] == method), None)
        if failing is not None:
            self._answers.remove(failing)
            if failing[1] is not None:
                return failing[1]
        if problem := _problem(method, parameters):
            return _refusal(400, f"Bad Request: {problem}")
        self.calls.append((method, parameters))
        return await self._answer(method, parameters)

    async def _answer(self, method: str, parameters: dict[str, Any]) -> Response:
        if method == "getMe":
            return _result({"id": 123456, "is_bot": True, "first_name": "Waymark", "username": self.username})
        if method == "getUpdates":
            return await self._get_updates(int(parameters.get("offset", 0)))
        if method in ("sendMessage", "sendDocument"):
            chat = {"id": int(parameters["chat_id"]), "type": "private", "first_name": "A"}
            number = len(self.of("sendMessage")) + len(self.of("sendDocument"))
            return _result({"message_id": number, "date": 1, "chat": chat, "text": parameters.get("text", "")})
        return _result(True) if method in _PLAIN else _refusal(404, "Not Found")

    async def _get_updates(self, offset: int) -> Response:
        self.offsets.append(offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            await asyncio.sleep(0.02)  # a long poll that ends early, so that tests need not wait
        return _result(self.updates[:100])


async def _value(value: UploadFile | str) -> Any:
    if isinstance(value, UploadFile):
        return (value.filename, await value.read())
    try:
        return json.loads(value) if value[:1] in ("{", "[") else value
    except ValueError:
        return value


def _problem(method: str, parameters: dict[str, Any]) -> str | None:
    if method == "sendMessage":
        text = parameters.get("text", "")
        if not text.strip():
            return "message text is empty"
        if len(text.encode("utf-16-le")) // 2 > 4096:
            return "message is too long"
    if method == "sendDocument" and len(parameters.get("caption", "")) > 1024:
        return "message caption is too long"
    if method in _LENGTHS:
        name, most = _LENGTHS[method]
        return f"{name} is too long" if len(parameters[name]) > most else None
    rows = parameters.get("reply_markup", {}).get("inline_keyboard", [])
    if any(not 1 <= len(key["callback_data"].encode()) <= 64 for row in rows for key in row):
        return "BUTTON_DATA_INVALID"
    return None


def _result(result: Any) -> Response:
    return JSONResponse({"ok": True, "result": result})


def _refusal(status: int, description: str) -> Response:
    return JSONResponse({"ok": False, "error_code": status, "description": description}, status)
