"""What the edge process holds; views reach it as ``request.app.state.edge``."""

from dataclasses import dataclass

from starlette.requests import Request

from bot.channels.telegram import TelegramChannel
from bot.channels.whatsapp import WhatsAppChannel
from bot.content.catalogue import Catalogue
from bot.handoff.hours import OpeningHours
from bot.messaging.protocols import Poke
from bot.settings import Settings
from bot.storage.session import Database
from bot.web.acceptor import Acceptor
from bot.web.hub import Hub


@dataclass
class Edge:
    """The objects behind the web application."""

    settings: Settings
    database: Database
    poke: Poke
    acceptor: Acceptor
    hub: Hub
    catalogue: Catalogue
    hours: OpeningHours
    telegram: TelegramChannel | None = None
    whatsapp: WhatsAppChannel | None = None


def edge_of(request: Request) -> Edge:
    """The edge that serves this request."""
    edge: Edge = request.app.state.edge
    return edge
