"""Our cookies: random secrets that scripts can't read and that other sites' forms don't bring along (SameSite=Lax).

- `bridge_session`  the session
- `bridge_browser`  tells the browser that began a login from one that was handed its end
- `bridge_factor`   a password was right in this browser, and the second factor is to be shown
- `bridge_csrf`     Flask's own signed cookie, which holds the secret of our forms
"""

from datetime import timedelta

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

SESSION = "bridge_session"
BROWSER = "bridge_browser"
WORKSPACE = "bridge_workspace"
FACTOR = "bridge_factor"
CSRF = "bridge_csrf"
_BROWSER_LASTS = timedelta(days=30)
_LONGEST = 200


class FormSecrets(SecureCookieSessionInterface):
    """Flask's signed cookie, for which nothing is made ready where a request brings none, as those of programs."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie holds."""
        brings_cookies = "HTTP_COOKIE" in request.environ  # to read them takes longer, and programs bring none
        brings_ours = brings_cookies and CSRF in request.cookies
        return super().open_session(app, request) if brings_ours else self.session_class()


def session_secret() -> str | None:
    """The session that the browser says it has."""
    return _read(SESSION)


def browser_secret() -> str | None:
    """What tells this browser from others, if it was here before."""
    return _read(BROWSER)


def factor_secret() -> str | None:
    """Which login waits for its second factor."""
    return _read(FACTOR)


def _read(name: str) -> str | None:
    value = request.cookies.get(name)
    return value if value and len(value) <= _LONGEST else None


def keep_session(response: Response, secret: str, lifetime: timedelta) -> None:
    """Sign the browser in."""
    _keep(response, SESSION, secret, lifetime)


def keep_browser(response: Response, secret: str) -> None:
    """Know the browser again."""
    _keep(response, BROWSER, secret, _BROWSER_LASTS)


def keep_factor(response: Response, secret: str, lifetime: timedelta) -> None:
    """Remember which login waits for its second factor."""
    _keep(response, FACTOR, secret, lifetime)


def drop_factor(response: Response) -> None:
    """It waits no longer."""
    response.delete_cookie(FACTOR, path="/", secure=_secure(), httponly=True, samesite="Lax")


def last_workspace() -> str | None:
    """The slug of the workspace that this browser was in last, if it says so: a wish, which opens nothing."""
    return _read(WORKSPACE)


def keep_workspace(response: Response, slug: str) -> None:
    """Where to lead whoever comes next without saying where to."""
    if last_workspace() != slug:
        _keep(response, WORKSPACE, slug, _BROWSER_LASTS)


def drop_session(response: Response) -> None:
    """Sign the browser out."""
    response.delete_cookie(SESSION, path="/", secure=_secure(), httponly=True, samesite="Lax")


def _keep(response: Response, name: str, secret: str, lifetime: timedelta) -> None:
    seconds = int(lifetime.total_seconds())
    response.set_cookie(name, secret, max_age=seconds, path="/", secure=_secure(), httponly=True, samesite="Lax")


def _secure() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])
