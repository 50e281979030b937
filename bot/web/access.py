"""Who may call a route. Every endpoint declares it; the application refuses to start with one that does not."""

import functools
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route

from bot.storage.account import ROLES, Account

Endpoint = Callable[[Request], Awaitable[Response]]

PUBLIC = frozenset({"public"})  # pages without any person's data
PERSON = frozenset({"person"})  # the holder of a chat token
SIGNED = frozenset({"signed"})  # a provider that proves itself; the endpoint checks the proof first


def open_to(access: frozenset[str]) -> Callable[[Endpoint], Endpoint]:
    """Declares an endpoint that checks its caller itself (``PERSON``, ``SIGNED``) or needs no check (``PUBLIC``)."""

    def declare(endpoint: Endpoint) -> Endpoint:
        endpoint.access = access  # type: ignore[attr-defined]  # read by undeclared()
        return endpoint

    return declare


def roles(*allowed: str) -> Callable[[Endpoint], Endpoint]:
    """Admits accounts with one of these roles; sends others to the login page or refuses them."""
    unknown = set(allowed) - set(ROLES)
    if unknown:
        raise ValueError(f"unknown roles {unknown}")

    def declare(endpoint: Endpoint) -> Endpoint:
        @functools.wraps(endpoint)
        async def guarded(request: Request) -> Response:
            account: Account | None = request.state.account
            if account is None:
                if request.headers.get("hx-request"):
                    return Response(status_code=401, headers={"HX-Redirect": "/console/login"})
                return RedirectResponse("/console/login", status_code=303)
            if not set(account.roles) & set(allowed):
                raise HTTPException(403, "Your role does not allow this.")
            return await endpoint(request)

        guarded.access = frozenset(allowed)  # type: ignore[attr-defined]  # read by undeclared()
        return guarded

    return declare


def undeclared(routes: list[BaseRoute]) -> list[str]:
    """Paths of endpoints that do not declare who may call them."""
    found = []
    for route in routes:
        if isinstance(route, Route) and not hasattr(route.endpoint, "access"):
            found.append(route.path)
        if isinstance(route, Mount) and route.name != "static":
            found += [route.path + path for path in undeclared(list(route.routes))]
    return found


def declared(route: Any) -> frozenset[str]:
    """The access that a route's endpoint declares."""
    access: frozenset[str] = route.endpoint.access
    return access
