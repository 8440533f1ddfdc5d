"""`/login`: the email first, then what its domain asks for (product.md 2.4), or the password.

Until a password is right, nothing that is shown depends on whether the account exists.
"""

from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import TooManyTries
from bridge.domain.people import find_email
from bridge.domain.second_factors import FactorNeeded
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.link_account import find_proof
from bridge.flows.password_login import Credentials, Way, sign_in_with_password, ways_of
from bridge.flows.sign_in_log import Refusal, log_refused
from bridge.web import refusals
from bridge.web.cookies import browser_secret, keep_known, keep_session, known_note, session_secret
from bridge.web.current import current_client, current_context, current_session, current_time
from bridge.web.factor_step import ask_factor
from bridge.web.headers import let_forms_lead_elsewhere
from bridge.web.pages.bare import render_bare
from bridge.web.pages.views import Field, LoginPage, Note, SignInWay
from bridge.web.refusals import note_login, trail
from bridge.web.return_path import HOME, go, safe_path

blueprint = Blueprint("password", __name__)
refusals.install(blueprint)

_LONGEST = 2000
_SIGNED_OUT = Note(
    "warn",
    "You have been signed out",
    "Your session ended, or your company or a Workspace Owner closed the way you came in.",
)
_UNLINKED = Note("ok", "Twilio doesn’t open your account any more", "Sign in with what you have left.")


@dataclass(frozen=True, slots=True)
class _Asked:
    """What came with the request. `way` "password" asks for the password whatever the domain; `prove` names a
    pending proof.
    """

    email: str
    password: str | None
    return_to: str
    way: str
    prove: str

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What the next form carries on."""
        kept = (("return_to", self.return_to), ("way", self.way), ("prove", self.prove))
        return tuple((name, value) for name, value in kept if value and value != HOME)


def _asked() -> _Asked:
    given = request.args if request.method == "GET" else request.form
    return _Asked(
        email=given.get("email", "").strip()[:_LONGEST],
        password=request.form.get("password"),
        return_to=safe_path(given.get("return_to") or request.args.get("return_to")),
        way="password" if given.get("way") == "password" else "",
        prove=given.get("prove", "")[:_LONGEST],
    )


@blueprint.get("/login")
def login() -> Response:
    """Ask for the email; for the password, where it is known who has to prove an account."""
    asked = _asked()
    if asked.prove:
        proof = find_proof(current_context(), asked.prove, browser_secret() or "", current_time())
        return _password_page(asked, proof.account_email)
    if request.args.get("done") == "unlinked":
        return _email_page(asked, notice=_UNLINKED)
    return _email_page(asked, notice=_SIGNED_OUT if _lost_session() else None)


def _lost_session() -> bool:
    """Whether the browser brings a session that opens nothing any more; who signed out has none to bring."""
    return session_secret() is not None and current_session() is None


@blueprint.post("/login")
def enter() -> Response:
    """The email, or the email and the password."""
    asked = _asked()
    if asked.password is not None:
        return _check_password(asked, asked.password)
    email = find_email(asked.email)
    if email is None:
        return _email_page(asked, error="Write it as name@company.example.", status=422)
    ways = () if asked.way == "password" else ways_of(current_context(), email)
    if len(ways) == 1:
        return go(_sso_href(ways[0], asked))
    return _choice_page(asked, email, ways) if ways else _password_page(asked, email)


def _check_password(asked: _Asked, password: str) -> Response:
    context = current_context()
    note_login(kind="password", email=asked.email)
    proving = (asked.prove, browser_secret() or "") if asked.prove else None
    credentials = Credentials(asked.email, password, proving, known_note())
    try:
        told = sign_in_with_password(context, credentials, current_client(), current_time(), old=session_secret())
    except FactorNeeded as needed:
        return ask_factor(needed, asked.return_to, asked.prove)
    except WrongCredentials as error:
        return _wrong_password(asked, error)
    except TooManyTries as error:
        return _wait(asked, error)
    response = go(safe_path(told.return_to or asked.return_to))
    keep_session(response, told.cookie, context.session_lifetime)
    keep_known(response, told.known)
    return response


def _wrong_password(asked: _Asked, error: WrongCredentials) -> Response:
    trail().note("typed")
    refusal = Refusal("password", error.code, error.text, find_email(asked.email), trail=trail())
    log_refused(current_context(), refusal, current_client(), current_time())
    linked = " Is your account linked to Twilio? Then log in with Twilio." if _twilio_href(asked) else ""
    return _password_page(asked, asked.email, error=f"{error.text}{linked}", status=403)


def _wait(asked: _Asked, error: TooManyTries) -> Response:
    response = _password_page(asked, asked.email, notice=Note("warn", error.text, urgent=True), status=429)
    response.headers["Retry-After"] = str(error.retry_after)
    return response


def _email_page(asked: _Asked, *, error: str | None = None, notice: Note | None = None, status: int = 200) -> Response:
    page = LoginPage(
        action=url_for("password.enter"),
        email=Field("email", "Email", asked.email[:320], kind="email", error=error, autocomplete="username"),
        notice=notice,
        hidden=asked.hidden,
        twilio_href=_twilio_href(asked),
        passkey_href=None if asked.prove else _passkey_href(asked),
        password_href=None if asked.way else _back(replace(asked, way="password")),
    )
    let_forms_lead_elsewhere()  # the answer may be the way to the company's IdP
    return render_bare("login.html", page, status)


def _passkey_href(asked: _Asked) -> str:
    return url_for("passkey.ask", return_to=None if asked.return_to == HOME else asked.return_to)


def _password_page(
    asked: _Asked, email: str, *, error: str | None = None, notice: Note | None = None, status: int = 200
) -> Response:
    field = Field("password", "Password", kind="password", error=error, autocomplete="current-password")
    page = LoginPage(
        action=url_for("password.enter"),
        known_email=email[:320],
        change_href=_back(asked),
        password=field,
        forgotten_href=url_for("password_reset.ask", email=email[:320]),
        notice=notice,
        hidden=asked.hidden,
        twilio_href=_twilio_href(asked),
    )
    return render_bare("login.html", page, status)


def _choice_page(asked: _Asked, email: str, ways: tuple[Way, ...]) -> Response:
    shown = tuple(
        SignInWay("sso", f"Continue with {way.name}", "Your company signs you in", _sso_href(way, asked))
        for way in ways
    )
    change = _back(asked)
    page = LoginPage(
        action=url_for("password.enter"),
        known_email=email,
        change_href=change,
        ways=shown,
        twilio_href=_twilio_href(asked),
        password_href=_back(replace(asked, way="password")),
    )
    return render_bare("login.html", page)


def _twilio_href(asked: _Asked) -> str | None:
    if current_context().twilio is None or asked.prove:
        return None
    return url_for("twilio.login", return_to=None if asked.return_to == HOME else asked.return_to)


def _back(asked: _Asked) -> str:
    carried = urlencode(asked.hidden)
    return url_for("password.login") + (f"?{carried}" if carried else "")


def _sso_href(way: Way, asked: _Asked) -> str:
    return_to = None if asked.return_to == HOME else asked.return_to
    hint = asked.email if way.kind == "oidc" else None
    return url_for(f"{way.kind}.login", connection=way.connection_id, return_to=return_to, login_hint=hint)
