"""Opening hours: parsing the setting and telling whether counsellors are at work. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, time
from zoneinfo import ZoneInfo

from babel.dates import format_time, get_day_names

from bot.languages import LANGUAGES

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_FORM = re.compile(r"(?P<first>[A-Z][a-z]{2})(-(?P<last>[A-Z][a-z]{2}))? (?P<start>\d\d:\d\d)-(?P<end>\d\d:\d\d)")


@dataclass(frozen=True, slots=True)
class Span:
    """Days of the week (0 is Monday) with the same hours."""

    first: int
    last: int
    start: time
    end: time


@dataclass(frozen=True, slots=True)
class OpeningHours:
    """When counsellors answer."""

    spans: tuple[Span, ...]
    zone: ZoneInfo

    def open_at(self, moment: datetime) -> bool:
        """Whether counsellors are at work at ``moment``."""
        local = moment.astimezone(self.zone)
        return any(s.first <= local.weekday() <= s.last and s.start <= local.time() < s.end for s in self.spans)

    def told(self, language: str) -> str:
        """The hours in words of ``language``, with the city whose clock they follow."""
        locale = LANGUAGES[language].cldr
        days = get_day_names("abbreviated", locale=locale)
        parts = []
        for span in self.spans:
            name = days[span.first] if span.first == span.last else f"{days[span.first]} – {days[span.last]}"
            start, end = (format_time(t, "short", locale=locale) for t in (span.start, span.end))
            parts.append(f"{name} {start} – {end}")
        return f"{', '.join(parts)} ({self.zone.key.split('/')[-1].replace('_', ' ')})"


def parse(setting: str, zone: str) -> OpeningHours:
    """Reads ``Mon-Fri 09:00-17:00, Sat 10:00-13:00``.

    Raises:
        ValueError: The setting or the zone is not understood.
    """
    spans = []
    for part in (piece.strip() for piece in setting.split(",")):
        found = _FORM.fullmatch(part)
        if not found or found["first"] not in _DAYS or (found["last"] or found["first"]) not in _DAYS:
            raise ValueError(f"opening hours {part!r} are not like 'Mon-Fri 09:00-17:00'")
        first, last = _DAYS.index(found["first"]), _DAYS.index(found["last"] or found["first"])
        spans.append(Span(first, last, time.fromisoformat(found["start"]), time.fromisoformat(found["end"])))
    return OpeningHours(tuple(spans), ZoneInfo(zone))
