"""Runs the processes of an installation and starts again those that die (docs/decisions/0003-supervisor.md)."""

import asyncio
import ctypes
import logging
import os
import signal
import sys
from collections.abc import Callable, Sequence

logger = logging.getLogger(__name__)

_FIRST_PAUSE, _LONGEST_PAUSE = 0.2, 10.0  # seconds before a dead process is started again
_GRACE = 15.0  # seconds a process may take to end
_HEALTHY = 30.0  # seconds after which a process counts as well again


class Supervisor:
    """Keeps one process per command running until told to stop."""

    def __init__(self, commands: dict[str, Sequence[str]]) -> None:
        self._commands = commands
        self._stop = asyncio.Event()
        self._running: dict[str, asyncio.subprocess.Process] = {}

    async def run(self) -> None:
        """Runs until SIGTERM or SIGINT, then ends all processes and waits for them."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        keepers = [asyncio.create_task(self._keep(name, command)) for name, command in self._commands.items()]
        await self._stop.wait()
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await asyncio.gather(*(self._end(process) for process in self._running.values()))

    async def _keep(self, name: str, command: Sequence[str]) -> None:
        pause = _FIRST_PAUSE
        while True:
            began = asyncio.get_running_loop().time()
            process = await asyncio.create_subprocess_exec(*command, preexec_fn=_die_with_parent)
            self._running[name] = process
            code = await process.wait()
            lived = asyncio.get_running_loop().time() - began
            pause = _FIRST_PAUSE if lived > _HEALTHY else min(_LONGEST_PAUSE, pause * 2)
            logger.error("%s ended with code %s; it starts again in %.1f s", name, code, pause)
            await asyncio.sleep(pause)

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        if process.returncode is not None:
            return
        process.terminate()
        try:
            await asyncio.wait_for(process.wait(), _GRACE)
        except TimeoutError:
            process.kill()
            await process.wait()


def in_child(check: Callable[[], None]) -> None:
    """Runs a check in a forked process.

    Raises:
        RuntimeError: It failed, with the message of what it raised.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        code = 1
        try:
            check()
            code = 0
        except Exception as problem:  # told to the parent, which raises it
            os.write(writer, (str(problem) or type(problem).__name__).encode())
        finally:
            os._exit(code)
    os.close(writer)
    with os.fdopen(reader, "rb") as pipe:
        problem_text = pipe.read().decode()
    _, status = os.waitpid(child, 0)
    if status != 0:
        raise RuntimeError(problem_text or f"a check ended early, with wait status {status}")


def _die_with_parent() -> None:
    """Asks Linux to end this process when the supervisor is killed, so that no orphan keeps the port."""
    os.setpgrp()  # a Ctrl-C at the terminal goes to the supervisor alone, which ends its children in order
    if sys.platform == "linux":
        parent_death_signal = 1  # PR_SET_PDEATHSIG, see prctl(2)
        ctypes.CDLL(None).prctl(parent_death_signal, signal.SIGTERM)
