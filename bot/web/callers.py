"""Who calls, for routes that are meant for programs of the operator."""

import hmac
from ipaddress import ip_address

from starlette.requests import Request


def from_this_machine(request: Request) -> bool:
    """Whether the caller is on this machine and did not come through a proxy."""
    if "x-forwarded-for" in request.headers or "forwarded" in request.headers or request.client is None:
        return False
    try:
        return ip_address(request.client.host).is_loopback
    except ValueError:  # not on a network at all
        return False


def bears(request: Request, token: str) -> bool:
    """Whether the caller shows ``token`` as its bearer token."""
    scheme, _, shown = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and hmac.compare_digest(shown.strip().encode(), token.encode())
