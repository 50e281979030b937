"""How the console names things: languages, reasons, times, states. Pure."""

from datetime import datetime, timedelta

from babel import Locale

from bot.languages import LANGUAGES

_ENGLISH = Locale.parse("en")

_REASONS = {
    "asked": "Asked for a person",
    "precheck": "Wants the pre-check looked at",
    "self_harm": "Self-harm",
    "medical": "Medical emergency",
    "violence": "Violence",
    "trafficking": "Trafficking or exploitation",
    "child_alone": "Child alone",
    "coercion": "Pressed to sign or to leave",
}
_SPEAKERS = {"bot": "Assistant", "counsellor": "Counsellor", "system": "Service"}
_CHANNELS = {
    "telegram": "Telegram",
    "whatsapp": "WhatsApp",
    "twilio": "WhatsApp (Twilio)",
    "web": "Web chat",
    "rest": "REST",
}


def language(code: str | None) -> str:
    """A language by its English name and its own, such as ``Arabic · العربية``."""
    if not code:
        return "not known yet"
    base, _, script = code.partition("-")
    english = _ENGLISH.languages.get(base, base)
    if script == "latn":
        return f"{english} in Latin letters"
    own = LANGUAGES[code].name if code in LANGUAGES else english
    return english if own == english else f"{english} · {own}"


def direction(code: str | None) -> str:
    """``rtl``, ``ltr``, or ``auto`` when the language is not known."""
    return LANGUAGES[code].direction if code in LANGUAGES else "auto"


def reason(code: str) -> str:
    """Why a case was opened, in words."""
    return _REASONS.get(code, code.replace("_", " ").capitalize())


def speaker(name: str) -> str:
    """Who says an outgoing message."""
    return _SPEAKERS.get(name, name)


def channel(name: str) -> str:
    """A channel's name as people write it."""
    return _CHANNELS.get(name, name.capitalize())


def span(length: timedelta) -> str:
    """A length of time, rounded down: ``under a minute``, ``5 min``, ``2 h 10 min``, ``3 days``."""
    minutes = int(length.total_seconds() // 60)
    if minutes < 1:
        return "under a minute"
    if minutes < 60:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min"
    return f"{minutes // (24 * 60)} days"


def moment(at: datetime, today: datetime) -> str:
    """A local time: the clock alone for today, with the date otherwise."""
    if at.date() == today.date():
        return f"{at:%H:%M}"
    return f"{at.day} {at:%b, %H:%M}" if at.year == today.year else f"{at.day} {at:%b %Y, %H:%M}"
