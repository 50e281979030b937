"""Lets Rasa 3.6 start where TensorFlow is not installed (docs/decisions/0002-no-tensorflow-by-default.md).

Rasa imports its TensorFlow components by name while it starts, whether or not a pipeline uses them. This
module answers those few imports: the TensorFlow components become classes that say what is missing when
they are used, and the list of default components leaves them out. With TensorFlow installed (extra
``tensorflow``) it does nothing. It must run before ``rasa`` is imported.
"""

import importlib
import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

_NEED_TENSORFLOW = {
    "rasa.utils.tensorflow.callback": ["RasaTrainingLogger", "RasaModelCheckpoint"],
    "rasa.utils.tensorflow.data_generator": ["RasaDataGenerator", "RasaBatchDataGenerator"],
    "rasa.nlu.classifiers.diet_classifier": ["DIETClassifier"],
    "rasa.nlu.selectors.response_selector": ["ResponseSelector"],
    "rasa.nlu.featurizers.dense_featurizer.convert_featurizer": ["ConveRTFeaturizer"],
    "rasa.nlu.featurizers.dense_featurizer.lm_featurizer": ["LanguageModelFeaturizer"],
    "rasa.core.policies.ted_policy": ["TEDPolicy"],
    "rasa.core.policies.unexpected_intent_policy": ["UnexpecTEDIntentPolicy"],
}
_DEFAULT_COMPONENTS = "rasa.engine.recipes.default_components"
_LIGHT = """
rasa.nlu.classifiers.fallback_classifier:FallbackClassifier
rasa.nlu.classifiers.keyword_intent_classifier:KeywordIntentClassifier
rasa.nlu.classifiers.logistic_regression_classifier:LogisticRegressionClassifier
rasa.nlu.classifiers.sklearn_intent_classifier:SklearnIntentClassifier
rasa.nlu.extractors.crf_entity_extractor:CRFEntityExtractor
rasa.nlu.extractors.duckling_entity_extractor:DucklingEntityExtractor
rasa.nlu.extractors.entity_synonyms:EntitySynonymMapper
rasa.nlu.extractors.spacy_entity_extractor:SpacyEntityExtractor
rasa.nlu.extractors.regex_entity_extractor:RegexEntityExtractor
rasa.nlu.featurizers.sparse_featurizer.lexical_syntactic_featurizer:LexicalSyntacticFeaturizer
rasa.nlu.featurizers.dense_featurizer.spacy_featurizer:SpacyFeaturizer
rasa.nlu.featurizers.sparse_featurizer.count_vectors_featurizer:CountVectorsFeaturizer
rasa.nlu.featurizers.sparse_featurizer.regex_featurizer:RegexFeaturizer
rasa.nlu.tokenizers.spacy_tokenizer:SpacyTokenizer
rasa.nlu.tokenizers.whitespace_tokenizer:WhitespaceTokenizer
rasa.nlu.utils.spacy_utils:SpacyNLP
rasa.core.policies.memoization:MemoizationPolicy
rasa.core.policies.memoization:AugmentedMemoizationPolicy
rasa.core.policies.rule_policy:RulePolicy
"""


class _Loader(importlib.abc.Loader):
    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return ModuleType(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        if module.__name__ == _DEFAULT_COMPONENTS:
            pairs = [line.split(":") for line in _LIGHT.split()]
            found = [getattr(importlib.import_module(where), name) for where, name in pairs]
            for component in found:
                setattr(module, component.__name__, component)
            vars(module)["DEFAULT_COMPONENTS"] = found
            return
        for name in _NEED_TENSORFLOW[module.__name__]:
            setattr(module, name, _unavailable(name, module.__name__))


class _Finder(importlib.abc.MetaPathFinder):
    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        wanted = name in _NEED_TENSORFLOW or name == _DEFAULT_COMPONENTS
        return ModuleSpec(name, _Loader()) if wanted else None


def _unavailable(name: str, module: str) -> type:
    def refuse(self: object, *args: Any, **kwargs: Any) -> None:
        raise RuntimeError(f"{name} needs TensorFlow: install the extra 'tensorflow'")

    return type(name, (), {"__init__": refuse, "create": classmethod(refuse), "__module__": module})


def install() -> None:
    """Makes ``import rasa`` work without TensorFlow, and keeps it from reporting its use to anybody.

    Harmless to call twice.
    """
    os.environ.setdefault("RASA_TELEMETRY_ENABLED", "false")
    if importlib.util.find_spec("tensorflow") is not None:
        return
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


def main() -> None:
    """The `rasa` command, with or without TensorFlow."""
    install()
    from rasa.__main__ import main as rasa_main

    rasa_main()
