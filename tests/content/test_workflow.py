import itertools

import pytest

from bot.content import workflow
from bot.content.workflow import STEPS, ChangeRefused
from bot.storage.account import ROLES

STATUSES = ("draft", "in_review", "approved", "published", "retired")


def test_a_text_goes_from_draft_through_review_and_approval_to_publication():
    status = "draft"
    for name in ("submit", "approve", "publish", "retire"):
        status = workflow.step(name, status, ["reviewer"]).after
    assert status == "retired"


def test_a_reviewer_may_send_a_text_back():
    assert workflow.step("send_back", "in_review", ["reviewer"]).after == "draft"


@pytest.mark.parametrize(("name", "status"), list(itertools.product(STEPS, STATUSES)))
def test_a_step_starts_from_its_own_status_alone(name, status):
    if STEPS[name].before == status:
        assert workflow.step(name, status, ["admin"]).before == status
    else:
        with pytest.raises(ChangeRefused, match=status.replace("_", " ")):
            workflow.step(name, status, ["admin"])


@pytest.mark.parametrize("role", ROLES)
def test_counsellors_change_nothing_and_editors_only_submit(role):
    allowed = {name for name, step in STEPS.items() if role in step.roles}
    assert allowed == {"counsellor": set(), "editor": {"submit"}}.get(role, set(STEPS))


def test_who_lacks_the_role_is_told_which_one_it_needs():
    with pytest.raises(ChangeRefused, match="admin, reviewer"):
        workflow.step("approve", "in_review", ["editor", "counsellor"])


def test_one_of_several_roles_is_enough():
    assert workflow.step("approve", "in_review", ["counsellor", "reviewer"]).after == "approved"


def test_an_unknown_step_is_refused():
    with pytest.raises(ChangeRefused):
        workflow.step("delete", "draft", ["admin"])


def test_nothing_is_published_that_was_not_approved():
    assert [step.before for step in STEPS.values() if step.after == "published"] == ["approved"]
