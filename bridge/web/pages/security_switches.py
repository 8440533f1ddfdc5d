"""`/w/<slug>/security`: whether the workspace closes when it isn't used, and what it asks of who comes without SSO."""

from flask import Blueprint, Response

from bridge.domain.sentences import counted
from bridge.flows.hipaa import flag_hipaa
from bridge.flows.require_factor import FactorOutlook, look_out_for_factors, refuse_mailed_codes, require_factor
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.security_parts import ask_at_security
from bridge.web.pages.views import ConfirmPage, Consequence, Link
from bridge.web.return_path import go

blueprint = Blueprint("security_switches", __name__, url_prefix="/w/<slug>")


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
    return ask_at_security(visit, title, visit.url(f"security_switches.{step}"), button, consequences)


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
        action=visit.url("security_switches.switch_factor"),
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
