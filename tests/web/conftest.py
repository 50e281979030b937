"""The real web application over a real database file, and browsers that use it."""

import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot import accounts
from bot.content.catalogue import StoreCatalogue
from bot.handoff import hours
from bot.messaging.poke import LocalPoke
from bot.settings import Settings
from bot.storage.account import Account
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.app import create_app
from bot.web.edge import Edge
from bot.web.hub import Hub

PASSWORD = "correct horse battery"


class Browser:
    """Keeps cookies, does not follow redirects, and puts the last page's token into forms."""

    def __init__(self, app: Starlette) -> None:
        self.client = TestClient(app, follow_redirects=False)
        self.client.headers["accept"] = "text/html"
        self.token = ""

    def get(self, path: str) -> Response:
        return self._kept(self.client.get(path))

    def post(self, path: str, data: dict[str, object] | None = None, *, token: str | None = None) -> Response:
        fields = {"csrf_token": self.token if token is None else token} | (data or {})
        return self._kept(self.client.post(path, data=fields))

    def _kept(self, response: Response) -> Response:
        found = re.search(r'name="csrf_token" value="([^"]+)"', response.text)
        self.token = found[1] if found else self.token
        return response

    def sign_in(self, email: str, password: str = PASSWORD) -> Response:
        self.get("/console/login")
        answer = self.post("/console/login", {"email": email, "password": password})
        if answer.status_code == 303:
            self.get(answer.headers["location"])  # the session is a new one, and so is its token
        return answer


@pytest.fixture
def edge(sqlite_database: Database, tmp_path: Path) -> Iterator[Edge]:
    poke = LocalPoke(tmp_path)
    yield Edge(
        settings=Settings(home=tmp_path),
        database=sqlite_database,
        poke=poke,
        acceptor=Acceptor(sqlite_database, poke, 20),
        hub=Hub(),
        catalogue=StoreCatalogue(sqlite_database),
        hours=hours.parse("Mon-Fri 09:00-17:00", "Europe/Brussels"),
    )
    shutil.rmtree(
        poke._folder, ignore_errors=True
    )  # it lies outside the test's own folder, because sockets need short paths


@pytest.fixture
def app(edge: Edge) -> Starlette:
    return create_app(edge, secret_key="a key for tests alone")


@pytest.fixture
def account(edge: Edge) -> Callable[..., Account]:
    def make(name: str, *roles: str, must_change: bool = False) -> Account:
        with edge.database.write() as session:
            return accounts.create(
                session,
                email=f"{name}@example.org".lower(),
                name=name,
                roles=list(roles),
                password=PASSWORD,
                must_change=must_change,
            )

    return make


@pytest.fixture
def browser(app: Starlette) -> Iterator[Browser]:
    yield Browser(app)


@pytest.fixture
def signed_in(app: Starlette, account: Callable[..., Account]) -> Callable[..., Browser]:
    """Makes an account and a browser in which it is signed in."""

    def make(name: str, *roles: str) -> Browser:
        browser = Browser(app)
        made = account(name, *roles)
        assert browser.sign_in(made.email).status_code == 303
        return browser

    return make
