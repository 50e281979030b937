"""A stand-in for Twilio's APIs: it keeps the limits of WhatsApp messages, records requests and fails on demand."""

import base64
import re
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.support.fates import Fate
from tests.support.rate import Rate
from tests.support.twilio_hooks import Reporter

_ADDRESS = re.compile(r"whatsapp:(\+[0-9]{5,15}|[A-Z]{2}\.[A-Za-z0-9.]{1,128})")


class RefusedError(Exception):
    """A request breaks a limit, as Twilio tells it."""

    def __init__(self, code: int, what: str, status: int = 400) -> None:
        super().__init__(what)
        self.code, self.status = code, status


@dataclass
class Twilio:
    """One account with one WhatsApp number.

    Attributes:
        sent: Forms of the messages that were accepted, in order.
        typed: Forms of the accepted typing indicators.
        files: Files of people by id, as media type and content.
        file_url: Where files are redirected to; empty: they are here.
        downloads: The ``Authorization`` headers with which files were fetched.
        contents: Content templates by id, with their approval.
        silent: Addresses of people who have not written for a day.
        pair: The limit of messages to one person.
        reporter: Tells what became of messages; ``None``: nobody does.
    """

    account: str = "AC" + "0" * 32
    token: str = "new-token"
    number: str = "+3221234567"
    status: str = "active"
    sent: list[dict[str, str]] = field(default_factory=list)
    typed: list[dict[str, str]] = field(default_factory=list)
    files: dict[str, tuple[str, bytes]] = field(default_factory=dict)
    file_url: str = ""
    downloads: list[str] = field(default_factory=list)
    contents: dict[str, dict[str, Any]] = field(default_factory=dict)
    page_size: int = 50
    silent: set[str] = field(default_factory=set)
    pair: Rate = field(default_factory=lambda: Rate(45, 6.0))
    reporter: Reporter | None = None
    paths: list[str] = field(default_factory=list)
    _fates: deque[Fate] = field(default_factory=deque)

    # --- failing on demand; ``after`` requests pass before

    def fail(self, code: int, *, status: int = 400, after: int = 0) -> None:
        """Refuses a later request with one of Twilio's errors."""
        self._destine(Fate(_error(code, "refused", status)), after)

    def answer(self, content: str, *, status: int = 200, after: int = 0) -> None:
        """Answers a later request with plain text, as a proxy in between does."""
        self._destine(Fate(PlainTextResponse(content, status)), after)

    def hang(self, seconds: float, *, after: int = 0) -> None:
        """Accepts a later request and is silent for a while before the answer."""
        self._destine(Fate(silence=seconds), after)

    def drop(self, *, after: int = 0) -> None:
        """Accepts a later request and closes the connection without an answer."""
        self._destine(Fate(hang_up=True), after)

    def _destine(self, fate: Fate, after: int) -> None:
        self._fates.extend([Fate()] * after)
        self._fates.append(fate)

    # --- what an installation has to know, and what there is to talk to

    def settings(self, url: str, public_url: str) -> dict[str, str]:
        """The settings of an installation at ``public_url`` that talks to this API, served at ``url``."""
        return {
            "WAYMARK_TWILIO_ACCOUNT_SID": self.account,
            "WAYMARK_TWILIO_AUTH_TOKEN": self.token,
            "WAYMARK_TWILIO_NUMBER": self.number,
            "WAYMARK_TWILIO_API": url,
            "WAYMARK_PUBLIC_URL": public_url,
        }

    def decide(self, sid: str, status: str, reason: str = "") -> None:
        """What WhatsApp decided about a template that was handed in."""
        self.contents[sid]["approval_requests"] |= {"status": status, "rejection_reason": reason}

    @property
    def app(self) -> Starlette:
        """The ASGI app to serve."""
        account = "/2010-04-01/Accounts/{account}"
        return Starlette(
            routes=[
                Route(f"{account}/Messages.json", self._messages, methods=["POST"]),
                Route(f"{account}/Messages/{{message}}/Media/{{media}}", self._media),
                Route(f"{account}.json", self._described),
                Route("/v2/Indicators/Typing.json", self._typing, methods=["POST"]),
                Route("/v1/ContentAndApprovals", self._listed),
                Route("/v1/Content", self._content, methods=["POST"]),
                Route("/v1/Content/{sid}/ApprovalRequests/whatsapp", self._approval, methods=["POST"]),
            ]
        )

    async def _answered(self, request: Request, accept: Callable[[], Response]) -> Response:
        """What ``accept`` answers, unless the request is refused or another fate befalls it."""
        self.paths.append(request.url.path)
        proof = base64.b64encode(f"{self.account}:{self.token}".encode()).decode()
        if request.headers.get("authorization") != f"Basic {proof}":
            return _error(20003, "Authenticate", 401)
        if request.path_params.get("account", self.account) != self.account:
            return _error(20404, "The requested resource was not found", 404)
        fate = self._fates.popleft() if self._fates else Fate()
        if fate.refusal is not None:
            return fate.refusal
        try:
            answer = accept()
        except RefusedError as problem:
            return _error(problem.code, str(problem), problem.status)
        return await fate.befall(request, answer)

    # --- messages

    async def _messages(self, request: Request) -> Response:
        form = await _form(request)
        return await self._answered(request, lambda: self._message(form))

    def _message(self, form: dict[str, str]) -> Response:
        if form.get("From") != f"whatsapp:{self.number}":
            raise RefusedError(63007, "Twilio could not find a Channel with the specified From address")
        if not _ADDRESS.fullmatch(form.get("To", "")):
            raise RefusedError(21211, "Invalid 'To' Phone Number")
        if "_" in form.get("StatusCallback", "_").partition("?")[0]:
            raise RefusedError(21609, "Invalid 'StatusCallback' URL")
        self._expect_content(form)
        if not self.pair.take(form["To"]):
            raise RefusedError(63018, "Rate limit exceeded for Channel", 429)
        self.sent.append(form)
        sid = f"SM{len(self.sent):032x}"
        if self.reporter is not None:
            self.reporter.accepted(sid, form)
        told = {"sid": sid, "status": "queued", "to": form["To"], "from": form["From"], "error_code": None}
        return JSONResponse(told, 201)

    def _expect_content(self, form: dict[str, str]) -> None:
        if "ContentSid" in form:
            content = self.contents.get(form["ContentSid"])
            if content is None:
                raise RefusedError(21655, "The ContentSid is invalid")
            if content["approval_requests"].get("status") != "approved":
                raise RefusedError(63016, "Failed to send freeform message outside the allowed window")
            return
        if not form.get("Body", "").strip():
            raise RefusedError(21602, "Message body is required")
        if len(form["Body"]) > 1600:
            raise RefusedError(21617, "The concatenated message body exceeds the 1600 character limit")
        if form["To"] in self.silent:
            raise RefusedError(63016, "Failed to send freeform message outside the allowed window")

    async def _typing(self, request: Request) -> Response:
        form = await _form(request)
        return await self._answered(request, lambda: self._indicated(form))

    def _indicated(self, form: dict[str, str]) -> Response:
        if form.get("channel") != "whatsapp" or not form.get("messageId", "").startswith(("SM", "MM")):
            raise RefusedError(20001, "Invalid parameter")
        self.typed.append(form)
        return JSONResponse({"success": True})

    # --- files

    async def _media(self, request: Request) -> Response:
        self.downloads.append(request.headers.get("authorization", ""))
        return await self._answered(request, lambda: self._file(request.path_params["media"]))

    def _file(self, media: str) -> Response:
        if media not in self.files:
            raise RefusedError(20404, "The requested resource was not found", 404)
        if self.file_url:
            return RedirectResponse(self.file_url, 307)
        mime, content = self.files[media]
        return Response(content, media_type=mime)

    # --- the account and its templates

    async def _described(self, request: Request) -> Response:
        told = {"sid": self.account, "status": self.status, "friendly_name": "Waymark", "type": "Full"}
        return await self._answered(request, lambda: JSONResponse(told))

    async def _content(self, request: Request) -> Response:
        body = await request.json() if request.headers.get("content-type") == "application/json" else {}
        return await self._answered(request, lambda: self._made(body))

    def _made(self, body: dict[str, Any]) -> Response:
        quick = body.get("types", {}).get("twilio/quick-reply", {})
        actions = quick.get("actions", [])
        if not body.get("language") or not 1 <= len(quick.get("body", "")) <= 1024 or not 1 <= len(actions) <= 10:
            raise RefusedError(20001, "Invalid content")
        if any(not 1 <= len(row["title"]) <= 25 or not 1 <= len(row["id"]) <= 200 for row in actions):
            raise RefusedError(20001, "Invalid action")
        return JSONResponse(self.add(**body), 201)

    def add(self, **content: Any) -> dict[str, Any]:
        """Adds a content template, as if somebody had made it in the console."""
        sid = f"HX{len(self.contents):032x}"
        created = f"2026-11-01T12:00:{len(self.contents):02d}Z"
        made = {"sid": sid, "account_sid": self.account, "date_created": created, "approval_requests": {}}
        self.contents[sid] = made | content
        return self.contents[sid]

    async def _approval(self, request: Request) -> Response:
        body = await request.json()
        return await self._answered(request, lambda: self._handed_in(request.path_params["sid"], body))

    def _handed_in(self, sid: str, body: dict[str, Any]) -> Response:
        name = body.get("name", "")
        if sid not in self.contents or body.get("category") not in ("UTILITY", "MARKETING", "AUTHENTICATION"):
            raise RefusedError(20001, "Invalid approval request")
        if not re.fullmatch(r"[a-z0-9_]{1,512}", name):
            raise RefusedError(20001, "Invalid name")
        told = {"name": name, "category": body["category"], "content_type": "twilio/quick-reply"}
        told |= {"status": "received", "rejection_reason": ""}
        self.contents[sid]["approval_requests"] = told
        return JSONResponse(told, 201)

    async def _listed(self, request: Request) -> Response:
        page = int(request.query_params.get("Page", 0))
        return await self._answered(request, lambda: self._page(page))

    def _page(self, page: int) -> Response:
        start, rows = page * self.page_size, list(self.contents.values())
        # Twilio names its own host in the links between pages
        more = f"https://content.twilio.com/v1/ContentAndApprovals?Page={page + 1}"
        meta = {"key": "contents", "page": page, "next_page_url": more if rows[start + self.page_size :] else None}
        return JSONResponse({"contents": rows[start : start + self.page_size], "meta": meta})


async def _form(request: Request) -> dict[str, str]:
    return {key: value for key, value in (await request.form()).items() if isinstance(value, str)}


def _error(code: int, message: str, status: int) -> Response:
    about = {"more_info": f"https://www.twilio.com/docs/errors/{code}", "status": status}
    return JSONResponse({"code": code, "message": message} | about, status)
