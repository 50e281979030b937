"""Language identification on short messages: ours beside langdetect and lingua, in one run (`make bench-languages`).

Utterances of 3 to 8 words from MASSIVE (../shared/datasets, where it is there): the launched languages and neighbours
that are not launched. Ours is trained from data/ as in the product; the words of MASSIVE are about other things. A
neighbour that is taken for a launched language counts as forced: that is the mistake which gets a wrong answer.
"""

import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT))
MASSIVE = ROOT.parent / "shared" / "datasets" / "massive"
PER_LANGUAGE = 250
WORDS = range(3, 9)


def utterances() -> list[tuple[str, str]]:
    """Language and text, the same number of each language."""
    found = []
    for path in sorted(MASSIVE.glob("*.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            rows = [json.loads(line) for line in lines]
        texts = [row["utt"] for row in rows if row["partition"] == "dev" and len(row["utt"].split()) in WORDS]
        random.Random(0).shuffle(texts)
        found += [(path.name.split("-")[0], text) for text in texts[:PER_LANGUAGE]]
    return found


def ours() -> Callable[[str], str]:
    """The product's own model, trained now."""
    from bot import rasa_without_tensorflow

    rasa_without_tensorflow.install()
    from bot.nlu.components import language_samples, read_samples
    from bot.nlu.importer import ContentImporter
    from bot.nlu.language_id import LanguageModel

    files = [str(path) for path in sorted((ROOT / "data" / "nlu").glob("*.yml"))]
    importer = ContentImporter(str(ROOT / "config.yml"), None, files, faq=str(ROOT / "data" / "faq"))
    examples = importer.get_nlu_data().intent_examples
    model = LanguageModel.train(language_samples(read_samples(ROOT / "data" / "languages"), examples))
    return lambda text: model.guess(text).language


def langdetect() -> Callable[[str], str]:
    """langdetect alone."""
    import langdetect as library
    from langdetect.lang_detect_exception import LangDetectException

    library.DetectorFactory.seed = 0

    def guess(text: str) -> str:
        try:
            return str(library.detect(text)).split("-")[0]
        except LangDetectException:
            return "und"

    return guess


def lingua() -> Callable[[str], str]:
    """lingua with all its languages; it has no Amharic."""
    from lingua import LanguageDetectorBuilder

    detector = LanguageDetectorBuilder.from_all_languages().build()

    def guess(text: str) -> str:
        found = detector.detect_language_of(text)
        return found.iso_code_639_1.name.lower() if found else "und"

    return guess


def main() -> None:
    """Prints a row per library."""
    from bot.languages import is_launched

    rows = utterances()
    if not rows:
        print(f"MASSIVE is not in {MASSIVE}; nothing to measure.")
        return
    languages = sorted({language for language, _ in rows})
    print(f"{'':12}{'launched':>9}{'others':>8}{'forced':>8}{'ms':>7}  " + "".join(f"{code:>5}" for code in languages))
    for make in (ours, langdetect, lingua):
        try:
            guess = make()
        except ImportError:
            print(f"{make.__name__} is not installed")
            continue
        began = time.perf_counter()
        guesses = [guess(text) for _, text in rows]
        each = (time.perf_counter() - began) / len(rows) * 1000
        total, right, forced = Counter[str](), Counter[str](), 0
        for (language, _), found in zip(rows, guesses, strict=True):
            total[language] += 1
            right[language] += found == language
            forced += not is_launched(language) and is_launched(found)
        own = [code for code in languages if is_launched(code)]
        others = [code for code in languages if not is_launched(code)]
        shares = [100 * sum(right[c] for c in group) / sum(total[c] for c in group) for group in (own, others)]
        rate = 100 * forced / sum(total[c] for c in others)
        each_language = "".join(f"{100 * right[code] / total[code]:5.0f}" for code in languages)
        print(f"{make.__name__:12}{shares[0]:9.1f}{shares[1]:8.1f}{rate:8.1f}{each:7.2f}  {each_language}", flush=True)


if __name__ == "__main__":
    main()
