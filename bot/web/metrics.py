"""The numbers for operators, in Prometheus' form: what processes counted, and what stands in the database now."""

import asyncio
from collections.abc import Iterator
from datetime import datetime

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy import func, select
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot import metrics
from bot.handoff.states import WAITING
from bot.storage.base import now
from bot.storage.handoff import Case
from bot.storage.inbox import InboxMessage
from bot.storage.outbox import OutboxMessage
from bot.storage.session import Database
from bot.web.access import SIGNED, open_to
from bot.web.callers import bears, from_this_machine
from bot.web.edge import Edge, edge_of

_HELP = {
    "inbox_waiting": "Messages that wait for an answer",
    "queue_age_seconds": "How long the oldest message waits for an answer; 0 when none waits",
    "inbox_parked": "Messages that were given up and are still kept",
    "outbox_due": "Messages that wait to be delivered, those between two tries among them",
    "outbox_age_seconds": "How long the oldest message waits to be delivered; 0 when none waits",
    "cases_waiting": "Cases that wait for a counsellor",
    "cases_oldest_waiting_seconds": "How long the oldest case waits for a counsellor; 0 when none waits",
}


class DatabaseCollector(Collector):
    """Reads the queues anew at every scrape."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """The queues' gauges; without a database only ``waymark_database_up`` with 0."""
        try:
            found = _queues(self._database)
        except SQLAlchemyError:
            found = {}
        yield GaugeMetricFamily("waymark_database_up", "Whether the database answers", value=float(bool(found)))
        for name, value in found.items():
            yield GaugeMetricFamily(f"waymark_{name}", _HELP[name], value=value)


def _queues(database: Database) -> dict[str, float]:
    inbox = select(func.count(), func.min(InboxMessage.received_at)).where(InboxMessage.state == "waiting")
    outbox = select(func.count(), func.min(OutboxMessage.created_at)).where(OutboxMessage.state.in_(("due", "sending")))
    cases = select(func.count(), func.min(Case.created_at)).where(Case.state == WAITING)
    parked = select(func.count()).select_from(InboxMessage).where(InboxMessage.state == "parked")
    with database.read() as session:
        waiting, came = session.execute(inbox).one()
        due, stored = session.execute(outbox).one()
        unclaimed, asked = session.execute(cases).one()
        return {
            "inbox_waiting": waiting,
            "queue_age_seconds": _age(came),
            "inbox_parked": session.scalar(parked) or 0,
            "outbox_due": due,
            "outbox_age_seconds": _age(stored),
            "cases_waiting": unclaimed,
            "cases_oldest_waiting_seconds": _age(asked),
        }


def _age(since: datetime | None) -> float:
    return max(0.0, (now() - since).total_seconds()) if since is not None else 0.0


@open_to(SIGNED)  # its proof: the token, or without one that the caller is on this machine
async def scrape(request: Request) -> Response:
    """All numbers; to callers who may not have them the page does not exist."""
    edge = edge_of(request)
    if not _allowed(edge, request):
        raise HTTPException(404)
    text = await asyncio.to_thread(_text, edge.database)
    return Response(text, media_type=CONTENT_TYPE_PLAIN_0_0_4)


def _allowed(edge: Edge, request: Request) -> bool:
    token = edge.settings.metrics_token
    return bears(request, token) if token else from_this_machine(request)


def _text(database: Database) -> bytes:
    registry = metrics.registry()
    registry.register(DatabaseCollector(database))
    return generate_latest(registry)


ROUTES = [Route("/metrics", scrape, methods=["GET"])]
