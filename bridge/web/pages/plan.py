"""`/w/<slug>/plan`: what the workspace's plan leaves out, and by which path; what another plan would move. For owners.

Only the operator sets a plan, by a command (product.md 1.6), so no page here changes it.
"""

from flask import Blueprint, Response

from bridge.domain.previews import SetPlan, Side
from bridge.domain.roles import MINIMAL, PLANS, ROLES, has_sso, in_plan
from bridge.domain.sentences import counted, listed
from bridge.flows.plan_outlook import LeftOut, look_at_other_plan, look_at_plan
from bridge.flows.preview import preview
from bridge.web.pages.forms import asked_key
from bridge.web.pages.frame import Visit, enter_as_owner, show
from bridge.web.pages.held_grants import held_row
from bridge.web.pages.preview_parts import asked_panel
from bridge.web.pages.views import Consequence, Fact, Link, OtherPlanPage, PlanPage
from bridge.web.return_path import go

blueprint = Blueprint("plan", __name__, url_prefix="/w/<slug>/plan")


@blueprint.get("")
def index(slug: str) -> Response:
    """What is there and gives nothing now."""
    visit, after = enter_as_owner(slug), asked_key("after")
    found, plan = look_at_plan(visit.context, visit.slug, visit.now, after=after), visit.workspace.plan
    minimal = found.left_out.roles.get(MINIMAL, 0)
    page = PlanPage(
        title=f"The {plan} plan",
        says=_says(visit),
        facts=_facts(plan),
        others=tuple(
            Link(f"What the {one} plan would change", visit.url("plan.other", plan=one)) for one in PLANS if one != plan
        ),
        left_out=_lines(found.left_out),
        rows=tuple(held_row(visit, one) for one in found.grants),
        first_href=visit.url("plan.index") if after else None,
        next_href=visit.url("plan.index", after=found.after) if found.after else None,
        unlisted=f"{counted(minimal, 'grant')} of {MINIMAL.name} not listed: all that gives is to see the workspace."
        if minimal
        else "",
    )
    return show(visit, "plan.html", page)


def _says(visit: Visit) -> str:
    name = visit.workspace.name
    return f"{name} is on it. Whoever runs this bridge sets the plan; nothing is removed when it becomes a smaller one."


def _facts(plan: str) -> tuple[Fact, ...]:
    included = [role.name for role in ROLES if in_plan(role, plan)]
    return (
        Fact("Roles", "all of them" if len(included) == len(ROLES) else listed(included)),
        Fact("Sign-in by SSO", "included" if has_sso(plan) else "refused"),
        Fact("SCIM", "included" if has_sso(plan) else "refused"),
    )


def _lines(left_out: LeftOut) -> tuple[Consequence, ...]:
    return tuple(Consequence("lose", _capital(text)) for text in left_out.sentences())


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


@blueprint.get("/<plan>")
def other(slug: str, plan: str) -> Response:
    """Who would gain and who would lose by another plan, and what else comes or goes."""
    visit = enter_as_owner(slug)
    if plan == visit.workspace.plan:
        return go(visit.url("plan.index"))
    then = look_at_other_plan(visit.context, visit.slug, plan, visit.now)
    now = look_at_plan(visit.context, visit.slug, visit.now).left_out
    proposal = SetPlan(plan)
    found = preview(visit.context, visit.slug, proposal, visit.now)

    def way(side: Side, after: str) -> str:
        return visit.url("plan.other", plan=plan, side=side, after=after)

    page = OtherPlanPage(
        title=f"If {visit.workspace.name} were on the {plan} plan",
        says="Nothing is changed here. What a plan leaves out is kept, and counts again on a larger one.",
        crumbs=(Link("Plan", visit.url("plan.index")),),
        consequences=_between(now, then),
        panel=asked_panel(visit, proposal, found, way, visit.url("plan.other", plan=plan), title="Who that moves"),
        command=f"bridge workspace set-plan {visit.slug} {plan}",
    )
    return show(visit, "plan_other.html", page)


def _between(now: LeftOut, then: LeftOut) -> tuple[Consequence, ...]:
    """What would be left out, and what no longer."""
    gone = set(then.sentences()) - set(now.sentences())
    back = set(now.sentences()) - set(then.sentences())
    lines = [Consequence("lose", _capital(text)) for text in then.sentences() if text in gone]
    lines += [Consequence("gain", _capital(text)) for text in now.sentences() if text in back]
    return tuple(lines) or (Consequence("keep", "It leaves out what the present one does"),)
