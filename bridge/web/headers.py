"""What every answer says to the browser: run nothing but our own files, keep nothing that is somebody's."""

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
_SAID = "; ".join(f"{name} {value}" for name, value in _POLICY.items())
_SAID_WHERE_FORMS_LEAD_ELSEWHERE = _SAID.replace("form-action 'self'", "form-action 'self' https: http:")
_STATIC = "static"


def install(app: Flask) -> None:
    """Put them on every answer of the app, error pages too."""
    app.after_request(_add)


def let_forms_lead_elsewhere() -> None:
    """Let the forms of this page end at other sites: at IdPs, on pages that hold nothing secret.

    Chromium holds `form-action` also against where the answer redirects to, however often, and no list could name
    each company's IdP.
    """
    g.forms_lead_elsewhere = True


def _add(response: Response) -> Response:
    elsewhere = "forms_lead_elsewhere" in g
    response.headers["Content-Security-Policy"] = _SAID_WHERE_FORMS_LEAD_ELSEWHERE if elsewhere else _SAID
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Referrer-Policy"] = "same-origin"
    if request.endpoint != _STATIC and "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    return response
