"""One linear intent model for all languages, on character and word n-grams and shared concepts."""

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix, hstack
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.svm import LinearSVC

from bot.nlu.concepts import Concepts
from bot.nlu.normalise import fold

REGULARISATION = 0.35
CONCEPT_WEIGHT = 0.35
WORD_WEIGHT = 0.7
FOLDS = 3
_TEMPERATURES = np.geomspace(0.05, 1.0, 25)


def _vectorizers() -> dict[str, TfidfVectorizer]:
    return {
        "chars": TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), min_df=2, sublinear_tf=True, dtype=np.float32),
        "words": TfidfVectorizer(
            analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), min_df=2, sublinear_tf=True, dtype=np.float32
        ),
        "concepts": TfidfVectorizer(analyzer="word", token_pattern=r"\S+", ngram_range=(1, 2), dtype=np.float32),
    }


_WEIGHTS = {"chars": 1.0, "words": WORD_WEIGHT, "concepts": CONCEPT_WEIGHT}


class IntentModel:
    """Linear SVMs, one against the rest, with probabilities by temperature scaling.

    The temperature is fitted on held-out folds of the training data (Guo et al. 2017, "On Calibration of
    Modern Neural Networks", applied to the margins of a linear model).
    """

    def __init__(
        self,
        concepts: Concepts,
        vectorizers: dict[str, TfidfVectorizer],
        classes: list[str],
        weights: NDArray[np.float32],
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
        svm = LinearSVC(C=REGULARISATION, dual=True, random_state=0)
        folds = StratifiedKFold(FOLDS, shuffle=True, random_state=0)
        margins = cross_val_predict(svm, features, intents, cv=folds, method="decision_function", n_jobs=2)
        svm.fit(features, intents)
        classes = [str(name) for name in svm.classes_]
        truth = np.searchsorted(svm.classes_, intents)
        temperature = min(_TEMPERATURES, key=lambda t: _loss(margins, truth, float(t)))
        return cls(
            concepts,
            vectorizers,
            classes,
            np.ascontiguousarray(svm.coef_.T, dtype=np.float32),
            svm.intercept_.astype(np.float32),
            float(temperature),
        )

    def rank(self, texts: Sequence[str]) -> list[list[tuple[str, float]]]:
        """For each text all intents with probabilities, best first."""
        views = _views(texts, self.concepts)
        features = _joined({name: v.transform(views[name]) for name, v in self._vectorizers.items()})
        shares = _softmax((features @ self._weights + self._bias) / self.temperature)
        order = np.argsort(-shares, axis=1)
        return [[(self.classes[i], float(row[i])) for i in best] for row, best in zip(shares, order, strict=True)]

    def save(self, folder: Path) -> None:
        """Writes numpy arrays and JSON, nothing that runs code when read."""
        folder.mkdir(parents=True, exist_ok=True)
        arrays = {f"idf_{name}": v.idf_ for name, v in self._vectorizers.items()}
        np.savez_compressed(folder / "weights.npz", weights=self._weights.astype(np.float16), bias=self._bias, **arrays)
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
            weights, bias = data["weights"].astype(np.float32), data["bias"]
        return cls(concepts, vectorizers, about["classes"], weights, bias, about["temperature"])


def _views(texts: Sequence[str], concepts: Concepts) -> dict[str, list[str]]:
    folded = [fold(text) for text in texts]
    return {"chars": folded, "words": folded, "concepts": [" ".join(concepts.find(text)) for text in folded]}


def _joined(parts: dict[str, csr_matrix]) -> csr_matrix:
    return hstack([part * _WEIGHTS[name] for name, part in parts.items()], format="csr")


def _softmax(scores: NDArray[np.float32]) -> NDArray[np.float32]:
    odds = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: NDArray[np.float32] = odds / odds.sum(axis=1, keepdims=True)
    return shares


def _loss(margins: NDArray[np.float64], truth: NDArray[np.int_], temperature: float) -> float:
    shares = _softmax((margins / temperature).astype(np.float32))
    return float(-np.log(shares[np.arange(len(truth)), truth] + 1e-9).mean())
