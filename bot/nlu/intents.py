"""One linear intent model for all languages, on character and word n-grams and shared concepts."""

import json
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn import config_context
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import train_test_split
from sklearn.svm import LinearSVC

from bot.nlu.concepts import Concepts
from bot.nlu.decision import Ranked
from bot.nlu.normalise import fold

REGULARISATION = 0.5
CONCEPT_WEIGHT = 0.7
STEM = 4  # letters of a word that mostly carry its meaning, whatever its ending
STEM_WEIGHT = 0.7
WORKERS = 2
FITTED, HELD_OUT = 0.3, 0.1  # shares of the examples to fit a model for the temperature to, and to find it on
_TEMPERATURES = np.geomspace(0.05, 1.0, 121)  # steps of 2.5 %: thresholds depend on it


def _vectorizers() -> dict[str, TfidfVectorizer]:
    return {
        "chars": TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), min_df=3, sublinear_tf=True, dtype=np.float32),
        "words": TfidfVectorizer(
            analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), min_df=3, sublinear_tf=True, dtype=np.float32
        ),
        "stems": TfidfVectorizer(
            analyzer="word", token_pattern=r"\S+", ngram_range=(1, 3), min_df=3, sublinear_tf=True, dtype=np.float32
        ),
        "concepts": TfidfVectorizer(analyzer="word", token_pattern=r"\S+", dtype=np.float32),
    }


_WEIGHTS = {"chars": 1.0, "words": 1.0, "stems": STEM_WEIGHT, "concepts": CONCEPT_WEIGHT}


