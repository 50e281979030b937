"""Signing in and out, and changing one's password."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import accounts
from bot.storage.account import ROLES, Account
from bot.storage.session import Database
from bot.web.access import PUBLIC, open_to, roles
from bot.web.console.current import sign_in
from bot.web.console.forms import ActionForm, LoginForm, PasswordForm, meta, posted
from bot.web.console.shell import current, done, landing, page
from bot.web.edge import edge_of

_MINUTES = int(accounts.WINDOW.total_seconds() // 60)
_THROTTLED = f"Too many attempts. Try again in {_MINUTES} minutes."


@open_to(PUBLIC)
async def login_page(request: Request) -> Response:
    """The page to sign in on; who is signed in goes on to work."""
    if request.state.account is not None:
        return done(request, landing(request.state.account))
    return page(request, "login.html", form=LoginForm(meta=meta(request)))


@open_to(PUBLIC)
async def login(request: Request) -> Response:
    """Signs in; after too many failures the door stays shut for a while."""
    form = LoginForm(await posted(request), meta=meta(request))
    if not form.validate():
        return page(request, "login.html", 403 if form.forged else 422, form=form, problem=form.problem)
    email, password = str(form.email.data), str(form.password.data)
    try:
        account = await asyncio.to_thread(_authenticated, edge_of(request).database, request, email, password)
    except accounts.TooManyAttempts:
        return _throttled(request, "login.html", form)
    if account is None:
        return page(request, "login.html", 401, form=form, problem="The e-mail address or the password is wrong.")
    sign_in(request.session, account)
    return done(request, "/console/password" if account.must_change else landing(account))


def _authenticated(database: Database, request: Request, email: str, password: str) -> Account | None:
    address = request.client.host if request.client else ""
    key = request.app.state.csrf_secret.hex()
    with database.write() as session:
        return accounts.authenticate(session, email=email, password=password, address=address, key=key)


def _throttled(request: Request, template: str, form: LoginForm | PasswordForm) -> Response:
    response = page(request, template, 429, form=form, problem=_THROTTLED)
    response.headers["retry-after"] = str(_MINUTES * 60)
    return response


@roles(*ROLES)
async def logout(request: Request) -> Response:
    """Ends all sessions of the account, so that a copied cookie is worth nothing either."""
    form = ActionForm(await posted(request), meta=meta(request))
    if not form.validate():
        return page(request, "signout.html", 403, problem=form.problem)
    await asyncio.to_thread(_end_sessions, edge_of(request).database, current(request).id)
    request.session.clear()
    return done(request, "/console/login", "You are signed out.")


def _end_sessions(database: Database, account_id: int) -> None:
    with database.write() as session:
        accounts.end_sessions(session, account_id=account_id)


@roles(*ROLES)
async def password_page(request: Request) -> Response:
    """The form for a new password."""
    return page(request, "password.html", form=PasswordForm(meta=meta(request)))


@roles(*ROLES)
async def password(request: Request) -> Response:
    """Changes the password; other sessions of the account end."""
    form = PasswordForm(await posted(request), meta=meta(request))
    if not form.validate():
        return page(request, "password.html", 403 if form.forged else 422, form=form, problem=form.problem)
    account = current(request)
    database = edge_of(request).database
    try:
        known = await asyncio.to_thread(_authenticated, database, request, account.email, str(form.current.data))
        if known is None:
            return page(request, "password.html", 422, form=form, problem="The password in use is not this one.")
        changed = await asyncio.to_thread(_change, database, account.id, str(form.new.data))
    except accounts.TooManyAttempts:
        return _throttled(request, "password.html", form)
    except accounts.AccountRefused as problem:
        return page(request, "password.html", 422, form=form, problem=f"{str(problem).capitalize()}.")
    sign_in(request.session, changed)
    return done(request, landing(changed), "Your new password is set.")


def _change(database: Database, account_id: int, new: str) -> Account:
    with database.write() as session:
        return accounts.change_password(session, account_id=account_id, password=new)


ROUTES = [
    Route("/login", login_page, methods=["GET"]),
    Route("/login", login, methods=["POST"]),
    Route("/logout", logout, methods=["POST"]),
    Route("/password", password_page, methods=["GET"]),
    Route("/password", password, methods=["POST"]),
]
