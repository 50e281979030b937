"""People in the chat who asked for a counsellor."""

from collections.abc import Callable

import pytest

from bot.handoff import queue
from bot.messaging import inbox
from bot.messaging.messages import Incoming
from bot.storage.handoff import Case
from bot.web.edge import Edge


@pytest.fixture
def person(edge: Edge) -> Callable[..., str]:
    """Somebody writes; gives the conversation's id."""
    written = 0

    def write(text: str = "hello", *, address: str = "a", channel: str = "telegram") -> str:
        nonlocal written
        written += 1
        with edge.database.write() as session:
            message = Incoming(channel, f"m{written}", address, text=text)
            accepted = inbox.accept(session, message, per_minute=100)
            assert accepted is not None
            return accepted.conversation_id

    return write


@pytest.fixture
def case(edge: Edge, person: Callable[..., str]) -> Callable[..., Case]:
    """Somebody writes and asks for a counsellor."""

    def make(text: str = "hello", *, address: str = "a", channel: str = "telegram", **values: object) -> Case:
        conversation_id = person(text, address=address, channel=channel)
        with edge.database.write() as session:
            given: dict[str, object] = {"language": "en", "cause": f"test:{address}", "hours": edge.hours} | values
            return queue.request(session, conversation_id=conversation_id, **given)  # type: ignore[arg-type]  # any of its own

    return make
