"""Slash commands, the same in every channel."""

import re
from dataclasses import dataclass

_FORM = re.compile(r"/([A-Za-z0-9_]{1,32})(?:@([A-Za-z0-9_]{3,64}))?(?:\s+(.*))?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """A message that starts with a slash: ``/name@mention argument``."""

    name: str
    mention: str
    argument: str


def parse(text: str) -> Command | None:
    """The command a text is, with its name in lower case; ``None`` when it is not one."""
    found = _FORM.fullmatch(text.strip())
    if found is None:
        return None
    return Command(found[1].lower(), (found[2] or "").lower(), (found[3] or "").strip())
