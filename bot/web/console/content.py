"""The content: a list to find a text in, and an editor that takes it through review to publication."""

import asyncio
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.content import checks, entries, workflow
from bot.languages import LANGUAGES
from bot.storage.account import Account
from bot.storage.content import Entry, EntryVersion
from bot.web.access import roles
from bot.web.console import shelf, words
from bot.web.console.forms import ActionForm, AnswerForm, meta, posted
from bot.web.console.shell import EDIT, current, done, page
from bot.web.edge import Edge, edge_of

_LIMITS = {"title": checks.TITLE_MAX, "label": checks.LABEL_MAX, "answer": checks.ANSWER_MAX}
_STEPS = {
    "submit": ("Submit for review", "The text waits for a reviewer now."),
    "send_back": ("Send back", "The text is a draft again."),
    "approve": ("Approve", "The text is approved; publish it to make it live."),
    "publish": ("Publish", "The text is live."),
    "retire": ("Withdraw from people", "The text is no longer shown to anybody."),
}


def _today(edge: Edge) -> datetime:
    return datetime.now(ZoneInfo(edge.settings.timezone))


@roles(*EDIT)
async def list_page(request: Request) -> Response:
    """All texts, narrowed by language, status and words."""
    asked = request.query_params
    narrowed = shelf.Filter(asked.get("language", ""), asked.get("status", ""), asked.get("search", "")[:200])
    edge = edge_of(request)

    def read() -> list[shelf.Row]:
        with edge.database.read() as session:
            return shelf.load_list(session, narrowed=narrowed, today=_today(edge).date())

    rows = await asyncio.to_thread(read)
    names = {code: words.language(code) for code in LANGUAGES}
    return page(request, "content.html", rows=rows, narrowed=narrowed, statuses=shelf.STATUSES, languages=names)


def _place(request: Request) -> tuple[str, str]:
    topic, language = request.path_params["topic"], request.path_params["language"]
    if language not in LANGUAGES:
        raise HTTPException(404, "There is no such language.")
    return topic, language


async def _editor(request: Request, status_code: int = 200, **values: Any) -> Response:
    edge, (topic, language) = edge_of(request), _place(request)

    def read() -> shelf.Sheet | None:
        with edge.database.read() as session:
            return shelf.load_sheet(session, topic=topic, language=language, today=_today(edge).date())

    sheet = await asyncio.to_thread(read)
    if sheet is None:
        raise HTTPException(404, "There is no such topic.")
    form = values.pop("form", None) or AnswerForm(obj=sheet.newest, meta=meta(request))
    account = current(request)
    shown = {
        "sheet": sheet,
        "form": form,
        "limits": _LIMITS,
        "steps": [(name, _STEPS[name][0]) for name in sheet.steps(account)],
        "may_retire": sheet.may_retire(account),
        "problem": "",
        "field": "",
    }
    return page(request, "editor.html", status_code, **(shown | values))


@roles(*EDIT)
async def editor_page(request: Request) -> Response:
    """One text: what is live, the draft, the English original, sources and history."""
    return await _editor(request)


@roles(*EDIT)
async def save(request: Request) -> Response:
    """Saves a draft."""
    form = AnswerForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _editor(request, 403 if form.forged else 422, form=form, problem=form.problem)
    topic, language = _place(request)
    fields = {name: str(form[name].data or "") for name in _LIMITS}

    def change(session: Session, account: Account) -> EntryVersion:
        _require(session, topic)
        return entries.save_draft(session, account=account, entry_id=topic, language=language, **fields)

    try:
        await _changed(request, change)
    except checks.TextRefused as problem:
        return await _editor(request, 422, form=form, problem=str(problem), field=problem.field)
    except workflow.ChangeRefused as problem:
        return await _editor(request, 409, form=form, problem=f"{str(problem).capitalize()}.")
    return done(request, f"/console/content/{topic}/{language}", "The draft is saved.")


def _require(session: Session, topic: str) -> None:
    if session.get(Entry, topic) is None:
        raise HTTPException(404, "There is no such topic.")


async def _changed(request: Request, change: Any) -> None:
    edge, account = edge_of(request), current(request)

    def run() -> None:
        with edge.database.write() as session:
            change(session, account)

    await asyncio.to_thread(run)
    await edge.poke.send("console")


@roles(*EDIT)
async def step(request: Request) -> Response:
    """Takes the newest version one step through the workflow; ``retire`` withdraws the published one."""
    form = ActionForm(await posted(request), meta=meta(request))
    if not form.validate():
        return await _editor(request, 403, problem=form.problem)
    (topic, language), action = _place(request), request.path_params["action"]

    def change(session: Session, account: Account) -> EntryVersion:
        find = entries.published if action == "retire" else entries.latest
        version = find(session, entry_id=topic, language=language)
        if version is None or action not in _STEPS:
            raise HTTPException(404, "There is no such text or step.")
        return entries.move(session, account=account, version_id=version.id, action=action)

    try:
        await _changed(request, change)
    except workflow.ChangeRefused as problem:
        return await _editor(request, 409, problem=f"{str(problem).capitalize()}.")
    return done(request, f"/console/content/{topic}/{language}", _STEPS[action][1])


ROUTES = [
    Route("/content", list_page, methods=["GET"]),
    Route("/content/{topic}/{language}", editor_page, methods=["GET"]),
    Route("/content/{topic}/{language}", save, methods=["POST"]),
    Route("/content/{topic}/{language}/{action}", step, methods=["POST"]),
]
