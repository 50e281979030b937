"""Training: Rasa's own training from the content pack, or nothing when the newest model fits already."""

import hashlib
import json
import logging
from pathlib import Path

from bot.assistant_model import NoModel, find_model
from bot.settings import Settings

INPUTS = ("config.yml", "domain.yml")
STAMP = "trained-on.json"


def train(settings: Settings, *, only_if_needed: bool = False) -> Path:
    """Trains a model into ``settings.model``.

    Args:
        only_if_needed: Keep the newest model when nothing it was trained on has changed.

    Returns:
        The model file.

    Raises:
        RuntimeError: Rasa could not train.
    """
    folder = settings.model if settings.model.suffix != ".gz" else settings.model.parent
    fingerprint = _fingerprint(settings.content)
    stamp = folder / STAMP
    if only_if_needed and stamp.exists() and json.loads(stamp.read_text()).get("fingerprint") == fingerprint:
        try:
            return find_model(folder)
        except NoModel:
            pass  # the stamp outlived the model
    from bot import rasa_without_tensorflow

    rasa_without_tensorflow.install()
    import rasa
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.WARNING)  # its debug lines would fill the screen
    result = rasa.train(
        domain="domain.yml",
        config="config.yml",
        training_files=[str(settings.content)],
        output=str(folder),
        force_training=True,
    )
    if result.model is None:
        raise RuntimeError("Rasa could not train a model; see the messages above")
    stamp.write_text(json.dumps({"fingerprint": fingerprint}))
    return Path(result.model)


def _fingerprint(content: Path) -> str:
    digest = hashlib.sha256()
    code = sorted((Path(__file__).parent / "nlu").glob("*.py"))
    files = [Path(name) for name in INPUTS] + sorted(path for path in content.rglob("*") if path.is_file()) + code
    for path in files:
        digest.update(str(path.name).encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()
