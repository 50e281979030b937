"""What a person is told about a handoff. Nothing here is said before a row in the database makes it true."""

from bot.handoff.hours import OpeningHours
from bot.messaging.messages import Outgoing
from bot.storage.base import now
from bot.storage.handoff import Case
from bot.texts import plural, text


def requested(case: Case, *, language: str, urgent: bool, known: bool, ahead: int, hours: OpeningHours) -> Outgoing:
    """The answer to a request: case number, hours, an honest wait, what happens next."""
    if case.state == "held":
        return system(text("handoff.with_counsellor", language), language)
    if urgent:
        return system(text("handoff.urgent", language, number=case.number), language)
    lines = [text("handoff.already" if known else "handoff.requested", language, number=case.number)]
    lines.append(text("handoff.hours", language, hours=hours.told(language)))
    lines.append(text("handoff.open_now" if hours.open_at(now()) else "handoff.closed_now", language))
    lines.append(plural("handoff.ahead", language, ahead) if ahead else text("handoff.first", language))
    lines.append(text("handoff.meanwhile", language))
    return system("\n".join(lines), language)


def joined(name: str, language: str) -> Outgoing:
    """A counsellor is now in the chat."""
    return system(text("handoff.joined", language, name=name), language)


def closed(language: str) -> Outgoing:
    """The counsellor has left; the assistant answers again."""
    return system(text("handoff.closed", language), language)


def system(words: str, language: str) -> Outgoing:
    """A notice of the service itself."""
    return Outgoing(text=words, language=language, speaker="system")
