"""Why not, of a moment that is past: what stood in the way, and which paths nearly gave it (product.md 5.4).

The links of then are judged as `explain_not` judges those of today. What would have given it is not told: nobody can
go back and do it.
"""

from dataclasses import replace
from datetime import datetime
from typing import Any

from bridge.domain.obstacles import Obstacle, Wanted, held_out, removed
from bridge.domain.roles import Level, roles_giving
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain import Question
from bridge.flows.explain_not import WhyNot, nearest
from bridge.flows.explain_past import check_past, look, resource_then
from bridge.flows.named import get_workspace
from bridge.flows.near_misses import near_misses
from bridge.storage import access_past, nearly_past
from bridge.storage.access_past import MemberThen


def why_not_at(
    context: Context, workspace_slug: str, email: str, question: Question, at: datetime, now: datetime
) -> WhyNot:
    """What to say of a question whose answer was no at that moment: nothing where it isn't known, or they were no
    member yet, which `check_at` tells. Raises as `check_at` does.
    """
    check_past(at, now)
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        member = access_past.find_member_then(rows, workspace.key, email, at)
        if member is None:
            return nearest((), ())
        moment = look(context, rows, workspace, member, at, now)
        if moment.state in ("not_known", "before_workspace", "before_membership"):
            return nearest((), ())
        wanted = _wanted(rows, workspace, question, moment.plan, at)
        roles = roles_giving(question.type, Level.READ, "business")
        candidates = nearly_past.candidate_grants_at(rows, member.key, roles, at)
        missed = near_misses(nearly_past.near_links_at(rows, member.key, at), candidates, wanted, at)
        return nearest(_in_the_way(rows, member, at), missed)


def _wanted(rows: Any, workspace: Workspace, question: Question, plan: str, at: datetime) -> Wanted:
    wanted = Wanted(question.action, question.type, plan)
    found = resource_then(rows, workspace, question, at)
    if found is None:
        return wanted
    labels = nearly_past.carried_at(rows, found.key, at)
    return replace(wanted, resource=question.resource, name=found.name, labels=labels)


def _in_the_way(rows: Any, member: MemberThen, at: datetime) -> tuple[Obstacle, ...]:
    since = nearly_past.removed_since(rows, member.key, at)
    gone = (removed(member.name, since),) if since else ()
    held = nearly_past.held_out_by(rows, member.key, at)
    return (*gone, *(held_out(member.name, one.connection, pushed=one.pushed) for one in held))
