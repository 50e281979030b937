import pytest

from bot.nlu.decision import Thresholds, decide, is_topic

LIMITS = Thresholds(answer=0.5, margin=0.2, other=0.5, crisis=0.6, offer=0.3, candidate=0.1)


def test_a_sure_topic_is_answered():
    decision = decide([("about_cost", 0.8), ("travel_ticket", 0.1)], LIMITS)
    assert (decision.intent, decision.confidence) == ("about_cost", 0.8)


def test_two_close_topics_are_asked_back():
    decision = decide([("about_cost", 0.45), ("travel_ticket", 0.40), ("handoff", 0.1)], LIMITS)
    assert decision.intent == "clarify"
    assert decision.candidates == ("about_cost", "travel_ticket")


def test_a_topic_ahead_but_close_is_asked_back():
    assert decide([("about_cost", 0.52), ("travel_ticket", 0.40)], LIMITS).intent == "clarify"


def test_at_most_three_are_offered():
    decision = decide([(f"about_{i}", 0.2) for i in range(5)], LIMITS)
    assert len(decision.candidates) == 3


def test_far_from_everything_is_said_so():
    assert decide([(f"about_{i}", 0.02) for i in range(50)], LIMITS).intent == "nlu_fallback"


def test_out_of_scope_is_not_answered_even_with_a_topic_behind_it():
    assert decide([("out_of_scope", 0.6), ("about_cost", 0.3)], LIMITS).intent == "out_of_scope"


def test_crises_add_up():
    decision = decide([("crisis_violence", 0.35), ("crisis_self_harm", 0.3), ("about_cost", 0.2)], LIMITS)
    assert (decision.intent, decision.crisis) == ("crisis", "violence")


def test_words_that_only_sound_like_a_crisis_are_none():
    assert decide([("crisis_none", 0.9), ("about_cost", 0.05)], LIMITS).intent == "nlu_fallback"


@pytest.mark.parametrize("intent", ["handoff", "smalltalk_greet", "command_language", "crisis_none", "out_of_scope"])
def test_what_is_not_a_topic(intent):
    assert not is_topic(intent)
