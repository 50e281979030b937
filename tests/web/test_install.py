"""The chat as an app: manifest, service worker, and files that browsers keep."""

import json
import re
import shutil
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot import texts
from bot.web import assets


@pytest.fixture
def client(app: Starlette) -> TestClient:
    return TestClient(app)


@pytest.mark.parametrize(
    ("path", "header", "language", "direction"),
    [("", "fr-BE, en", "fr", "ltr"), ("?lang=ar", "fr", "ar", "rtl"), ("?lang=xx", "", "en", "ltr")],
)
def test_the_manifest_speaks_the_persons_language(
    client: TestClient, path: str, header: str, language: str, direction: str
) -> None:
    answered = client.get(f"/manifest.webmanifest{path}", headers={"accept-language": header})
    assert answered.headers["content-type"] == "application/manifest+json"
    found = answered.json()
    assert (found["lang"], found["dir"]) == (language, direction)
    assert found["name"] == texts.text("ui.title", language)
    assert (found["start_url"], found["scope"], found["display"]) == ("/", "/", "standalone")


def test_the_icons_have_the_sizes_that_phones_ask_for(client: TestClient) -> None:
    icons = client.get("/manifest.webmanifest").json()["icons"]
    assert {(icon["sizes"], icon["purpose"]) for icon in icons} == {
        ("192x192", "any"), ("512x512", "any"), ("512x512", "maskable"),
    }  # fmt: skip
    for icon in icons:
        picture = client.get(icon["src"])
        assert picture.headers["content-type"] == "image/png"
        width, height = (int.from_bytes(picture.content[start : start + 4]) for start in (16, 20))
        assert f"{width}x{height}" == icon["sizes"]


def test_the_worker_may_run_and_keeps_the_page_and_its_files_alone(client: TestClient) -> None:
    answered = client.get("/sw.js")
    assert answered.headers["content-type"].startswith("text/javascript")
    assert answered.headers["cache-control"] == "no-cache"
    assert "worker-src 'self'" in client.get("/").headers["content-security-policy"]
    kept = json.loads(re.findall(r"const FILES = (.*);", answered.text)[0])
    assert kept == assets.kept_offline()
    assert all(client.get(path).status_code == 200 for path in kept)


def test_what_the_page_names_is_kept_by_the_worker(client: TestClient) -> None:
    kept = set(assets.kept_offline())
    named = {path for path in re.findall(r'"(/assets/[^"]*)"', client.get("/").text) if not path.endswith(".png")}
    assert named
    assert named <= kept


def test_a_file_under_its_own_version_is_kept_for_good_and_any_other_is_not(client: TestClient) -> None:
    current = client.get(assets.address("chat.css"))
    assert current.headers["cache-control"] == "public, max-age=31536000, immutable"
    old = client.get("/assets/000000000000/chat.css")
    assert old.content == current.content
    assert old.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize("name", ["console.css", "../chat.py", "%2e%2e/pages.py", "chat/../console.js", "", "chat"])
def test_nothing_but_the_chats_files_is_given(client: TestClient, name: str) -> None:
    assert client.get(f"/assets/{assets.version()}/{name}").status_code == 404


def test_the_version_changes_when_a_file_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = assets.version()
    shutil.copytree(assets.STATIC, tmp_path / "static")
    with (tmp_path / "static" / "chat.css").open("a") as style:
        style.write("\n")
    monkeypatch.setattr(assets, "STATIC", tmp_path / "static")
    forget()
    try:
        assert assets.version() != before
    finally:
        monkeypatch.undo()
        forget()
    assert assets.version() == before


def forget() -> None:
    assets.files.cache_clear()
    assets.version.cache_clear()
