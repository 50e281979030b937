"""Feeds Rasa's training with the content pack's example questions, each with its language."""

import hashlib
from functools import cached_property
from pathlib import Path
from typing import Any

from rasa.shared.importers.rasa import RasaFileImporter
from rasa.shared.nlu.training_data.loading import load_data
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.languages import LANGUAGES
from bot.nlu.language_id import script_of
from bot.yaml_files import read_yaml

FORM = "form"  # metadata: the class of language samples that an example belongs to, if any


class Example(Message):
    """A training message that is cheap to copy and hash: Rasa does both a dozen times to each of them."""

    def __hash__(self) -> int:
        # equal messages have equal texts and intents; equality itself stays Rasa's
        return self._key

    def fingerprint(self) -> str:
        """What Rasa's cache knows this message by; tokens and the like follow from the text."""
        return self._fingerprint

    @cached_property
    def _key(self) -> int:
        return hash((self.get("text"), self.get("intent")))

    @cached_property
    def _fingerprint(self) -> str:
        return hashlib.md5(repr((self.get("text"), self.get("intent"))).encode(), usedforsecurity=False).hexdigest()

    def __deepcopy__(self, memo: dict[int, Any]) -> "Example":
        # Rasa copies all examples at every merge, nearly ten times in one training, so that lists do not share
        # messages. What components add to a message (tokens, features) is the same for every list it is in.
        return self


class ContentImporter(RasaFileImporter):
    """Rasa's file importer, plus ``<faq>/<language>/<group>.yml`` and the language of every example."""

    def __init__(
        self,
        config_file: str | None = None,
        domain_path: str | None = None,
        training_data_paths: list[str] | str | None = None,
        faq: str = "data/faq",
        **kwargs: Any,
    ) -> None:
        super().__init__(config_file, domain_path, training_data_paths)
        self._faq = Path(faq)

    def get_nlu_data(self, language: str | None = "en") -> TrainingData:
        """All example questions: small talk, commands and the like from NLU files, topics from the pack."""
        return self._nlu_data

    @cached_property
    def _nlu_data(self) -> TrainingData:
        # Rasa asks several times in one training
        messages = [message for file in self._nlu_files for message in _tagged(load_data(file), Path(file).stem)]
        return TrainingData(messages + faq_messages(self._faq))


def _tagged(data: TrainingData, language: str) -> list[Message]:
    if language not in LANGUAGES:
        return list(data.training_examples)
    return [
        Example({**message.data, "metadata": _metadata(message.get("text"), language)})
        for message in data.training_examples
    ]


def _metadata(text: str, language: str) -> dict[str, str | None]:
    """The example's language, and the written form it is a sample of: ``ur``, or ``ur-latn`` in Latin letters."""
    script = script_of(text)
    if script == script_of(LANGUAGES[language].name):
        return {"language": language, FORM: language}
    return {"language": language, FORM: f"{language}-latn" if script == "Latin" else None}


def faq_messages(folder: Path) -> list[Message]:
    """The example questions of all topics in ``folder``, as training messages."""
    messages: list[Message] = []
    for path in sorted(folder.glob("*/*.yml")):
        data = read_yaml(path)
        for topic, row in data["entries"].items():
            for example in row.get("examples", ()):
                about = _metadata(str(example), data["language"])
                messages.append(Example({"text": str(example), "intent": topic, "metadata": about}))
    return messages
