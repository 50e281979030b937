"""Who is signed in: the account behind the session cookie of a console request."""

import asyncio
from typing import Any

from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.storage.account import Account
from bot.storage.session import Database
from bot.web.console import condition
from bot.web.edge import Edge

_CHANGE = "/console/password"
_ALLOWED_BEFORE_CHANGE = frozenset({_CHANGE, "/console/logout"})


def sign_in(session: dict[str, Any], account: Account) -> None:
    """Starts a new session for ``account``; nothing of the one before survives."""
    session.clear()
    session["account_id"], session["epoch"] = account.id, account.session_epoch


def behind(database: Database, session: dict[str, Any]) -> Account | None:
    """The account that a session belongs to, or ``None`` when it has ended or was never begun."""
    account_id = session.get("account_id")
    if not isinstance(account_id, int):
        return None
    with database.read() as rows:
        account = rows.get(Account, account_id)
    if account is None or not account.active or session.get("epoch") != account.session_epoch:
        return None
    return account


class CurrentAccount:
    """Sets ``request.state.account`` and, for the signed-in, ``request.state.alarms`` of channels that do not work.

    An account with a one-time password may only change it or leave.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            account, alarms = await _account(scope)
            scope.setdefault("state", {}).update(account=account, alarms=alarms)
            if account is not None and account.must_change and scope["path"] not in _ALLOWED_BEFORE_CHANGE:
                await _to_password(scope)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def _account(scope: Scope) -> tuple[Account | None, list[tuple[str, str]]]:
    path = scope["path"]
    if path != "/console" and not path.startswith("/console/"):
        return None, []
    session = scope["session"]
    if "account_id" not in session:
        return None, []
    return await asyncio.to_thread(_look, scope["app"].state.edge, session)


def _look(edge: Edge, session: dict[str, Any]) -> tuple[Account | None, list[tuple[str, str]]]:
    account = behind(edge.database, session)
    if account is None or not edge.channels:
        return account, []
    with edge.database.read() as rows:
        return account, condition.alarms(rows, edge.channels)


def _to_password(scope: Scope) -> Response:
    if any(name == b"hx-request" for name, _ in scope["headers"]):
        return Response(status_code=401, headers={"HX-Redirect": _CHANGE})
    return RedirectResponse(_CHANGE, status_code=303)
