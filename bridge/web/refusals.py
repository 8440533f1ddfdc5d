"""A login that ends in a refusal: kept in the sign-in log, told with the reference it is kept under.

A view notes on `login_under_way` what it knows so far, so that the log names the connection and the email also
where the refusal itself doesn't.
"""

from dataclasses import dataclass, replace

from flask import Blueprint, Response, g

from bridge.domain.errors import Conflict, DomainError, NotFound, TooManyTries
from bridge.domain.identity import LoginKind
from bridge.domain.sign_in import SignInRefused
from bridge.flows.sign_in_log import Refusal, log_refused
from bridge.web.current import current_client, current_context, current_time
from bridge.web.error_pages import domain_error
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import Link, RefusedPage
from bridge.web.statuses import status_of


@dataclass(frozen=True, slots=True)
class Login:
    """What is known of the login under way. `again` is where it starts anew."""

    kind: LoginKind
    connection_id: str | None = None
    email: str | None = None
    again: str = "/login"
    steps: tuple[str, ...] = ()


def note_login(**known: object) -> None:
    """Remember of the login under way what a refusal should name."""
    g.login = replace(login_under_way(), **known)  # type: ignore[arg-type]  # checked by replace itself


def login_under_way() -> Login:
    """What was noted so far."""
    login: Login = g.get("login") or Login("password")
    return login


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


def refused_page(code: str, title: str, text: str, status: int, *, logged: str | None = None) -> Response:
    """Keep the attempt and say its reference. `logged` is the text for the admin, where it differs."""
    login = login_under_way()
    refusal = Refusal(login.kind, code, logged or text, login.email, login.connection_id, login.steps)
    reference = log_refused(current_context(), refusal, current_client(), current_time())
    again = Link("Start again", login.again, primary=True)
    others = () if login.again == "/login" else (Link("Sign in another way", "/login?way=password"),)
    return render_bare("refused.html", RefusedPage(title, text, (again, *others), reference=reference), status)
