"""`/w/<slug>/security`: Require SSO, who is exempt, and break-glass codes. `/w/<slug>/break-glass`: using one."""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response, url_for

from bridge.domain.errors import DomainError, NotFound, TooManyTries
from bridge.domain.roles import has_sso
from bridge.domain.sentences import counted
from bridge.domain.sign_in import LoginTooOld, WrongCode
from bridge.flows.break_glass import (
    NamedOwner,
    get_named_owner,
    list_named_owners,
    login_is_fresh,
    make_codes,
    may_use_code,
    open_by_code,
    revoke_codes,
)
from bridge.flows.hipaa import flag_hipaa
from bridge.flows.require_factor import FactorOutlook, look_out_for_factors, refuse_mailed_codes, require_factor
from bridge.flows.require_sso import Outlook, end_exemption, exempt_member, look_out, require_sso, stop_requiring_sso
from bridge.flows.sessions import CurrentSession
from bridge.web.current import current_client, current_context, current_session, current_time
from bridge.web.pages.bare import render_bare
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, enter_as_owner, show, sign_in_href
from bridge.web.pages.views import (
    BreakGlassPage,
    ConfirmPage,
    Consequence,
    ExemptRow,
    FactorCard,
    Field,
    GlassRow,
    Link,
    NewGlassCodes,
    Note,
    Post,
    SecurityPage,
    Status,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("security", __name__, url_prefix="/w/<slug>")


# -- The page ----------------------------------------------------------------------------------------


@blueprint.get("/security")
def index(slug: str) -> Response:
    """Who comes in past the identity provider."""
    visit = enter_as_owner(slug)
    return show(visit, "security.html", _page(visit))


def _page(visit: Visit, error: DomainError | None = None) -> SecurityPage:
    outlook = look_out(visit.context, visit.session, visit.slug, visit.now)
    return SecurityPage(
        status=Status("ok", "On") if outlook.required else Status("off", "Off"),
        says=_says(visit, outlook),
        came=outlook.came,
        never=outlook.never,
        without=tuple((one.name, one.email) for one in outlook.people),
        exempt=_exempt_rows(visit, outlook),
        exempt_field=_exempt_field(error),
        exempt_action=visit.url("security.exempt"),
        owners=_owner_rows(visit),
        uses_href=visit.url("sign_in_log.index", outcome="break_glass"),
        hipaa=Status("ok", "On") if visit.workspace.hipaa else Status("off", "Off"),
        hipaa_switch=_hipaa_switch(visit),
        switch=_switch(visit, outlook),
        switch_note=_switch_note(visit, outlook),
        factor=_factor_card(visit),
    )


def _factor_card(visit: Visit) -> FactorCard:
    found = look_out_for_factors(visit.context, visit.slug)
    to = visit.url("security.ask_about_factor")
    return FactorCard(
        status=Status("ok", "On") if found.required else Status("off", "Off"),
        count=found.without,
        without=tuple((one.name, one.email) for one in found.people),
        mail_says="Refused" if found.mailed_codes_refused else "Taken, at the address of the account",
        mail_action=visit.url("security.switch_mailed_codes"),
        mail_button="Take codes by mail" if found.mailed_codes_refused else "Refuse codes by mail",
        mail_refuse="" if found.mailed_codes_refused else "yes",
        switch=Link("Stop asking…" if found.required else "Ask for it…", to),
    )


def _says(visit: Visit, outlook: Outlook) -> str:
    if outlook.required and not has_sso(visit.workspace.plan):
        return (
            f"The {visit.workspace.plan} plan has no single sign-on, so only owners named by hand come in. Off, people "
            "come in by their own login."
        )
    if outlook.required:
        return (
            "People come in by single sign-on alone. It stays so when a connection is switched off, deleted or loses "
            "its certificate. API and SCIM tokens aren’t bound by it."
        )
    return "People may come in by single sign-on and by their own login. On, only single sign-on opens this workspace."


def _switch(visit: Visit, outlook: Outlook) -> Link | None:
    if outlook.required:
        return Link("Switch it off…", visit.url("security.ask_to_stop"))
    may = outlook.session_came and has_sso(visit.workspace.plan)
    return Link("Switch it on…", visit.url("security.ask_to_require"), primary=True) if may else None


def _switch_note(visit: Visit, outlook: Outlook) -> Note | None:
    if not has_sso(visit.workspace.plan):
        text = (
            f"{visit.workspace.name} is on the {visit.workspace.plan} plan. Whoever runs this bridge can change that."
        )
        return Note("warn", "Single sign-on needs the business plan", text)
    if outlook.required or outlook.session_came:
        return None
    text = "Only an owner whose present session came by single sign-on can switch it on: so it is sure that it opens."
    return Note("info", "Sign in by single sign-on to switch it on", text)


def _hipaa_switch(visit: Visit) -> Link:
    if visit.workspace.hipaa:
        return Link("Leave it open unused…", visit.url("security.ask_to_unflag"))
    return Link("Close it when unused…", visit.url("security.ask_to_flag"))


def _exempt_rows(visit: Visit, outlook: Outlook) -> tuple[ExemptRow, ...]:
    counts, idle = Status("ok", "Counts"), Status("warn", "No second factor: doesn’t count")
    return tuple(
        ExemptRow(
            one.name,
            one.email,
            counts if one.counts else idle,
            Link("End…", visit.url("security.ask_to_unexempt", member=one.membership_id)),
        )
        for one in outlook.exempt
    )


def _exempt_field(error: DomainError | None) -> Field:
    text = "The exemption ends with the membership, or with the last second factor."
    wrong = error.text if error else None
    return Field("email", "Email of a member", typed("email") if error else "", "email", text, wrong)


def _owner_rows(visit: Visit) -> tuple[GlassRow, ...]:
    return tuple(_owner_row(visit, owner) for owner in list_named_owners(visit.context, visit.slug, visit.now))


def _owner_row(visit: Visit, owner: NamedOwner) -> GlassRow:
    def to(step: str) -> str:
        return visit.url(f"security.{step}", member=owner.membership_id)

    note = None if owner.has_login else "has no password: a code alone opens nothing"
    row = GlassRow(owner.name, owner.email, owner.codes, note=note)
    if not owner.codes:
        return replace(row, make=Post("Make five new codes", to("make"), f"for {owner.name}"))
    return replace(row, replace=Link("Replace…", to("ask_to_make")), revoke=Link("Revoke…", to("ask_to_revoke")))


# -- Require SSO -------------------------------------------------------------------------------------


@blueprint.get("/security/require-sso")
def ask_to_require(slug: str) -> Response:
    """Who is locked out by it, now."""
    visit = enter_as_owner(slug)
    outlook = look_out(visit.context, visit.session, visit.slug, visit.now)
    page = ConfirmPage(
        title="Require SSO?",
        text=f"From the next request on, only single sign-on opens {visit.workspace.name}.",
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url("security.require"),
        button="Require SSO",
        consequences=_requiring(visit, outlook),
        cancel_href=visit.url("security.index"),
        keep="Leave it off",
    )
    return show(visit, "confirm.html", page)


def _requiring(visit: Visit, outlook: Outlook) -> tuple[Consequence, ...]:
    named = ", ".join(one.name for one in outlook.people[:10])
    more = f" and {outlook.never - 10} more" if outlook.never > 10 else ""
    locked = f"{counted(outlook.never, 'member')} never came by it, and can’t come in until they do: {named}{more}"
    owners = list_named_owners(visit.context, visit.slug, visit.now)
    codes = sum(owner.codes for owner in owners if owner.has_login)
    return (
        Consequence("keep", f"{counted(outlook.came, 'member')} came by single sign-on before"),
        *([Consequence("lose", locked)] if outlook.never else []),
        *([Consequence("keep", f"{counted(len(outlook.exempt), 'member')} exempt")] if outlook.exempt else []),
        Consequence("keep", "API and SCIM tokens work as before"),
        _for_that_day(codes),
    )


def _for_that_day(codes: int) -> Consequence:
    if not codes:
        text = "There is no break-glass code: on the day single sign-on is broken, nobody gets in. Make some first"
        return Consequence("lose", text)
    return Consequence("remember", f"For the day it is broken, {counted(codes, 'break-glass code')}")


@blueprint.post("/security/require-sso")
def require(slug: str) -> Response:
    """Switch it on."""
    visit = enter_as_owner(slug)
    require_sso(visit.context, visit.session, visit.slug, visit.now)
    return go(visit.url("security.index"))


@blueprint.get("/security/stop-requiring-sso")
def ask_to_stop(slug: str) -> Response:
    """Who comes in again."""
    visit = enter_as_owner(slug)
    page = ConfirmPage(
        title="Stop requiring SSO?",
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url("security.stop"),
        button="Stop requiring SSO",
        consequences=(
            Consequence("gain", "Members come in by their own login, too: whoever has their password"),
            Consequence("keep", "Single sign-on works as before"),
        ),
        cancel_href=visit.url("security.index"),
        keep="Leave it on",
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/security/stop-requiring-sso")
def stop(slug: str) -> Response:
    """Switch it off."""
    visit = enter_as_owner(slug)
    stop_requiring_sso(visit.context, visit.actor, visit.slug, visit.now)
    return go(visit.url("security.index"))


@blueprint.post("/security/exemptions")
def exempt(slug: str) -> Response:
    """Let a member in without SSO."""
    visit = enter_as_owner(slug)
    try:
        exempt_member(visit.context, visit.actor, visit.slug, typed("email"), visit.now)
    except DomainError as error:
        return show(visit, "security.html", _page(visit, error), status=status_of(error))
    return go(visit.url("security.index"))


@blueprint.get("/security/exemptions/<uuid:member>/end")
def ask_to_unexempt(slug: str, member: UUID) -> Response:
    """What ending an exemption takes."""
    visit = enter_as_owner(slug)
    outlook = look_out(visit.context, visit.session, visit.slug, visit.now)
    found = next((one for one in outlook.exempt if one.membership_id == str(member)), None)
    if found is None:
        raise NotFound("There is no such exemption. It may have been ended already.")
    takes = f"From the next request on, {found.name} comes in by single sign-on alone"
    lines = (
        Consequence("lose" if outlook.required else "keep", takes if outlook.required else f"{takes}, once required"),
        Consequence("remember", "An owner can exempt them again, as long as they have a second factor"),
    )
    return _ask(visit, f"End the exemption of {found.name}?", "unexempt", found.membership_id, "End it", lines)


def _ask(
    visit: Visit, title: str, step: str, member: str, button: str, consequences: tuple[Consequence, ...]
) -> Response:
    page = ConfirmPage(
        title=title,
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url(f"security.{step}", member=member),
        button=button,
        consequences=consequences,
        cancel_href=visit.url("security.index"),
        keep="Leave it as it is",
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/security/exemptions/<uuid:member>/end")
def unexempt(slug: str, member: UUID) -> Response:
    """Have them come by SSO again."""
    visit = enter_as_owner(slug)
    end_exemption(visit.context, visit.actor, visit.slug, str(member), visit.now)
    return go(visit.url("security.index"))


# -- HIPAA -------------------------------------------------------------------------------------------


@blueprint.get("/security/hipaa")
def ask_to_flag(slug: str) -> Response:
    """What closing unused means."""
    lines = (
        Consequence("lose", "A session that isn’t used for 15 minutes opens this workspace only after a new sign-in"),
        Consequence("keep", "What the same session opens elsewhere, and API and SCIM tokens"),
        Consequence("remember", "An identity provider may sign in without asking, unless its connection wants it anew"),
    )
    return _ask_to_switch(enter_as_owner(slug), "Close it when unused?", "flag", "Close it when unused", lines)


@blueprint.post("/security/hipaa")
def flag(slug: str) -> Response:
    """Flag the workspace."""
    visit = enter_as_owner(slug)
    flag_hipaa(visit.context, visit.actor, visit.slug, True, visit.now)
    return go(visit.url("security.index"))


@blueprint.get("/security/hipaa/stop")
def ask_to_unflag(slug: str) -> Response:
    """What no longer closes."""
    lines = (
        Consequence("lose", "An unattended browser keeps this workspace open, for up to seven days"),
        Consequence("keep", "Everything else that Security asks for"),
    )
    return _ask_to_switch(enter_as_owner(slug), "Leave it open unused?", "unflag", "Leave it open", lines)


def _ask_to_switch(visit: Visit, title: str, step: str, button: str, consequences: tuple[Consequence, ...]) -> Response:
    page = ConfirmPage(
        title=title,
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url(f"security.{step}"),
        button=button,
        consequences=consequences,
        cancel_href=visit.url("security.index"),
        keep="Leave it as it is",
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/security/hipaa/stop")
def unflag(slug: str) -> Response:
    """Flag it no longer."""
    visit = enter_as_owner(slug)
    flag_hipaa(visit.context, visit.actor, visit.slug, False, visit.now)
    return go(visit.url("security.index"))


# -- A second factor ---------------------------------------------------------------------------------


@blueprint.get("/security/second-factor")
def ask_about_factor(slug: str) -> Response:
    """Who has to set one up; or what is open again."""
    visit = enter_as_owner(slug)
    found = look_out_for_factors(visit.context, visit.slug)
    page = ConfirmPage(
        title="Stop asking for a second factor?" if found.required else "Ask for a second factor?",
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url("security.switch_factor"),
        button="Stop asking" if found.required else "Ask for a second factor",
        consequences=_factor_off() if found.required else _factor_on(found),
        hidden=(("required", "" if found.required else "yes"),),
        cancel_href=visit.url("security.index"),
        keep="Leave it as it is",
    )
    return show(visit, "confirm.html", page)


def _factor_off() -> tuple[Consequence, ...]:
    return (
        Consequence("gain", "Members come in with a password alone, unless they have a second factor"),
        Consequence("keep", "Who has a second factor is still asked for it"),
    )


def _factor_on(found: FactorOutlook) -> tuple[Consequence, ...]:
    named = ", ".join(one.name for one in found.people[:10])
    more = f" and {found.without - 10} more" if found.without > 10 else ""
    asked = f"{counted(found.without, 'member')} must set one up before they come in again: {named}{more}"
    return (
        *([Consequence("lose", asked)] if found.without else []),
        Consequence("keep", "Who comes by single sign-on isn’t asked: that is your identity provider’s to do"),
        Consequence("keep", "API and SCIM tokens work as before"),
    )


@blueprint.post("/security/second-factor")
def switch_factor(slug: str) -> Response:
    """Turn the switch."""
    visit = enter_as_owner(slug)
    require_factor(visit.context, visit.actor, visit.slug, typed("required") == "yes", visit.now)
    return go(visit.url("security.index"))


@blueprint.post("/security/mailed-codes")
def switch_mailed_codes(slug: str) -> Response:
    """Whether a code by mail will do."""
    visit = enter_as_owner(slug)
    refuse_mailed_codes(visit.context, visit.actor, visit.slug, typed("refuse") == "yes", visit.now)
    return go(visit.url("security.index"))


# -- Break-glass codes -------------------------------------------------------------------------------


@blueprint.get("/security/codes/<uuid:member>")
def ask_to_make(slug: str, member: UUID) -> Response:
    """What becomes of the codes that an owner has, before there are new ones."""
    visit = enter_as_owner(slug)
    owner = get_named_owner(visit.context, visit.slug, str(member), visit.now)
    lines = (
        Consequence("lose", f"{_codes_of(owner)} no longer: also those that lie in a safe"),
        Consequence("gain", "Five new ones, shown once, on the next page"),
        Consequence("remember", "Every owner gets mail"),
    )
    return _ask(visit, f"Replace the codes of {owner.name}?", "make", owner.membership_id, "Make five new codes", lines)


def _codes_of(owner: NamedOwner) -> str:
    return f"{counted(owner.codes, 'code')} of {owner.name} {'opens' if owner.codes == 1 else 'open'}"


@blueprint.get("/security/codes/<uuid:member>/revoke")
def ask_to_revoke(slug: str, member: UUID) -> Response:
    """What forgetting an owner's codes takes."""
    visit = enter_as_owner(slug)
    owner = get_named_owner(visit.context, visit.slug, str(member), visit.now)
    lines = (
        Consequence("lose", f"{_codes_of(owner)} no longer"),
        Consequence("lose", "What others of their codes opened closes with the next request"),
        Consequence("remember", "New ones can be made at any time"),
    )
    return _ask(visit, f"Revoke the codes of {owner.name}?", "revoke", owner.membership_id, "Revoke them", lines)


@blueprint.post("/security/codes/<uuid:member>")
def make(slug: str, member: UUID) -> Response:
    """New codes for an owner, shown this once."""
    visit = enter_as_owner(slug)
    made = make_codes(visit.context, visit.actor, visit.slug, str(member), visit.now)
    new = NewGlassCodes(made.owner.name, made.codes, visit.url("security.index"))
    response = show(visit, "security.html", replace(_page(visit), new=new))
    response.headers["Cache-Control"] = "no-store"
    return response


@blueprint.post("/security/codes/<uuid:member>/revoke")
def revoke(slug: str, member: UUID) -> Response:
    """Forget an owner's codes, and close what others opened."""
    visit = enter_as_owner(slug)
    revoke_codes(visit.context, visit.actor, visit.slug, str(member), visit.now)
    return go(visit.url("security.index"))


@blueprint.get("/break-glass")
def break_glass(slug: str) -> Response:
    """Ask an owner for a code."""
    session = current_session()
    if session is None:
        return go(sign_in_href())
    if session.find_workspace(slug) is not None:
        return go(url_for("workspaces.home", slug=slug))
    return _code_page(slug, session)


@blueprint.post("/break-glass")
def use_code(slug: str) -> Response:
    """Open the workspace by a code."""
    session = current_session()
    if session is None:
        return go(sign_in_href())
    if session.find_workspace(slug) is None:
        try:
            open_by_code(current_context(), session, slug, typed("code"), current_client(), current_time())
        except (WrongCode, LoginTooOld) as error:
            return _code_page(slug, session, error=error.text, status=403)
        except TooManyTries as error:
            response = _code_page(slug, session, notice=Note("warn", error.text, urgent=True), status=429)
            response.headers["Retry-After"] = str(error.retry_after)
            return response
    return go(url_for("workspaces.home", slug=slug))


def _code_page(
    slug: str, session: CurrentSession, *, error: str | None = None, notice: Note | None = None, status: int = 200
) -> Response:
    workspace = may_use_code(current_context(), session, slug, current_time())
    fresh, here = login_is_fresh(session, current_time()), url_for("security.break_glass", slug=slug)
    text = "Seventeen letters and digits; dashes and capitals don’t matter."
    page = BreakGlassPage(
        workspace=workspace.name,
        email=session.user.email,
        action=url_for("security.use_code", slug=slug),
        sign_in_href=url_for("password.login", way="password", return_to=here),
        cancel_href=url_for("workspaces.choose"),
        field=Field("code", "Break-glass code", help=text, error=error) if fresh else None,
        notice=notice,
    )
    return render_bare("break_glass.html", page, status)
