"""From probabilities to a decision: answer, ask back, or say honestly that this was not understood. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

CLARIFY = "clarify"
FALLBACK = "nlu_fallback"
OUT_OF_SCOPE = "out_of_scope"
NOT_A_CRISIS = "crisis_none"
CRISIS_PREFIX = "crisis_"
_OTHER_PREFIXES = ("smalltalk_", "command_", "crisis_", "out_of_", "handoff")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where the decision turns. Chosen on held-out questions; see ``docs/quality.md``.

    Attributes:
        answer: Least probability to answer a topic.
        margin: Least lead of the best topic over the second to answer it.
        other: Least probability for small talk, commands and handoff.
        crisis: Least probability to treat a message as a crisis that no rule saw.
        offer: Least probability of topics together to ask "did you mean".
        candidate: Least probability of a topic to be offered.
    """

    answer: float = 0.45
    margin: float = 0.15
    other: float = 0.45
    crisis: float = 0.60
    offer: float = 0.30
    candidate: float = 0.04


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


def decide(ranking: Sequence[tuple[str, float]], limits: Thresholds) -> Decision:
    """Decides on a message.

    Args:
        ranking: Intents with probabilities, best first.
    """
    best, share = ranking[0]
    crisis = [(name, p) for name, p in ranking if name.startswith(CRISIS_PREFIX) and name != NOT_A_CRISIS]
    alarm = sum(p for _, p in crisis)
    if crisis and alarm >= limits.crisis:
        return Decision("crisis", alarm, crisis=crisis[0][0].removeprefix(CRISIS_PREFIX))
    topics = [(name, p) for name, p in ranking if is_topic(name)]
    offered = tuple(name for name, p in topics[:3] if p >= limits.candidate)
    if is_topic(best):
        second = max((p for name, p in ranking if name != best), default=0.0)
        if share >= limits.answer and share - second >= limits.margin:
            return Decision(best, share, offered)
    elif best == OUT_OF_SCOPE and share >= limits.other:
        return Decision(OUT_OF_SCOPE, share)
    elif best != NOT_A_CRISIS and not best.startswith(CRISIS_PREFIX) and share >= limits.other:
        return Decision(best, share)
    if offered and sum(p for _, p in topics[:3]) >= limits.offer:
        return Decision(CLARIFY, topics[0][1], offered)
    return Decision(FALLBACK, share, offered)
