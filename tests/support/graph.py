"""A stand-in for Meta's Graph API: it keeps WhatsApp's limits, records requests and fails on demand."""

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route


class RefusedError(Exception):
    """A request breaks a limit of the platform."""


@dataclass
class Graph:
    """One phone number of the Cloud API.

    Attributes:
        sent: Bodies of the messages that were accepted, in order.
        reads: Bodies of the accepted read marks and typing indicators.
        uploads: Accepted files as name, media type and content.
    """

    phone_id: str = "106540352242922"
    token: str = "graph-token"
    sent: list[dict[str, Any]] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    paths: list[str] = field(default_factory=list)
    _answers: deque[Response | None] = field(default_factory=deque)

    def fail(self, code: int, *, status: int = 400, after: int = 0, message: str = "refused") -> None:
        """Answers a later request with a Graph error; ``after`` requests pass before."""
        self._answers.extend([None] * after)
        error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "A1b2"}
        self._answers.append(JSONResponse({"error": error}, status))

    def answer(self, content: str, *, status: int = 200) -> None:
        """Answers the next request with plain text, as a proxy in between does."""
        self._answers.append(PlainTextResponse(content, status))

    def settings(self, url: str, app_secret: str) -> dict[str, str]:
        """The settings of an installation that talks to this API, served at ``url``."""
        return {
            "WAYMARK_WHATSAPP_TOKEN": self.token,
            "WAYMARK_WHATSAPP_PHONE_ID": self.phone_id,
            "WAYMARK_WHATSAPP_APP_SECRET": app_secret,
            "WAYMARK_WHATSAPP_VERIFY_TOKEN": "verify-me",
            "WAYMARK_WHATSAPP_API": url,
        }

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        return Starlette(
            routes=[
                Route("/{version}/{phone_id}/messages", self._messages, methods=["POST"]),
                Route("/{version}/{phone_id}/media", self._media, methods=["POST"]),
            ]
        )

    def _stopped(self, request: Request) -> Response | None:
        self.paths.append(request.url.path)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(190, "Error validating access token", 401)
        if request.path_params["phone_id"] != self.phone_id:
            return _error(100, "Unsupported post request", 400)
        return self._answers.popleft() if self._answers else None

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        if stopped := self._stopped(request):
            return stopped
        try:
            _expect(body.get("messaging_product") == "whatsapp", "messaging_product")
            if "status" in body:
                return self._read(body)
            check_message(body)
        except RefusedError as problem:
            return _error(100, f"Invalid parameter: {problem}", 400)
        self.sent.append(body)
        address = body.get("to") or body["recipient"]
        contact = {"input": address, "wa_id" if address.isdigit() else "user_id": address}
        message = {"id": f"wamid.{len(self.sent)}"}
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [contact], "messages": [message]})

    def _read(self, body: dict[str, Any]) -> Response:
        _expect(body["status"] == "read" and str(body.get("message_id", "")).startswith("wamid."), "message_id")
        self.reads.append(body)
        return JSONResponse({"success": True})

    async def _media(self, request: Request) -> Response:
        form = await request.form()
        if stopped := self._stopped(request):
            return stopped
        upload = form["file"]
        assert not isinstance(upload, str)
        if upload.content_type not in ("text/plain", "application/pdf"):
            return _error(100, "Param file must be a file with one of the supported types", 400)
        self.uploads.append((upload.filename or "", upload.content_type, await upload.read()))
        return JSONResponse({"id": str(4490709327384033 + len(self.uploads))})


def check_message(body: dict[str, Any]) -> None:
    """Checks a message against the documented limits.

    Raises:
        RefusedError: It breaks one.
    """
    _expect(body.get("recipient_type") == "individual", "recipient_type")
    _expect(("to" in body) != ("recipient" in body), "either to or recipient")
    _expect(str(body.get("to", "1")).isdigit(), "to")
    _expect(len(body.get("biz_opaque_callback_data", "")) <= 512, "biz_opaque_callback_data")
    kind = body.get("type")
    if kind == "text":
        _expect(1 <= len(body["text"]["body"]) <= 4096, "text.body")
        _expect(body["text"]["body"].strip() != "", "text.body")
    elif kind == "interactive":
        _check_interactive(body["interactive"])
    elif kind == "document":
        _expect("id" in body["document"] and "filename" in body["document"], "document")
    else:
        raise RefusedError(f"type {kind}")


def _check_interactive(interactive: dict[str, Any]) -> None:
    _expect(1 <= len(interactive["body"]["text"]) <= 1024, "body.text")
    action = interactive["action"]
    if interactive["type"] == "button":
        _expect(1 <= len(action["buttons"]) <= 3, "number of buttons")
        _check_choices([button["reply"] for button in action["buttons"]], title=20, id_=256)
        _unique([button["reply"]["title"] for button in action["buttons"]], "titles")
        return
    _expect(interactive["type"] == "list", "interactive type")
    _expect(1 <= len(action["button"]) <= 20, "opener")
    _expect(1 <= len(action["sections"]) <= 10, "number of sections")
    _expect(all(len(section["title"]) <= 24 for section in action["sections"]), "section title")
    rows = [row for section in action["sections"] for row in section["rows"]]
    _expect(1 <= len(rows) <= 10, "number of rows")
    _check_choices(rows, title=24, id_=200)
    _expect(all(1 <= len(row.get("description", "-")) <= 72 for row in rows), "row description")


def _check_choices(choices: list[dict[str, Any]], *, title: int, id_: int) -> None:
    _expect(all(1 <= len(choice["title"]) <= title for choice in choices), "title")
    _expect(all(1 <= len(choice["id"]) <= id_ for choice in choices), "id")
    _unique([choice["id"] for choice in choices], "ids")


def _unique(values: list[str], what: str) -> None:
    _expect(len(set(values)) == len(values), f"{what} must be unique")


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(what)


def _error(code: int, message: str, status: int) -> Response:
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "A1b2"}
    return JSONResponse({"error": error}, status)
