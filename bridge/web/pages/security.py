"""`/w/<slug>/security`: what opens the workspace; Require SSO, and who is exempt from it.

The other switches are in `security_switches`, the codes in `break_glass`.
"""

from dataclasses import replace
from uuid import UUID

from flask import Blueprint, Response

from bridge.domain.errors import DomainError, NotFound
from bridge.domain.members import ByWay
from bridge.domain.previews import Moved, RequireSso, Side
from bridge.domain.roles import has_sso
from bridge.domain.sentences import counted
from bridge.flows.break_glass import (
    NamedOwner,
    list_named_owners,
)
from bridge.flows.preview import preview
from bridge.flows.require_factor import look_out_for_factors
from bridge.flows.require_sso import (
    Outlook,
    end_exemption,
    exempt_member,
    look_out,
    require_sso,
    stop_requiring_sso,
)
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.preview_parts import asked_panel, moved_note, read_seen, unseen_note
from bridge.web.pages.security_parts import ask_at_security
from bridge.web.pages.views import (
    ConfirmPage,
    Consequence,
    ExemptRow,
    FactorCard,
    Field,
    GlassRow,
    Link,
    Note,
    Post,
    SecurityPage,
    Status,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

#: So many of whom it keeps out are named.
_NAMED = 10

blueprint = Blueprint("security", __name__, url_prefix="/w/<slug>")


# -- The page ----------------------------------------------------------------------------------------


@blueprint.get("/security")
def index(slug: str) -> Response:
    """Who comes in past the identity provider."""
    visit = enter_as_owner(slug)
    return show(visit, "security.html", security_page(visit))


def security_page(visit: Visit, error: DomainError | None = None) -> SecurityPage:
    """What the page shows; `error`: why nobody was exempted."""
    outlook = look_out(visit.context, visit.session, visit.slug, visit.now)
    return SecurityPage(
        status=Status("ok", "On") if outlook.required else Status("off", "Off"),
        says=_says(visit, outlook),
        came=outlook.by_way.came,
        pushed=outlook.by_way.pushed,
        kept_out=outlook.by_way.neither,
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
    to = visit.url("security_switches.ask_about_factor")
    return FactorCard(
        status=Status("ok", "On") if found.required else Status("off", "Off"),
        count=found.without,
        without=tuple((one.name, one.email) for one in found.people),
        mail_says="Refused" if found.mailed_codes_refused else "Taken, at the address of the account",
        mail_action=visit.url("security_switches.switch_mailed_codes"),
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
        return Link("Leave it open unused…", visit.url("security_switches.ask_to_unflag"))
    return Link("Close it when unused…", visit.url("security_switches.ask_to_flag"))


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
        return visit.url(f"break_glass.{step}", member=owner.membership_id)

    note = None if owner.has_login else "has no password: a code alone opens nothing"
    row = GlassRow(owner.name, owner.email, owner.codes, note=note)
    if not owner.codes:
        return replace(row, make=Post("Make five new codes", to("make"), f"for {owner.name}"))
    return replace(row, replace=Link("Replace…", to("ask_to_make")), revoke=Link("Revoke…", to("ask_to_revoke")))


# -- Require SSO -------------------------------------------------------------------------------------


@blueprint.get("/security/require-sso")
def ask_to_require(slug: str) -> Response:
    """Who is locked out by it, now."""
    return _ask_to_require(enter_as_owner(slug))


def _ask_to_require(visit: Visit, note: Note | None = None) -> Response:
    outlook = look_out(visit.context, visit.session, visit.slug, visit.now)
    if outlook.required:
        return go(visit.url("security.index"))
    foreseen = preview(visit.context, visit.slug, RequireSso(), visit.now)

    def way(side: Side, after: str) -> str:
        return visit.url("security.ask_to_require", side=side, after=after)

    page = ConfirmPage(
        title="Require SSO?",
        text=f"From the next request on, only single sign-on opens {visit.workspace.name}.",
        crumbs=(Link("Security", visit.url("security.index")),),
        action=visit.url("security.require"),
        button="Require SSO",
        consequences=_requiring(visit, outlook),
        cancel_href=visit.url("security.index"),
        keep="Leave it off",
        hidden=(("seen", foreseen.seen.render()),),
        panel=asked_panel(
            visit,
            RequireSso(),
            foreseen,
            way,
            visit.url("security.ask_to_require"),
            keeps=_ways_in(outlook.by_way),
        ),
    )
    return show(visit, "confirm.html", page, notices=(note,) if note else ())


def _requiring(visit: Visit, outlook: Outlook) -> tuple[Consequence, ...]:
    named, kept_out = ", ".join(one.name for one in outlook.people[:_NAMED]), outlook.by_way.neither
    more = f" and {kept_out - _NAMED} more" if kept_out > _NAMED else ""
    locked = f"{counted(kept_out, 'member')} can’t come in until their IdP knows them: {named}{more}"
    owners = list_named_owners(visit.context, visit.slug, visit.now)
    codes = sum(owner.codes for owner in owners if owner.has_login)
    return (
        *(Consequence("keep", text) for text in _ways_in(outlook.by_way)),
        *([Consequence("lose", locked)] if kept_out else []),
        Consequence("keep", "API and SCIM tokens work as before"),
        _for_that_day(codes),
    )


def _ways_in(found: ByWay) -> tuple[str, ...]:
    """Why those who go on coming in do, a line each."""
    ways = (
        (found.came, "came by single sign-on before"),
        (found.pushed, "never did, but an IdP by which others came pushes them, and lets them in"),
        (found.exempt, "may come in without it"),
    )
    return tuple(f"{counted(count, 'member')} {text}" for count, text in ways if count)


def _for_that_day(codes: int) -> Consequence:
    if not codes:
        text = "There is no break-glass code: on the day single sign-on is broken, nobody gets in. Make some first"
        return Consequence("lose", text)
    return Consequence("remember", f"For the day it is broken, {counted(codes, 'break-glass code')}")


@blueprint.post("/security/require-sso")
def require(slug: str) -> Response:
    """Switch it on, if that still keeps out who was shown."""
    visit, seen = enter_as_owner(slug), read_seen()
    if seen is None:
        return _ask_to_require(visit, unseen_note())
    try:
        require_sso(visit.context, visit.session, visit.slug, visit.now, seen=seen)
    except Moved as moved:
        return _ask_to_require(visit, moved_note(moved))
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
        return show(visit, "security.html", security_page(visit, error), status=status_of(error))
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
    action = visit.url("security.unexempt", member=found.membership_id)
    return ask_at_security(visit, f"End the exemption of {found.name}?", action, "End it", lines)


@blueprint.post("/security/exemptions/<uuid:member>/end")
def unexempt(slug: str, member: UUID) -> Response:
    """Have them come by SSO again."""
    visit = enter_as_owner(slug)
    end_exemption(visit.context, visit.actor, visit.slug, str(member), visit.now)
    return go(visit.url("security.index"))
