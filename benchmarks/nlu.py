"""Compares intent pipelines in one run: Rasa's DIET, Rasa's logistic regression, and ours (`make bench-nlu`).

On the public sets in ../shared/datasets, where that folder is there: CLINC150 with out-of-scope, and MASSIVE with 10
and 20 examples per intent in every language of the table. Each pipeline is trained and asked in a process of its own,
through Rasa's own training and agent. DIET needs TensorFlow, and minutes for what takes ours a second, so it sees the
smaller tasks alone; without TensorFlow the benchmark says so and goes on. Our own questions come last, each language by
itself and with the classifiers alone; `make bench-nlu` then asks them through the whole of Waymark.
"""

import argparse
import gzip
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Any

ROOT = Path(__file__).parent.parent
SHARED = ROOT.parent / "shared" / "datasets"
TENSORFLOW = ROOT / ".tools" / "tensorflow" / "bin" / "python"
OOS = "out_of_scope"
ASKED = 1500  # questions per task at most; the same for every pipeline

Rows = list[tuple[str, str]]  # text, intent

_FEATURES = [
    {"name": "WhitespaceTokenizer"},
    {"name": "LexicalSyntacticFeaturizer"},
    {"name": "CountVectorsFeaturizer"},
    {"name": "CountVectorsFeaturizer", "analyzer": "char_wb", "min_ngram": 1, "max_ngram": 4},
]
PIPELINES: dict[str, list[dict[str, Any]]] = {
    # what `rasa init` writes, without the parts that are not about intents
    "rasa DIET": [*_FEATURES, {"name": "DIETClassifier", "epochs": 100, "entity_recognition": False}],
    "rasa LogReg": [*_FEATURES, {"name": "LogisticRegressionClassifier"}],
    "waymark": [{"name": "bot.nlu.components.LinearIntentClassifier", "concepts": str(ROOT / "data" / "concepts")}],
}


@dataclass(frozen=True)
class Task:
    """Examples to learn and questions to answer."""

    name: str
    train: Rows
    test: Rows
    small: bool  # few enough examples for DIET


def massive(language: str, per_intent: int) -> Task | None:
    """MASSIVE in one language; ``None`` where the data is not there."""
    path = next(iter((SHARED / "massive").glob(f"{language}-*.jsonl.gz")), None)
    if path is None:
        return None
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    train = [(row["utt"], row["intent"]) for row in rows if row["partition"] == "train"]
    test = [(row["utt"], row["intent"]) for row in rows if row["partition"] == "dev"]
    name = f"MASSIVE {language}, {per_intent} examples"
    return Task(name, _few(train, per_intent), _some(test), small=per_intent <= 10 and language in ("en", "tr"))


def clinc(per_intent: int | None) -> Task | None:
    """CLINC150 with out-of-scope; ``None`` where the data is not there."""
    path = SHARED / "clinc150.train_val.json.gz"
    if not path.exists():
        return None
    with gzip.open(path, "rt", encoding="utf-8") as file:
        data = json.load(file)
    train = [(text, intent) for text, intent in data["train"]] + [(text, OOS) for text, _ in data["oos_train"]]
    test = [(text, intent) for text, intent in data["val"]] + [(text, OOS) for text, _ in data["oos_val"]]
    if per_intent:
        train = _few(train, per_intent)
    return Task(f"CLINC150, {per_intent or 'all'} examples", train, test, small=per_intent is not None)


def own(language: str) -> Task:
    """Our own questions in one language: topics and out-of-scope."""
    from bot import evaluation
    from bot.nlu.decision import is_topic
    from bot.yaml_files import read_yaml

    train = []
    for path in sorted((ROOT / "data" / "faq" / language).glob("*.yml")):
        for topic, row in read_yaml(path)["entries"].items():
            train += [(str(example), topic) for example in row["examples"]]
    for part in read_yaml(ROOT / "data" / "nlu" / f"{language}.yml")["nlu"]:
        train += [(line.removeprefix("- "), part["intent"]) for line in part["examples"].splitlines()]
    questions = evaluation.load(ROOT / "tests" / "evaluation" / f"{language}.tsv")
    expected = [(q.text, OOS if q.expected[0] == "oos" else q.expected[0]) for q in questions]
    known = {intent for _, intent in train}
    test = [(text, intent) for text, intent in expected if intent in known and (is_topic(intent) or intent == OOS)]
    return Task(f"our own questions, {language}", train, test, small=False)


def _few(rows: Rows, per_intent: int) -> Rows:
    by_intent = defaultdict(list)
    for text, intent in random.Random(0).sample(rows, len(rows)):
        by_intent[intent].append((text, intent))
    return [row for found in by_intent.values() for row in found[:per_intent]]


