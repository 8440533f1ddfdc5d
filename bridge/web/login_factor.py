"""`/login/factor`: the second factor, between a right password and the session (product.md 2.8).

Which login waits is said by a cookie of its own, that only the browser has in which the password was right.
"""

from dataclasses import dataclass
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import TooManyTries
from bridge.domain.identity import Factor
from bridge.domain.second_factors import Answer, LoginStepGone, WrongFactor
from bridge.flows.passkeys import LONGEST_ANSWER
from bridge.flows.password_login import finish_with_factor
from bridge.flows.second_factors import AskedFactor, ask_passkey, find_step_of, mail_code
from bridge.flows.sign_in_log import Refusal, log_refused
from bridge.web import refusals
from bridge.web.cookies import (
    browser_secret,
    drop_factor,
    factor_secret,
    keep_known,
    keep_session,
    session_secret,
)
from bridge.web.current import current_client, current_context, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import typed
from bridge.web.pages.views import FactorPage, Field, Link, MailPost, Note
from bridge.web.refusals import note_login, trail
from bridge.web.return_path import HOME, go, safe_path

blueprint = Blueprint("factor", __name__)
refusals.install(blueprint)

_LONGEST = 2000


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came with the request: by what the factor is shown, and what the login was for."""

    by: Factor | None
    return_to: str
    prove: str

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What the next form carries on."""
        kept = (("return_to", self.return_to), ("prove", self.prove))
        return tuple((name, value) for name, value in kept if value and value != HOME)

    def href(self, by: Factor | None = None) -> str:
        """This page, by another factor."""
        query = urlencode([*self.hidden, *([("by", by)] if by else [])])
        return url_for("factor.ask") + (f"?{query}" if query else "")


_BY: dict[str, Factor] = {
    "passkey": "passkey",
    "totp": "totp",
    "recovery_code": "recovery_code",
    "mailed_code": "mailed_code",
}


def _asked() -> _Asked:
    given = request.args if request.method == "GET" else request.form
    return _Asked(
        by=_BY.get(given.get("by", "")),
        return_to=safe_path(given.get("return_to")),
        prove=given.get("prove", "")[:_LONGEST],
    )


@blueprint.get("/login/factor")
def ask() -> Response:
    """Ask for the second factor."""
    asked = _asked()
    try:
        waiting = find_step_of(current_context(), factor_secret() or "", current_time())
    except LoginStepGone:
        return go(_login_href(asked))
    return _page(asked, waiting)


def _login_href(asked: _Asked) -> str:
    query = urlencode([("way", "password"), *asked.hidden])
    return f"{url_for('password.login')}?{query}"


@blueprint.post("/login/factor")
def show() -> Response:
    """The factor is shown: sign in."""
    asked, context, token = _asked(), current_context(), factor_secret() or ""
    note_login(kind="password", again=_login_href(asked))
    waiting = find_step_of(context, token, current_time())
    note_login(email=waiting.user.email)
    by = asked.by or _first_way(waiting)
    answer = Answer(by, typed("code", LONGEST_ANSWER))
    proving = (asked.prove, browser_secret() or "") if asked.prove else None
    try:
        told = finish_with_factor(
            context, token, answer, current_client(), current_time(), proving=proving, old=session_secret()
        )
    except WrongFactor as error:
        return _wrong(asked, waiting, error)
    except TooManyTries as error:
        return _wait(asked, waiting, error)
    response = go(safe_path(told.return_to or asked.return_to))
    keep_session(response, told.cookie, context.session_lifetime)
    keep_known(response, told.known)
    drop_factor(response)
    return response


def _wrong(asked: _Asked, waiting: AskedFactor, error: WrongFactor) -> Response:
    trail().note("typed", "The password was right.")
    refusal = Refusal("password", error.code, error.text, waiting.user.email, trail=trail())
    log_refused(current_context(), refusal, current_client(), current_time())
    return _page(asked, waiting, error=error.text, status=403)


def _wait(asked: _Asked, waiting: AskedFactor, error: TooManyTries) -> Response:
    response = _page(asked, waiting, notice=Note("warn", error.text, urgent=True), status=429)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


@blueprint.post("/login/factor/mail")
def mail() -> Response:
    """Mail a code."""
    asked = _asked()
    note_login(kind="password", again=_login_href(asked))
    mail_code(current_context(), factor_secret() or "", current_time())
    return go(f"{asked.href('mailed_code')}&sent=1")


def _mail_post(asked: _Asked, *, sent: bool) -> MailPost:
    return MailPost(url_for("factor.mail"), "Mail me another one" if sent else "Mail me a code", asked.hidden)


# -- The page ----------------------------------------------------------------------------------------

_TITLES: dict[str, str] = {
    "passkey": "Use your passkey",
    "totp": "Enter the code of your app",
    "recovery_code": "Use a recovery code",
    "mailed_code": "Use a code by mail",
}
_TEXTS: dict[str, str] = {
    "passkey": "Your browser asks for it: a fingerprint, a face, a PIN, or a touch of your security key.",
    "totp": "Open your authenticator app: it shows six digits, which change every 30 seconds.",
    "mailed_code": "We mail six digits to the address of your account. They are good for ten minutes, in this browser.",
    "recovery_code": "One of the ten that you stored. Each works once; dashes and capitals don’t matter.",
}
_LINKS: dict[Factor, str] = {
    "passkey": "Use a passkey",
    "totp": "Use your authenticator app",
    "recovery_code": "Use a recovery code",
    "mailed_code": "Get a code by mail",
}


def _ways(waiting: AskedFactor) -> tuple[Factor, ...]:
    """By what this account can show it, the usual one first."""
    ways: list[Factor] = ["passkey"] if waiting.has("passkey") else []
    if waiting.has("totp"):
        ways.append("totp")
    if waiting.recovery_codes:
        ways.append("recovery_code")
    if waiting.by_mail:
        ways.append("mailed_code")
    return tuple(ways)


def _first_way(waiting: AskedFactor) -> Factor:
    return next(iter(_ways(waiting)), "recovery_code")


def _page(
    asked: _Asked, waiting: AskedFactor, *, error: str | None = None, notice: Note | None = None, status: int = 200
) -> Response:
    by = asked.by or _first_way(waiting)
    label = "Recovery code" if by == "recovery_code" else "Six digits"
    code = Field("code", label, error=error, autocomplete="one-time-code")
    mail_first = by == "mailed_code" and request.method == "GET" and "sent" not in request.args
    refused = Note("bad", "That didn’t work", error, urgent=True) if error and by == "passkey" else None
    page = FactorPage(
        title=_TITLES[by],
        text=_TEXTS[by],
        email=waiting.user.email,
        action=url_for("factor.show"),
        field=None if by == "passkey" or mail_first else code,
        mail=_mail_post(asked, sent=not mail_first) if by == "mailed_code" else None,
        passkey=ask_passkey(current_context(), waiting.user, current_time()) if by == "passkey" else None,
        restart_href=_login_href(asked),
        others=tuple(Link(_LINKS[way], asked.href(way)) for way in _ways(waiting) if way != by),
        notice=notice or refused,
        hidden=(*asked.hidden, ("by", by)),
    )
    return render_bare("login_factor.html", page, status)