class IntentModel:
    """Linear SVMs, one against the rest, with probabilities by temperature scaling.

    The temperature is fitted on held-out training examples (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", applied to the margins of a linear model).
    """

    def __init__(
        self,
        concepts: Concepts,
        vectorizers: dict[str, TfidfVectorizer],
        classes: list[str],
        weights: NDArray[np.float16],
        bias: NDArray[np.float32],
        temperature: float,
    ) -> None:
        self.concepts = concepts
        self.classes = classes
        self.temperature = temperature
        self._vectorizers = vectorizers
        self._weights = weights  # (features, classes)
        self._bias = bias

    @classmethod
    def train(cls, texts: Sequence[str], intents: Sequence[str], concepts: Concepts) -> "IntentModel":
        """Learns from example texts and their intents."""
        vectorizers = _vectorizers()
        views = _views(texts, concepts)
        features = _joined({name: v.fit_transform(views[name]) for name, v in vectorizers.items()})
        labels = np.array(intents)
        fitted = _fit(features, labels)
        return cls(
            concepts,
            vectorizers,
            fitted.classes,
            fitted.weights.astype(np.float16),
            fitted.bias,
            _temperature(features, labels),
        )

    def rank(self, texts: Sequence[str]) -> list[list[Ranked]]:
        """For each text all intents, best first."""
        views = _views(texts, self.concepts)
        with config_context(
            assume_finite=True, skip_parameter_validation=True
        ):  # their checks are for matrices, not one text
            features = _joined({name: v.transform(views[name]) for name, v in self._vectorizers.items()})
        margins = np.stack([self._margins(features[row]) for row in range(len(texts))])
        shares = _softmax(margins / self.temperature)
        order = np.argsort(-margins, axis=1)
        return [
            [Ranked(self.classes[i], float(shares[row, i]), float(margins[row, i])) for i in best]
            for row, best in enumerate(order)
        ]

    def _margins(self, row: csr_matrix) -> NDArray[np.float32]:
        # half precision halves the memory; only the few rows of weights that a text needs are widened
        margins: NDArray[np.float32] = row.data @ self._weights[row.indices].astype(np.float32) + self._bias
        return margins

    def save(self, folder: Path) -> None:
        """Writes numpy arrays and JSON, nothing that runs code when read."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {f"idf_{name}": v.idf_ for name, v in self._vectorizers.items()}
        np.savez_compressed(folder / "weights.npz", weights=self._weights, bias=self._bias, **arrays)
        vocabularies = {
            name: {gram: int(column) for gram, column in v.vocabulary_.items()} for name, v in self._vectorizers.items()
        }
        about = {"classes": self.classes, "temperature": self.temperature, "vocabularies": vocabularies}
        (folder / "model.json").write_text(json.dumps(about, ensure_ascii=False), encoding="utf-8")

    @classmethod
    def load(cls, folder: Path, concepts: Concepts) -> "IntentModel":
        """Reads what ``save`` wrote."""
        about = json.loads((folder / "model.json").read_text(encoding="utf-8"))
        vectorizers = _vectorizers()
        with np.load(folder / "weights.npz", allow_pickle=False) as data:
            for name, vectorizer in vectorizers.items():
                vectorizer.vocabulary = about["vocabularies"][name]
                vectorizer.idf_ = data[f"idf_{name}"]
            weights, bias = data["weights"], data["bias"]
        return cls(concepts, vectorizers, about["classes"], weights, bias, about["temperature"])


def _views(texts: Sequence[str], concepts: Concepts) -> dict[str, list[str]]:
    folded = [fold(text) for text in texts]
    stems = [" ".join(word[:STEM] for word in text.split()) for text in folded]
    return {
        "chars": folded,
        "words": folded,
        "stems": stems,
        "concepts": [_with_pairs(concepts.find(text)) for text in folded],
    }


def _with_pairs(found: list[str]) -> str:
    """The concepts of a text and all pairs of them, as one string of features."""
    return " ".join([*found, *(f"{first}+{second}" for first, second in combinations(found, 2))])


@dataclass(frozen=True, slots=True)
class _Fitted:
    classes: list[str]
    weights: NDArray[np.float32]  # (features, classes)
    bias: NDArray[np.float32]


def _fit(features: csr_matrix, labels: NDArray[np.str_]) -> _Fitted:
    """One linear SVM per class against the rest. The classes are shared out: liblinear lets other threads run."""
    classes = sorted(set(labels))
    shares = [classes[start::WORKERS] for start in range(WORKERS) if classes[start::WORKERS]]
    with ThreadPoolExecutor(WORKERS) as pool:
        parts = list(pool.map(lambda share: _fit_share(features, labels, share), shares))
    order = np.argsort([name for share in shares for name in share])
    weights = np.concatenate([part.coef_[: len(share)] for part, share in zip(parts, shares, strict=True)])
    bias = np.concatenate([part.intercept_[: len(share)] for part, share in zip(parts, shares, strict=True)])
    return _Fitted(classes, np.ascontiguousarray(weights[order].T, dtype=np.float32), bias[order].astype(np.float32))


def _fit_share(features: csr_matrix, labels: NDArray[np.str_], share: list[str]) -> LinearSVC:
    """The SVMs of some classes; all others together are one more class, which comes last and is not used."""
    numbers = {name: number for number, name in enumerate(share)}
    targets = np.array([numbers.get(label, len(share)) for label in labels])
    if len(set(targets)) < 3:  # liblinear fits two classes as one, with the sign of the second
        targets = np.where(targets == 0, len(share) + 1, targets)
    return LinearSVC(C=REGULARISATION, dual=True, tol=0.1, random_state=0).fit(features, targets)


def _temperature(features: csr_matrix, labels: NDArray[np.str_]) -> float:
    """The temperature that makes probabilities honest on examples the model was not fitted to."""
    stratify = labels if min(Counter(labels).values()) >= 2 else None
    fitted, held = train_test_split(
        np.arange(len(labels)), train_size=FITTED, test_size=HELD_OUT, stratify=stratify, random_state=0
    )
    model = _fit(features[fitted], labels[fitted])
    known = np.isin(labels[held], model.classes)
    margins = features[held][known] @ model.weights + model.bias
    truth = np.searchsorted(model.classes, labels[held][known])
    return float(min(_TEMPERATURES, key=lambda t: _loss(margins, truth, float(t))))


def _joined(parts: dict[str, csr_matrix]) -> csr_matrix:
    return hstack([part * _WEIGHTS[name] for name, part in parts.items()], format="csr")


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _loss(margins: NDArray[np.float64], truth: NDArray[np.int_], temperature: float) -> float:
    shares = _softmax((margins / temperature).astype(np.float32))
    return float(-np.log(shares[np.arange(len(truth)), truth] + 1e-9).mean())
