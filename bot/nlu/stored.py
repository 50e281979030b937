"""What our Rasa graph components share."""

from __future__ import annotations

import hashlib
from abc import abstractmethod
from pathlib import Path
from typing import Any

from rasa.engine.graph import ExecutionContext, GraphComponent
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.shared.nlu.training_data.message import Message


def is_command(message: Message) -> bool:
    """Whether the message is an intent by name, as our own buttons send it."""
    return str(message.get("text") or "").startswith("/")


class Stored(GraphComponent):
    """A graph component that is built from a config and a folder in the model."""

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        self._config, self._model_storage, self._resource = config, model_storage, resource

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> Stored:
        """A component that is to be trained."""
        return cls(config, model_storage, resource)

    @classmethod
    def load(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
        **kwargs: Any,
    ) -> Stored:
        """A trained component, from what ``read`` finds in the model."""
        component = cls(config, model_storage, resource)
        with model_storage.read_from(resource) as folder:
            component.read(folder)
        return component

    @classmethod
    def fingerprint_addon(cls, config: dict[str, Any]) -> str | None:
        """Lets Rasa's cache see what it does not look at by itself: the folder this component reads, and our code."""
        digest = hashlib.sha256()
        folders = [Path(value) for key, value in config.items() if key in ("samples", "rules", "concepts", "places")]
        for path in sorted(file for folder in (*folders, Path(__file__).parent) for file in folder.glob("*.*")):
            digest.update(path.name.encode() + b"\0" + path.read_bytes())
        return digest.hexdigest()

    @abstractmethod
    def read(self, folder: Path) -> None:
        """Restores what training left in the model's folder."""
