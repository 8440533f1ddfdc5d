"""`/account/prove`: show once more that it is you, then go on to what you wanted to change (product.md 2.7)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError
from bridge.domain.second_factors import WrongFactor
from bridge.domain.sign_in_refusals import WrongCredentials
from bridge.flows.fresh_proof import (
    SignInAnew,
    WaysToProve,
    prove_by_code,
    prove_by_passkey,
    prove_by_password,
    ways_to_prove,
)
from bridge.flows.passkeys import LONGEST_ANSWER
from bridge.flows.second_factors import ask_passkey
from bridge.web.cookies import known_note
from bridge.web.current import current_client
from bridge.web.pages.account_frame import AccountVisit, enter_account, show_account
from bridge.web.pages.forms import error_note, typed
from bridge.web.pages.views import AccountProvePage, Field, Link, Note
from bridge.web.return_path import HOME, go, safe_path
from bridge.web.statuses import status_of

_WRONG: dict[type[DomainError | None], str] = {
    WrongCredentials: "The password is wrong.",
    WrongFactor: "That isn’t right, or was used already.",
}

blueprint = Blueprint("account_proof", __name__, url_prefix="/account/prove")


@blueprint.get("")
def ask() -> Response:
    """The password or a factor once more; or to sign in again."""
    return _page(enter_account())


@blueprint.post("")
def prove() -> Response:
    """Is it them? Then on to where they came from."""
    visit = enter_account()
    try:
        _prove(visit)
    except DomainError as error:
        return _page(visit, error)
    return go(_return_to())


def _prove(visit: AccountVisit) -> None:
    client = current_client()
    if request.form.get("by") == "passkey":
        prove_by_passkey(visit.context, visit.session, typed("code", LONGEST_ANSWER), client, visit.now)
    elif "code" in request.form:
        prove_by_code(visit.context, visit.session, typed("code"), client, visit.now)
    else:
        password, known = request.form.get("password", ""), known_note()
        prove_by_password(visit.context, visit.session, password, client, visit.now, known=known)


def _return_to() -> str:
    asked = safe_path(request.values.get("return_to"))
    return url_for("account.index") if asked == HOME else asked


def _page(visit: AccountVisit, error: DomainError | None = None) -> Response:
    ways, return_to = ways_to_prove(visit.context, visit.session), _return_to()
    by_passkey = request.form.get("by") == "passkey"
    wrong = None if by_passkey else _WRONG.get(type(error))
    page = AccountProvePage(
        action=url_for("account_proof.prove"),
        email=visit.session.user.email,
        hidden=(("return_to", return_to),),
        shown=_field(ways, wrong),
        passkey=ask_passkey(visit.context, visit.session.user, visit.now) if ways.by_passkey else None,
        anew=tuple(_anew(one, return_to) for one in ways.anew),
        sign_in_href=url_for("password.login", way="password", return_to=return_to),
        notice=None if wrong else _notice(error),
    )
    return show_account(visit, "account_prove.html", page, status=status_of(error) if error else 200)


def _notice(error: DomainError | None) -> Note | None:
    if isinstance(error, WrongFactor):
        return Note("bad", "The passkey’s answer didn’t fit", "Try again, or another one.", urgent=True)
    return error_note(error)


def _field(ways: WaysToProve, wrong: str | None) -> Field | None:
    if ways.by_code:
        return Field("code", "The six digits that your app shows", error=wrong, autocomplete="one-time-code")
    if ways.by_password:
        return Field("password", "Password", kind="password", error=wrong, autocomplete="current-password")
    return None


def _anew(way: SignInAnew, return_to: str) -> Link:
    """There, whoever it is has to be asked."""
    text = f"Sign in again with {way.name}"
    return Link(text, url_for(f"{way.kind}.login", connection=way.connection_id, fresh=1, return_to=return_to))
