from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError

from bot import accounts
from bot.content import catalogue as catalogue_module
from bot.content import checks, entries
from bot.content.catalogue import PackCatalogue, StoreCatalogue
from bot.content.pack import Pack, Source, Text, Topic
from bot.content.workflow import ChangeRefused
from bot.storage.account import Account, AuditEvent
from bot.storage.content import ContentRevision, EntryVersion

SOURCE = Source("Handbook", "IOM", "https://example.org", "n.d.")
TICKET, LUGGAGE = "travel_ticket", "travel_luggage"
FIELDS = {"title": "New title", "label": "New label", "answer": "A new answer."}


def topic(name: str) -> Topic:
    return Topic(name, "high", ("A1",), (SOURCE,), (), date(2026, 11, 1), date(2027, 5, 1))


def text(name: str, language: str = "en") -> Text:
    return Text(name, language, f"{name}?", name[:20], f"About {name} in {language}.", "machine", ("one", "two"))


@pytest.fixture
def pack() -> Pack:
    texts = [text(TICKET), text(TICKET, "fr"), text(LUGGAGE)]
    return Pack({name: topic(name) for name in (TICKET, LUGGAGE)}, {(t.topic, t.language): t for t in texts})


@pytest.fixture
def bring(database):
    def run(pack: Pack) -> int:
        with database.write() as session:
            return entries.import_pack(session, pack=pack)

    return run


@pytest.fixture
def staff(database) -> dict[str, Account]:
    with database.write() as session:
        return {
            role: accounts.create(session, email=f"{role}@example.org", name=role, roles=[role], password="x" * 12)
            for role in ("counsellor", "editor", "reviewer", "admin")
        }


@pytest.fixture
def draft(database, staff):
    def save(language: str = "en", entry: str = TICKET, by: str = "editor", **fields: str) -> int:
        with database.write() as session:
            given = FIELDS | fields
            return entries.save_draft(session, account=staff[by], entry_id=entry, language=language, **given).id

    return save


@pytest.fixture
def move(database, staff):
    def run(version_id: int, *actions: str, by: str = "reviewer") -> None:
        for action in actions:
            with database.write() as session:
                entries.move(session, account=staff[by], version_id=version_id, action=action)

    return run


@pytest.fixture
def store(database, monkeypatch) -> StoreCatalogue:
    monkeypatch.setattr(catalogue_module, "REFRESH_SECONDS", 0)
    return StoreCatalogue(database)


def statuses(database, entry: str = TICKET, language: str = "en") -> list[str]:
    with database.read() as session:
        rows = select(EntryVersion.status).where(EntryVersion.entry_id == entry, EntryVersion.language == language)
        return list(session.scalars(rows.order_by(EntryVersion.version)))


def revision(database) -> int:
    with database.read() as session:
        return session.scalar(select(ContentRevision.number)) or 0


def test_importing_publishes_every_text(database, bring, pack, store):
    assert bring(pack) == 3
    assert set(store.topics()) == {TICKET, LUGGAGE}
    assert store.answer(TICKET, "fr").text == "About travel_ticket in fr."


def test_importing_again_changes_nothing(database, bring, pack):
    bring(pack)
    before = revision(database)
    assert bring(pack) == 0
    assert revision(database) == before
    with database.read() as session:
        assert session.scalar(select(func.count()).select_from(EntryVersion)) == 3


def test_a_changed_text_of_the_pack_replaces_the_one_it_brought_before(database, bring, pack, store):
    bring(pack)
    pack.texts[TICKET, "en"] = replace(pack.texts[TICKET, "en"], answer="Other words.")
    assert bring(pack) == 1
    assert statuses(database) == ["retired", "published"]
    assert (store.answer(TICKET, "en").text, store.answer(TICKET, "en").version) == ("Other words.", 2)


def test_a_text_that_an_editor_published_is_kept_on_import(database, bring, pack, draft, move, store):
    bring(pack)
    move(draft(), "submit", "approve", "publish")
    pack.texts[TICKET, "en"] = replace(pack.texts[TICKET, "en"], answer="Other words.")
    assert bring(pack) == 0
    assert store.answer(TICKET, "en").text == "A new answer."


def test_an_editors_open_draft_survives_an_import(database, bring, pack, draft):
    bring(pack)
    draft()
    pack.texts[TICKET, "en"] = replace(pack.texts[TICKET, "en"], answer="Other words.")
    bring(pack)
    assert statuses(database) == ["retired", "draft", "published"]


def test_a_renewed_review_date_is_seen_although_no_text_changed(database, bring, pack, store):
    bring(pack)
    assert store.answer(TICKET, "en").review_by == date(2027, 5, 1)
    pack.topics[TICKET] = replace(pack.topics[TICKET], review_by=date(2027, 11, 1))
    assert bring(pack) == 0
    assert store.answer(TICKET, "en").review_by == date(2027, 11, 1)


def test_what_is_exported_is_what_was_imported(database, bring, pack):
    bring(pack)
    with database.read() as session:
        assert entries.export_pack(session) == pack


def test_an_export_holds_the_published_text_not_the_draft(database, bring, pack, draft):
    bring(pack)
    draft()
    with database.read() as session:
        assert entries.export_pack(session).texts[TICKET, "en"].answer == "About travel_ticket in en."


def test_a_draft_is_not_shown_to_people(database, bring, pack, draft, move, store):
    bring(pack)
    version = draft()
    for action in ("submit", "approve"):
        assert store.answer(TICKET, "en").text == "About travel_ticket in en."
        move(version, action)
    assert store.answer(TICKET, "en").text == "About travel_ticket in en."
    move(version, "publish")
    assert store.answer(TICKET, "en").text == "A new answer."


