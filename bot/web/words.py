"""The words of the chat's pages, and the language in which a visitor reads them."""

from functools import cache

from starlette.requests import Request

from bot import texts
from bot.languages import DEFAULT, LANGUAGES, Language, from_hint, is_launched, launched

_SCRIPT = (
    "title", "subtitle", "placeholder", "send", "you", "assistant", "counsellor", "connecting", "offline", "sending",
    "failed", "typing", "language", "menu", "menu_human", "menu_privacy", "menu_delete", "download", "conversation",
    "skip",
)  # fmt: skip


@cache
def script_words() -> dict[str, dict[str, str]]:
    """What the chat page's script needs in every language: it changes the language without loading anything."""
    return {
        row.code: {key: ui(key, row.code) for key in _SCRIPT}
        | {"menu_export": texts.text("command.export", row.code), "direction": row.direction}
        for row in launched()
    }


def ui(key: str, language: str) -> str:
    """The text ``ui.<key>`` in ``language``."""
    return texts.text(f"ui.{key}", language)


def language_of(request: Request) -> Language:
    """The language asked for with ``?lang=``, else the first of the browser's that can be chosen, else English."""
    asked = request.query_params.get("lang") or ""
    if is_launched(asked):
        return LANGUAGES[asked]
    hints = (part.split(";")[0].strip() for part in request.headers.get("accept-language", "").split(","))
    return LANGUAGES[next((code for hint in hints if (code := from_hint(hint))), DEFAULT)]
