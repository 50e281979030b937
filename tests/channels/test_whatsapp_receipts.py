from typing import Any

from bot.channels.whatsapp_webhook import parse
from bot.messaging.hooks import Heard, Receipt, TemplateState
from tests.support.graph import Graph
from tests.support.graph_hooks import body, value

PHONE = Graph().phone_id


def failed(code: int) -> dict[str, Any]:
    errors = [{"code": code, "title": "Re-engagement message"}]
    return {"id": "wamid.out1", "status": "failed", "biz_opaque_callback_data": "17.1", "errors": errors}


def receipts(*rows: dict[str, Any]) -> tuple[Receipt, ...]:
    return parse(body(value(PHONE, statuses=list(rows))), PHONE).receipts


def test_a_failed_receipt_tells_reference_and_reason() -> None:
    (receipt,) = receipts(failed(131026), {"id": "wamid.out2", "status": "played"})
    assert (receipt.provider_id, receipt.state, receipt.reference) == ("wamid.out1", "failed", "17.1")
    assert receipt.error is not None
    assert (receipt.error.reason, receipt.error.permanent) == ("not reachable on WhatsApp (131026)", True)


def test_a_failure_outside_the_window_is_told_as_such() -> None:
    (receipt,) = receipts(failed(131047))
    assert receipt.error is not None
    assert receipt.error.outside_window
    assert not receipt.error.permanent


def test_a_failure_that_may_pass_can_be_tried_again() -> None:
    (receipt,) = receipts(failed(131000))
    assert receipt.error is not None
    assert not receipt.error.permanent


def template(**fields: str) -> dict[str, str]:
    base = {"message_template_name": "waymark_reopen", "message_template_language": "pt_BR", "event": "APPROVED"}
    return base | fields


def test_the_state_of_our_template_is_told_in_our_words() -> None:
    rejected = template(event="REJECTED", reason="INCORRECT_CATEGORY", message_template_language="ar")
    content = body(template(reason="NONE"), rejected, field="message_template_status_update", account_id="7")
    assert parse(content, PHONE, "7").templates == (
        TemplateState("waymark_reopen", "pt", "approved"),
        TemplateState("waymark_reopen", "ar", "rejected", "INCORRECT_CATEGORY"),
    )


def test_templates_of_others_are_left_out() -> None:
    ours = body(template(), field="message_template_status_update", account_id="7")
    assert parse(ours, PHONE, "8") == Heard()
    for other in ({"message_template_name": "sale"}, {"message_template_language": "de"}):
        content = body(template(**other), field="message_template_status_update", account_id="7")
        assert parse(content, PHONE, "7") == Heard()
