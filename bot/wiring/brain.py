"""The brain process: Rasa, the worker, delivery."""

from pathlib import Path

from actions import context
from bot.assistant import RasaAssistant
from bot.channels import registry
from bot.content import pack
from bot.content.catalogue import Catalogue, PackCatalogue, StoreCatalogue
from bot.messaging.poke import make_poke
from bot.nlu.crisis import CrisisRules
from bot.settings import Settings
from bot.storage.session import Database
from bot.wiring.foundation import open_database, opening_hours, worker_name
from bot.worker.answering import Answering
from bot.worker.brain import Brain
from bot.worker.delivery import Delivery


def make_brain(settings: Settings) -> Brain:
    """The brain with its model loaded."""
    database = open_database(settings)
    answering = make_answering(settings, database, tracker_url=settings.tracker)
    return Brain(
        database=database,
        assistant=answering.assistant,
        answering=answering,
        delivery=Delivery(database, registry.load(settings), worker_name()),
        poke=make_poke(settings.home, settings.redis_url),
        retention_days=settings.retention_days,
        media_days=settings.media_days,
        alone=settings.database.startswith("sqlite"),
    )


def make_answering(
    settings: Settings, database: Database | None, *, tracker_url: str | None, model: Path | None = None
) -> Answering:
    """What answers messages; without a database the answers come straight from the content pack."""
    catalogue: Catalogue = StoreCatalogue(database) if database else PackCatalogue(pack.load(settings.content))
    context.provide(context.Context(catalogue, settings.retention_days, settings.content))
    return Answering(
        database=database or Database("sqlite://"),
        assistant=RasaAssistant(
            model=model or settings.model, tracker_url=tracker_url, redis_url=settings.redis_url if database else ""
        ),
        crisis=CrisisRules.load(settings.content / "crisis"),
        catalogue=catalogue,
        hours=opening_hours(settings),
        retention_days=settings.retention_days,
        places=settings.content / "places",
        worker=worker_name(),
    )
