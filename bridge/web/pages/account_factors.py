"""`/account/factors`: one's own second factors, and the recovery codes for when they are lost (product.md 2.8)."""

from dataclasses import replace
from typing import Any
from urllib.parse import quote, urlencode
from uuid import UUID

import segno
from flask import Blueprint, Response, request, url_for
from markupsafe import Markup

from bridge.domain.errors import DomainError, Invalid
from bridge.domain.second_factors import SecondFactor, WrongFactor
from bridge.domain.sentences import counted
from bridge.flows.account_factors import (
    Added,
    NewApp,
    OwnFactors,
    add_passkey,
    begin_app,
    begin_passkey,
    confirm_app,
    find_app,
    get_own,
    list_own,
    make_recovery_codes,
    remove,
    rename_factor,
)
from bridge.flows.passkeys import LONGEST_ANSWER
from bridge.web.current import current_client
from bridge.web.pages.account_frame import AccountVisit, enter_account, install, show_account
from bridge.web.pages.account_twilio import factors_at_twilio
from bridge.web.pages.forms import error_at, typed
from bridge.web.pages.views import (
    AccountConfirmPage,
    AccountFactorsPage,
    AccountFormPage,
    Consequence,
    FactorRow,
    Field,
    Link,
    NewAppPage,
    NewPasskeyPage,
    NewRecoveryCodesPage,
    Note,
)
from bridge.web.return_path import HOME, go, safe_path
from bridge.web.statuses import status_of

blueprint = Blueprint("account_factors", __name__, url_prefix="/account/factors")
install(blueprint)

_KINDS = {"totp": "Authenticator app", "passkey": "Passkey"}


def _return_to() -> str:
    return safe_path(request.values.get("return_to"))


def _hidden() -> tuple[tuple[str, str], ...]:
    return (("return_to", _return_to()),) if _return_to() != HOME else ()


def _href(endpoint: str, **values: Any) -> str:
    """An address of this family that remembers where one wanted to go."""
    query = urlencode(_hidden())
    return url_for(f"account_factors.{endpoint}", **values) + (f"?{query}" if query else "")


# -- What there is -----------------------------------------------------------------------------------


@blueprint.get("")
def index() -> Response:
    """What the account has."""
    visit = enter_account()
    own = list_own(visit.context, visit.session)
    rows = tuple(_row(one, changes=not own.at_twilio) for one in own.factors)
    add = (
        Link("Set up an authenticator app", _href("new_app"), primary=not rows),
        Link("Add a passkey", _href("new_passkey")),
    )
    page = AccountFactorsPage(
        email=visit.session.user.email,
        factors=rows,
        add=() if own.at_twilio else add,
        codes_left=own.recovery_codes if rows else None,
        new_codes_href=None if own.at_twilio else _href("ask_for_codes"),
        back=_back(own),
        read_only=factors_at_twilio(visit, any_here=bool(rows)) if own.at_twilio else None,
    )
    return show_account(visit, "account_factors.html", page)


def _row(one: SecondFactor, *, changes: bool) -> FactorRow:
    row = FactorRow(one.name, _KINDS[one.kind], one.created_at, one.used_at)
    if not changes:
        return row
    to_rename, to_remove = _href("ask_name", factor=one.id), _href("ask_to_remove", factor=one.id)
    return replace(row, rename_href=to_rename, remove_href=to_remove)


def _back(own: OwnFactors) -> Link:
    if not _hidden():
        return Link("Back to your workspaces", _return_to())
    if own.at_twilio:  # what a login there showed is asked anew: that of before knows of no second factor
        return Link("Log in with Twilio again, and continue", url_for("twilio.login", fresh=1, return_to=_return_to()))
    return Link("Continue", _return_to())


# -- An authenticator app ----------------------------------------------------------------------------


@blueprint.get("/app")
def new_app() -> Response:
    """A secret to scan, and the first code to type."""
    visit = enter_account()
    return _app_page(visit, begin_app(visit.context, visit.session, visit.now))


@blueprint.post("/app")
def add_app() -> Response:
    """The first code."""
    visit, token = enter_account(), typed("setup")
    try:
        added = confirm_app(
            visit.context, visit.session, token, typed("name"), typed("code"), current_client(), visit.now
        )
    except Invalid as error:
        return _app_page(visit, find_app(visit.context, visit.session, token, visit.now), error)
    return _after(visit, added)


def _app_page(visit: AccountVisit, app: NewApp, error: DomainError | None = None) -> Response:
    code = Field("code", "The six digits that it shows now", autocomplete="one-time-code")
    page = NewAppPage(
        qr=Markup(segno.make(app.address, error="m").svg_inline(scale=4, border=3, light="#fff")),  # noqa: S704  # of ours
        secret=" ".join(app.secret[start : start + 4] for start in range(0, len(app.secret), 4)),
        action=url_for("account_factors.add_app"),
        name=Field("name", "A name for it", typed("name") or "Authenticator app"),
        code=replace(code, error=error_at(error, "code")),
        cancel_href=_href("index"),
        hidden=(*_hidden(), ("setup", app.token)),
    )
    return show_account(visit, "account_factor_app.html", page, status=status_of(error) if error else 200)


def _after(visit: AccountVisit, added: Added) -> Response:
    return _codes_page(visit, added.recovery_codes) if added.recovery_codes else go(_href("index"))


