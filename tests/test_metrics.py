import os
import re
import subprocess
import sys
from pathlib import Path

import httpx
import pytest
import yaml
from prometheus_client import generate_latest

from bot import metrics
from bot.web.metrics import DatabaseCollector
from tests.support.installation import Installation, eventually, free_port

ALERTS = Path("deploy/prometheus-alerts.yml")
COUNT_TWO = """
from bot import metrics
metrics.accepted("web")
metrics.accepted("web")
metrics.channel_up("telegram", True)
metrics.answered("web", "answer", 0.4)
"""
TELL = """
from bot import metrics
from prometheus_client import generate_latest
print(generate_latest(metrics.registry()).decode())
"""


def scrape(folder: Path) -> str:
    """What a process that shares ``folder`` with others tells."""
    return run(folder, TELL).stdout


def run(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(folder)}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)


def own() -> str:
    return generate_latest(metrics.registry()).decode()


def test_without_a_folder_the_numbers_of_this_process_are_told():
    metrics.accepted("made-up")
    assert 'waymark_accepted_total{channel="made-up"} 1.0' in own()


def test_counts_of_all_processes_are_summed_also_of_those_that_ended(tmp_path):
    run(tmp_path, COUNT_TWO)
    run(tmp_path, COUNT_TWO)
    text = scrape(tmp_path)
    assert 'waymark_accepted_total{channel="web"} 4.0' in text
    assert 'waymark_answered_total{channel="web",outcome="answer"} 2.0' in text
    assert 'waymark_answer_seconds_bucket{channel="web",le="0.5"} 2.0' in text


def test_what_a_dead_process_said_about_a_channel_is_forgotten(tmp_path):
    run(tmp_path, COUNT_TWO)
    assert list(tmp_path.glob("gauge_live*.db"))
    assert "waymark_channel_up{" not in scrape(tmp_path)


def test_what_a_living_process_says_about_a_channel_is_told(tmp_path):
    told = run(tmp_path, f"{COUNT_TWO}\n{TELL}")
    assert 'waymark_channel_up{channel="telegram"} 1.0' in told.stdout


def test_a_brain_alone_serves_its_numbers_on_a_port_of_its_own(tmp_path):
    port = free_port()
    code = f"{COUNT_TWO}\nimport time\nmetrics.listen({port}, '127.0.0.1')\ntime.sleep(60)"
    process = subprocess.Popen(
        [sys.executable, "-c", code], env=os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}
    )
    try:
        text = eventually(lambda: answer(port), "the numbers")
        assert 'waymark_accepted_total{channel="web"} 2.0' in text
    finally:
        process.kill()
        process.wait()


def test_serving_starts_with_empty_counts_and_tells_them_at_both_places(trained, tmp_path):
    port = free_port()
    waymark = Installation(tmp_path / "home", WAYMARK_METRICS_PORT=str(port))
    waymark.prepare()
    folder = waymark.home / "metrics"
    folder.mkdir()
    run(folder, 'from bot import metrics; metrics.accepted("of-an-earlier-start")')
    assert list(folder.glob("counter_*.db"))
    waymark.start()
    try:
        pages = [httpx.get(f"{waymark.url}/metrics"), httpx.get(f"http://127.0.0.1:{port}/metrics")]
        assert [page.status_code for page in pages] == [200, 200]
        assert "waymark_database_up 1.0" in pages[0].text
        assert "of-an-earlier-start" not in pages[0].text + pages[1].text
    finally:
        waymark.stop()


def answer(port: int) -> str:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/metrics").text
    except httpx.TransportError:
        return ""


@pytest.mark.parametrize(
    ("reason", "label"),
    [
        ("blocked by the person", "blocked by the person"),
        ("too many messages (131056)", "too many messages"),
        ("Telegram refused (NetworkError)", "telegram refused networkerror"),
        ("status 401", "status"),
        ("WhatsApp's answer was not understood", "whatsapp's answer was not understood"),
        ("chat 123456789 of @somebody at a@b.org not found", "chat of at not found"),
        ('cannot parse "I am afraid" at 3', "cannot parse at"),
        ("أنا خائف", "other"),
        ("", "other"),
        ("3f2504e04f8911d39a0c0305e82c3301", "other"),
        ("word " * 30, "word word word word word word word word"),
    ],
)
def test_a_reason_becomes_a_short_label_without_numbers_names_and_quotations(reason, label):
    assert metrics.reason_label(reason) == label


def test_labels_of_reasons_do_not_grow_without_bound():
    reasons = metrics.Reasons(most=3)
    letters = "abcdefghij"
    assert [reasons.label(letter) for letter in letters] == ["a", "b", "c", *["other"] * 7]
    assert reasons.label("b") == "b"


def known(database) -> set[str]:
    """Names of everything that can be scraped."""
    families = [*metrics.registry().collect(), *DatabaseCollector(database).collect()]
    endings = {"counter": ["_total"], "histogram": ["_bucket", "_count", "_sum"], "gauge": [""]}
    return {family.name + ending for family in families for ending in endings[family.type]}


def test_alerts_name_only_numbers_that_exist(sqlite_database):
    rules = [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 6
    named = {name for rule in rules for name in re.findall(r"waymark_\w+", str(rule))}
    assert named - known(sqlite_database) == set()


def test_every_number_is_explained_in_the_operations_manual(sqlite_database):
    manual = Path("docs/operations.md").read_text()
    families = [*metrics.registry().collect(), *DatabaseCollector(sqlite_database).collect()]
    names = {family.name + ("_total" if family.type == "counter" else "") for family in families}
    assert {name for name in names if f"`{name}`" not in manual} == set()
