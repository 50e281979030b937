"""The chat page."""

from jinja2.utils import htmlsafe_json_dumps
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from bot.languages import launched
from bot.web import assets, embed
from bot.web.access import PUBLIC, open_to
from bot.web.edge import edge_of
from bot.web.headers import policy
from bot.web.pages import COMPRESSED, render
from bot.web.words import language_of, script_words, ui


@open_to(PUBLIC)
async def page(request: Request) -> Response:
    """The chat page, in the language asked for or the browser's; allowed sites may show it in a frame."""
    language = language_of(request)
    words = script_words()
    shown = render(
        request,
        "chat.html",
        language=language,
        languages=launched(),
        ui=words[language.code] | {"noscript": ui("noscript", language.code)},
        # readable letters, because escapes would make the texts of some scripts three times as heavy
        data=htmlsafe_json_dumps(words, ensure_ascii=False),
        asset=assets.address,
    )
    shown.headers["content-security-policy"] = policy(embed.allowed(edge_of(request).settings))
    return shown


ROUTES = [Route("/", page, methods=["GET"], middleware=COMPRESSED)]
