"""The queue of cases: request, claim, reply, hand back, close. Each move is one conditional UPDATE and an audit row."""

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from bot.handoff import notices
from bot.handoff.hours import OpeningHours
from bot.handoff.states import CLOSED, HELD, WAITING, TransitionRefused, transition
from bot.messaging import outbox
from bot.messaging.messages import Outgoing
from bot.storage.account import Account
from bot.storage.base import now
from bot.storage.conversation import Conversation
from bot.storage.handoff import Case, CaseEvent


def open_case(session: Session, *, conversation_id: str) -> Case | None:
    """The case of a conversation that is not closed, if any."""
    return session.scalar(select(Case).where(Case.conversation_id == conversation_id, Case.state != CLOSED))


def request(
    session: Session,
    *,
    conversation_id: str,
    language: str,
    cause: str,
    hours: OpeningHours,
    reason: str = "asked",
    urgent: bool = False,
    facts: dict[str, str] | None = None,
) -> Case:
    """Registers a request for a counsellor and queues the word that says so.

    A person who has an open case keeps it; it becomes urgent if the new request is.

    Args:
        facts: Answers of the pre-check that the person agreed to pass on.
    """
    case = open_case(session, conversation_id=conversation_id)
    known = case is not None
    if case is None:
        case = Case(conversation_id=conversation_id, language=language, reason=reason, urgent=urgent)
        session.add(case)
        session.flush()
        _note(session, case, "request", None, WAITING)
    elif urgent and not case.urgent:
        case.urgent, case.reason = True, reason
        _note(session, case, "urgent", case.state, case.state)
    case.facts = facts or case.facts
    word = notices.requested(
        case,
        language=language,
        urgent=urgent,
        known=known,
        ahead=_ahead(session, case),
        hours=hours,
    )
    outbox.put(session, conversation_id=conversation_id, cause=f"{cause}:case", message=word)
    return case


def _ahead(session: Session, case: Case) -> int:
    waiting = select(func.count()).where(Case.state == WAITING, Case.id < case.id)
    return session.scalar(waiting) or 0


def claim(session: Session, *, case_id: int, account: Account) -> Case:
    """Gives a waiting case to a counsellor; from now on the assistant is silent.

    Raises:
        TransitionRefused: Somebody else claimed it first, or it is closed.
    """
    case = _move(session, case_id=case_id, action="claim", account=account, counsellor_id=account.id, claimed_at=now())
    session.get_one(Conversation, case.conversation_id).holder = "counsellor"
    _say(session, case, "joined", notices.joined(account.name, case.language))
    return case


def reply(session: Session, *, case_id: int, account: Account, text: str, key: str) -> int:
    """Queues a counsellor's message.

    Args:
        key: Made by the form that sends it; the same key is sent once.

    Raises:
        TransitionRefused: This counsellor does not hold the case.
    """
    case = session.get_one(Case, case_id)
    if case.state != HELD or case.counsellor_id != account.id:
        raise TransitionRefused("only the counsellor who holds the case can write in it")
    message = Outgoing(text=text, language=case.language, speaker="counsellor")
    return outbox.put(
        session, conversation_id=case.conversation_id, cause=f"case:{case.id}:reply:{key}", message=message
    )


def hand_back(session: Session, *, case_id: int, account: Account) -> Case:
    """Puts a held case back into the queue. The person keeps the place; the assistant answers meanwhile.

    Raises:
        TransitionRefused: This counsellor does not hold the case.
    """
    case = _move(session, case_id=case_id, action="hand_back", account=account, counsellor_id=None)
    session.get_one(Conversation, case.conversation_id).holder = "bot"
    return case


def close(session: Session, *, case_id: int, account: Account) -> Case:
    """Ends a case and gives the person back to the assistant, with a word saying so.

    Raises:
        TransitionRefused: Another counsellor holds it, or it is closed already.
    """
    case = _move(session, case_id=case_id, action="close", account=account, closed_at=now())
    session.get_one(Conversation, case.conversation_id).holder = "bot"
    _say(session, case, "closed", notices.closed(case.language))
    return case


def waiting(session: Session) -> list[Case]:
    """Cases nobody holds, urgent ones first, then in order of asking."""
    return list(session.scalars(select(Case).where(Case.state == WAITING).order_by(Case.urgent.desc(), Case.id)))


def held(session: Session, *, account: Account) -> list[Case]:
    """Cases that ``account`` holds."""
    rows = select(Case).where(Case.state == HELD, Case.counsellor_id == account.id).order_by(Case.id)
    return list(session.scalars(rows))


def _move(session: Session, *, case_id: int, action: str, account: Account, **values: object) -> Case:
    case = session.get_one(Case, case_id)
    move = transition(action, case.state)
    condition = [Case.id == case_id, Case.state == move.before]
    if move.owner:
        condition.append(Case.counsellor_id == account.id)
    moved = session.execute(update(Case).where(*condition).values(state=move.after, **values))
    if moved.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result is a CursorResult
        raise TransitionRefused("somebody else holds this case")
    session.refresh(case)
    _note(session, case, action, move.before, move.after, account.id)
    return case


def _note(
    session: Session, case: Case, action: str, before: str | None, after: str, account_id: int | None = None
) -> None:
    session.add(CaseEvent(case_id=case.id, action=action, before=before, after=after, account_id=account_id))
    session.flush()


def _say(session: Session, case: Case, what: str, message: Outgoing) -> None:
    times = session.scalar(select(func.count()).where(CaseEvent.case_id == case.id))
    outbox.put(session, conversation_id=case.conversation_id, cause=f"case:{case.id}:{what}:{times}", message=message)
