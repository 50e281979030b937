"""A stand-in for Meta's Graph API: it keeps WhatsApp's limits, records requests and fails on demand."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.fates import Fate
from tests.support.graph_hooks import Reporter
from tests.support.graph_limits import RefusedError, check_definition, check_message
from tests.support.rate import Rate


@dataclass
class Graph:
    """One phone number of the Cloud API, and the account it belongs to.

    Attributes:
        sent: Bodies of the messages that were accepted, in order.
        reads: Bodies of the accepted read marks and typing indicators.
        uploads: Accepted files as name, media type and content.
        files: Files of people by id, as media type and content.
        file_url: Where files are said to be; empty: here.
        file_size: What is told of a file's size; ``None``: the truth.
        downloads: The ``Authorization`` headers with which files were fetched.
        templates: By name and Meta's code of the language.
        silent: Addresses of people who have not written for a day.
        subscribed: Whether an app hears the account.
        pair: The limit of messages to one person.
        throughput: The limit of messages to all; ``None``: none.
        spares_reads: What was destined to fail befalls messages alone, not read marks and typing indicators.
        reporter: Tells what became of messages; ``None``: nobody does.
    """

    phone_id: str = "106540352242922"
    account_id: str = "102290129340398"
    token: str = "graph-token"
    number: str = "+32 2 123 45 67"
    sent: list[dict[str, Any]] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=list)
    uploads: list[tuple[str, str, bytes]] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    file_url: str = ""
    file_size: int | None = None
    downloads: list[str] = field(default_factory=list)
    templates: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    silent: set[str] = field(default_factory=set)
    subscribed: bool = True
    pair: Rate = field(default_factory=lambda: Rate(45, 6.0))
    throughput: Rate | None = None
    spares_reads: bool = False
    reporter: Reporter | None = None
    paths: list[str] = field(default_factory=list)
    _fates: deque[Fate] = field(default_factory=deque)

    # --- failing on demand; ``after`` requests pass before

    def fail(self, code: int, *, status: int = 400, after: int = 0, message: str = "refused") -> None:
        """Refuses a later request with a Graph error."""
        self._destine(Fate(_error(code, message, status)), after)

    def answer(self, content: str, *, status: int = 200, after: int = 0) -> None:
        """Answers a later request with plain text, as a proxy in between does."""
        self._destine(Fate(PlainTextResponse(content, status)), after)

    def redirect(self, url: str, *, after: int = 0) -> None:
        """Sends a later request elsewhere."""
        self._destine(Fate(RedirectResponse(url)), after)

    def hang(self, seconds: float, *, after: int = 0) -> None:
        """Accepts a later request and is silent for a while before the answer."""
        self._destine(Fate(silence=seconds), after)

    def drop(self, *, after: int = 0) -> None:
        """Accepts a later request and closes the connection without an answer."""
        self._destine(Fate(hang_up=True), after)

    def dribble(self, seconds: float, *, after: int = 0) -> None:
        """Accepts a later request and answers byte by byte, with so many seconds in between."""
        self._destine(Fate(dribble=seconds), after)

    def _destine(self, fate: Fate, after: int) -> None:
        self._fates.extend([Fate()] * after)
        self._fates.append(fate)

    # --- what an installation has to know, and what there is to talk to

    def settings(self, url: str, app_secret: str) -> dict[str, str]:
        """The settings of an installation that talks to this API, served at ``url``."""
        return {
            "WAYMARK_WHATSAPP_TOKEN": self.token,
            "WAYMARK_WHATSAPP_PHONE_ID": self.phone_id,
            "WAYMARK_WHATSAPP_ACCOUNT_ID": self.account_id,
            "WAYMARK_WHATSAPP_APP_SECRET": app_secret,
            "WAYMARK_WHATSAPP_VERIFY_TOKEN": "verify-me",
            "WAYMARK_WHATSAPP_API": url,
        }

    def decide(self, name: str, language: str, state: str, reason: str = "NONE") -> None:
        """What became of a template that was handed in, or of one made elsewhere."""
        row = {"name": name, "language": language, "category": "UTILITY", "id": str(594425479261596)}
        told = {"status": state, "rejected_reason": reason}
        self.templates[name, language] = row | self.templates.get((name, language), {}) | told

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        return Starlette(
            routes=[
                Route("/files/{media_id}", self._file, methods=["GET"]),
                Route("/{version}/{phone_id}/messages", self._messages, methods=["POST"]),
                Route("/{version}/{phone_id}/media", self._media, methods=["POST"]),
                Route("/{version}/{account_id}/message_templates", self._templates, methods=["GET", "POST"]),
                Route("/{version}/{account_id}/subscribed_apps", self._apps, methods=["GET"]),
                Route("/{version}/{node}", self._node, methods=["GET"]),
                Route("/{version}/{node}", self._edit, methods=["POST"]),
            ]
        )

    async def _answered(self, request: Request, accept: Callable[[], Response], *, spared: bool = False) -> Response:
        """What ``accept`` answers, unless the request is refused or another fate befalls it."""
        self.paths.append(request.url.path)
        if request.headers.get("authorization") != f"Bearer {self.token}":
            return _error(190, "Error validating access token", 401)
        ours = {"phone_id": self.phone_id, "account_id": self.account_id}
        if any(ours.get(name, value) != value for name, value in request.path_params.items()):
            return _error(100, "Unsupported request", 400)
        fate = self._fates.popleft() if self._fates and not spared else Fate()
        if fate.refusal is not None:
            return fate.refusal
        try:
            answer = accept()
        except RefusedError as problem:
            return _error(problem.code, f"Invalid parameter: {problem}", problem.status)
        return await fate.befall(request, answer)

    # --- messages

    async def _messages(self, request: Request) -> Response:
        body = await request.json()
        spared = self.spares_reads and "status" in body
        return await self._answered(request, lambda: self._message(body), spared=spared)

    def _message(self, body: dict[str, Any]) -> Response:
        if body.get("messaging_product") != "whatsapp":
            raise RefusedError("messaging_product")
        if "status" in body:
            return self._read(body)
        check_message(body)
        address = body.get("to") or body["recipient"]
        self._expect_allowed(address, body)
        self.sent.append(body)
        provider_id = f"wamid.{len(self.sent)}"
        if self.reporter is not None:
            self.reporter.accepted(provider_id, body)
        contact = {"input": address, "wa_id" if address.isdigit() else "user_id": address}
        return JSONResponse({"messaging_product": "whatsapp", "contacts": [contact], "messages": [{"id": provider_id}]})

    def _expect_allowed(self, address: str, body: dict[str, Any]) -> None:
        if body["type"] == "template":
            self._expect_approved(body["template"])
        elif address in self.silent:
            raise RefusedError("Re-engagement message", 131047)
        if not self.pair.take(address):
            raise RefusedError("Pair rate limit hit", 131056)
        if self.throughput is not None and not self.throughput.take():
            raise RefusedError("Rate limit hit", 130429, 429)

    def _expect_approved(self, template: dict[str, Any]) -> None:
        known = self.templates.get((template["name"], template["language"]["code"]))
        state = known["status"] if known else "MISSING"
        if state == "PAUSED":
            raise RefusedError("Template is paused", 132015)
        if state == "DISABLED":
            raise RefusedError("Template is disabled", 132016)
        if state != "APPROVED":
            raise RefusedError("Template name does not exist in the translation", 132001, 404)

    def _read(self, body: dict[str, Any]) -> Response:
        if body["status"] != "read" or not str(body.get("message_id", "")).startswith("wamid."):
            raise RefusedError("message_id")
        self.reads.append(body)
        return JSONResponse({"success": True})

    # --- files

    async def _media(self, request: Request) -> Response:
        upload = (await request.form())["file"]
        assert not isinstance(upload, str)
        content = await upload.read()
        return await self._answered(
            request, lambda: self._upload(upload.filename or "", upload.content_type or "", content)
        )

    def _upload(self, name: str, mime: str, content: bytes) -> Response:
        if mime not in ("text/plain", "application/pdf"):
            raise RefusedError("file must be a file with one of the supported types")
        self.uploads.append((name, mime, content))
        return JSONResponse({"id": str(4490709327384033 + len(self.uploads))})

    async def _node(self, request: Request) -> Response:
        return await self._answered(request, lambda: self._object(request.path_params["node"], str(request.base_url)))

    def _object(self, node: str, base: str) -> Response:
        if node == self.phone_id:
            return JSONResponse({"id": node, "display_phone_number": self.number, "verified_name": "Waymark"})
        if node not in self.files:
            raise RefusedError("Unsupported get request. Object does not exist")
        mime, content = self.files[node]
        size = len(content) if self.file_size is None else self.file_size
        url = self.file_url or f"{base}files/{node}"
        told = {"id": node, "url": url, "mime_type": mime, "file_size": size, "messaging_product": "whatsapp"}
        return JSONResponse(told)

    async def _file(self, request: Request) -> Response:
        self.downloads.append(request.headers.get("authorization", ""))
        mime, content = self.files[request.path_params["media_id"]]
        return await self._answered(request, lambda: Response(content, media_type=mime))

    # --- the account

    async def _templates(self, request: Request) -> Response:
        body = await request.json() if request.method == "POST" else None
        named, most = request.query_params.get("name"), int(request.query_params.get("limit", 25))
        return await self._answered(request, lambda: self._listed(named, most) if body is None else self._create(body))

    def _listed(self, named: str | None, most: int) -> Response:
        # Meta's filter finds every name that contains the word
        rows = [row for row in self.templates.values() if named is None or named in row["name"]]
        return JSONResponse({"data": rows[:most], "paging": {"cursors": {"before": "MAZD", "after": "MjQZD"}}})

    def _create(self, body: dict[str, Any]) -> Response:
        check_definition(body, self.templates)
        made = body | {"id": str(594425479261596 + len(self.templates)), "status": "PENDING", "rejected_reason": "NONE"}
        self.templates[body["name"], body["language"]] = made
        return JSONResponse({key: made[key] for key in ("id", "status", "category")})

    async def _edit(self, request: Request) -> Response:
        body, node = await request.json(), request.path_params["node"]
        return await self._answered(request, lambda: self._edited(node, body))

    def _edited(self, node: str, body: dict[str, Any]) -> Response:
        row = next((row for row in self.templates.values() if row["id"] == node), None)
        if row is None or row["status"] not in ("APPROVED", "REJECTED", "PAUSED"):
            raise RefusedError("this template cannot be edited")
        check_definition(row | body, ())
        row |= body | {"status": "PENDING", "rejected_reason": "NONE"}
        return JSONResponse({"success": True})

    async def _apps(self, request: Request) -> Response:
        app = {"whatsapp_business_api_data": {"id": "67084", "name": "Waymark", "link": "https://example.org"}}
        return await self._answered(request, lambda: JSONResponse({"data": [app] if self.subscribed else []}))


def _error(code: int, message: str, status: int) -> Response:
    error = {"message": f"(#{code}) {message}", "type": "OAuthException", "code": code, "fbtrace_id": "A1b2"}
    return JSONResponse({"error": error}, status)
