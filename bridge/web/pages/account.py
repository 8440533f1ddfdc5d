"""`/account`: one's own account: name, password, and what opens it."""

from dataclasses import replace

from flask import Blueprint, Response, request, url_for

from bridge.domain.errors import DomainError
from bridge.domain.passwords import SHORTEST
from bridge.domain.sentences import counted
from bridge.domain.ways_in import LinkedIdentity, WaysIn
from bridge.flows.account_settings import Account, change_password, find_linked_identity, get_account, rename, unlink
from bridge.flows.fresh_proof import FreshProofNeeded
from bridge.web.current import current_context
from bridge.web.pages.account_frame import AccountVisit, ask_for_proof, enter_account, install, show_account
from bridge.web.pages.account_twilio import kept_at_twilio
from bridge.web.pages.forms import error_at, error_note
from bridge.web.pages.views import (
    AccountConfirmPage,
    AccountFormPage,
    AccountPage,
    AccountWay,
    Consequence,
    Field,
    Link,
    Note,
    Post,
    Status,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("account", __name__, url_prefix="/account")
install(blueprint)

_DONE = {
    "password": Note("ok", "Your password was changed", "Everywhere else you were signed in, you are signed out."),
    "name": Note("ok", "Your name was changed"),
    "mailed": Note("ok", "Look into your mail", "A link is on its way. It works once, for an hour."),
    "email": Note("ok", "Your email is confirmed"),
    "unlinked": Note("ok", "It doesn’t open your account any more"),
}
#: What the account had of its own while it is linked to Twilio (`flows.twilio.keeps_secrets_of`).
_WAITS = "Opens nothing until Twilio is unlinked"
_ONLY = "It is your only way in, so it stays linked"
NEW_PASSWORD_HELP = f"At least {SHORTEST} characters. A sentence is easier to remember than a riddle."


# -- The page ----------------------------------------------------------------------------------------


@blueprint.get("")
def index() -> Response:
    """Who one is here, and what opens the account."""
    return _page(enter_account())


@blueprint.post("/name")
def change_name() -> Response:
    """The name that others see."""
    visit = enter_account()
    try:
        rename(visit.context, visit.session, request.form.get("name", ""), visit.now)
    except DomainError as error:
        return _page(visit, error)
    return _done("name")


def _done(what: str) -> Response:
    return go(url_for("account.index", done=what))


def _page(visit: AccountVisit, error: DomainError | None = None) -> Response:
    account = get_account(visit.context, visit.session)
    user, at_twilio = account.user, account.ways.twilio
    typed = request.form.get("name", "")[:500] if error else user.name
    page = AccountPage(
        email=user.email,
        email_status=Status("ok", "Confirmed") if user.email_proved else Status("warn", "Not confirmed"),
        name=Field("name", "Name", typed, error=error_at(error, "name"), autocomplete="name"),
        name_action=url_for("account.change_name"),
        close_href=url_for("account_close.ask"),
        read_only=kept_at_twilio(visit) if at_twilio else None,
        email_link=None if at_twilio else Link("Change…", url_for("account_email.ask")),
        confirm_email=None if at_twilio or user.email_proved else _confirm_email(),
        ways=(*_own_ways(account), *(_linked(one, account.ways) for one in account.ways.identities)),
        notice=error_note(error, "name"),
    )
    done = _DONE.get(request.args.get("done", ""))
    notices = (done,) if done and not error else ()
    return show_account(visit, "account.html", page, status=status_of(error) if error else 200, notices=notices)


def _confirm_email() -> Post:
    return Post("Mail me a link to confirm it", url_for("account_email.send_confirmation"))


def _own_ways(account: Account) -> tuple[AccountWay, ...]:
    ways, own = account.ways, []
    if not ways.twilio:
        text = "Change…" if ways.password else "Choose one…"
        state = "You sign in with your email and it" if ways.password else "None yet"
        own.append(AccountWay("key", "Password", state, Link(text, url_for("account.ask_password"))))
    else:
        if ways.password:
            own.append(AccountWay("key", "Password", _WAITS))
        own.append(_twilio(ways))
    if not ways.twilio and current_context().twilio is not None:
        href = url_for("twilio.login", return_to=url_for("account.index"))
        own.append(AccountWay("enter", "Twilio", "Not linked", Link("Link…", href)))
    if ways.passkeys:
        look = Link("Look after…", url_for("account_factors.index"))
        state = counted(ways.passkeys, "passkey")
        own.append(AccountWay("lock", "Passkeys", f"{state}. {_WAITS}" if ways.twilio else state, look))
    return tuple(own)


def _twilio(ways: WaysIn) -> AccountWay:
    if not replace(ways, twilio=False).work:
        return AccountWay("enter", "Twilio", f"You sign in at Twilio. {_ONLY}")
    return AccountWay("enter", "Twilio", "You sign in at Twilio", Link("Unlink…", url_for("account_twilio.ask")))


def _linked(one: LinkedIdentity, ways: WaysIn) -> AccountWay:
    state = f"Signs you in to {one.workspace}, as {one.subject}"
    if not one.works:
        state = f"Signed you in to {one.workspace}, as {one.subject}; it doesn’t at the moment"
    href = url_for("account.ask_to_unlink", connection=one.connection_id, subject=one.subject)
    loose = ways.remain_without(one.connection_id, one.subject)
    if not loose:
        return AccountWay("building", one.connection, f"{state}. {_ONLY}", None, one.linked_at)
    return AccountWay("building", one.connection, state, Link("Unlink…", href), one.linked_at)


# -- The password ------------------------------------------------------------------------------------


@blueprint.get("/password")
def ask_password() -> Response:
    """A new password."""
    visit = enter_account()
    visit.require_fresh()
    return _password_form(visit)


@blueprint.post("/password")
def set_password() -> Response:
    """From now on it is this one."""
    visit = enter_account()
    try:
        change_password(visit.context, visit.session, request.form.get("password", ""), visit.now)
    except FreshProofNeeded as error:
        return ask_for_proof(error)
    except DomainError as error:
        return _password_form(visit, error)
    return _done("password")


def _password_form(visit: AccountVisit, error: DomainError | None = None) -> Response:
    has_one = get_account(visit.context, visit.session).ways.password
    password = Field(
        "password",
        "New password",
        kind="password",
        help=NEW_PASSWORD_HELP,
        error=error_at(error, "password"),
        autocomplete="new-password",
    )
    page = AccountFormPage(
        title="Change your password" if has_one else "Choose a password",
        text="Everywhere else you are signed in, you will be signed out.",
        action=url_for("account.set_password"),
        email=visit.session.user.email,
        field=password,
        button="Change the password" if has_one else "Set the password",
        cancel_href=url_for("account.index"),
        notice=error_note(error, "password"),
    )
    return show_account(visit, "account_form.html", page, status=status_of(error) if error else 200)


# -- Unlinking ---------------------------------------------------------------------------------------


@blueprint.get("/unlink")
def ask_to_unlink() -> Response:
    """What unlinking an identity means."""
    visit = enter_account()
    visit.require_fresh()
    ways = get_account(visit.context, visit.session).ways
    return _confirm(visit, find_linked_identity(ways, *_named()))


@blueprint.post("/unlink")
def end_link() -> Response:
    """It doesn't open the account any more."""
    visit = enter_account()
    unlink(visit.context, visit.session, *_named(), visit.now)
    return _done("unlinked")


def _named() -> tuple[str, str]:
    return request.values.get("connection", ""), request.values.get("subject", "")


def _confirm(visit: AccountVisit, one: LinkedIdentity) -> Response:
    page = AccountConfirmPage(
        title=f"Unlink {one.connection}?",
        action=url_for("account.end_link"),
        button="Unlink it",
        hidden=(("connection", one.connection_id), ("subject", one.subject)),
        consequences=(
            Consequence("lose", f"{one.connection} doesn’t sign you in as {visit.session.user.email} any more"),
            Consequence("lose", "Where you came in by it, you are signed out"),
            Consequence("keep", f"You stay a member of {one.workspace}"),
            Consequence("remember", f"Signing in by {one.connection} again may ask you to prove your account"),
        ),
        cancel_href=url_for("account.index"),
    )
    return show_account(visit, "account_confirm.html", page)
