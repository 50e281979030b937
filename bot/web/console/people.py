"""Accounts of colleagues: who they are, adding one, closing one."""

import asyncio

from sqlalchemy import select
from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import accounts
from bot.handoff import queue
from bot.storage.account import Account
from bot.storage.session import Database
from bot.web.access import roles
from bot.web.console.forms import AccountForm, ActionForm, meta, posted
from bot.web.console.shell import ADMIN, current, done, page
from bot.web.edge import edge_of


async def _page(
    request: Request,
    status_code: int = 200,
    *,
    form: AccountForm | None = None,
    problem: str = "",
    issued: tuple[Account, str] | None = None,
) -> Response:
    people = await asyncio.to_thread(_everybody, edge_of(request).database)
    form = form or AccountForm(meta=meta(request))
    return page(request, "people.html", status_code, people=people, form=form, problem=problem, issued=issued)


def _everybody(database: Database) -> list[Account]:
    with database.read() as session:
        return list(session.scalars(select(Account).order_by(Account.active.desc(), Account.name)))


@roles(*ADMIN)
async def people_page(request: Request) -> Response:
    """Everybody with an account."""
    return await _page(request)


@roles(*ADMIN)
async def add(request: Request) -> Response:
    """Adds an account and shows its one-time password, this once."""
    form = AccountForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _page(request, 403 if form.forged else 422, form=form, problem=form.problem)
    database, by = edge_of(request).database, current(request)

    def run() -> tuple[Account, str]:
        name, email, chosen = str(form.name.data), str(form.email.data), list(form.roles.data or ())
        with database.write() as session:
            return accounts.invite(session, by=by, email=email, name=name, roles=chosen)

    try:
        issued = await asyncio.to_thread(run)
    except accounts.AccountRefused as problem:
        return await _page(request, 422, form=form, problem=f"{str(problem).capitalize()}.")
    return await _page(request, issued=issued)


@roles(*ADMIN)
async def readmit(request: Request) -> Response:
    """Gives an account a new one-time password, and opens it again if it was closed."""
    form = ActionForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _page(request, 403, problem=form.problem)
    database, by = edge_of(request).database, current(request)
    account_id = request.path_params["account_id"]

    def run() -> tuple[Account, str]:
        with database.write() as session:
            _require(session, account_id)
            return accounts.readmit(session, by=by, account_id=account_id)

    return await _page(request, issued=await asyncio.to_thread(run))


@roles(*ADMIN)
async def deactivate(request: Request) -> Response:
    """Closes an account; the cases it holds go back to the queue, so that nobody waits in vain."""
    form = ActionForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _page(request, 403, problem=form.problem)
    edge, by, account_id = edge_of(request), current(request), request.path_params["account_id"]

    def run() -> Account:
        with edge.database.write() as session:
            _require(session, account_id)
            account = accounts.deactivate(session, by=by, account_id=account_id)
            for case in queue.held(session, account=account):
                queue.hand_back(session, case_id=case.id, account=account)
            return account

    try:
        account = await asyncio.to_thread(run)
    except accounts.AccountRefused as problem:
        return await _page(request, 409, problem=f"{str(problem).capitalize()}.")
    await edge.poke.send("console")
    return done(request, "/console/people", f"The account of {account.name} is closed.")


def _require(session: Session, account_id: int) -> None:
    if session.get(Account, account_id) is None:
        raise HTTPException(404, "There is no such account.")


ROUTES = [
    Route("/people", people_page, methods=["GET"]),
    Route("/people", add, methods=["POST"]),
    Route("/people/{account_id:int}/readmit", readmit, methods=["POST"]),
    Route("/people/{account_id:int}/deactivate", deactivate, methods=["POST"]),
]
