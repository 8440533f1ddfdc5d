"""Our cookies: random secrets that scripts can't read and that other sites' forms don't bring along (SameSite=Lax).

Over https their names begin with `__Host-`, so that no neighbour under the same domain can put one of its own into a
browser (RFC 6265bis 4.1.3.2), such as the session of somebody else.

- `bridge_session`  the session
- `bridge_browser`  tells the browser that was sent on to prove something from one that was handed the address
- `bridge_login_…`  one for each login under way: tells the browser that began it, and where it wanted to go
- `bridge_factor`   a password was right in this browser, and the second factor is to be shown
- `bridge_known`    the password of an account was right in this browser: whose, only we can tell
- `bridge_left`     somebody who had come by Twilio signed out here a moment ago
- `bridge_csrf`     Flask's own signed cookie, which holds the secret of our forms
"""

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import timedelta

from flask import Flask, Request, Response, current_app, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface

from bridge.flows.login_requests import REQUEST_LASTS, Keepsake

SESSION = "bridge_session"
BROWSER = "bridge_browser"
WORKSPACE = "bridge_workspace"
FACTOR = "bridge_factor"
KNOWN = "bridge_known"
LEFT = "bridge_left"
CSRF = "bridge_csrf"
_LOGIN = "bridge_login_"
_BROWSER_LASTS = timedelta(days=30)
_LEFT_LASTS = timedelta(minutes=10)
_LONGEST = 200
#: Cookies of logins under way, and characters of them. A browser keeps at least 50 for a site (RFC 6265 6.1); all of
#: these share one header, of which servers in front of us take 8 KiB.
_MOST_LOGINS, _MOST_OF_LOGINS = 40, 6_000


class FormSecrets(SecureCookieSessionInterface):
    """Flask's signed cookie, for which nothing is made ready where a request brings none, as those of programs."""

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession | None:
        """What the cookie holds."""
        brings_cookies = "HTTP_COOKIE" in request.environ  # to read them takes longer, and programs bring none
        brings_ours = brings_cookies and app.config["SESSION_COOKIE_NAME"] in request.cookies
        return super().open_session(app, request) if brings_ours else self.session_class()


def session_secret() -> str | None:
    """The session that the browser says it has."""
    return _read(SESSION)


def browser_secret() -> str | None:
    """What tells this browser from others, if it was here before."""
    return _read(BROWSER)


def login_begun(name: str) -> Keepsake | None:
    """What this browser kept of the login of this name (`Keepsake.name`); nothing of it is believed yet."""
    secret, separator, path = request.cookies.get(_named(_LOGIN + name), "").partition(".")
    try:
        return Keepsake(secret, urlsafe_b64decode(path).decode()) if separator else None
    except ValueError:
        return None


def factor_secret() -> str | None:
    """Which login waits for its second factor."""
    return _read(FACTOR)


def known_note() -> str | None:
    """What the browser keeps of a password that was right in it."""
    return _read(KNOWN)


def _read(name: str) -> str | None:
    value = request.cookies.get(_named(name))
    return value if value and len(value) <= _LONGEST else None


def keep_session(response: Response, secret: str, lifetime: timedelta) -> None:
    """Sign the browser in."""
    _keep(response, _named(SESSION), secret, lifetime)


def keep_known(response: Response, note: str | None) -> None:
    """Remember that a password was right in this browser."""
    if note is not None:
        _keep(response, _named(KNOWN), note, _BROWSER_LASTS)


def keep_browser(response: Response, secret: str) -> None:
    """Know the browser again."""
    _keep(response, _named(BROWSER), secret, _BROWSER_LASTS)


def keep_login(response: Response, keepsake: Keepsake) -> None:
    """Know one login again when it comes back. Past the limit, those that were begun first are given up."""
    path = urlsafe_b64encode(keepsake.return_to.encode()).decode()
    name, value = _named(_LOGIN + keepsake.name), f"{keepsake.secret}.{path}"
    for older in _logins_beyond(len(name) + len(value)):
        _drop(response, older)
    _keep(response, name, value, REQUEST_LASTS)


def _logins_beyond(length: int) -> list[str]:
    """The logins under way that would be too many beside one more. Browsers name the oldest first (RFC 6265 5.4)."""
    ours = _named(_LOGIN)
    sizes = {name: len(name) + len(value) for name, value in request.cookies.items() if name.startswith(ours)}
    many, size, beyond = len(sizes), sum(sizes.values()), []
    for name, its in sizes.items():
        if many < _MOST_LOGINS and size + length <= _MOST_OF_LOGINS:
            break
        beyond.append(name)
        many, size = many - 1, size - its
    return beyond


def drop_login(response: Response, name: str) -> None:
    """It is over."""
    if _named(_LOGIN + name) in request.cookies:
        _drop(response, _named(_LOGIN + name))


def keep_factor(response: Response, secret: str, lifetime: timedelta) -> None:
    """Remember which login waits for its second factor."""
    _keep(response, _named(FACTOR), secret, lifetime)


def drop_factor(response: Response) -> None:
    """It waits no longer."""
    _drop(response, _named(FACTOR))


def has_left_twilio() -> bool:
    """Whether somebody signed out here a moment ago who had come by Twilio."""
    return _read(LEFT) == "twilio"


def keep_left_twilio(response: Response) -> None:
    """They did; until then other companies' sign-ins may be told."""
    _keep(response, _named(LEFT), "twilio", _LEFT_LASTS)


def last_workspace() -> str | None:
    """The slug of the workspace that this browser was in last, if it says so: a wish, which opens nothing."""
    return _read(WORKSPACE)


def keep_workspace(response: Response, slug: str) -> None:
    """Where to lead whoever comes next without saying where to."""
    if last_workspace() != slug:
        _keep(response, _named(WORKSPACE), slug, _BROWSER_LASTS)


def drop_workspace(response: Response) -> None:
    """The next time, somebody says where to."""
    _drop(response, _named(WORKSPACE))


def drop_session(response: Response) -> None:
    """Sign the browser out."""
    _drop(response, _named(SESSION))


def _keep(response: Response, name: str, secret: str, lifetime: timedelta) -> None:
    seconds = int(lifetime.total_seconds())
    response.set_cookie(name, secret, max_age=seconds, path="/", secure=_secure(), httponly=True, samesite="Lax")


def _drop(response: Response, name: str) -> None:
    response.delete_cookie(name, path="/", secure=_secure(), httponly=True, samesite="Lax")


def named(name: str, *, secure: bool) -> str:
    """What one of ours is called in a browser."""
    return f"__Host-{name}" if secure else name


def _named(name: str) -> str:
    return named(name, secure=_secure())


def _secure() -> bool:
    return bool(current_app.config["SESSION_COOKIE_SECURE"])
