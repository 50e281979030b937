"""The language table: what the product needs to know about each language it can write."""

from dataclasses import dataclass

from babel import Locale


@dataclass(frozen=True, slots=True)
class Language:
    """One language people can be answered in.

    Attributes:
        code: ISO 639-1 code; also the folder name in the content pack.
        name: The language's name in itself, as shown on buttons.
        direction: ``ltr`` or ``rtl``.
        locale: CLDR locale for dates, numbers, lists, plural rules and country names.
        spacy: Code of the spaCy language whose tokenizer fits.
        launched: Whether people can choose it today.
    """

    code: str
    name: str
    direction: str
    locale: str
    spacy: str
    launched: bool

    @property
    def cldr(self) -> Locale:
        """Babel's locale object; it knows digits and plural rules."""
        return Locale.parse(self.locale)


DEFAULT = "en"
# CLDR territories that are groups of countries, none, or made up for tests
NOT_COUNTRIES = frozenset({"EU", "EZ", "UN", "QO", "ZZ", "XA", "XB"})

LANGUAGES: dict[str, Language] = {
    row.code: row
    for row in (
        Language("en", "English", "ltr", "en", "en", True),
        Language("fr", "Français", "ltr", "fr", "fr", True),
        Language("es", "Español", "ltr", "es", "es", True),
        Language("ar", "العربية", "rtl", "ar", "ar", True),
        Language("pt", "Português", "ltr", "pt_BR", "pt", True),
        Language("tr", "Türkçe", "ltr", "tr", "tr", True),
        Language("ru", "Русский", "ltr", "ru", "ru", True),
        Language("fa", "فارسی / دری", "rtl", "fa", "fa", True),
        Language("ur", "اردو", "rtl", "ur", "ur", True),
        Language("bn", "বাংলা", "ltr", "bn", "bn", True),
        Language("ka", "ქართული", "ltr", "ka", "xx", True),
        Language("sq", "Shqip", "ltr", "sq", "sq", True),
    )
}


def launched() -> tuple[Language, ...]:
    """The languages people can choose, in the order of the buttons."""
    return tuple(language for language in LANGUAGES.values() if language.launched)


def is_launched(code: str | None) -> bool:
    """Whether ``code`` names a language that people can choose today."""
    return code is not None and code in LANGUAGES and LANGUAGES[code].launched


def from_hint(hint: str | None) -> str | None:
    """The launched language behind a channel's locale hint such as ``fr-BE`` or ``pt_BR``, if any."""
    code = (hint or "").replace("_", "-").split("-")[0].lower()
    return code if is_launched(code) else None
