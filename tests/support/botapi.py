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

from tests.support.botapi_profile import Profile
from tests.support.fates import Fate
from tests.support.rate import Rate

_PLAIN = {"answerCallbackQuery", "sendChatAction"}
_MESSAGES = ("sendMessage", "sendDocument")


@dataclass
class BotApi:
    """One bot.

    Attributes:
        calls: Every accepted call as its method and parameters, in order.
        updates: What ``getUpdates`` still has to give; asking with a higher offset removes the earlier ones.
        profile: Name, descriptions and commands by language.
        webhook: What ``getWebhookInfo`` tells.
        files: Files of people by id.
        file_size: What is told of a file's size; ``None``: the truth.
        blocked: Chats whose people have blocked the bot.
        moved: Groups that became supergroups, with their new ids.
        per_chat: The limit of messages to one chat; ``None``: none.
        overall: The limit of messages to all; ``None``: none.
    """

    token: str = "123456:test-token"
    username: str = "WaymarkBot"
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    updates: list[dict[str, Any]] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    profile: Profile = field(default_factory=Profile)
    webhook: dict[str, Any] = field(default_factory=dict)
    files: dict[str, bytes] = field(default_factory=dict)
    file_size: int | None = None
    blocked: set[int] = field(default_factory=set)
    moved: dict[int, int] = field(default_factory=dict)
    per_chat: Rate | None = None
    overall: Rate | None = None
    _fates: deque[tuple[str, Fate]] = field(default_factory=deque)

    # --- failing on demand; ``after`` calls of the method pass before

    def fail(self, method: str, status: int, description: str, *, after: int = 0, **parameters: int) -> None:
        """Refuses a later call of ``method``."""
        self._destine(method, Fate(_refusal(status, description, **parameters)), after)

    def hang(self, method: str, seconds: float, *, after: int = 0) -> None:
        """Accepts a later call of ``method`` and is silent for a while before the answer."""
        self._destine(method, Fate(silence=seconds), after)

    def drop(self, method: str, *, after: int = 0) -> None:
        """Accepts a later call of ``method`` and closes the connection without an answer."""
        self._destine(method, Fate(hang_up=True), after)

    def _destine(self, method: str, fate: Fate, after: int) -> None:
        self._fates.extend([(method, Fate())] * after)
        self._fates.append((method, fate))

    def _fate(self, method: str) -> Fate:
        found = next((row for row in self._fates if row[0] == method), None)
        if found is None:
            return Fate()
        self._fates.remove(found)
        return found[1]

    def of(self, method: str) -> list[dict[str, Any]]:
        """Parameters of the accepted calls of a method."""
        return [parameters for name, parameters in self.calls if name == method]

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        return Starlette(
            routes=[
                Route("/bot{token}/{method}", self._call, methods=["POST"]),
                Route("/file/bot{token}/{path:path}", self._download, methods=["GET"]),
            ]
        )

    async def _call(self, request: Request) -> Response:
        method = request.path_params["method"]
        if request.path_params["token"] != self.token:
            return _refusal(401, "Unauthorized")
        parameters = {key: await _value(value) for key, value in (await request.form()).multi_items()}
        fate = self._fate(method)
        if refused := fate.refusal or self._refused(method, parameters):
            return refused
        self.calls.append((method, parameters))
        return await fate.befall(request, await self._answer(method, parameters))

    def _refused(self, method: str, parameters: dict[str, Any]) -> Response | None:
        if problem := _problem(method, parameters) or self.profile.problem(method, parameters):
            return _refusal(400, f"Bad Request: {problem}")
        if method not in _MESSAGES:
            return None
        chat = int(parameters["chat_id"])
        if chat in self.blocked:
            return _refusal(403, "Forbidden: bot was blocked by the user")
        if chat in self.moved:
            words = "Bad Request: group chat was upgraded to a supergroup chat"
            return _refusal(400, words, migrate_to_chat_id=self.moved[chat])
        allowed = (self.per_chat is None or self.per_chat.take(str(chat))) and (
            self.overall is None or self.overall.take()
        )
        return None if allowed else _refusal(429, "Too Many Requests: retry after 1", retry_after=1)

    async def _answer(self, method: str, parameters: dict[str, Any]) -> Response:
        if method == "getMe":
            return _result({"id": 123456, "is_bot": True, "first_name": "Waymark", "username": self.username})
        if method == "getUpdates":
            return await self._get_updates(int(parameters.get("offset", 0)))
        if method in _MESSAGES:
            chat = {"id": int(parameters["chat_id"]), "type": "private", "first_name": "A"}
            number = sum(name in _MESSAGES for name, _ in self.calls)
            return _result({"message_id": number, "date": 1, "chat": chat, "text": parameters.get("text", "")})
        if method in ("setWebhook", "deleteWebhook", "getWebhookInfo"):
            return self._webhook(method, parameters)
        if method == "getFile":
            return self._get_file(parameters["file_id"])
        if self.profile.knows(method):
            return _result(self.profile.call(method, parameters))
        return _result(True) if method in _PLAIN else _refusal(404, "Not Found")

    def _webhook(self, method: str, parameters: dict[str, Any]) -> Response:
        if method == "getWebhookInfo":
            none = {"url": "", "has_custom_certificate": False, "pending_update_count": len(self.updates)}
            return _result(none | self.webhook)
        if parameters.get("drop_pending_updates") == "true":
            self.updates.clear()
        self.webhook["url"] = parameters.get("url", "")
        return _result(True)

    async def _get_updates(self, offset: int) -> Response:
        self.offsets.append(offset)
        self.updates = [update for update in self.updates if update["update_id"] >= offset]
        if not self.updates:
            await asyncio.sleep(0.02)  # a long poll that ends early, so that tests need not wait
        return _result(self.updates[:100])

    def _get_file(self, file_id: str) -> Response:
        if file_id not in self.files:
            return _refusal(400, "Bad Request: wrong file_id or the file is temporarily unavailable")
        size = len(self.files[file_id]) if self.file_size is None else self.file_size
        if size > 20 * 1024 * 1024:
            return _refusal(400, "Bad Request: file is too big")
        told = {"file_id": file_id, "file_unique_id": f"u{file_id}", "file_size": size}
        return _result(told | {"file_path": f"documents/{file_id}"})

    async def _download(self, request: Request) -> Response:
        if request.path_params["token"] != self.token:
            return _refusal(401, "Unauthorized")
        content = self.files.get(request.path_params["path"].removeprefix("documents/"))
        return _refusal(404, "Not Found") if content is None else Response(content)


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
    rows = parameters.get("reply_markup", {}).get("inline_keyboard", [])
    if any(not 1 <= len(key["callback_data"].encode()) <= 64 for row in rows for key in row):
        return "BUTTON_DATA_INVALID"
    return None


def _result(result: Any) -> Response:
    return JSONResponse({"ok": True, "result": result})


def _refusal(status: int, description: str, **parameters: int) -> Response:
    body: dict[str, Any] = {"ok": False, "error_code": status, "description": description}
    return JSONResponse(body | ({"parameters": parameters} if parameters else {}), status)
