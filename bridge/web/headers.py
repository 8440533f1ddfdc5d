"""What every answer says to the browser: run nothing but our own files, keep nothing that is somebody's."""

from urllib.parse import urlsplit

from flask import Flask, Response, g, request

_POLICY = {
    "default-src": "'none'",
    "style-src": "'self'",
    "script-src": "'self'",
    "img-src": "'self' data:",
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
_STATIC = "static"


def install(app: Flask) -> None:
    """Put them on every answer of the app, error pages too."""
    app.after_request(_add)


def let_form_go_to(url: str) -> None:
    """Let a form of this answer lead to another site: an IdP's, when we send somebody there.

    Chromium holds `form-action` also against where a form's answer redirects to.
    """
    parts = urlsplit(url)
    g.form_action = f"{parts.scheme}://{parts.netloc}"


def _add(response: Response) -> Response:
    policy = _POLICY
    if "form_action" in g:
        policy = {**_POLICY, "form-action": f"'self' {g.form_action}"}
    response.headers["Content-Security-Policy"] = "; ".join(f"{name} {value}" for name, value in policy.items())
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != _STATIC and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
