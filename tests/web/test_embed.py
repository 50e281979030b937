"""The script for other sites, and which sites may show the chat page."""

import dataclasses
import json
import re

import pytest
from starlette.testclient import TestClient

from bot import texts
from bot.languages import launched
from bot.settings import SettingsError
from bot.web import embed
from bot.web.app import create_app
from bot.web.edge import Edge

SITES = "https://www.example.org, http://localhost:8080"


def client(edge: Edge, setting: str = SITES) -> TestClient:
    edge.settings = dataclasses.replace(edge.settings, embed_origins=setting)
    return TestClient(create_app(edge, secret_key="a key for tests alone"))


def ancestors(policy: str) -> str:
    return policy.split("frame-ancestors ")[1].split(";")[0]


@pytest.mark.parametrize(
    ("setting", "understood"),
    [
        ("", ()),
        (" , ", ()),
        ("https://www.example.org", ("https://www.example.org",)),
        ("HTTPS://Www.Example.ORG", ("https://www.example.org",)),
        ("https://a.org,https://b.org:8443 , https://a.org", ("https://a.org", "https://b.org:8443")),
        ("http://localhost:8080", ("http://localhost:8080",)),
        ("http://[::1]:8080", ("http://[::1]:8080",)),
        ("https://xn--bcher-kva.example", ("https://xn--bcher-kva.example",)),
    ],
)
def test_origins_are_read_as_browsers_write_them(setting: str, understood: tuple[str, ...]) -> None:
    assert embed.origins(setting) == understood


@pytest.mark.parametrize(
    "wrong",
    ["www.example.org", "https://", "https://a.org/", "https://a.org/chat", "https://a.org?x", "https://a.org#x",
     "ftp://a.org", "https://me:secret@a.org", "https://a.org:port", "https://a.org:99999", "https://a.org:", "*",
     "https://*.a.org", "https://a.org; script-src *", "https://a.org https://b.org", "'self'", "null",
     "https://a.org,nonsense", "https://[::1", "https://-a.org"],
)  # fmt: skip
def test_what_is_no_origin_stops_the_start_and_names_the_setting(edge: Edge, wrong: str) -> None:
    with pytest.raises(SettingsError, match="WAYMARK_EMBED_ORIGINS"):
        client(edge, wrong)


def test_allowed_sites_alone_may_frame_the_chat_page(edge: Edge) -> None:
    policy = client(edge).get("/").headers["content-security-policy"]
    assert ancestors(policy) == "https://www.example.org http://localhost:8080"


@pytest.mark.parametrize("path", ["/plain", "/console/login", "/console/", "/health/live", "/chat/history", "/sw.js"])
def test_nothing_else_may_be_framed(edge: Edge, path: str) -> None:
    answered = client(edge).get(path, follow_redirects=False)
    assert ancestors(answered.headers["content-security-policy"]) == "'none'"


def test_nobody_may_frame_the_chat_page_while_no_site_is_allowed(edge: Edge) -> None:
    assert ancestors(client(edge, "").get("/").headers["content-security-policy"]) == "'none'"


def test_there_is_no_script_while_no_site_is_allowed(edge: Edge) -> None:
    assert client(edge, "").get("/embed.js").status_code == 404


def test_other_sites_may_load_and_keep_the_script(edge: Edge) -> None:
    answered = client(edge).get("/embed.js")
    assert answered.headers["content-type"].startswith("text/javascript")
    assert answered.headers["cross-origin-resource-policy"] == "cross-origin"
    assert answered.headers["cache-control"] == "public, max-age=3600"
    assert "set-cookie" not in answered.headers


def test_the_script_has_a_label_in_every_language(edge: Edge) -> None:
    source = client(edge).get("/embed.js").text
    words = json.loads(re.search(r"const WORDS = (.*);", source)[1])  # type: ignore[index]  # it is there
    assert set(words) == {row.code for row in launched()}
    assert words["ar"] == {"label": texts.text("ui.embed", "ar"), "title": texts.text("ui.title", "ar"), "dir": "rtl"}


def test_the_script_keeps_to_what_a_strict_policy_allows(edge: Edge) -> None:
    source = client(edge).get("/embed.js").text
    for forbidden in (
        "eval(",
        "new Function",
        "innerHTML",
        "insertAdjacentHTML",
        "document.write",
        "onclick",
        "cookie",
    ):
        assert forbidden not in source


def test_the_script_weighs_less_than_4_kb(edge: Edge) -> None:
    assert client(edge).get("/embed.js").num_bytes_downloaded < 4_000
