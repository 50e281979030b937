"""Writes that must not be lost to a database that is away for a moment: what they note has happened already."""

import asyncio
from collections.abc import Callable
from typing import ParamSpec

from sqlalchemy.exc import InterfaceError, OperationalError

AWAY = (OperationalError, InterfaceError)  # of the database itself, not of what was written
_PATIENCE = 60.0  # seconds; then leases run out, and another worker would act anyway
_LONGEST_PAUSE = 5.0

_Arguments = ParamSpec("_Arguments")


async def insist(write: Callable[_Arguments, None], *arguments: _Arguments.args, **named: _Arguments.kwargs) -> None:
    """Calls a writing function in a thread, again and again while the database does not answer.

    Raises:
        sqlalchemy.exc.DBAPIError: It did not come back in a minute, or refused for another reason.
    """
    waited, pause = 0.0, 0.25
    while True:
        try:
            return await asyncio.to_thread(write, *arguments, **named)
        except AWAY:
            if waited >= _PATIENCE:
                raise
        await asyncio.sleep(pause)
        waited, pause = waited + pause, min(_LONGEST_PAUSE, pause * 2)
