import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from bot.supervisor import in_child

# a child writes its process id into a file of its own and waits
CHILD = "import os, pathlib, sys, time; pathlib.Path(sys.argv[1], str(os.getpid())).touch(); time.sleep(120)"
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN); " + CHILD
RUN = """
import asyncio, sys
from bot.supervisor import Supervisor
commands = {{name: [sys.executable, "-c", {child!r}, sys.argv[1] + "/" + name] for name in ("edge", "brain")}}
asyncio.run(Supervisor(commands).run())
"""


@pytest.fixture
def supervisor(tmp_path):
    for name in ("edge", "brain"):
        (tmp_path / name).mkdir()
    started = []

    def start(child: str = CHILD) -> subprocess.Popen[bytes]:
        process = subprocess.Popen([sys.executable, "-c", RUN.format(child=child), str(tmp_path)])
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.wait()
    for number in pids(tmp_path, "edge") | pids(tmp_path, "brain"):
        if alive(number):
            os.kill(number, signal.SIGKILL)


def pids(folder: Path, name: str) -> set[int]:
    return {int(path.name) for path in (folder / name).iterdir()}


def alive(number: int) -> bool:
    return psutil.pid_exists(number) and psutil.Process(number).status() != psutil.STATUS_ZOMBIE


def until(condition, what: str):
    """Waits for something to become true; the limit is generous, since only its truth is tested."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if found := condition():
            return found
        time.sleep(0.02)
    raise AssertionError(f"never happened: {what}")


def both_run(folder: Path) -> dict[str, int]:
    until(lambda: pids(folder, "edge") and pids(folder, "brain"), "both children run")
    return {name: next(iter(pids(folder, name))) for name in ("edge", "brain")}


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_child_comes_back_and_the_other_is_left_alone(supervisor, tmp_path, number):
    supervisor()
    first = both_run(tmp_path)
    os.kill(first["edge"], number)
    until(lambda: pids(tmp_path, "edge") - {first["edge"]}, "the edge starts again")
    assert alive(first["brain"])
    assert pids(tmp_path, "brain") == {first["brain"]}


def test_a_child_that_dies_again_and_again_is_started_again_and_again(supervisor, tmp_path):
    supervisor(CHILD.replace("time.sleep(120)", "sys.exit(3)"))
    until(lambda: len(pids(tmp_path, "edge")) >= 3, "three starts")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_being_told_to_stop_ends_all_children(supervisor, tmp_path, number):
    process = supervisor(STUBBORN)
    children = both_run(tmp_path)
    process.send_signal(number)
    assert process.wait(60) == 0
    assert [name for name, child in children.items() if alive(child)] == []


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children together with their parent")
def test_children_do_not_outlive_a_supervisor_that_was_killed(supervisor, tmp_path):
    process = supervisor()
    children = both_run(tmp_path)
    process.kill()
    until(lambda: not any(alive(child) for child in children.values()), "the children end")


def test_a_check_that_passes_in_a_child_says_nothing():
    in_child(lambda: None)


def test_a_check_that_fails_in_a_child_passes_its_message_on():
    def check() -> None:
        raise ValueError("the database is older than the code")

    with pytest.raises(RuntimeError, match="the database is older than the code"):
        in_child(check)


def test_a_failure_without_a_message_is_a_failure_too():
    def check() -> None:
        raise ValueError

    with pytest.raises(RuntimeError):
        in_child(check)


def test_a_child_that_is_killed_while_it_checks_is_a_failure_too():
    with pytest.raises(RuntimeError):
        in_child(lambda: os.kill(os.getpid(), signal.SIGKILL))


def test_what_a_child_imports_stays_in_the_child():
    def check() -> None:
        sys.modules["made_up_module"] = sys

    in_child(check)
    assert "made_up_module" not in sys.modules
