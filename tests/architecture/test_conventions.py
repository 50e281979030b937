"""Rules of the source itself, so that they need no reviewer."""

import ast
import re
from collections.abc import Iterator
from dataclasses import fields
from fnmatch import fnmatch
from pathlib import Path

import pytest

from bot.languages import LANGUAGES
from bot.settings import Settings

SOURCES = sorted(
    path for folder in ("bot", "actions") for path in Path(folder).rglob("*.py") if "versions" not in path.parts
)
LONGEST = 400  # lines
# called by the framework that defines and documents them
FRAMEWORK = {
    "actions": {"name", "run"},
    "bot/nlu": {"get_default_config", "create", "train", "read", "process", "process_training_data", "tokenize"},
    "bot/web/console": {"Meta"},
}
# pieces of addresses, so that this file does not name what it looks for
REGISTRIES = [
    f"{name}.{end}"
    for name, end in (
        ("pypi", "org"), ("pythonhosted", "org"), ("npmjs", "org"), ("npmjs", "com"), ("yarnpkg", "com"),
        ("conda", "anaconda.org"), ("ghcr", "io"), ("docker", "io"), ("proxy.golang", "org"), ("crates", "io"),
    )
]  # fmt: skip


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def language_comparisons(code: ast.AST) -> list[int]:
    """Lines where something named after a language or a code is compared with the code of one language."""
    found = []
    for node in ast.walk(code):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
        elif isinstance(node, ast.Match):
            sides = [node.subject, *(part for case in node.cases for part in ast.walk(case.pattern))]
        else:
            continue
        named = any(_names_a_language(side) for side in sides)
        if named and any(_is_code(part) for side in sides for part in ast.walk(side)):
            found.append(node.lineno)
    return found


def _names_a_language(node: ast.AST) -> bool:
    name = getattr(node, "id", getattr(node, "attr", ""))
    return any(part in str(name).lower() for part in ("lang", "code"))


def _is_code(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in LANGUAGES


def undocumented(path: Path) -> Iterator[str]:
    """Public classes, functions and methods without a docstring; what is nested in a function is not public."""
    framework = {name for folder, names in FRAMEWORK.items() if path.is_relative_to(folder) for name in names}
    todo: list[tuple[str, ast.AST]] = [("", tree(path))]
    while todo:
        place, node = todo.pop()
        for child in ast.iter_child_nodes(node):
            if not isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                continue
            if child.name.startswith("_") or (place and child.name in framework):
                continue
            if ast.get_docstring(child) is None:
                yield f"{path}: {place}{child.name}"
            if isinstance(child, ast.ClassDef):
                todo.append((f"{child.name}.", child))


def repository_files() -> list[Path]:
    """All files that .gitignore lets in."""
    patterns = [line.strip() for line in Path(".gitignore").read_text().splitlines() if line.strip()]
    at_top = {pattern.strip("/") for pattern in patterns if pattern.startswith("/")} | {".git"}
    anywhere = [pattern.strip("/") for pattern in patterns if not pattern.startswith("/")]
    found, todo = [], [Path()]
    while todo:
        folder = todo.pop()
        for path in folder.iterdir():
            if path.as_posix() in at_top or any(fnmatch(path.name, pattern) for pattern in anywhere):
                continue
            if path.is_dir() and not path.is_symlink():
                todo.append(path)
            elif path.is_file():
                found.append(path)
    return sorted(found)


def documented_settings() -> list[str]:
    """Variables in the first column of README.md's table."""
    rows = re.findall(r"^\|\s*`(WAYMARK_\w+)`", Path("README.md").read_text(encoding="utf-8"), re.MULTILINE)
    return [str(row) for row in rows]


def variables() -> set[str]:
    return {f"WAYMARK_{row.name.upper()}" for row in fields(Settings)}


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_no_language_is_a_special_case_of_the_code(path):
    assert language_comparisons(tree(path)) == []


@pytest.mark.parametrize(
    ("code", "lines"),
    [
        ('if lang == "ar": pass', [1]),
        ('if turn.language in ("fr", "xx"): pass', [1]),
        ('x = 1\nif "es" != reply_code: pass', [2]),
        ('match language:\n    case "ar": pass', [1]),
        ('if language == "und": pass', []),
        ('if kind == "ar": pass', []),
        ("if language == DEFAULT: pass", []),
    ],
)
def test_a_special_case_of_a_language_would_be_found(code, lines):
    assert language_comparisons(ast.parse(code)) == lines


@pytest.mark.parametrize("path", SOURCES, ids=str)
def test_everything_public_says_what_it_is(path):
    assert list(undocumented(path)) == []


@pytest.mark.parametrize("path", [path for path in SOURCES if path.stat().st_size], ids=str)
def test_every_module_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path))


def test_missing_docstrings_would_be_found(tmp_path):
    path = tmp_path / "module.py"
    path.write_text("class A:\n    def run(self): ...\n    def _b(self): ...\n\ndef c():\n    def d(): ...\n")
    assert [line.split(": ")[1] for line in undocumented(path)] == ["A", "c", "A.run"]


def test_modules_are_short():
    lines = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in SOURCES}
    assert {path: count for path, count in lines.items() if count > LONGEST} == {}


def test_no_file_names_a_package_registry():
    files = repository_files()
    assert Path("pyproject.toml") in files
    assert not [path for path in files if path.is_relative_to(".venv") or path.is_relative_to("var")]
    for path in files:
        content = path.read_bytes().lower()
        assert [host for host in REGISTRIES if host.encode() in content] == [], path


def test_no_lock_file_holds_an_address():
    locks = [path for path in repository_files() if path.suffix == ".lock" or path.name.endswith("-lock.json")]
    assert Path("requirements.lock") in locks
    assert [path for path in locks if "://" in path.read_text(encoding="utf-8")] == []


def test_every_line_of_a_lock_file_is_pinned_with_a_hash():
    for path in repository_files():
        if path.suffix == ".lock":
            text = path.read_text(encoding="utf-8").replace("\\\n", " ")
            pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
            assert pins
            assert [pin for pin in pins if "==" not in pin or "--hash=sha256:" not in pin] == [], path


def test_every_setting_is_documented_in_the_readme_once():
    found = documented_settings()
    assert variables() - set(found) == set()
    assert len(found) == len(set(found))


def test_every_documented_setting_exists():
    known = variables() | {f"{name}_FILE" for name in variables()}
    in_text = set(re.findall(r"WAYMARK_[A-Z_]+[A-Z]", Path("README.md").read_text(encoding="utf-8")))
    assert in_text - known - {"WAYMARK_TEST_POSTGRES"} == set()


def test_every_setting_has_a_help_text():
    assert [row.name for row in fields(Settings) if not row.metadata["help"].strip()] == []
