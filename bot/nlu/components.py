"""Rasa graph components around the pure parts of this package.

They hand their findings on as message properties, which Rasa keeps in the latest message of the tracker:
``language`` (dict of a ``LanguageChoice``), ``crisis`` (kind and rule), ``candidates``; places are entities.
"""

from __future__ import annotations

import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import spacy
from rasa.engine.graph import ExecutionContext
from rasa.engine.recipes.default_recipe import DefaultV1Recipe
from rasa.engine.storage.resource import Resource
from rasa.engine.storage.storage import ModelStorage
from rasa.nlu.tokenizers.tokenizer import Token, Tokenizer
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.languages import DEFAULT, LANGUAGES, from_hint
from bot.nlu.concepts import Concepts
from bot.nlu.crisis import CrisisRules
from bot.nlu.decision import CLARIFY, FALLBACK, INFORM_PLACE, OUT_OF_SCOPE, Thresholds, decide
from bot.nlu.importer import FORM
from bot.nlu.intents import IntentModel
from bot.nlu.language_choice import choose
from bot.nlu.language_id import LanguageModel
from bot.nlu.normalise import fold
from bot.nlu.places import Place, PlaceFinder, ordinary_words
from bot.nlu.stored import Stored, is_command

LANGUAGE = "language"
UNLAUNCHED_INTENT = "unlaunched_language"
PLACE = "place"
FEW_WORDS = 2  # "i am in italy" has more; what has not may still be a question in a word or two
_TYPE = DefaultV1Recipe.ComponentType


@DefaultV1Recipe.register(_TYPE.MESSAGE_FEATURIZER, is_trainable=True)
class LanguageIdentifier(Stored):
    """Finds the language a message is written in and decides the one to answer in.

    The message's metadata may say what the conversation knows: ``language``, ``language_chosen``, ``locale``.
    """

    model: LanguageModel

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"samples": "data/languages"}

    def train(self, training_data: TrainingData) -> Resource:
        samples = read_samples(Path(self._config["samples"]))
        self.model = LanguageModel.train(language_samples(samples, training_data.intent_examples))
        with self._model_storage.write_to(self._resource) as folder:
            self.model.save(folder / "languages.npz")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def read(self, folder: Path) -> None:
        self.model = LanguageModel.load(folder / "languages.npz")

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            known = message.get("metadata") or {}
            choice = choose(
                self.model.guess("" if is_command(message) else message.get("text") or ""),
                current=known.get(LANGUAGE),
                chosen=bool(known.get("language_chosen")),
                hint=from_hint(known.get("locale")),
            )
            message.set(LANGUAGE, asdict(choice), add_to_output=True)
        return messages


def language_samples(samples: dict[str, list[str]], examples: list[Message]) -> dict[str, list[str]]:
    """The samples, and with them the example questions of every language in the form they are written in."""
    found = {form: list(lines) for form, lines in samples.items()}
    for example in examples:
        form = (example.get("metadata") or {}).get(FORM)
        if form in samples or form in LANGUAGES:
            found.setdefault(form, []).append(example.get("text"))
    return found


def read_samples(folder: Path) -> dict[str, list[str]]:
    """Sample lines per language from ``<folder>/<code>.txt``; lines starting with ``#`` are comments."""
    return {
        path.stem: [
            line.strip() for line in path.read_text(encoding="utf-8").splitlines() if line.strip()[:1] not in ("", "#")
        ]
        for path in sorted(folder.glob("*.txt"))
    }


@DefaultV1Recipe.register(_TYPE.MESSAGE_TOKENIZER, is_trainable=False)
class MultilingualTokenizer(Tokenizer):
    """Splits a message with spaCy's tokenizer of its language."""

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {
            "intent_tokenization_flag": False,
            "intent_split_symbol": "_",
            "token_pattern": None,
            "training_data": True,  # false where no component that learns looks at tokens
        }

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__(config)
        self._tokenizers: dict[str, Any] = {}

    @classmethod
    def create(
        cls,
        config: dict[str, Any],
        model_storage: ModelStorage,
        resource: Resource,
        execution_context: ExecutionContext,
    ) -> MultilingualTokenizer:
        return cls(config)

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return super().process_training_data(training_data) if self._config["training_data"] else training_data

    def tokenize(self, message: Message, attribute: str) -> list[Token]:
        found = message.get(LANGUAGE) or {}
        code = found.get("detected") if found.get("detected") in LANGUAGES else DEFAULT
        document = self._tokenizer(LANGUAGES[code or DEFAULT].spacy)(message.get(attribute))
        return [Token(token.text, token.idx) for token in document if not token.is_space]

    def _tokenizer(self, code: str) -> Any:
        if code not in self._tokenizers:
            self._tokenizers[code] = spacy.blank(code).tokenizer
        return self._tokenizers[code]


