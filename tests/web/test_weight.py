"""What a visit costs on a slow network: everything that the page's own references lead to."""

import json
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import pytest
from httpx import Response
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.languages import launched

LIMIT = 100_000


@pytest.fixture
def client(app: Starlette) -> TestClient:
    return TestClient(app)


def references(address: str, answered: Response) -> Iterator[str]:
    """Addresses that a browser loads because of a file."""
    kind, text = answered.headers["content-type"].partition(";")[0], answered.text
    found: list[str] = []
    if kind == "text/html":
        for tag in re.findall(r"<(?:link|script|img|iframe|source|video|audio)\b[^>]*>", text):
            found += re.findall(r'\b(?:href|src)="([^"]*)"', tag)
    elif kind == "text/css":
        found += re.findall(r"""url\(["']?([^"')]+)|@import\s+["']([^"']+)""", text)
    elif kind.endswith("javascript"):
        found += re.findall(r"""(?:\bfrom|\bimport|\.register\(|import\()\s*["']([^"']+)["']""", text)
        found += ["/", *json.loads(re.findall(r"FILES = (.*);", text)[0])] if address == "/sw.js" else []
    elif kind == "application/manifest+json":
        found += [icon["src"] for icon in json.loads(text)["icons"]]
    elif kind == "image/svg+xml":
        found += re.findall(r'href="([^#"]+)"', text)
    return (urljoin(address, reference) for reference in found)


def loaded(client: TestClient, page: str) -> dict[str, int]:
    """Bytes of each file that the page loads, as they cross the network."""
    weights: dict[str, int] = {}
    waiting = [page]
    while waiting:
        address = waiting.pop()
        if address in weights:
            continue
        answered = client.get(address)
        assert answered.status_code == 200, address
        weights[address] = answered.num_bytes_downloaded
        waiting += references(address, answered)
    return weights


@pytest.mark.parametrize("language", [row.code for row in launched()])
def test_the_page_with_all_that_it_loads_weighs_less_than_100_kb(client: TestClient, language: str) -> None:
    weights = loaded(client, f"/?lang={language}")
    names = {address.rpartition("/")[2] for address in weights}
    assert {"chat.css", "chat.js", "store.js", "thread.js", "wire.js", "sw.js", "icon-512.png"} <= names
    assert f"manifest.webmanifest?lang={language}" in names
    assert "" in names  # the worker loads the page once more, to keep it
    assert sum(weights.values()) < LIMIT


def test_the_page_loads_nothing_from_elsewhere(client: TestClient) -> None:
    assert all(address.startswith("/") for address in loaded(client, "/"))


def test_the_plain_page_weighs_less_than_10_kb(client: TestClient) -> None:
    weights = loaded(client, "/plain?lang=ar")
    assert len(weights) == 4
    assert sum(weights.values()) < 10_000
