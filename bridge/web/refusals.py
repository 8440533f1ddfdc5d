"""A login that ends in a refusal: kept in the sign-in log, told with the reference it is kept under.

A view notes on `login_under_way` what it knows so far, so that the log names the connection and the email also
where the refusal itself doesn't.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from flask import Blueprint, Response, g, url_for

from bridge.domain.errors import Conflict, DomainError, NotFound, TooManyTries
from bridge.domain.identity import LoginKind
from bridge.domain.sign_in_refusals import SignInRefused
from bridge.flows.login_requests import name_of
from bridge.flows.sign_in import find_asked
from bridge.flows.sign_in_log import Asked, Refusal, Trail, log_refused
from bridge.web.current import current_client, current_context, current_time
from bridge.web.error_pages import domain_error
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import Link, RefusedPage
from bridge.web.return_path import go
from bridge.web.statuses import status_of

_LOGIN = "/login"


@dataclass(frozen=True, slots=True)
class Login:
    """What is known of the login under way. `again` is where it starts anew, by default at its connection; `asked`: the
    request that it answers.
    """

    kind: LoginKind
    connection_id: str | None = None
    email: str | None = None
    again: str | None = None
    trail: Trail = field(default_factory=Trail)
    asked: Asked | None = None


def note_login(**known: object) -> None:
    """Remember of the login under way what a refusal should name."""
    g.login = replace(login_under_way(), **known)  # type: ignore[arg-type]  # checked by replace itself


def login_under_way() -> Login:
    """What was noted so far."""
    if "login" not in g:
        g.login = Login("password", trail=Trail(_clock()))
    login: Login = g.login
    return login


def login_name() -> str:
    """What the login that is answered has among its browser's; empty where no request of ours is."""
    asked = login_under_way().asked
    return name_of(asked.browser_hash) if asked else ""


def trail() -> Trail:
    """What the login under way went through: its steps, and the decoded answer."""
    return login_under_way().trail


def note_answer(request_id: str | None, detail: str) -> None:
    """An IdP's answer has arrived. `request_id` is what it says that it answers, which nothing has proved yet: it finds
    for the log when that was asked, and that it was a test. Call it after `note_login(kind=…, connection_id=…)`.
    """
    login, asked = login_under_way(), None
    if request_id and login.connection_id and login.kind in ("saml", "oidc"):
        asked = find_asked(current_context(), login.kind, login.connection_id, request_id, current_time())
    if asked:
        login.trail.note("asked", at=asked.at)
    login.trail.note("received", detail)
    note_login(asked=asked)


def _beginning(login: Login) -> str:
    if login.again or login.connection_id is None or login.kind not in ("saml", "oidc"):
        return login.again or _LOGIN
    return url_for(f"{login.kind}.login", connection=login.connection_id)


def _clock() -> Callable[[], datetime]:
    """The request's moment, and what it has taken since."""
    now, began = current_time(), time.monotonic()
    return lambda: now + timedelta(seconds=time.monotonic() - began)


def install(blueprint: Blueprint) -> None:
    """Tell refusals of this blueprint's views as refused logins."""
    blueprint.register_error_handler(DomainError, refuse)


def refuse(error: DomainError) -> Response:
    """The page of a refused login. What isn't about the login (no such connection) is told plainly."""
    if isinstance(error, NotFound | TooManyTries):
        return domain_error(error)
    title = error.title if isinstance(error, SignInRefused) else SignInRefused.title
    status = status_of(error) if isinstance(error, SignInRefused | Conflict) else 403
    return refused_page(error.code, title, error.text, status)


def refused_page(
    code: str, title: str, text: str, status: int, *, logged: str | None = None, check: str = ""
) -> Response:
    """Keep the attempt and say its reference; of a test, go to its result. `logged` is the text for the admin, where
    it differs; `check` the rule that refused.
    """
    login = login_under_way()
    refusal = Refusal(
        login.kind, code, logged or text, login.email, login.connection_id, check, login.trail, login.asked
    )
    kept = log_refused(current_context(), refusal, current_client(), current_time())
    if kept.result:
        return go(url_for("connection_test.result", handle=kept.result))
    beginning = _beginning(login)
    again = Link("Start again", beginning, primary=True)
    others = () if beginning == _LOGIN else (Link("Sign in another way", "/login?way=password"),)
    page = RefusedPage(
        title,
        text,
        (again, *others),
        reference=kept.ref,
        reference_href=url_for("sign_in_log.find", ref=kept.ref),
    )
    return render_bare("refused.html", page, status)
