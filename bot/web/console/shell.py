"""What every console page has around it: navigation, the session's token, a word about what was just done."""

from typing import Any

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from bot.storage.account import Account
from bot.web.console.forms import ActionForm, meta
from bot.web.pages import render

COUNSEL = ("counsellor", "admin")
EDIT = ("editor", "reviewer", "admin")
ADMIN = ("admin",)

_NAVIGATION = (
    ("/console/", "Queue", COUNSEL),
    ("/console/channels", "Channels", COUNSEL),
    ("/console/content", "Content", EDIT),
    ("/console/people", "People", ADMIN),
)


def navigation(account: Account | None) -> list[tuple[str, str]]:
    """Addresses and names of the pages that the account may use, the best to land on first."""
    held = set(account.roles) if account is not None and not account.must_change else set()
    return [(address, name) for address, name, roles in _NAVIGATION if held & set(roles)]


def landing(account: Account) -> str:
    """Where to go after signing in."""
    return next((address for address, _ in navigation(account)), "/console/password")


def page(request: Request, template: str, status_code: int = 200, **values: Any) -> Response:
    """A console page."""
    account: Account | None = request.state.account
    shown = {
        "account": account,
        "navigation": navigation(account),
        "alarms": request.state.alarms if account is not None else [],
        "token": ActionForm(meta=meta(request)).token,
        "flash": request.session.pop("flash", ""),
    }
    return render(request, f"console/{template}", status_code, **(shown | values))


def done(request: Request, address: str, word: str = "") -> Response:
    """Goes on to another page after a change, which then says ``word``."""
    if word:
        request.session["flash"] = word
    return RedirectResponse(address, status_code=303)


def current(request: Request) -> Account:
    """The signed-in account, in an endpoint that declares roles."""
    account: Account = request.state.account
    return account
