"""The site of an organisation that has the chat on its pages, under a strict policy of its own."""

from dataclasses import dataclass, field

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

_PAGE = """<!doctype html>
<html lang="{lang}" dir="{dir}"><head><meta charset="utf-8"><title>Advice centre</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="stylesheet" href="/site.css"><script src="{waymark}/embed.js" async{data}></script></head>
<body><main><h1>Advice centre</h1><p>We advise people free of charge.</p><p><a href="/">Our offices</a></p></main>
</body></html>
"""
# rules that would disfigure the button and the frame if they reached them
_STYLE = """
body { font: 16px/1.5 serif; margin: 2rem; }
* { box-sizing: content-box; }
button, iframe, div, span, waymark-chat { display: none; color: red; text-transform: uppercase; position: static; }
"""


@dataclass
class HostSite:
    """``waymark`` is the address of the installation whose script its page loads."""

    waymark: str = ""
    app: Starlette = field(init=False)

    def __post_init__(self) -> None:
        self.app = Starlette(routes=[Route("/", self._page), Route("/site.css", self._style)])

    async def _page(self, request: Request) -> Response:
        """``?lang=`` and ``?dir=`` are the page's own, ``?data-lang=`` that of the script."""
        query = request.query_params
        data = f' data-lang="{query["data-lang"]}"' if "data-lang" in query else ""
        page = _PAGE.format(lang=query.get("lang", "en"), dir=query.get("dir", "ltr"), waymark=self.waymark, data=data)
        policy = f"default-src 'none'; style-src 'self'; script-src {self.waymark}; frame-src {self.waymark}"
        return HTMLResponse(page, headers={"content-security-policy": policy})

    async def _style(self, request: Request) -> Response:
        return Response(_STYLE, media_type="text/css")
