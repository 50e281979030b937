"""The words of the pre-check: its questions, and what the rules say about the answers. It never says "eligible"."""

from datetime import date

from bot import texts
from bot.content import precheck as rules
from bot.content.places import Places
from bot.content.precheck import Judgement, Rule, Rules
from bot.dialogue import countries
from bot.languages import DEFAULT
from bot.messaging import payloads
from bot.messaging.messages import Button, Outgoing

ALSO = 4  # rules that are told besides the deciding ones
_PLAIN = {"yes": "button.yes", "no": "button.no", rules.UNSURE: "button.unsure", rules.SKIP: "button.skip"}


def question(asked: str, language: str, *, places: Places, today: date, first: bool = False) -> Outgoing:
    """One question with its choices, a way to leave it out and a way to stop."""
    number = list(rules.QUESTIONS).index(asked) + 1
    lines = [texts.text("precheck.begin", language), ""] if first else []
    lines.append(texts.text("precheck.question", language, number=number, total=len(rules.QUESTIONS)))
    lines.append(texts.text(f"precheck.{asked}", language))
    offered = [(word(asked, value, language), value) for value in rules.QUESTIONS[asked]]
    if asked == countries.HOST:
        offered = sorted((countries.name(code, language), code) for code in places.hosts(today=today))
    choices = [
        Button(title[: countries.BUTTON_TITLE], payloads.precheck_answer(asked, value), title[:72])
        for title, value in [*offered, (texts.text("button.skip", language), rules.SKIP)]
    ]
    stop = Button(texts.text("button.stop", language), payloads.precheck("stop"))
    return Outgoing("\n".join(lines), language, (*choices, stop), listed=True)


def word(asked: str, value: str, language: str) -> str:
    """An answer in words."""
    if rules.is_country(value):
        return countries.name(value, language)
    return texts.text(_PLAIN.get(value) or f"{asked}.{value}", language)


def told(answers: dict[str, str], language: str) -> list[str]:
    """What a person said, question by question, without what was left out."""
    return [
        texts.text(f"precheck.fact.{asked}", language, value=word(asked, answers[asked], language))
        for asked in rules.QUESTIONS
        if answers.get(asked, rules.SKIP) != rules.SKIP
    ]


def result(found: Judgement, answers: dict[str, str], language: str, *, book: Rules) -> Outgoing:
    """What the rules say, which decided and where they are from, and the way to a counsellor."""
    said = texts.joined(told(answers, language), language)
    lines = [texts.text(f"precheck.verdict.{found.verdict}", language), ""]
    if found.deciding:
        lines += [texts.text("precheck.decided", language), *(_rule(rule, language) for rule in found.deciding), ""]
    if found.also:
        lines += [texts.text("precheck.also", language), *(_rule(rule, language) for rule in found.also[:ALSO]), ""]
    if said:
        lines.append(texts.text("precheck.told", language, facts=said))
    lines.append(texts.text("precheck.rules_of", language, date=texts.day(book.collected, language)))
    lines.append(texts.text("answer.machine", language))
    buttons = (
        Button(texts.text("button.share", language), payloads.precheck("share")),
        Button(texts.text("button.share_not", language), payloads.precheck("alone")),
        Button(texts.text("button.again", language), payloads.precheck("again")),
    )
    lines += ["", texts.text("precheck.share", language)]
    return Outgoing("\n".join(lines), language, buttons)


def _rule(rule: Rule, language: str) -> str:
    dated = rule.source.date if rule.source.date != "n.d." else texts.text("place.undated", language)
    source = texts.text("precheck.source", language, publisher=rule.source.publisher, date=dated)
    return f"– {texts.text(f'fact.{rule.fact}', language)} {source}"


def facts(answers: dict[str, str], found: Judgement, *, book: Rules) -> dict[str, str]:
    """What a counsellor sees, in the console's language: answers, verdict, deciding rules and their version."""
    shown = {asked: word(asked, value, DEFAULT) for asked, value in answers.items() if value != rules.SKIP}
    decided = ", ".join(rule.id for rule in found.deciding)
    return shown | {"verdict": found.verdict, "rules": f"{decided or '-'} (version {book.version})"}


def resume_button(language: str) -> Button:
    """The button that goes on with an interrupted pre-check."""
    return Button(texts.text("button.continue", language), payloads.precheck("resume"))


def start_button(language: str) -> Button:
    """The button that begins the pre-check."""
    return Button(texts.text("button.precheck", language), payloads.precheck("start"))
