"""How requests reach Twilio: one pool of connections, a time-out, and another base address where one is set."""

import json
import logging
from typing import Any
from urllib.parse import urlsplit

from aiohttp import ClientSession, ClientTimeout
from twilio.http.async_http_client import AsyncTwilioHttpClient
from twilio.http.response import Response

TIMEOUT = 20.0  # seconds; a short one would repeat messages that had arrived


class TwilioHttp(AsyncTwilioHttpClient):  # type: ignore[misc]  # the library has no types
    """The library's client, with what it leaves out.

    Attributes:
        base: Where requests go instead of Twilio's own hosts; empty: there.
    """

    session: ClientSession | None

    def __init__(self, base: str) -> None:
        logging.getLogger("twilio").setLevel(logging.WARNING)  # addresses are logged below that
        super().__init__(pool_connections=False)  # a pool can only be opened while a loop runs
        self.base = base.rstrip("/")

    @property
    def pool(self) -> ClientSession:
        """The pool of connections, opened at the first request; a large file may take its time, but not stand still."""
        if self.session is None:
            self.session = ClientSession(timeout=ClientTimeout(sock_connect=TIMEOUT, sock_read=TIMEOUT))
        return self.session

    def address(self, url: str) -> str:
        """Where a request for an address at Twilio really goes."""
        return self.base + urlsplit(url)._replace(scheme="", netloc="").geturl() if self.base else url

    async def request(
        self,
        method: str,
        url: str,
        params: dict[str, object] | None = None,
        data: Any = None,
        headers: dict[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,  # noqa: ASYNC109  # the library's signature
        allow_redirects: bool = False,
    ) -> Response:
        """Sends one request; see the library."""
        _ = self.pool
        if (headers or {}).get("Content-Type") == "application/json":
            data = json.dumps(data)  # the library would send it as a form
        # without one of its own a request of the library would wait for ever
        limit = timeout or TIMEOUT
        return await super().request(method, self.address(url), params, data, headers, auth, limit, allow_redirects)
