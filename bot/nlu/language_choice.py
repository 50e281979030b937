"""Which language to answer in: the person's choice, the message, the channel's hint, the conversation. Pure."""

from dataclasses import dataclass

from bot.languages import DEFAULT, is_launched
from bot.nlu.language_id import Guess

SURE = 0.80
LIKELY = 0.45
UNLAUNCHED = 0.75


@dataclass(frozen=True, slots=True)
class LanguageChoice:
    """The decision for one message.

    Attributes:
        reply: The launched language to answer in.
        detected: What the message is written in, as far as can be told; may be a language not launched.
        unlaunched: The message is surely in a language that is not launched: say so.
        unsure: Nothing tells the language: offer the buttons.
    """

    reply: str
    detected: str
    unlaunched: bool = False
    unsure: bool = False


def choose(guess: Guess, *, current: str | None, chosen: bool, hint: str | None) -> LanguageChoice:
    """Decides the language of the answer.

    Args:
        guess: What the message alone says.
        current: The conversation's language so far.
        chosen: The person chose ``current`` with a button.
        hint: The launched language behind the channel's locale, if any.
    """
    known = current or hint
    if is_launched(guess.language):
        if known is None:
            sure = guess.confidence >= LIKELY
            return LanguageChoice(guess.language if sure else DEFAULT, guess.language, unsure=not sure)
        if guess.language == known or _flips(guess, chosen=chosen, settled=current is not None):
            return LanguageChoice(guess.language, guess.language)
        return LanguageChoice(known, guess.language)
    best = _best_launched(guess)
    if guess.words and guess.confidence >= UNLAUNCHED and (guess.words >= 2 or guess.confidence >= 0.97):
        return LanguageChoice(known or DEFAULT, guess.language, unlaunched=True)
    if known is not None:
        return LanguageChoice(known, guess.language)
    return LanguageChoice(best or DEFAULT, best or guess.language, unsure=best is None)


def _flips(guess: Guess, *, chosen: bool, settled: bool) -> bool:
    # one short or mixed message never flips what the person chose or the conversation settled on
    if chosen:
        return guess.words >= 4 and guess.confidence >= 0.95
    if settled:
        return guess.words >= 3 and guess.confidence >= SURE
    return guess.confidence >= SURE


def _best_launched(guess: Guess) -> str | None:
    for language, share in guess.ranking:
        if is_launched(language) and share >= 0.25:
            return language
    return None
