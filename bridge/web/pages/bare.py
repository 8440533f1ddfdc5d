"""Pages outside a workspace: signing in, refusals, errors, choosing a workspace."""

from typing import Any
from urllib.parse import urlsplit

from flask import Response, make_response, render_template, request

from bridge.web.current import current_context, current_time
from bridge.web.pages.views import BareFrame, Theme

THEME_COOKIE = "bridge_theme"
_THEMES: dict[str, Theme] = {"light": "light", "dark": "dark"}


def chosen_theme() -> Theme | None:
    """What the person chose, None to follow the device."""
    return parse_theme(request.cookies.get(THEME_COOKIE))


def parse_theme(text: str | None) -> Theme | None:
    """A theme by its name, None for anything else."""
    return _THEMES.get(text or "")


def render_bare(template: str, page: Any, status: int = 200) -> Response:
    """A page of `templates/` filled with its value of `pages.views`."""
    site = urlsplit(current_context().public_url).netloc
    frame = BareFrame(site=site, theme=chosen_theme())
    return make_response(render_template(template, page=page, frame=frame, now=current_time()), status)
