"""Moved: `bridge.web.pages.bare` (so that pages and these modules import each other in one direction only)."""

from bridge.web.pages.bare import THEME_COOKIE as THEME_COOKIE
from bridge.web.pages.bare import chosen_theme as chosen_theme
from bridge.web.pages.bare import render_bare as render_bare
