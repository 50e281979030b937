"""Finding the trained model, without importing Rasa."""

from pathlib import Path


class NoModel(RuntimeError):
    """There is no trained model to load; the message says what to do."""


def find_model(path: Path) -> Path:
    """The newest model in a folder, or the file itself.

    Raises:
        NoModel: There is none.
    """
    models = [path] if path.is_file() else sorted(path.glob("*.tar.gz"), key=lambda file: file.stat().st_mtime)
    if not models:
        raise NoModel(f"no model in {path}: run `waymark train` first")
    return models[-1]
