from datetime import date

import pytest
from sqlalchemy import func, select

from bot.content import entries
from bot.content.catalogue import StoreCatalogue
from bot.content.pack import Pack, Source, Text, Topic
from bot.storage.account import AuditEvent
from bot.storage.content import EntryVersion

FIELDS = {"title": "New title", "label": "New label", "answer": "A new answer."}
PLACE = "/console/content/documents_passport/en"


def topic(name: str, review_by: date) -> Topic:
    source = Source("Handbook", "IOM", "https://example.org/handbook", "2025-05-01")
    return Topic(name, "high", (), (source,), (), date(2025, 6, 1), review_by)


@pytest.fixture(autouse=True)
def content(edge):
    topics = (topic("documents_passport", date(2099, 1, 1)), topic("travel_luggage", date(2020, 1, 1)))
    texts = (
        Text("documents_passport", "en", "Lost passport", "Passport", "Ask your embassy.", "human"),
        Text("documents_passport", "ar", "فقدت جواز السفر", "جواز السفر", "اسأل سفارتك.", "machine"),
        Text("travel_luggage", "en", "Luggage", "Luggage", "You may take 30 kg.", "human"),
    )
    pack = Pack({t.id: t for t in topics}, {(t.topic, t.language): t for t in texts})
    with edge.database.write() as session:
        entries.import_pack(session, pack=pack)


def statuses(edge, language: str = "en") -> list[str]:
    with edge.database.read() as session:
        rows = select(EntryVersion.status).where(EntryVersion.entry_id == "documents_passport")
        return list(session.scalars(rows.where(EntryVersion.language == language).order_by(EntryVersion.version)))


def test_content_is_not_for_counsellors(signed_in):
    browser = signed_in("Ana", "counsellor")
    assert browser.get("/console/content").status_code == 403
    assert browser.get(PLACE).status_code == 403
    assert browser.post(PLACE, FIELDS).status_code == 403


@pytest.mark.parametrize(
    ("query", "shown", "hidden"),
    [
        ("", ["/documents_passport/en", "/documents_passport/ar", "/travel_luggage/fr"], []),
        ("language=ar", ["/documents_passport/ar"], ["/documents_passport/en"]),
        ("status=missing", ["/documents_passport/fr"], ["/documents_passport/en"]),
        ("status=overdue", ["/travel_luggage/en"], ["/documents_passport/en"]),
        ("status=published", ["/documents_passport/ar"], ["/documents_passport/fr"]),
        ("search=EMBASSY", ["/documents_passport/en"], ["/travel_luggage/en"]),
        ("search=جواز", ["/documents_passport/ar"], ["/documents_passport/en"]),
        ("search=nothing+like+it", [], ["/documents_passport/en"]),
    ],
)
def test_the_list_is_narrowed(signed_in, query, shown, hidden):
    page = signed_in("Ed", "editor").get(f"/console/content?{query}").text
    assert all(f'content{place}"' in page for place in shown)
    assert not any(f'content{place}"' in page for place in hidden)


def test_the_list_tells_origin_and_overdue_reviews(signed_in):
    browser = signed_in("Ed", "editor")
    assert '"Origin">machine<' in browser.get("/console/content?language=ar&status=published").text
    assert "overdue</span>" in browser.get("/console/content?search=luggage").text


def test_the_editor_shows_the_english_original_beside_a_translation(signed_in):
    page = signed_in("Ed", "editor").get("/console/content/documents_passport/ar").text
    assert "English original" in page
    assert "Ask your embassy." in page
    assert "machine translation" in page
    assert "https://example.org/handbook" in page


def test_a_topic_or_language_that_is_not_there_is_not_found(signed_in):
    browser = signed_in("Ed", "editor")
    assert browser.get("/console/content/no_such_topic/en").status_code == 404
    assert browser.get("/console/content/documents_passport/xx").status_code == 404
    assert browser.get(PLACE).status_code == 200
    assert browser.post("/console/content/no_such_topic/en", FIELDS).status_code == 404
    assert browser.post(f"{PLACE}/burn").status_code == 404