def test_publishing_retires_the_former_version(database, bring, pack, draft, move):
    bring(pack)
    move(draft(), "submit", "approve", "publish")
    assert statuses(database) == ["retired", "published"]
    assert statuses(database, language="fr") == ["published"]


def test_retiring_takes_a_text_away_from_people(database, bring, pack, move, store):
    bring(pack)
    with database.read() as session:
        live = entries.published(session, entry_id=TICKET, language="fr").id
    assert store.answer(TICKET, "fr") is not None
    move(live, "retire")
    assert store.answer(TICKET, "fr") is None
    assert store.answer(TICKET, "en") is not None


def test_a_publication_is_seen_at_once_the_refresh_time_is_over_and_not_before(database, bring, pack, monkeypatch):
    bring(pack)
    clock = [100.0]
    monkeypatch.setattr(catalogue_module.time, "monotonic", lambda: clock[0])
    store = StoreCatalogue(database)
    assert store.answer(TICKET, "en").version == 1
    pack.texts[TICKET, "en"] = replace(pack.texts[TICKET, "en"], answer="Other words.")
    bring(pack)
    clock[0] += catalogue_module.REFRESH_SECONDS / 2
    assert store.answer(TICKET, "en").version == 1
    clock[0] += catalogue_module.REFRESH_SECONDS
    assert store.answer(TICKET, "en").version == 2
    assert catalogue_module.REFRESH_SECONDS <= 5, "new texts are live within seconds"


def test_store_and_pack_give_the_same_answers(database, bring, pack, store):
    bring(pack)
    plain = PackCatalogue(pack)
    for name, language in [(TICKET, "en"), (TICKET, "fr"), (LUGGAGE, "en"), (LUGGAGE, "fr"), ("gone", "en")]:
        assert store.answer(name, language) == plain.answer(name, language)
    assert set(store.topics()) == set(plain.topics())


def test_a_machines_text_counts_as_a_persons_once_a_person_approved_it(database, bring, pack, staff, store):
    bring(pack)
    assert store.answer(TICKET, "en").origin == "machine"
    with database.write() as session:
        entries.published(session, entry_id=TICKET, language="en").approved_by = staff["reviewer"].id
        session.get_one(ContentRevision, 1).number += 1
    assert store.answer(TICKET, "en").origin == "human"


def test_saving_twice_keeps_one_draft_with_the_last_words(database, bring, pack, draft):
    bring(pack)
    assert draft() == draft(answer="  Better words.\n")
    with database.read() as session:
        newest = entries.latest(session, entry_id=TICKET, language="en")
    assert (newest.answer, newest.status, newest.origin, newest.version) == ("Better words.", "draft", "human", 2)
    assert newest.examples == ["one", "two"], "an editor's draft keeps the example questions"


def test_a_text_that_is_with_a_reviewer_cannot_be_changed(database, bring, pack, draft, move):
    bring(pack)
    version = draft()
    move(version, "submit", by="editor")
    with pytest.raises(ChangeRefused, match="reviewer"):
        draft()
    move(version, "send_back")
    assert draft() == version


def test_an_unusable_text_is_not_saved(database, bring, pack, draft):
    bring(pack)
    with pytest.raises(checks.TextRefused):
        draft(label="x" * 21)
    assert statuses(database) == ["published"]


@pytest.mark.parametrize(("role", "action"), [("counsellor", "submit"), ("editor", "publish"), ("editor", "approve")])
def test_a_role_that_may_not_take_a_step_changes_nothing(database, bring, pack, draft, move, role, action):
    bring(pack)
    version = draft()
    if action != "submit":
        move(version, *(["submit", "approve"] if action == "publish" else ["submit"]))
    before = statuses(database)
    with pytest.raises(ChangeRefused):
        move(version, action, by=role)
    assert statuses(database) == before


def test_every_step_leaves_a_trace_that_names_who_took_it(database, bring, pack, draft, move, staff):
    bring(pack)
    version = draft()
    move(version, "submit", by="editor")
    move(version, "approve", "publish")
    with database.read() as session:
        trace = [(row.account_id, row.action, row.subject) for row in session.scalars(select(AuditEvent))]
        assert session.get_one(EntryVersion, version).approved_by == staff["reviewer"].id
    editor, reviewer, subject = staff["editor"].id, staff["reviewer"].id, "travel_ticket/en/2"
    assert trace == [
        (editor, "content.save_draft", subject), (editor, "content.submit", subject),
        (reviewer, "content.approve", subject), (reviewer, "content.publish", subject),
    ]  # fmt: skip


def test_a_version_published_by_many_at_once_is_published_once(database, bring, pack, draft, move):
    bring(pack)
    version = draft()
    move(version, "submit", "approve")
    before = revision(database)

    def publish(_: int) -> bool:
        try:
            move(version, "publish")
        except ChangeRefused:
            return False
        return True

    with ThreadPoolExecutor(6) as pool:
        assert sum(pool.map(publish, range(6))) == 1
    assert statuses(database) == ["retired", "published"]
    assert revision(database) == before + 1


def test_different_texts_published_at_once_all_raise_the_revision(database, bring, pack, draft, move):
    bring(pack)
    versions = [draft(), draft("fr"), draft(entry=LUGGAGE)]
    for version in versions:
        move(version, "submit", "approve")
    before = revision(database)
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(lambda version: move(version, "publish"), versions))
    assert revision(database) == before + 3


def test_the_database_itself_refuses_a_second_published_version(database, bring, pack):
    bring(pack)
    words = {"title": "t", "label": "l", "answer": "a"}
    with pytest.raises(IntegrityError), database.write() as session:
        session.add(EntryVersion(entry_id=TICKET, language="en", version=9, status="published", **words))
