"""`/account/prove`: show once more that it is you, then go on to what you wanted to change (product.md 2.7)."""

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError
from bridge.domain.sign_in import WrongCredentials
from bridge.flows.fresh_proof import prove_by_login, prove_by_password, ways_to_prove
from bridge.web.current import current_client
from bridge.web.pages.account_frame import AccountVisit, enter_account, show_account
from bridge.web.pages.forms import error_note
from bridge.web.pages.views import AccountProvePage, Field
from bridge.web.return_path import HOME, go, safe_path
from bridge.web.statuses import status_of

blueprint = Blueprint("account_proof", __name__, url_prefix="/account/prove")


@blueprint.get("")
def ask() -> Response:
    """The password once more; or to sign in again."""
    return _page(enter_account())


@blueprint.post("")
def prove() -> Response:
    """Is it them? Then on to where they came from."""
    visit = enter_account()
    password = request.form.get("password")
    try:
        if password is None:
            prove_by_login(visit.context, visit.session, visit.now)
        else:
            prove_by_password(visit.context, visit.session, password, current_client(), visit.now)
    except DomainError as error:
        return _page(visit, error)
    return go(_return_to())


def _return_to() -> str:
    asked = safe_path(request.values.get("return_to"))
    return url_for("account.index") if asked == HOME else asked


def _page(visit: AccountVisit, error: DomainError | None = None) -> Response:
    ways, return_to = ways_to_prove(visit.context, visit.session, visit.now), _return_to()
    wrong = "The password is wrong." if isinstance(error, WrongCredentials) else None
    password = Field("password", "Password", kind="password", error=wrong, autocomplete="current-password")
    page = AccountProvePage(
        action=url_for("account_proof.prove"),
        email=visit.session.user.email,
        hidden=(("return_to", return_to),),
        password=password if ways.by_password else None,
        by_login=ways.by_login,
        sign_in_href=url_for("password.login", return_to=return_to),
        notice=None if wrong else error_note(error),
    )
    return show_account(visit, "account_prove.html", page, status=status_of(error) if error else 200)
