import pytest

from bot.nlu.decision import Ranked, Thresholds, decide, is_topic

LIMITS = Thresholds(
    answer=0.5, lead=0.2, other=0.3, crisis=-0.3, handoff=-0.5, rival=0.05, outside=0.1, doubt=0.3, candidate=0.1,
)  # fmt: skip


def ranking(*rows: tuple) -> list[Ranked]:
    return sorted((Ranked(*row) for row in rows), key=lambda ranked: -ranked.margin)


def test_a_sure_topic_is_answered():
    decision = decide(ranking(("about_cost", 0.8, 0.2), ("travel_ticket", 0.1, -0.9)), LIMITS)
    assert (decision.intent, decision.confidence) == ("about_cost", 0.8)


def test_two_close_topics_are_asked_back():
    decision = decide(ranking(("about_cost", 0.45, -0.1), ("travel_ticket", 0.40, -0.12)), LIMITS)
    assert decision.intent == "clarify"
    assert decision.candidates == ("about_cost", "travel_ticket")


def test_a_topic_ahead_but_close_is_asked_back():
    assert decide(ranking(("about_cost", 0.55, 0.1), ("travel_ticket", 0.40, 0.05)), LIMITS).intent == "clarify"


def test_at_most_three_are_offered():
    assert len(decide(ranking(*((f"about_{i}", 0.2, -0.5 - i / 10) for i in range(5))), LIMITS).candidates) == 3


def test_far_from_everything_is_said_so():
    assert decide(ranking(*((f"about_{i}", 0.02, -1.0) for i in range(50))), LIMITS).intent == "nlu_fallback"


def test_what_is_more_like_questions_out_of_scope_than_like_any_topic_is_not_answered():
    assert decide(ranking(("out_of_scope", 0.5, 0.2), ("about_cost", 0.4, 0.1)), LIMITS).intent == "out_of_scope"


def test_what_is_about_as_much_like_both_is_asked_back_instead_of_answered():
    assert decide(ranking(("about_cost", 0.9, 0.3), ("out_of_scope", 0.05, 0.1)), LIMITS).intent == "clarify"
    assert decide(ranking(("about_cost", 0.9, 0.3), ("out_of_scope", 0.05, 0.35)), LIMITS).intent == "clarify"


def test_what_is_far_more_like_a_topic_is_answered():
    assert decide(ranking(("about_cost", 0.9, 0.3), ("out_of_scope", 0.05, -0.1)), LIMITS).intent == "about_cost"


def test_a_crisis_on_the_border_is_taken_for_one():
    decision = decide(ranking(("crisis_violence", 0.4, -0.2), ("about_cost", 0.3, -0.25)), LIMITS)
    assert (decision.intent, decision.crisis) == ("crisis", "violence")


@pytest.mark.parametrize("other", ["about_cost", "crisis_none", "out_of_scope"])
def test_a_crisis_far_behind_something_else_is_none(other):
    rows = ranking((other, 0.8, 0.3), ("crisis_violence", 0.1, -0.2), ("travel_ticket", 0.05, -0.9))
    assert decide(rows, LIMITS).intent != "crisis"


def test_words_that_only_sound_like_a_crisis_are_none():
    decision = decide(ranking(("crisis_none", 0.9, 0.5), ("about_cost", 0.05, -0.9)), LIMITS)
    assert decision.intent == "nlu_fallback"  # no topic comes near


def test_a_request_for_a_person_wins_over_a_topic_as_near():
    assert decide(ranking(("rights_complaint", 0.4, -0.2), ("handoff", 0.3, -0.22)), LIMITS).intent == "handoff"


def test_asking_whether_one_speaks_to_a_machine_is_no_request_for_a_person():
    rows = ranking(("smalltalk_bot", 0.9, 0.6), ("handoff", 0.05, 0.1))
    assert decide(rows, LIMITS).intent == "smalltalk_bot"


@pytest.mark.parametrize("intent", ["handoff", "smalltalk_greet", "command_language", "crisis_none", "out_of_scope"])
def test_what_is_not_a_topic(intent):
    assert not is_topic(intent)