@DefaultV1Recipe.register(_TYPE.MESSAGE_FEATURIZER, is_trainable=True)
class CrisisDetector(Stored):
    """Applies the crisis rules, which travel inside the model so that both always fit."""

    rules: CrisisRules

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"rules": "data/crisis"}

    def train(self, training_data: TrainingData) -> Resource:
        source = Path(self._config["rules"])
        with self._model_storage.write_to(self._resource) as folder:
            shutil.copytree(source, folder / "crisis")
        self.rules = CrisisRules.load(source)
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def read(self, folder: Path) -> None:
        self.rules = CrisisRules.load(folder / "crisis")

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            found = None if is_command(message) else self.rules.find(message.get("text") or "")
            message.set("crisis", asdict(found) if found else None, add_to_output=True)
        return messages


@DefaultV1Recipe.register(_TYPE.ENTITY_EXTRACTOR, is_trainable=True)
class PlaceExtractor(Stored):
    """Finds countries and cities; each is an entity ``place`` whose value is the country's ISO code."""

    finder: PlaceFinder

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"places": "data/places"}

    def train(self, training_data: TrainingData) -> Resource:
        source = Path(self._config["places"])
        ordinary = ordinary_words(example.get("text") or "" for example in training_data.intent_examples)
        self.finder = PlaceFinder.load(source, ordinary)
        with self._model_storage.write_to(self._resource) as folder:
            shutil.copytree(source, folder / "places")
            (folder / "ordinary.txt").write_text("\n".join(sorted(ordinary)), encoding="utf-8")
        return self._resource

    def process_training_data(self, training_data: TrainingData) -> TrainingData:
        return training_data

    def read(self, folder: Path) -> None:
        ordinary = (folder / "ordinary.txt").read_text(encoding="utf-8").split()
        self.finder = PlaceFinder.load(folder / "places", ordinary)

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if not is_command(message):
                found = self.finder.find(message.get("text") or "")
                message.set("entities", [*message.get("entities", []), *map(_entity, found)], add_to_output=True)
        return messages


def _is_place_alone(message: Message, intent: str) -> bool:
    """Whether a message says a place and hardly anything else, or the classifier understood it so."""
    named = [entity for entity in message.get("entities", ()) if entity["entity"] == PLACE]
    if not named:
        return False
    left = len(fold(message.get("text") or "").split()) - sum(entity["end"] - entity["start"] for entity in named)
    return left == 0 or intent == INFORM_PLACE or (left <= FEW_WORDS and intent in (FALLBACK, CLARIFY, OUT_OF_SCOPE))


def _entity(place: Place) -> dict[str, Any]:
    return {
        "entity": PLACE,
        "value": place.country,
        "start": place.start,
        "end": place.end,
        "city": place.city,
        "extractor": "PlaceExtractor",
    }


@DefaultV1Recipe.register(_TYPE.INTENT_CLASSIFIER, is_trainable=True)
class LinearIntentClassifier(Stored):
    """Chooses the intent: a crisis first, then what the linear model is sure enough of."""

    model: IntentModel
    limits: Thresholds

    @staticmethod
    def get_default_config() -> dict[str, Any]:
        return {"concepts": "data/concepts", **asdict(Thresholds())}

    def __init__(self, config: dict[str, Any], model_storage: ModelStorage, resource: Resource) -> None:
        super().__init__(config, model_storage, resource)
        self.limits = Thresholds(**{name: config[name] for name in asdict(Thresholds())})

    def train(self, training_data: TrainingData) -> Resource:
        source = Path(self._config["concepts"])
        examples = [example for example in training_data.intent_examples if example.get("text")]
        self.model = IntentModel.train(
            [example.get("text") for example in examples],
            [example.get("intent") for example in examples],
            Concepts.load(source),
        )
        with self._model_storage.write_to(self._resource) as folder:
            shutil.copytree(source, folder / "concepts")
            self.model.save(folder / "intents")
        return self._resource

    def read(self, folder: Path) -> None:
        self.model = IntentModel.load(folder / "intents", Concepts.load(folder / "concepts"))

    def process(self, messages: list[Message]) -> list[Message]:
        for message in messages:
            if not is_command(message):
                self._classify(message)
        return messages

    def _classify(self, message: Message) -> None:
        ranking = self.model.rank([message.get("text") or ""])[0]
        decision = decide(ranking, self.limits)
        crisis = message.get("crisis")
        intent, confidence, candidates = decision.intent, decision.confidence, decision.candidates
        if crisis:
            intent, confidence = "crisis", 1.0
        elif _is_place_alone(message, intent):
            intent, confidence, candidates = INFORM_PLACE, 1.0, ()
        elif (message.get(LANGUAGE) or {}).get("unlaunched"):
            # what the model sees in a language that it never learnt means nothing
            intent, candidates = UNLAUNCHED_INTENT, ()
        elif intent == "crisis":
            message.set("crisis", {"kind": decision.crisis, "rule": "classifier"}, add_to_output=True)
        message.set("intent", {"name": intent, "confidence": confidence}, add_to_output=True)
        message.set(
            "intent_ranking",
            [{"name": ranked.name, "confidence": ranked.share} for ranked in ranking[:8]],
            add_to_output=True,
        )
        message.set("candidates", list(candidates), add_to_output=True)
