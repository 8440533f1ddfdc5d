"""The pages of one's own account, under `/account`: who may open them, and what surrounds them.

They open only to a session that may change the account (product.md 2.7). A blueprint that calls `install` sends
whoever has to prove again that it is them to `/account/prove`, and back to the page that they were on.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, abort, make_response, render_template, request, url_for

from bridge.domain.errors import DomainError
from bridge.flows.context import Context
from bridge.flows.fresh_proof import FreshProofNeeded, require_fresh
from bridge.flows.sessions import CurrentSession
from bridge.web.current import current_context, current_session, current_time
from bridge.web.pages.bare import chosen_theme, render_bare
from bridge.web.pages.frame import products_of, sign_in_href
from bridge.web.pages.views import AccountFrame, Link, Note, RefusedPage, Tab
from bridge.web.return_path import go

#: The pages of an account: their words, their endpoints, and the families that are entered by them.
_TABS = (
    ("Account", "account.index", ("account", "account_close", "account_email", "account_twilio")),
    ("Second factors", "account_factors.index", ("account_factors",)),
    ("Sessions", "account_sessions.index", ("account_sessions",)),
)


@dataclass(frozen=True, slots=True)
class AccountVisit:
    """Somebody at their own account."""

    context: Context
    session: CurrentSession
    now: datetime

    @property
    def actor(self) -> str:
        """How the audit trail names them."""
        return f"user:{self.session.user.id}"

    def require_fresh(self) -> None:
        """Raises FreshProofNeeded, where the last proof is more than ten minutes old."""
        require_fresh(self.session, self.now)


def enter_account() -> AccountVisit:
    """The visit under way. Signed out, one is sent to sign in; another company's login is told that it isn't enough."""
    session = current_session()
    if session is None:
        abort(go(sign_in_href()))
    if not session.may_change_account:
        abort(_not_by_this_way(session))
    return AccountVisit(current_context(), session, current_time())


def _not_by_this_way(session: CurrentSession) -> Response:
    page = RefusedPage(
        title="Sign in another way for your account",
        text=f"The account {session.user.email} is yours, not your company’s: its settings open when you signed in "
        "with your own password, or by a company that has proved the domain of your address.",
        actions=(
            Link("Sign in with your password", url_for("password.login", way="password", return_to=request.path), True),
            Link("Go to the workspaces", url_for("workspaces.choose")),
        ),
        kicker="Not open yet",
    )
    return render_bare("refused.html", page, 403)


def show_account(
    visit: AccountVisit, template: str, page: Any, *, status: int = 200, notices: tuple[Note, ...] = ()
) -> Response:
    """A page of the account, filled with its value of `views`."""
    user = visit.session.user
    tabs = tuple(Tab(text, url_for(name), current=request.blueprint in own) for text, name, own in _TABS)
    frame = AccountFrame(
        name=user.name,
        email=user.email,
        tabs=tabs,
        back_href=url_for("workspaces.choose"),
        sign_out_action=url_for("session.leave"),
        theme=chosen_theme(),
        notices=notices,
        products=products_of(visit.context, visit.session),
    )
    return make_response(render_template(template, page=page, frame=frame, now=visit.now), status)


def install(blueprint: Blueprint) -> None:
    """Have views of this blueprint ask for a fresh proof where one is needed."""
    blueprint.register_error_handler(FreshProofNeeded, ask_for_proof)


def ask_for_proof(_: DomainError) -> Response:
    """To `/account/prove`, and back to this address, which has a page as well where it was posted to."""
    return go(url_for("account_proof.ask", return_to=request.path))
