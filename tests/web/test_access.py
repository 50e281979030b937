"""Who may call what, asked of the application that people really reach."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.routing import BaseRoute, Mount, Route

from bot.content import entries, pack
from bot.settings import Settings
from bot.storage.account import ROLES
from bot.web import access, assets, chat, embed, health, install, metrics, page, plain, rest, webhooks
from bot.web.console import ROUTES as CONSOLE
from tests.web.console.conftest import case, person  # noqa: F401  # fixtures of the folder below

_EXAMPLES = {
    "topic": "about_cost",
    "language": "en",
    "action": "publish",
    "account_id": "1",
    "case_id": "1",
    "inbox_id": "1",
}
_KNOWN = access.PUBLIC | access.PERSON | access.SIGNED | set(ROLES)
_MODULES = (assets, chat, health, install, metrics, page, plain, rest, webhooks)
_OUTSIDE = [*embed.routes(Settings()), *(route for module in _MODULES for route in module.ROUTES)]


def walk(routes: list[BaseRoute], prefix: str = "") -> Iterator[tuple[str, Route]]:
    for route in routes:
        if isinstance(route, Mount):
            yield from walk(list(route.routes), prefix + route.path)
        elif isinstance(route, Route):
            yield prefix + route.path, route


def filled(path: str) -> str:
    return re.sub(r"{(\w+)(:\w+)?}", lambda found: _EXAMPLES[found[1]], path)


def console(method: str) -> list[str]:
    found = [(path, route) for path, route in walk([Mount("/console", routes=CONSOLE)]) if path != "/console/login"]
    return [filled(path) for path, route in found if method in (route.methods or ())]


def test_every_route_of_the_application_declares_who_may_call_it(app: Starlette):
    found = dict(walk(list(app.routes)))
    assert len(found) > 20
    for path, route in found.items():
        assert access.declared(route), path
        assert access.declared(route) <= _KNOWN, path


def test_a_route_without_a_declaration_would_be_found():
    async def naked(request):
        raise AssertionError

    routes = [Mount("/console", routes=[Route("/open", naked)])]
    assert access.undeclared(routes) == ["/console/open"]


def test_nothing_outside_the_console_asks_for_a_role():
    assert not [path for path, route in walk(_OUTSIDE) if access.declared(route) & set(ROLES)]


def test_only_the_login_page_of_the_console_is_public():
    public = {path for path, route in walk(CONSOLE) if not access.declared(route) & set(ROLES)}
    assert public == {"/login"}


@pytest.mark.parametrize("path", console("POST"))
def test_every_change_in_the_console_is_closed_to_who_is_not_signed_in(browser, path):
    browser.get("/console/login")
    answer = browser.post(path, {"title": "x", "text": "x"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


@pytest.mark.parametrize("path", console("GET"))
def test_every_page_of_the_console_is_closed_to_who_is_not_signed_in(browser, path):
    answer = browser.get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/console/login")


@pytest.mark.parametrize("path", console("POST"))
def test_every_change_in_the_console_is_refused_without_the_pages_token(signed_in, edge, case, path):  # noqa: F811
    with edge.database.write() as session:
        entries.import_pack(session, pack=pack.load(Path("data")))
    assert case().id == 1
    browser = signed_in("Root", *ROLES)
    assert browser.post(path, token="made up").status_code == 403
    assert browser.post(path, token="").status_code == 403
