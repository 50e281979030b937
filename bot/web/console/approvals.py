"""The template messages of each channel with a service window, and what the provider says about them."""

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from bot.messaging import approval, held, templates
from bot.messaging.hooks import TemplateState
from bot.messaging.protocols import Channel
from bot.web.console import words
from bot.web.console.condition import clock


@dataclass(frozen=True, slots=True)
class Template:
    """The template in one language. ``asked`` is when the provider told its state; empty if it never did."""

    code: str
    language: str
    direction: str
    text: str
    button: str
    state: str
    tone: str  # good | bad | warn | info: how the state is coloured
    reason: str
    asked: str


@dataclass(frozen=True, slots=True)
class Approval:
    """The templates of one channel; in ``lacking`` of the languages it can be handed in."""

    channel: str
    label: str
    hours: int
    rows: tuple[Template, ...]
    lacking: int

    @property
    def complete(self) -> bool:
        """Whether people of every language can be asked to write again."""
        return all(row.tone == "good" for row in self.rows)


def load(session: Session, channels: Mapping[str, Channel], zone: ZoneInfo) -> list[Approval]:
    """Reads the templates of all channels that need some."""
    return [
        _approval(session, channel, channel.service_window_hours, zone)
        for channel in channels.values()
        if channel.service_window_hours is not None
    ]


def _approval(session: Session, channel: Channel, hours: int, zone: ZoneInfo) -> Approval:
    states = templates.overview(session, channel=channel.name)
    known = templates.known(session, channel=channel.name)
    asked = {language: clock(row.checked_at, zone) for language, row in known.items()}
    return Approval(
        channel=channel.name,
        label=channel.label or words.channel(channel.name),
        hours=hours,
        rows=tuple(_template(state, asked.get(state.language, "")) for state in states),
        lacking=len(approval.lacking(states)),
    )


def _template(state: TemplateState, asked: str) -> Template:
    message = held.reopening(state.language)
    return Template(
        code=state.language,
        language=words.language(state.language),
        direction=words.direction(state.language),
        text=message.text,
        button=message.buttons[0].title,
        state=state.state.replace("_", " "),
        tone=_tone(state),
        reason=state.reason,
        asked=asked,
    )


def _tone(state: TemplateState) -> str:
    if templates.sendable(state):
        return "good"
    if state.state in ("pending", "received", "in_appeal"):
        return "info"
    return "warn" if state.state in approval.OPEN_TO_SUBMIT and state.state != "rejected" else "bad"
