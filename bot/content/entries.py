"""Entries in the store: importing a pack, editing, moving versions through the workflow, publishing."""

from dataclasses import asdict

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bot.content import checks, workflow
from bot.content.pack import Pack, Source, Text, Topic
from bot.storage.account import Account, AuditEvent
from bot.storage.base import now
from bot.storage.content import ContentRevision, Entry, EntryVersion


def import_pack(session: Session, *, pack: Pack) -> int:
    """Brings the pack into the store and publishes what is new in it.

    A text an editor has published since is kept: the pack wins only over versions it brought itself.

    Returns:
        How many versions were published.
    """
    changed = [topic.id for topic in pack.topics.values() if _import_topic(session, topic)]
    session.flush()
    published = sum(_import_text(session, text) for text in pack.texts.values())
    if published or changed:
        _raise_revision(session)
    return published


def _import_topic(session: Session, topic: Topic) -> bool:
    entry = session.get(Entry, topic.id) or Entry(id=topic.id)
    entry.risk, entry.facts, entry.related = topic.risk, list(topic.facts), list(topic.related)
    entry.sources = [asdict(source) for source in topic.sources]
    entry.reviewed_on, entry.review_by = topic.reviewed_on, topic.review_by
    session.add(entry)
    return session.is_modified(entry)


def _import_text(session: Session, text: Text) -> int:
    live = published(session, entry_id=text.topic, language=text.language)
    if live is not None and (live.author_id is not None or _same(live, text)):
        return 0
    version = EntryVersion(
        entry_id=text.topic,
        language=text.language,
        version=_next_version(session, text.topic, text.language),
        title=text.title,
        label=text.label,
        answer=text.answer,
        examples=list(text.examples),
        origin=text.origin,
        status="approved",
    )
    session.add(version)
    _replace_live(session, version)
    return 1


def _same(live: EntryVersion, text: Text) -> bool:
    mine = (live.title, live.label, live.answer, tuple(live.examples), live.origin)
    return mine == (text.title, text.label, text.answer, text.examples, text.origin)


def export_pack(session: Session) -> Pack:
    """What is published now, as a pack."""
    pack = Pack()
    for entry in session.scalars(select(Entry).order_by(Entry.id)):
        pack.topics[entry.id] = Topic(
            id=entry.id,
            risk=entry.risk,
            facts=tuple(entry.facts),
            sources=tuple(Source(**source) for source in entry.sources),
            related=tuple(entry.related),
            reviewed_on=entry.reviewed_on,
            review_by=entry.review_by,
        )
    rows = select(EntryVersion).where(EntryVersion.status == "published")
    for row in session.scalars(rows.order_by(EntryVersion.language, EntryVersion.entry_id)):
        pack.texts[row.entry_id, row.language] = Text(
            row.entry_id, row.language, row.title, row.label, row.answer, row.origin, tuple(row.examples)
        )
    return pack


def published(session: Session, *, entry_id: str, language: str) -> EntryVersion | None:
    """The version of an entry that people see in ``language`` now."""
    where = (EntryVersion.entry_id == entry_id, EntryVersion.language == language)
    return session.scalar(select(EntryVersion).where(*where, EntryVersion.status == "published"))


def latest(session: Session, *, entry_id: str, language: str) -> EntryVersion | None:
    """The newest version of an entry in ``language``, whatever its status."""
    where = (EntryVersion.entry_id == entry_id, EntryVersion.language == language)
    return session.scalar(select(EntryVersion).where(*where).order_by(EntryVersion.version.desc()).limit(1))


def save_draft(
    session: Session, *, account: Account, entry_id: str, language: str, title: str, label: str, answer: str
) -> EntryVersion:
    """Saves an editor's text as a draft: the open draft if there is one, a new version otherwise.

    Raises:
        checks.TextRefused: The text breaks a rule; the message names the field and the fix.
        workflow.ChangeRefused: The newest version waits for a reviewer.
    """
    checks.refuse_unusable(title=title, label=label, answer=answer)
    newest = latest(session, entry_id=entry_id, language=language)
    if newest is not None and newest.status in ("in_review", "approved"):
        raise workflow.ChangeRefused(
            "this text is with a reviewer; it can be changed when it comes back or is published"
        )
    if newest is None or newest.status != "draft":
        newest = EntryVersion(
            entry_id=entry_id,
            language=language,
            version=_next_version(session, entry_id, language),
            examples=newest.examples if newest else [],
        )
        session.add(newest)
    newest.title, newest.label, newest.answer = title.strip(), label.strip(), answer.strip()
    newest.author_id, newest.origin, newest.created_at = account.id, "human", now()
    session.flush()
    _audit(session, account, "save_draft", newest)
    return newest


def move(session: Session, *, account: Account, version_id: int, action: str) -> EntryVersion:
    """Takes a version one step through the workflow; publishing makes it live within seconds.

    Raises:
        workflow.ChangeRefused: The step is not allowed from its status or with these roles.
    """
    # locked and read anew: of two people who take the same step at once, the second one is refused
    version = session.get_one(EntryVersion, version_id, with_for_update=True, populate_existing=True)
    target = workflow.step(action, version.status, account.roles)
    if action == "approve":
        version.approved_by = account.id
    if action == "publish":
        _replace_live(session, version)
        _raise_revision(session)
    else:
        version.status = target.after
    if action == "retire":
        _raise_revision(session)
    _audit(session, account, action, version)
    session.flush()
    return version


def _replace_live(session: Session, version: EntryVersion) -> None:
    live = published(session, entry_id=version.entry_id, language=version.language)
    if live is not None:
        live.status = "retired"
        session.flush()  # only one version may be published at a time, and the database checks it at once
    version.status, version.published_at = "published", now()
    session.flush()


def _next_version(session: Session, entry_id: str, language: str) -> int:
    where = (EntryVersion.entry_id == entry_id, EntryVersion.language == language)
    return (session.scalar(select(func.max(EntryVersion.version)).where(*where)) or 0) + 1


def _raise_revision(session: Session) -> None:
    row = session.get(ContentRevision, 1, with_for_update=True) or ContentRevision(id=1, number=0)
    row.number += 1
    session.add(row)


def _audit(session: Session, account: Account, action: str, version: EntryVersion) -> None:
    subject = f"{version.entry_id}/{version.language}/{version.version}"
    session.add(AuditEvent(account_id=account.id, action=f"content.{action}", subject=subject))
