"""What platforms limit, as pure functions: long texts, long titles, many choices."""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import replace

from bot.messaging.messages import Button
from bot.messaging.protocols import Pace

TEXT = 4096  # both WhatsApp and Telegram
LIST_ROWS = 10  # WhatsApp's lists
# one message in six seconds to the same person, 45 of them at once if one waits afterwards; 80 a second in all
# https://developers.facebook.com/docs/whatsapp/cloud-api/overview#throughput
WHATSAPP_PACE = Pace(burst=45, seconds=6.0)
WHATSAPP_PER_SECOND = 80

_PARAGRAPH = re.compile(r"(?=\n[ \t]*\n)")
_LINE = re.compile(r"(?=\n)")
_SENTENCE = re.compile(r"[.!?…؟۔।॥]+[\"'”’»)\]]*(?=\s)|[。！？｡]+[”’」』）]*")
_WORD = re.compile(r"(?=[^\S\u00a0\u202f])")

_JOINER = "\u200d"
_LONGEST_CHARACTER = 64  # code points; anything longer is not a character people write


def width(text: str) -> int:
    """Length in UTF-16 units, the strictest of the ways in which platforms count."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def split_text(text: str, limit: int) -> list[str]:
    """Splits a text into parts of at most ``limit`` UTF-16 units.

    Borders are sought between paragraphs, then lines, sentences and words, and never inside a visible
    character unless that alone exceeds the limit. Only white space at the borders is dropped.

    Raises:
        ValueError: ``limit`` is below 2, so that not every character fits.
    """
    if limit < 2:
        raise ValueError("the limit must be at least 2")
    parts, rest = [], text.strip()
    while width(rest) > limit:
        cut = _cut(rest, _fitting(rest, limit))
        parts.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*parts, rest] if rest else parts


def split_tail(text: str, limit: int) -> tuple[str, str]:
    """Splits off a short end: the last paragraph, line, sentence or, failing these, last words.

    Returns:
        All before, and an end of at most ``limit`` UTF-16 units. The first is empty when all fits.
    """
    text = text.strip()
    if width(text) <= limit:
        return "", text
    for border, choose in ((_PARAGRAPH, max), (_LINE, max), (_SENTENCE, max), (_WORD, min)):
        cuts = [found.end() for found in border.finditer(text) if 0 < width(text[found.end() :].strip()) <= limit]
        if cuts:
            return text[: choose(cuts)].rstrip(), text[choose(cuts) :].lstrip()
    cut = len(text) - _fitting(text[::-1], limit)
    while cut < len(text) - 1 and _inside_character(text, cut):
        cut += 1
    return text[:cut].rstrip(), text[cut:].lstrip()


def clip(text: str, size: int) -> str:
    """The text shortened to ``size`` code points, with an ellipsis where something is missing."""
    text = text.strip()
    return text if len(text) <= size else text[: _whole(text, size - 1)].rstrip() + "…"


def distinct(buttons: Sequence[Button], size: int) -> tuple[Button, ...]:
    """The buttons without repeated ids, with titles of at most ``size`` code points that all differ."""
    made: dict[str, Button] = {}
    titles: set[str] = set()
    for button in buttons:
        if button.payload in made:
            continue
        title, count = clip(button.title, size), 1
        while title in titles:
            count += 1
            title = f"{clip(button.title, size - len(f' {count}'))} {count}"
        titles.add(title)
        made[button.payload] = replace(button, title=title)
    return tuple(made.values())


def after(buttons: Sequence[Button], number: int, size: int = LIST_ROWS) -> tuple[Button, ...]:
    """All buttons from page ``number`` (from 1) on, where each page but the last shows ``size - 1`` of them."""
    return tuple(buttons[max(0, number - 1) * (size - 1) :])


def page(buttons: Sequence[Button], size: int, more_title: str, reply_ref: str, number: int = 1) -> tuple[Button, ...]:
    """One page of buttons.

    Args:
        size: How many buttons fit, counting the one that leads on.
        more_title: Title of the button that leads to the next page.
        reply_ref: The outbox id of the reply whose buttons these are.
        number: Which page, from 1.

    Returns:
        At most ``size`` buttons; when there are more, the last one asks for the next page.
    """
    rest = after(buttons, number, size)
    if len(rest) <= size:
        return rest
    return (*rest[: size - 1], Button(more_title, f"p:{number + 1}:{reply_ref}"))


def attachment(name: str) -> tuple[str, str]:
    """File name and media type of a document that an outgoing message names.

    All platforms take plain text; WhatsApp takes neither JSON nor HTML, so nothing else is claimed.
    """
    return (name if name.endswith(".txt") else f"{name}.txt"), "text/plain"


def _fitting(text: str, limit: int) -> int:
    size = min(len(text), limit)
    while (excess := width(text[:size]) - limit) > 0:
        size -= (excess + 1) // 2
    return size


def _cut(text: str, size: int) -> int:
    # a border in the first third would leave a scrap of a message, so a lesser border is better there
    for border, least in ((_PARAGRAPH, size // 3), (_LINE, size // 3), (_SENTENCE, size // 3), (_WORD, 0)):
        window = border.finditer(text, 0, size + 3)
        if cuts := [found.end() for found in window if least < found.end() <= size]:
            return cuts[-1]
    return _whole(text, size)


def _whole(text: str, size: int) -> int:
    for cut in range(size, max(0, size - _LONGEST_CHARACTER), -1):
        if not _inside_character(text, cut):
            return cut
    return size


def _inside_character(text: str, cut: int) -> bool:
    before, here = text[cut - 1], text[cut]
    if unicodedata.category(here).startswith("M") or _JOINER in (before, here):
        return True
    if "\U0001f3fb" <= here <= "\U0001f3ff" or "\U000e0020" <= here <= "\U000e007f":  # skin tones, tags of flags
        return True
    return _regional(here) and _flag_letters_before(text, cut) % 2 == 1


def _regional(character: str) -> bool:
    return "\U0001f1e6" <= character <= "\U0001f1ff"


def _flag_letters_before(text: str, cut: int) -> int:
    start = cut
    while start > 0 and _regional(text[start - 1]):
        start -= 1
    return cut - start
