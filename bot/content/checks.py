"""Rules that every text shown to a person keeps. Pure; used by the editor, the importer and the tests."""

import re
from collections import Counter

from bot.content.pack import Pack, Text

TITLE_MAX, LABEL_MAX, ANSWER_MAX = 60, 20, 700

_MARKUP = re.compile(r"(\*\*|^#|<[a-z/]|\]\()", re.MULTILINE)


class TextRefused(ValueError):
    """A text cannot be used; ``field`` names the one at fault."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def refuse_unusable(*, title: str, label: str, answer: str) -> None:
    """Raises ``TextRefused`` for the first rule that these fields break."""
    for field, value, limit in (
        ("title", title, TITLE_MAX),
        ("label", label, LABEL_MAX),
        ("answer", answer, ANSWER_MAX),
    ):
        if not value.strip():
            raise TextRefused(field, f"The {field} is empty.")
        if len(value.strip()) > limit:
            raise TextRefused(
                field, f"The {field} has {len(value.strip())} characters; at most {limit} fit on a phone."
            )
    if _MARKUP.search(answer):
        raise TextRefused("answer", "The answer holds markup; chat apps show it as it is. Write plain text.")


def problems(pack: Pack, languages: list[str]) -> list[str]:
    """Everything that is wrong with a pack, in words an editor understands."""
    found = [
        f"{topic} in {code}: missing" for topic in pack.topics for code in languages if (topic, code) not in pack.texts
    ]
    for text in pack.texts.values():
        found += [f"{text.topic} in {text.language}: {problem}" for problem in _text_problems(pack, text)]
    for topic in pack.topics.values():
        found += [
            f"{topic.id}: related topic {other} does not exist" for other in topic.related if other not in pack.topics
        ]
        if not topic.sources:
            found.append(f"{topic.id}: has no source")
    return found + _repeated_labels(pack)


def _text_problems(pack: Pack, text: Text) -> list[str]:
    found = [] if text.topic in pack.topics else ["no such topic"]
    try:
        refuse_unusable(title=text.title, label=text.label, answer=text.answer)
    except TextRefused as problem:
        found.append(str(problem))
    if len(text.examples) < 15:
        found.append(f"only {len(text.examples)} example questions; write at least 15")
    if len({example.casefold() for example in text.examples}) < len(text.examples):
        found.append("an example question is there twice")
    return found


def _repeated_labels(pack: Pack) -> list[str]:
    labels = Counter((text.language, text.label.casefold()) for text in pack.texts.values())
    return [f"label {label!r} is used {times} times in {code}" for (code, label), times in labels.items() if times > 1]
