"""Whole conversations over the web chat and the console."""

import re

from bot.languages import launched
from tests.support.installation import Installation, eventually

ARABIC = re.compile(r"[\u0600-\u06ff]")


def case_of(waymark: Installation, number: str) -> str:
    return f"/console/cases/{int(number.removeprefix('W-')) - 1000}"


def test_a_question_in_french_is_answered_in_french_with_source_and_date(waymark):
    replies = waymark.person().ask("débouté de l'asile je peux avoir l'aide ?")
    answer = replies[-1]
    assert answer["language"] == "fr"
    assert "Source" in answer["text"]
    assert "https://" in answer["text"]
    assert "2026" in answer["text"]
    assert any(button["payload"] == "h" for button in answer["buttons"])


def test_a_question_in_arabic_is_answered_in_arabic(waymark):
    answer = waymark.person().ask("كيف أسجل للرجوع إلى بلدي")[-1]
    assert (answer["language"], answer["direction"]) == ("ar", "rtl")
    assert ARABIC.search(answer["text"])


def test_the_first_contact_brings_a_privacy_notice_and_the_languages(waymark):
    first = waymark.person().ask("/start", locale="es")[0]
    assert "90" in first["text"]
    assert {button["payload"] for button in first["buttons"]} == {f"l:{row.code}" for row in launched()}
    assert first["language"] == "es"


def test_a_chosen_language_stays(waymark):
    person = waymark.person()
    person.ask("/start")
    assert person.ask(payload="l:ar")[-1]["language"] == "ar"
    assert person.ask("ok")[-1]["language"] == "ar"
    assert person.ask(payload="t:about_cost")[-1]["language"] == "ar"


def test_a_doubtful_question_is_asked_back_and_the_choice_answered(waymark):
    person = waymark.person()
    person.ask("/start", locale="en")
    replies = person.ask("they say the return is 300 dollars is it true that i have to give money")
    offered = [button["payload"] for button in replies[-1]["buttons"] if button["payload"].startswith("t:")]
    assert offered
    assert "Source" in person.ask(payload=offered[0])[-1]["text"]


def test_an_unlaunched_language_is_said_so_and_a_person_offered(waymark):
    answer = waymark.person().ask("Wie kann ich freiwillig in mein Heimatland zurückkehren, bitte helfen Sie mir")[-1]
    assert "Français" in answer["text"]
    assert "h" in [button["payload"] for button in answer["buttons"]]


def test_a_crisis_brings_safety_words_and_an_urgent_case(waymark):
    replies = waymark.person().ask("i want to kill myself")
    text = "\n".join(reply["text"] for reply in replies)
    assert "112" in text
    assert "urgent" in text


def test_a_person_is_handed_over_answered_and_given_back(waymark):
    person = waymark.person()
    person.ask("how do I apply")
    told = person.ask("I want to talk to a human")[-1]["text"]
    case = case_of(waymark, re.search(r"W-\d+", told)[0])

    ana = waymark.counsellor()
    assert ana.sign_in().status_code == 200
    assert "how do I apply" in ana.get(case)
    ana.post(case, f"{case}/claim")
    joined = eventually(person.new_replies, "the word that a counsellor is here")
    assert "Ana" in joined[-1]["text"]

    person.write("are you a real person?")
    eventually(lambda: "are you a real person?" in ana.get(case), "the person's words in the thread")
    ana.post(case, f"{case}/reply", text="Yes, I am Ana.")
    replies = eventually(person.new_replies, "the counsellor's reply")
    assert [(reply["from"], reply["text"]) for reply in replies] == [("counsellor", "Yes, I am Ana.")]

    ana.post(case, f"{case}/close")
    assert "ended" in eventually(person.new_replies, "the word that it ended")[-1]["text"]
    assert "Source" in person.ask("how much does it cost")[-1]["text"]


def test_markup_that_a_person_writes_is_shown_as_text(waymark):
    person = waymark.person()
    person.ask("<script>alert(1)</script> I want to talk to a human counsellor")
    case = case_of(waymark, re.search(r"W-\d+", person.ask("talk to a human")[-1]["text"])[0])
    ana = waymark.counsellor()
    ana.sign_in()
    page = ana.get(case)
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


def test_a_rating_is_stored_with_its_reply(waymark):
    person = waymark.person()
    answer = person.ask("is it free")[-1]
    rating = next(button["payload"] for button in answer["buttons"] if button["payload"].startswith("f:+"))
    person.ask(payload=rating)
    with waymark.database().read() as session:
        from bot.storage.outbox import OutboxMessage

        row = session.get_one(OutboxMessage, answer["id"])
    assert row.helpful is True
    assert (row.entry, row.entry_language) == ("about_cost", "en")
    assert row.entry_version == 1


def test_export_holds_what_was_said_and_delete_leaves_nothing(waymark):
    person = waymark.person()
    person.ask("my brother Zebulon lost his passport, can he still return home")
    assert "Zebulon" in person.client.get("/chat/export").text
    person.ask("/delete")
    assert "deleted" in person.ask(payload="d:yes")[-1]["text"]
    assert "Zebulon" not in person.client.get("/chat/export").text
    for path in waymark.home.glob("*.db"):
        assert b"Zebulon" not in _contents(path)


def _contents(path) -> bytes:
    """Every value of every table: deleted rows may linger in free pages until the file is compacted."""
    import sqlite3

    with sqlite3.connect(path) as connection:
        return "\n".join(connection.iterdump()).encode()


def test_an_edited_answer_is_live_within_five_seconds(waymark):
    ana = waymark.counsellor()
    ana.sign_in()
    page = "/console/content/travel_luggage/en"
    ana.post(page, page, title="Luggage", label="Luggage?", answer="Quokkas may not travel with you.")
    for action in ("submit", "approve", "publish"):
        ana.post(page, f"{page}/{action}")
    person = waymark.person()
    eventually(lambda: "Quokkas" in person.ask("how many bags can i take")[-1]["text"], "the new answer", 5)
