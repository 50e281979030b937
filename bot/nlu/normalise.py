"""Folding of text as people type it to one form for comparing. Pure."""

import unicodedata

import regex as re  # knows letters and vowel signs of every script, which the standard module does not

_ARABIC = str.maketrans({
    "أ": "ا", "إ": "ا", "آ": "ا", "ٱ": "ا", "ى": "ي", "ة": "ه", "ؤ": "و", "ئ": "ي", "ـ": "",
    "ی": "ي", "ک": "ك", "ہ": "ه", "ھ": "ه", "ے": "ي", "ۀ": "ه", "‌": " ",
})  # fmt: skip
_LATIN = str.maketrans({"ı": "i", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d"})
_APOSTROPHE = re.compile(r"(?<=\w)['’`´ʼ](?=\w)")
_ENGLISH_CONTRACTION = re.compile(r"\b(\w+?)(n)?['’`´ʼ](t|s|m|re|ve|ll|d)\b", re.IGNORECASE)
_OTHER = re.compile(r"[^\p{L}\p{M}\p{N}]+")
_REPEATED = re.compile(r"(\p{L})\1{2,}")


def strip_marks(text: str) -> str:
    """Text without accents, diacritics and vowel points of the scripts where people leave them out.

    Marks of Indic and South-East Asian scripts are letters in their own right and stay.
    """
    kept = []
    for char in unicodedata.normalize("NFD", text):
        if unicodedata.category(char) == "Mn" and (
            "\u0300" <= char <= "\u036f" or "\u0591" <= char <= "\u05c7" or "\u0610" <= char <= "\u06ed"
        ):
            continue
        kept.append(char)
    return unicodedata.normalize("NFC", "".join(kept))


def fold(text: str) -> str:
    """Lower case, no accents, no punctuation, single spaces; runs of a letter cut to one.

    English contractions keep together ("can't" -> "cant"), other apostrophes separate ("j'ai" -> "j ai").
    """
    text = _ENGLISH_CONTRACTION.sub(r"\1\2\3", text)
    text = _APOSTROPHE.sub(" ", text)
    # marks first: composed letters such as the Arabic hamza forms fall apart into letter and mark
    text = strip_marks(unicodedata.normalize("NFKC", text).translate(_ARABIC).casefold()).translate(_LATIN)
    text = _REPEATED.sub(r"\1", text.translate(_ARABIC))
    return str(_OTHER.sub(" ", text)).strip()
