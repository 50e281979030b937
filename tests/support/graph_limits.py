"""The forms of messages and templates that the Cloud API lets pass."""

from collections.abc import Collection
from typing import Any


class RefusedError(Exception):
    """A request breaks a limit of the platform.

    Attributes:
        code: Graph's error code.
        status: The HTTP status that goes with it.
    """

    def __init__(self, what: str, code: int = 100, status: int = 400) -> None:
        super().__init__(what)
        self.code = code
        self.status = status


def check_message(body: dict[str, Any]) -> None:
    """Checks a message against the documented limits.

    Raises:
        RefusedError: It breaks one.
    """
    _expect(body.get("recipient_type") == "individual", "recipient_type")
    _expect(("to" in body) != ("recipient" in body), "either to or recipient")
    _expect(str(body.get("to", "1")).isdigit(), "to")
    _expect(len(body.get("biz_opaque_callback_data", "")) <= 512, "biz_opaque_callback_data")
    kind = body.get("type")
    if kind == "text":
        _expect(1 <= len(body["text"]["body"]) <= 4096, "text.body")
        _expect(body["text"]["body"].strip() != "", "text.body")
    elif kind == "interactive":
        _check_interactive(body["interactive"])
    elif kind == "document":
        _expect("id" in body["document"] and "filename" in body["document"], "document")
    elif kind == "template":
        _check_template(body["template"])
    else:
        raise RefusedError(f"type {kind}")


def check_definition(template: dict[str, Any], existing: Collection[tuple[str, str]]) -> None:
    """Checks a template as it is handed in.

    Raises:
        RefusedError: It breaks a limit, or it is there already.
    """
    name = template.get("name", "")
    _expect(1 <= len(name) <= 512 and name == name.lower() and name.replace("_", "").isalnum(), "name")
    _expect(template.get("category") in ("UTILITY", "MARKETING", "AUTHENTICATION"), "category")
    _expect((name, template.get("language")) not in existing, "there is already content in this language")
    parts = {part["type"]: part for part in template.get("components", [])}
    body = parts["BODY"]["text"]
    _expect(1 <= len(body) <= 1024 and body == body.strip() and "\n\n\n" not in body, "body")
    buttons = parts.get("BUTTONS", {}).get("buttons", [])
    _expect(len(buttons) <= 10 and all(1 <= len(button["text"]) <= 25 for button in buttons), "buttons")


def _check_template(template: dict[str, Any]) -> None:
    _expect(bool(template["name"]) and bool(template["language"]["code"]), "template")
    for part in template.get("components", []):
        _expect(part["type"] in ("header", "body", "button"), "component")
        if part["type"] == "button":
            _expect(part["sub_type"] == "quick_reply" and str(part["index"]).isdigit(), "button")
            _expect(all(1 <= len(row["payload"]) <= 256 for row in part["parameters"]), "button payload")


def _check_interactive(interactive: dict[str, Any]) -> None:
    _expect(1 <= len(interactive["body"]["text"]) <= 1024, "body.text")
    action = interactive["action"]
    if interactive["type"] == "button":
        _expect(1 <= len(action["buttons"]) <= 3, "number of buttons")
        _check_choices([button["reply"] for button in action["buttons"]], title=20, id_=256)
        _unique([button["reply"]["title"] for button in action["buttons"]], "titles")
        return
    _expect(interactive["type"] == "list", "interactive type")
    _expect(1 <= len(action["button"]) <= 20, "opener")
    _expect(1 <= len(action["sections"]) <= 10, "number of sections")
    _expect(all(len(section["title"]) <= 24 for section in action["sections"]), "section title")
    rows = [row for section in action["sections"] for row in section["rows"]]
    _expect(1 <= len(rows) <= 10, "number of rows")
    _check_choices(rows, title=24, id_=200)
    _expect(all(1 <= len(row.get("description", "-")) <= 72 for row in rows), "row description")


def _check_choices(choices: list[dict[str, Any]], *, title: int, id_: int) -> None:
    _expect(all(1 <= len(choice["title"]) <= title for choice in choices), "title")
    _expect(all(1 <= len(choice["id"]) <= id_ for choice in choices), "id")
    _unique([choice["id"] for choice in choices], "ids")


def _unique(values: list[str], what: str) -> None:
    _expect(len(set(values)) == len(values), f"{what} must be unique")


def _expect(condition: bool, what: str) -> None:
    if not condition:
        raise RefusedError(what)
