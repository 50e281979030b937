import importlib.util
import json
import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is not None, reason="with TensorFlow installed nothing is replaced"
)


def run(code: str, **environ: str) -> object:
    """What the code prints as JSON on its last line, in a fresh interpreter."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("RASA_")}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, env=clean | environ, timeout=150
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_without_help_rasa_does_not_start():
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", "import rasa.core.agent"], capture_output=True, text=True
    )
    assert done.returncode != 0
    assert "tensorflow" in done.stderr


def test_rasa_starts_and_every_tensorflow_component_tells_what_it_needs():
    code = """
import importlib, json, sys
from bot import rasa_without_tensorflow as without
without.install()
without.install()
import rasa.core.agent
from rasa.engine.recipes.default_components import DEFAULT_COMPONENTS
said = {}
for where, names in without._NEED_TENSORFLOW.items():
    for name in names:
        made = getattr(importlib.import_module(where), name)
        for attempt in (made, made.create):
            try:
                attempt({})
                said[name] = "it worked"
            except RuntimeError as problem:
                said[name] = str(problem)
finders = sum(type(finder).__name__ == "_Finder" for finder in sys.meta_path)
print(json.dumps([said, [made.__name__ for made in DEFAULT_COMPONENTS], "tensorflow" in sys.modules, finders]))
"""
    said, components, loaded, finders = run(code)
    assert said["DIETClassifier"] == "DIETClassifier needs TensorFlow: install the extra 'tensorflow'"
    assert all(words.startswith(f"{name} needs TensorFlow") for name, words in said.items())
    assert {"RulePolicy", "WhitespaceTokenizer"} <= set(components)
    assert not {"DIETClassifier", "TEDPolicy"} & set(components)
    assert loaded is False
    assert finders == 1, "installing twice is installing once"


TELEMETRY = """
import json
from bot import rasa_without_tensorflow
rasa_without_tensorflow.install()
from rasa import telemetry
print(json.dumps(telemetry.is_telemetry_enabled()))
"""


def test_rasa_reports_its_use_to_nobody(tmp_path):
    assert run(TELEMETRY, HOME=str(tmp_path)) is False


def test_the_projects_own_configuration_can_be_read_by_rasa():
    code = """
import json
from bot import rasa_without_tensorflow
rasa_without_tensorflow.install()
from rasa.engine.recipes.recipe import Recipe
from rasa.shared.importers.importer import TrainingDataImporter
importer = TrainingDataImporter.load_from_config("config.yml", "domain.yml", ["data"])
config = importer.get_config()
graph = Recipe.recipe_for_name(config["recipe"]).graph_config_for_recipe(config, {})
print(json.dumps(sorted({node.uses.__name__ for node in graph.train_schema.nodes.values()})))
"""
    assert {"LinearIntentClassifier", "CrisisDetector", "LanguageIdentifier", "RulePolicy"} <= set(run(code))