# -- A passkey ---------------------------------------------------------------------------------------


@blueprint.get("/passkey")
def new_passkey() -> Response:
    """What the browser makes it from."""
    return _passkey_page(enter_account())


@blueprint.post("/passkey")
def keep_passkey() -> Response:
    """It was made."""
    visit = enter_account()
    try:
        answer = typed("code", LONGEST_ANSWER)
        added = add_passkey(visit.context, visit.session, typed("name"), answer, visit.now)
    except WrongFactor as error:
        return _passkey_page(visit, error)
    return _after(visit, added)


def _passkey_page(visit: AccountVisit, error: DomainError | None = None) -> Response:
    page = NewPasskeyPage(
        options=begin_passkey(visit.context, visit.session, visit.now),
        action=url_for("account_factors.keep_passkey"),
        name=Field("name", "A name for it", typed("name") or "Passkey", help="Which device keeps it, for example."),
        cancel_href=_href("index"),
        notice=Note("bad", "It wasn’t added", "The passkey’s answer didn’t fit. Try again.", urgent=True)
        if error
        else None,
        hidden=_hidden(),
    )
    return show_account(visit, "account_passkey.html", page, status=status_of(error) if error else 200)


# -- Called otherwise, and taken away ----------------------------------------------------------------


@blueprint.get("/<uuid:factor>/name")
def ask_name(factor: UUID) -> Response:
    """What it is to be called."""
    visit = enter_account()
    visit.require_fresh()
    return _name_page(visit, get_own(visit.context, visit.session, str(factor))[0])


@blueprint.post("/<uuid:factor>/name")
def keep_name(factor: UUID) -> Response:
    """Call it so."""
    visit = enter_account()
    try:
        rename_factor(visit.context, visit.session, str(factor), typed("name"), visit.now)
    except Invalid as error:
        return _name_page(visit, get_own(visit.context, visit.session, str(factor))[0], error)
    return go(_href("index"))


def _name_page(visit: AccountVisit, factor: SecondFactor, error: DomainError | None = None) -> Response:
    called = typed("name") if error else factor.name
    page = AccountFormPage(
        title=f"Rename {factor.name}",
        text="The name is for you: by it you know which one you lost, or use no more.",
        action=_href("keep_name", factor=factor.id),
        field=Field("name", "Name", called, error=error_at(error, "name"), autocomplete="off"),
        button="Rename it",
        cancel_href=_href("index"),
    )
    return show_account(visit, "account_form.html", page, status=status_of(error) if error else 200)


@blueprint.get("/<uuid:factor>/remove")
def ask_to_remove(factor: UUID) -> Response:
    """What taking it away means."""
    visit = enter_account()
    visit.require_fresh()
    found, last = get_own(visit.context, visit.session, str(factor))
    lines = [Consequence("lose", f"{found.name} signs you in no longer")]
    if found.kind == "passkey":
        lines.append(Consequence("lose", "Where it alone signed you in, you are signed out, but for this browser"))
    if last:
        lines += [
            Consequence("lose", "A password alone opens your account: this is your last second factor"),
            Consequence("lose", "Your recovery codes work no longer"),
            Consequence("lose", "Workspaces that ask for a second factor close; exemptions from single sign-on end"),
        ]
    lines.append(Consequence("remember", "You get mail about it"))
    page = AccountConfirmPage(
        title=f"Take away {found.name}?",
        action=_href("take_away", factor=found.id),
        button="Take it away",
        consequences=tuple(lines),
        cancel_href=_href("index"),
        hidden=(),
    )
    return show_account(visit, "account_confirm.html", page)


@blueprint.post("/<uuid:factor>/remove")
def take_away(factor: UUID) -> Response:
    """Take it away."""
    visit = enter_account()
    remove(visit.context, visit.session, str(factor), visit.now)
    return go(_href("index"))


# -- Recovery codes ----------------------------------------------------------------------------------


@blueprint.get("/recovery-codes")
def ask_for_codes() -> Response:
    """What becomes of the old ones."""
    visit = enter_account()
    visit.require_fresh()
    own = list_own(visit.context, visit.session)
    old = Consequence("lose", f"The {counted(own.recovery_codes, 'code')} that you have left work no longer")
    lines = (
        *([old] if own.recovery_codes else []),
        Consequence("gain", "Ten new ones, shown once, on the next page"),
        Consequence("remember", "You get mail about it"),
    )
    page = AccountConfirmPage(
        "Make new recovery codes?", _href("make_codes"), "Make ten new codes", (), lines, _href("index")
    )
    return show_account(visit, "account_confirm.html", page)


@blueprint.post("/recovery-codes")
def make_codes() -> Response:
    """Ten new ones."""
    visit = enter_account()
    return _codes_page(visit, make_recovery_codes(visit.context, visit.session, visit.now))


def _codes_page(visit: AccountVisit, codes: tuple[str, ...]) -> Response:
    site = request.host
    text = "\n".join((f"Recovery codes for {site}. Each signs you in once, after your password.", "", *codes, ""))
    done = Link("I stored them", _return_to() if _hidden() else _href("index"), primary=True)
    page = NewRecoveryCodesPage(codes, f"data:text/plain;charset=utf-8,{quote(text)}", done)
    return show_account(visit, "account_recovery_codes.html", page)
