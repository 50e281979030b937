"""Rendering of pages. Everything a person wrote is escaped by the template engine."""

from pathlib import Path
from typing import Any

from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.templating import Jinja2Templates

FOLDER = Path(__file__).parent
COMPRESSED = [Middleware(GZipMiddleware, minimum_size=500)]  # for routes that people reach over slow networks
_templates = Jinja2Templates(FOLDER / "templates")


def render(request: Request, template: str, status_code: int = 200, **values: Any) -> Response:
    """A page made from a template."""
    return _templates.TemplateResponse(request, template, values, status_code=status_code)


def fragment(template: str, **values: Any) -> str:
    """A piece of a page, for live updates."""
    return _templates.get_template(template).render(**values)
