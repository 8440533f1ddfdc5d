"""“Why can’t they …?” on a person's page: the question as the address asks it, and the beginning of what answers it."""

from dataclasses import replace

from bridge.domain.access import RoleInScope
from bridge.domain.members import Member, PersonDetails
from bridge.domain.sentences import Inventory, counted
from bridge.flows.explain import Question
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit
from bridge.web.pages.person_parts import href
from bridge.web.pages.views import Link, WhyAnswer, WhyPanel
from bridge.web.pages.why_parts import ACTIONS, Whom, action_choice, answer_now, question_of, resource_field

_MOST = 8


def why_panel(visit: Visit, member: Member, inventory: Inventory) -> WhyPanel:
    """The question as asked in the address, and its answer."""
    action, text = typed("action"), typed("resource")
    action = action if action in ACTIONS else "edit"
    where = href(visit, member, "person.why")
    panel = WhyPanel(where, action_choice(action), resource_field(text, inventory))
    if not text:
        return panel
    question, name = question_of(action, text, inventory)
    if question is None:
        return replace(panel, problem=name)
    whom = Whom(member.name, member.email, member.id)
    answer = answer_now(visit, whom, question, name, inventory, most=_MOST)
    return replace(panel, answer=replace(answer, more=_more(visit, member, question, answer)))


def _more(visit: Visit, member: Member, question: Question, answer: WhyAnswer) -> Link:
    on = str(question.resource) if question.resource else question.type
    there = visit.url("why.ask", person=member.email, action=question.action, resource=on)
    left = answer.total - len(answer.paths)
    return Link(f"All {counted(answer.total, 'path')}" if left else "On a page of its own, and at other times", there)


def visible(visit: Visit, details: PersonDetails, inventory: Inventory) -> Inventory:
    """The resources that one may ask about: all for owners, those that they reach for others."""
    if visit.is_owner:
        return inventory
    reached = (inventory.reached(RoleInScope(one.role, one.scope)) for one in details.member.permissions)
    return Inventory(tuple(dict.fromkeys(one for each in reached for one in each)))
