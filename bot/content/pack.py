"""The git content pack: answers, example questions and sources as YAML files, read and written without loss."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

import yaml

from bot.languages import LANGUAGES
from bot.yaml_files import YamlFileError, read_yaml


class PackError(YamlFileError):
    """A file of the pack cannot be used; the message names the file and the place."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where the facts of an answer come from."""

    title: str
    publisher: str
    url: str
    date: str


@dataclass(frozen=True, slots=True)
class Topic:
    """What holds for a topic in every language."""

    id: str
    risk: str
    facts: tuple[str, ...]
    sources: tuple[Source, ...]
    related: tuple[str, ...]
    reviewed_on: date
    review_by: date


@dataclass(frozen=True, slots=True)
class Text:
    """A topic in one language."""

    topic: str
    language: str
    title: str
    label: str
    answer: str
    origin: str
    examples: tuple[str, ...] = ()


@dataclass(slots=True)
class Pack:
    """A whole content pack."""

    topics: dict[str, Topic] = field(default_factory=dict)
    texts: dict[tuple[str, str], Text] = field(default_factory=dict)  # (topic, language)


def load(folder: Path) -> Pack:
    """Reads the pack in ``folder``.

    Raises:
        PackError: A file is missing, is not YAML, or lacks a field.
    """
    known = sources(folder)
    pack = Pack()
    for topic_id, row in read_yaml(folder / "topics.yml").items():
        pack.topics[topic_id] = _topic(folder / "topics.yml", topic_id, row, known)
    for text in _texts(folder / "faq"):
        pack.texts[text.topic, text.language] = text
    return pack


def sources(folder: Path) -> dict[str, Source]:
    """The sources of the pack in ``folder``, by the key that records name.

    Raises:
        PackError: One lacks a field.
    """
    path = folder / "sources.yml"
    return {key: _source(path, key, row) for key, row in read_yaml(path).items()}


def _source(path: Path, key: str, row: dict[str, Any]) -> Source:
    try:
        return Source(str(row["title"]), str(row["publisher"]), str(row["url"]), str(row["date"]))
    except (KeyError, TypeError) as problem:
        raise PackError(f"{path}: source {key} lacks {problem}") from None


def _topic(path: Path, topic_id: str, row: dict[str, Any], sources: dict[str, Source]) -> Topic:
    try:
        return Topic(
            id=topic_id,
            risk=row["risk"],
            facts=tuple(row["facts"]),
            sources=tuple(sources[key] for key in row["sources"]),
            related=tuple(row["related"]),
            reviewed_on=row["reviewed_on"],
            review_by=row["review_by"],
        )
    except (KeyError, TypeError) as problem:
        raise PackError(f"{path}: topic {topic_id} lacks {problem}") from None


def _texts(folder: Path) -> Iterator[Text]:
    for path in sorted(folder.glob("*/*.yml")):
        data = read_yaml(path)
        language = data.get("language")
        if language not in LANGUAGES or language != path.parent.name:
            raise PackError(f"{path}: language {language!r} is not this folder's")
        for topic_id, row in data.get("entries", {}).items():
            try:
                yield Text(
                    topic=topic_id,
                    language=language,
                    title=row["title"],
                    label=row["label"],
                    answer=row["answer"].strip(),
                    origin=row.get("origin", data.get("origin", "machine")),
                    examples=tuple(str(example) for example in row.get("examples", ())),
                )
            except (KeyError, TypeError, AttributeError) as problem:
                raise PackError(f"{path}: entry {topic_id} lacks {problem}") from None


class _Dumper(yaml.SafeDumper):
    """Writes multi-line texts as blocks, as people would."""


def _text_node(dumper: yaml.SafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text_node)


def dump(data: Any) -> str:
    """YAML as the pack writes it: in the given order, unescaped, texts in blocks."""
    return yaml.dump(data, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=110)


def save(pack: Pack, folder: Path) -> None:
    """Writes ``pack`` into ``folder``, a file per language and group; the reverse of ``load``."""
    keys = _source_keys(pack)
    _write(folder / "sources.yml", {key: _source_row(source) for source, key in keys.items()})
    _write(folder / "topics.yml", {topic.id: _topic_row(topic, keys) for topic in pack.topics.values()})
    files: dict[Path, dict[str, Any]] = {}
    for (topic_id, language), text in pack.texts.items():
        path = folder / "faq" / language / f"{topic_id.split('_')[0]}.yml"
        data = files.setdefault(path, {"language": language, "origin": text.origin, "entries": {}})
        row: dict[str, Any] = {"title": text.title, "label": text.label, "answer": text.answer}
        if text.origin != data["origin"]:
            row["origin"] = text.origin
        data["entries"][topic_id] = row | {"examples": list(text.examples)}
    for path, data in files.items():
        _write(path, data)


def _source_keys(pack: Pack) -> dict[Source, str]:
    ordered = dict.fromkeys(source for topic in pack.topics.values() for source in topic.sources)
    return {source: f"S{number}" for number, source in enumerate(ordered, start=1)}


def _source_row(source: Source) -> dict[str, str]:
    return {"title": source.title, "publisher": source.publisher, "url": source.url, "date": source.date}


def _topic_row(topic: Topic, keys: dict[Source, str]) -> dict[str, Any]:
    return {
        "risk": topic.risk,
        "facts": list(topic.facts),
        "sources": [keys[source] for source in topic.sources],
        "related": list(topic.related),
        "reviewed_on": topic.reviewed_on,
        "review_by": topic.review_by,
    }


def _write(path: Path, data: dict[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(dump(data), encoding="utf-8")