def _some(rows: Rows) -> Rows:
    return random.Random(0).sample(rows, min(ASKED, len(rows)))


def tasks(quick: bool) -> Iterator[Task]:
    """All tasks whose data is there."""
    sys.path.insert(0, str(ROOT))
    from bot.languages import LANGUAGES

    languages = ["en", "tr"] if quick else list(LANGUAGES)
    found = [massive(language, per_intent) for per_intent in (10, 20) for language in languages]
    found += [clinc(10), None if quick else clinc(None)]
    if not any(found):
        print(f"The public sets are not in {SHARED}; only our own questions are asked.")
    yield from (task for task in found if task)
    yield from map(own, languages)


def run(pipeline: str, task: Task) -> dict[str, float] | None:
    """Trains and asks in a process of its own."""
    python = TENSORFLOW if "DIET" in pipeline else Path(sys.executable)
    if not python.exists() or ("DIET" in pipeline and not task.small):
        return None
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "task.json").write_text(json.dumps({"train": task.train, "test": task.test}))
        call = [str(python), "-W", "ignore", __file__, "--one", pipeline, folder]
        environment = os.environ | {"PYTHONPATH": str(ROOT), "TF_CPP_MIN_LOG_LEVEL": "3"}
        done = subprocess.run(call, capture_output=True, text=True, cwd=folder, env=environment, check=False)
    if done.returncode:
        print(done.stderr[-2000:], file=sys.stderr)
        return None
    return dict(json.loads(done.stdout.splitlines()[-1]))


def one(pipeline: str, folder: Path) -> None:
    """The measured process: prints one line of JSON."""
    if "DIET" not in pipeline:
        from bot import rasa_without_tensorflow

        rasa_without_tensorflow.install()
    import asyncio
    import logging

    import yaml
    from rasa.core.agent import Agent
    from rasa.model_training import train_nlu
    from rasa.utils.log_utils import configure_structlog

    configure_structlog(logging.ERROR)
    data = json.loads((folder / "task.json").read_text())
    by_intent = defaultdict(list)
    for text, intent in data["train"]:
        by_intent[intent].append(f"- {' '.join(text.split())}\n")
    examples = [{"intent": intent, "examples": "".join(lines)} for intent, lines in by_intent.items()]
    (folder / "nlu.yml").write_text(yaml.dump({"version": "3.1", "nlu": examples}, allow_unicode=True))
    config = {"recipe": "default.v1", "assistant_id": "b", "language": "xx", "pipeline": PIPELINES[pipeline]}
    (folder / "config.yml").write_text(yaml.dump(config))
    began = time.perf_counter()
    model = train_nlu(str(folder / "config.yml"), str(folder / "nlu.yml"), str(folder))
    trained = time.perf_counter() - began
    agent = Agent.load(model)
    asyncio.run(_ask(agent, data["test"], trained, Path(str(model)).stat().st_size))


async def _ask(agent: Any, test: Rows, trained: float, size: int) -> None:
    right = inside = outside = found = 0
    times = []
    for text, intent in test:
        began = time.perf_counter()
        answer = await agent.parse_message(text)
        times.append((time.perf_counter() - began) * 1000)
        guess = answer["intent_ranking"][0]["name"]
        if intent == OOS:
            outside += 1
            found += guess == OOS
        else:
            inside += 1
            right += guess == intent
    rss = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        json.dumps({
            "accuracy": 100 * right / inside, "oos": 100 * found / outside if outside else -1, "train": trained,
            "ms": median(times), "mb": size / 1e6, "rss": rss,
        })
    )  # fmt: skip


def main() -> None:
    """Prints the table, a row per task and pipeline."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="two languages, and not the whole of CLINC150")
    parser.add_argument("--one", nargs=2, metavar=("PIPELINE", "FOLDER"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        one(arguments.one[0], Path(arguments.one[1]))
        return
    if not TENSORFLOW.exists():
        print("TensorFlow is not installed for the benchmark; DIET is left out.")
    print(f"{'task':28} {'pipeline':12} {'accuracy':>8} {'oos':>6} {'train s':>8} {'ms':>6} {'MB':>6} {'RSS MB':>7}")
    for task in tasks(arguments.quick):
        for pipeline in PIPELINES:
            found = run(pipeline, task)
            if found:
                oos = f"{found['oos']:6.1f}" if found["oos"] >= 0 else f"{'-':>6}"
                print(
                    f"{task.name:28} {pipeline:12} {found['accuracy']:8.1f} {oos} {found['train']:8.1f} "
                    f"{found['ms']:6.1f} {found['mb']:6.1f} {found['rss']:7.0f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