def test_a_draft_is_saved_beside_what_is_published(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    assert browser.post(PLACE, FIELDS).headers["location"] == PLACE
    assert statuses(edge) == ["published", "draft"]
    page = browser.get(PLACE).text
    assert "The draft is saved." in page
    assert "A new answer.</textarea>" in page


def test_line_ends_of_browsers_do_not_count_double(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    answer = "\r\n".join(["x" * 69] * 10)  # 699 characters as a person counts
    assert browser.post(PLACE, FIELDS | {"answer": answer}).status_code == 303


@pytest.mark.parametrize(
    ("field", "value", "told"),
    [("label", "x" * 21, "at most 20"), ("title", "", "The title is empty"), ("answer", "**bold**", "plain text")],
)
def test_a_text_that_breaks_a_rule_is_shown_again_with_the_reason(signed_in, edge, field, value, told):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    answer = browser.post(PLACE, FIELDS | {field: value})
    assert answer.status_code == 422
    assert told in answer.text
    kept = [given for name, given in FIELDS.items() if name != field]
    assert all(given in answer.text for given in kept)
    assert statuses(edge) == ["published"]


def test_a_draft_without_the_token_is_refused_and_still_in_the_form(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    answer = browser.post(PLACE, FIELDS, token="")
    assert answer.status_code == 403
    assert "A new answer.</textarea>" in answer.text
    assert browser.post(f"{PLACE}/submit", token="").status_code == 403
    assert statuses(edge) == ["published"]


def test_publishing_changes_what_people_are_answered(signed_in, edge):
    browser = signed_in("Rita", "reviewer")
    browser.get(PLACE)
    browser.post(PLACE, FIELDS)
    for action in ("submit", "approve", "publish"):
        assert StoreCatalogue(edge.database).answer("documents_passport", "en").text == "Ask your embassy."
        assert f'action="{PLACE}/{action}"' in browser.get(PLACE).text
        assert browser.post(f"{PLACE}/{action}").status_code == 303
    assert statuses(edge) == ["retired", "published"]
    answer = StoreCatalogue(edge.database).answer("documents_passport", "en")
    assert (answer.text, answer.version) == ("A new answer.", 2)
    with edge.database.read() as session:
        actions = list(session.scalars(select(AuditEvent.action).where(AuditEvent.action.like("content.%"))))
    assert actions == ["content.save_draft", "content.submit", "content.approve", "content.publish"]


def test_an_editor_may_submit_but_not_approve_or_publish(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    browser.post(PLACE, FIELDS)
    browser.post(f"{PLACE}/submit")
    assert f"{PLACE}/approve" not in browser.get(PLACE).text
    for action in ("approve", "publish", "send_back"):
        assert browser.post(f"{PLACE}/{action}").status_code == 409
    assert statuses(edge) == ["published", "in_review"]


def test_a_text_with_a_reviewer_cannot_be_changed_and_nothing_typed_is_lost(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    browser.post(PLACE, FIELDS)
    browser.post(f"{PLACE}/submit")
    answer = browser.post(PLACE, FIELDS | {"answer": "Too late."})
    assert answer.status_code == 409
    assert "Too late.</textarea>" in answer.text


def test_a_reviewer_sends_a_text_back(signed_in, edge):
    browser = signed_in("Rita", "reviewer")
    browser.get(PLACE)
    browser.post(PLACE, FIELDS)
    browser.post(f"{PLACE}/submit")
    browser.post(f"{PLACE}/send_back")
    assert statuses(edge) == ["published", "draft"]


def test_a_missing_translation_is_begun_in_the_editor(signed_in, edge):
    browser = signed_in("Ed", "editor")
    place = "/console/content/documents_passport/fr"
    assert browser.get(place).status_code == 200
    assert browser.post(place, FIELDS).status_code == 303
    assert statuses(edge, "fr") == ["draft"]


def test_a_withdrawn_text_is_shown_to_nobody(signed_in, edge):
    browser = signed_in("Rita", "reviewer")
    assert "Withdraw from people" in browser.get(PLACE).text
    browser.post(f"{PLACE}/retire")
    assert StoreCatalogue(edge.database).answer("documents_passport", "en") is None


def test_markup_typed_into_a_draft_is_shown_as_text(signed_in, edge):
    browser = signed_in("Ed", "editor")
    browser.get(PLACE)
    answer = browser.post(PLACE, FIELDS | {"answer": "</textarea><script>alert(1)</script>"})
    assert "<script>alert" not in answer.text
    with edge.database.read() as session:
        assert session.scalar(select(func.count()).select_from(EntryVersion)) == 3
