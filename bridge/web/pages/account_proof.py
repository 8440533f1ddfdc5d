"""`/account/prove`: show once more that it is you, then go on to what you wanted to change (product.md 2.7)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError
from bridge.domain.second_factors import WrongFactor
from bridge.domain.sign_in import WrongCredentials
from bridge.flows.fresh_proof import prove_by_code, prove_by_login, prove_by_password, ways_to_prove
from bridge.web.current import current_client
from bridge.web.pages.account_frame import AccountVisit, enter_account, show_account
from bridge.web.pages.forms import error_note, typed
from bridge.web.pages.views import AccountProvePage, Field
from bridge.web.return_path import HOME, go, safe_path
from bridge.web.statuses import status_of

_WRONG: dict[type[DomainError | None], str] = {
    WrongCredentials: "The password is wrong.",
    WrongFactor: "That isn’t right, or was used already.",
}

blueprint = Blueprint("account_proof", __name__, url_prefix="/account/prove")


@blueprint.get("")
def ask() -> Response:
    """The password once more; or to sign in again."""
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
    password, client = request.form.get("password"), current_client()
    if "code" in request.form:
        prove_by_code(visit.context, visit.session, typed("code"), client, visit.now)
    elif password is not None:
        prove_by_password(visit.context, visit.session, password, client, visit.now)
    else:
        prove_by_login(visit.context, visit.session, visit.now)


def _return_to() -> str:
    asked = safe_path(request.values.get("return_to"))
    return url_for("account.index") if asked == HOME else asked


def _page(visit: AccountVisit, error: DomainError | None = None) -> Response:
    ways, return_to = ways_to_prove(visit.context, visit.session, visit.now), _return_to()
    wrong = _WRONG.get(type(error))
    shown = None
    if ways.by_code:
        shown = Field("code", "The six digits that your app shows", error=wrong, autocomplete="one-time-code")
    elif ways.by_password:
        shown = Field("password", "Password", kind="password", error=wrong, autocomplete="current-password")
    page = AccountProvePage(
        action=url_for("account_proof.prove"),
        email=visit.session.user.email,
        hidden=(("return_to", return_to),),
        shown=shown,
        by_login=ways.by_login,
        sign_in_href=url_for("password.login", return_to=return_to),
        notice=None if wrong else error_note(error),
    )
    return show_account(visit, "account_prove.html", page, status=status_of(error) if error else 200)
