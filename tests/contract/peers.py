"""All peers that the suite runs with."""

import os
from importlib import import_module

from tests.contract.peer import Peer
from tests.contract.postino import PostinoPeer
from tests.contract.telegram import TelegramPeer
from tests.contract.twilio import TwilioPeer
from tests.contract.web import WebPeer
from tests.contract.whatsapp import WhatsAppPeer

OWN: tuple[type[Peer], ...] = (TelegramPeer, WhatsAppPeer, TwilioPeer, WebPeer, PostinoPeer)


def peers() -> list[type[Peer]]:
    """Our own, or those named by ``WAYMARK_CONTRACT_PEERS`` as ``module:Class``, for channels that live elsewhere."""
    named = filter(None, os.environ.get("WAYMARK_CONTRACT_PEERS", "").split(","))
    return [getattr(import_module(name.partition(":")[0]), name.partition(":")[2]) for name in named] or list(OWN)
