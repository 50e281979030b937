"""The system texts of every launched language against the English master file."""

import ast
import re
from collections.abc import Iterator
from gettext import c2py
from pathlib import Path
from string import Formatter

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po

from bot.languages import LANGUAGES, launched
from bot.texts import LOCALES

CODES = [row.code for row in launched()]


FILES = sorted(path.name for path in (LOCALES / "en").glob("*.po"))


def read(code: str, file: str) -> Catalog:
    with (LOCALES / code / file).open("rb") as source:
        return read_po(source, locale=LANGUAGES[code].locale)


ENGLISH = {file: read("en", file) for file in FILES}


def key(message: Message) -> str:
    return message.id[0] if message.pluralizable else message.id


def entries(catalogue: Catalog) -> dict[str, Message]:
    return {key(message): message for message in catalogue if message.id}


def forms(message: Message) -> tuple[str, ...]:
    return message.string if message.pluralizable else (message.string,)


def placeholders(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in Formatter().parse(text) if name is not None)


def english(file: str) -> dict[str, Message]:
    return entries(ENGLISH[file])


def limits(file: str) -> Iterator[tuple[str, int]]:
    """Each "max N" holds for its own text; in a section's heading, for the section's texts that have no other."""
    section = None
    for name, message in english(file).items():
        own = None
        for comment in message.auto_comments:
            found = re.search(r"max (\d+)", comment)
            if comment.startswith("---"):
                section = found and int(found[1])
            elif found:
                own = int(found[1])
        if limit := own or section:
            yield name, limit


@pytest.fixture(params=FILES)
def file(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=CODES)
def catalogue(request: pytest.FixtureRequest, file: str) -> Catalog:
    return read(request.param, file)


def test_a_language_has_the_same_texts_as_english(catalogue, file):
    assert set(entries(catalogue)) == set(english(file))


def test_no_text_is_empty_or_marked_as_unsure(catalogue):
    for name, message in entries(catalogue).items():
        assert all(form.strip() for form in forms(message)), name
        assert not message.fuzzy, name


def test_placeholders_are_those_of_english(catalogue, file):
    for name, message in entries(catalogue).items():
        if not message.pluralizable:
            assert placeholders(message.string) == placeholders(english(file)[name].string), name


def test_every_plural_form_is_there_and_says_the_count_unless_it_stands_for_one_number(catalogue):
    form_of = c2py(catalogue.plural_expr)
    numbers: dict[int, list[int]] = {}
    for count in range(1000):
        numbers.setdefault(form_of(count), []).append(count)
    plurals = {name: message for name, message in entries(catalogue).items() if message.pluralizable}
    for name, message in plurals.items():
        assert len(message.string) == catalogue.num_plurals, name
        for form, text in enumerate(message.string):
            assert set(placeholders(text)) <= {"count"}, name
            assert len(numbers[form]) == 1 or "{count}" in text, (name, form)


def test_the_limits_are_read_from_the_comments():
    found = dict(limits("system.po"))
    assert {"button.human", "command.start", "command.delete", "profile.long"} <= set(found)
    assert "handoff.requested" not in found
    assert dict(limits("facts.po"))["status.no_papers"] == 20


def test_texts_keep_the_limits_of_the_channels(catalogue, file):
    found = dict(limits(file))
    for name, limit in found.items():
        for form in forms(entries(catalogue)[name]):
            assert len(form) <= limit, f"{name}: {len(form)} > {limit}"


def test_words_that_the_code_asks_for_exist():
    known, asked = {name for file in FILES for name in english(file)}, set()
    for path in [*Path("bot").rglob("*.py"), *Path("actions").rglob("*.py")]:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", ""))
            if named in {"text", "plural"} and node.args and isinstance(node.args[0], ast.Constant):
                asked.add(str(node.args[0].value))
    assert len(asked) > 30
    assert {word for word in asked if re.fullmatch(r"[a-z_]+(\.[a-z_]+)*", word)} <= known
