"""From probabilities to a decision: answer, ask back, or say honestly that this was not understood. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

CLARIFY = "clarify"
FALLBACK = "nlu_fallback"
OUT_OF_SCOPE = "out_of_scope"
HANDOFF = "handoff"
NOT_A_CRISIS = "crisis_none"
CRISIS_PREFIX = "crisis_"
INFORM_PLACE = "inform_place"
_OTHER_PREFIXES = ("smalltalk_", "command_", "crisis_", "out_of_", "handoff", INFORM_PLACE)


class Ranked(NamedTuple):
    """An intent with what the model thinks of it.

    Attributes:
        share: Its probability among all intents.
        margin: The signed distance from its own border with everything else; 0 is on the border. Shares
            compare intents with each other, margins tell whether a message is like an intent at all.
    """

    name: str
    share: float
    margin: float = -1.0


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the decision turns. Chosen on held-out questions; see ``docs/quality.md``.

    Attributes:
        answer: Least probability to answer a topic.
        lead: Least lead of the best topic over the second to answer it.
        other: Least probability for small talk and commands.
        crisis: Least margin to treat a message as a crisis that no rule saw.
        handoff: Least margin to take a message for a request for a person.
        rival: How far behind the best other intent a crisis or a request for a person may lie to win.
        outside: How far out-of-scope may be ahead of the best topic (as margins) before nothing is answered.
        doubt: How far it must lie behind the best topic for an answer rather than a question.
        candidate: Least probability of a topic to be offered.
    """

    answer: float = 0.66
    lead: float = 0.40
    other: float = 0.25
    crisis: float = -0.42
    handoff: float = -0.60
    rival: float = 0.02
    outside: float = 0.0
    doubt: float = 0.15
    candidate: float = 0.003


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do with a message.

    Attributes:
        intent: The intent to act on, or ``clarify`` or ``nlu_fallback``.
        confidence: Probability of the intent.
        candidates: Topics to offer, best first, when asking back; also the runners-up of an answer.
        crisis: The kind of crisis the classifier saw.
    """

    intent: str
    confidence: float
    candidates: tuple[str, ...] = ()
    crisis: str | None = None


def is_topic(intent: str) -> bool:
    """Whether an intent is a topic of the content, not small talk, a command, a handoff or a crisis."""
    return not intent.startswith(_OTHER_PREFIXES)


def decide(ranking: Sequence[Ranked], limits: Thresholds) -> Decision:
    """Decides on a message.

    Args:
        ranking: All intents, best first.
    """
    crisis = max((r for r in ranking if _is_crisis(r.name)), key=lambda r: r.margin, default=None)
    margins = {r.name: r.margin for r in ranking}
    best = next((r for r in ranking if r.name != NOT_A_CRISIS and not _is_crisis(r.name)), Ranked(FALLBACK, 0.0))
    ahead = max(best.margin, margins.get(NOT_A_CRISIS, -1.0)) - limits.rival
    if crisis is not None and crisis.margin >= max(limits.crisis, ahead):
        return Decision("crisis", crisis.share, crisis=crisis.name.removeprefix(CRISIS_PREFIX))
    handoff = margins.get(HANDOFF, -1.0)
    if handoff >= max(limits.handoff, best.margin - limits.rival):
        return Decision(HANDOFF, next(r.share for r in ranking if r.name == HANDOFF))
    if not is_topic(best.name) and best.name != OUT_OF_SCOPE and best.share >= limits.other:
        return Decision(best.name, best.share)
    return _about_topics([r for r in ranking if is_topic(r.name)], margins.get(OUT_OF_SCOPE, -1.0), limits)


def _is_crisis(name: str) -> bool:
    return name.startswith(CRISIS_PREFIX) and name != NOT_A_CRISIS


def _about_topics(topics: Sequence[Ranked], outside: float, limits: Thresholds) -> Decision:
    """Answers the best topic if it is sure enough, offers those that come close, or says that it is out of scope."""
    if not topics:
        return Decision(FALLBACK, 0.0)
    best, lead = topics[0], topics[0].share - (topics[1].share if len(topics) > 1 else 0.0)
    if outside - best.margin >= limits.outside:
        return Decision(OUT_OF_SCOPE, best.share)
    offered = tuple(r.name for r in topics[:3] if r.share >= limits.candidate)
    if best.share >= limits.answer and lead >= limits.lead and best.margin - outside >= limits.doubt:
        return Decision(best.name, best.share, offered)
    return Decision(CLARIFY if offered else FALLBACK, best.share, offered)
