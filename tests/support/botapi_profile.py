"""What a bot of Telegram's is called and says about itself, by language; no language means everybody else."""

from dataclasses import dataclass, field
from typing import Any

# what is set, under which parameter, and the most characters it may have
_TEXTS = {"Name": ("name", 64), "ShortDescription": ("short_description", 120), "Description": ("description", 512)}


@dataclass
class Profile:
    """The profile of one bot.

    Attributes:
        values: By name of the thing (``Name``, ``Description``) and code of the language.
    """

    values: dict[tuple[str, str], Any] = field(default_factory=lambda: {("Name", ""): "The organisation's own name"})

    def knows(self, method: str) -> bool:
        """Whether a method is about the profile."""
        return method[:5] in ("getMy", "setMy") and (method[5:] == "Commands" or method[5:] in _TEXTS)

    def problem(self, method: str, parameters: dict[str, Any]) -> str | None:
        """What is wrong with a call, if it sets something."""
        if method.startswith("setMy") and method[5:] in _TEXTS:
            name, most = _TEXTS[method[5:]]
            return f"{name} is too long" if len(parameters.get(name, "")) > most else None
        return None

    def call(self, method: str, parameters: dict[str, Any]) -> Any:
        """The answer to a method of the Bot API."""
        what, language = method[5:], parameters.get("language_code", "")
        if method.startswith("set"):
            self.values[what, language] = parameters["commands" if what == "Commands" else _TEXTS[what][0]]
            return True
        if what == "Commands":  # these are told as they were set, the others as people of that language see them
            return self.values.get((what, language), [])
        shown = self.values.get((what, language)) or self.values.get((what, ""), "")
        return {_TEXTS[what][0]: shown}
