"""What every simulated site does at its door: strangers' pages stay out, and its own pages may do little."""

from collections.abc import Collection
from urllib.parse import urlsplit

from flask import Response, request

SAFE = ("GET", "HEAD", "OPTIONS")


def refuse_strangers(public_url: str, open_to_others: Collection[str]) -> tuple[str, int] | None:
    """The refusal of a foreign Host (DNS rebinding) and of a change that another site's page sends (CSRF), else None.

    Sites on other ports of one host count as one site to a browser's cookies, but not here: the origin has to be ours.
    `open_to_others` are the paths that take changes from anywhere.
    """
    own = urlsplit(public_url)
    if request.host not in {own.netloc, f"localhost:{own.port}", f"127.0.0.1:{own.port}"}:
        return "This address isn't served here.", 421
    if request.method in SAFE or request.path in open_to_others:
        return None
    came_from = request.headers.get("Sec-Fetch-Site", "none")
    origin = request.headers.get("Origin")
    if came_from not in ("same-origin", "none") or (origin is not None and urlsplit(origin).netloc != request.host):
        return "Changes are only taken from this site's own pages.", 403
    return None


def harden(response: Response, policy: str) -> Response:
    """Sets what browsers hold a page to; `policy` where the page has said nothing of its own."""
    headers = response.headers
    headers.setdefault("Content-Security-Policy", policy)
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "strict-origin-when-cross-origin"
    if not request.path.startswith("/static/"):
        headers.setdefault("Cache-Control", "no-store")
    return response


def content_policy(forms_go_to: str = "'self'") -> str:
    """The Content-Security-Policy: own files only, nothing inline; forms may go to `forms_go_to` (origins) only."""
    return (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        f"form-action {forms_go_to}; base-uri 'none'; frame-ancestors 'none'"
    )
