"""`/w/<slug>/why`: a person, an action, a resource: by which paths, made by whom; or why not, and what would give it.

At a time that is past, too. Owners ask about everybody, others about themselves and what they reach.
"""

from dataclasses import replace
from datetime import datetime
from typing import Literal

from flask import Blueprint, Response

from bridge.domain.errors import DomainError
from bridge.domain.sentences import Inventory
from bridge.flows.explain import Question
from bridge.flows.explain import ask as question_about
from bridge.flows.explain_past import Traces
from bridge.flows.members import find_person, get_person
from bridge.web.pages.forms import asked, load_inventory, typed_page
from bridge.web.pages.frame import Visit, enter, pager, show
from bridge.web.pages.person_why import visible
from bridge.web.pages.views import Field, Link, WhyAnswer, WhyPage
from bridge.web.pages.why_parts import (
    ACTIONS,
    MOST_WAYS,
    Whom,
    action_choice,
    answer_now,
    answer_then,
    moment_typed,
    question_of,
    resource_field,
    shown_name,
)

blueprint = Blueprint("why", __name__, url_prefix="/w/<slug>/why")

#: Paths on a page.
_PATHS = 50


@blueprint.get("")
def ask(slug: str) -> Response:
    """The question, and its answer."""
    visit = enter(slug)
    action = asked("action") if asked("action") in ACTIONS else "edit"
    inventory, page = _inventory(visit), _page(visit, action)
    page = replace(page, resource=resource_field(asked("resource"), inventory))
    if not asked("resource") or (visit.is_owner and not asked("person")):
        return show(visit, "why_page.html", page)
    return show(visit, "why_page.html", _answered(visit, page, action, inventory))


def _inventory(visit: Visit) -> Inventory:
    every = load_inventory(visit)
    if visit.is_owner:
        return every
    own = get_person(visit.context, visit.slug, visit.reached.membership_id, visit.now)
    return visible(visit, own, every)


def _page(visit: Visit, action: str) -> WhyPage:
    help_text = "A day, to ask about its first moment (UTC). Empty for now."
    # A moment, as a history's links name it, fits into no field for a day.
    kind: Literal["date", "text"] = "date" if len(asked("at")) <= len("2026-03-03") else "text"
    return WhyPage(
        action=visit.url("why.ask"),
        person=Field("person", "Who", asked("person"), "email", placeholder="email") if visit.is_owner else None,
        act=action_choice(action),
        resource=Field("resource", "On what"),
        at=Field("at", "As of", asked("at"), kind, help=help_text, required=False),
    )


def _answered(visit: Visit, page: WhyPage, action: str, inventory: Inventory) -> WhyPage:
    question, name = question_of(action, asked("resource"), inventory)
    if question is None and visit.is_owner and asked("at"):
        question, name = _gone(action), asked("resource")
    if question is None:
        return replace(page, problem=name)
    found = inventory.find(question.resource) if question.resource else None
    if found is not None:
        page = replace(page, resource=replace(page.resource, value=shown_name(found, inventory)))
    at = moment_typed(asked("at"))
    if asked("at") and at is None:
        return replace(page, at=replace(page.at, error="Write a day as 2026-03-03."))
    try:
        whom = _whom(visit)
        answer = _answer(visit, whom, question, name, at, inventory)
        return replace(page, answer=replace(answer, more=_history(visit, whom, question)))
    except DomainError as error:
        return replace(page, problem=error.text)


def _gone(action: str) -> Question | None:
    """A question about what is named by its type and id alone, since it may have been there at a time that is past."""
    try:
        return question_about(action, asked("resource"))
    except DomainError:
        return None


def _whom(visit: Visit) -> Whom:
    if not visit.is_owner:
        own = visit.session.user
        return Whom(own.name, own.email, visit.reached.membership_id)
    email = asked("person")
    found = find_person(visit.context, visit.slug, email)
    return Whom(*found) if found else Whom(email, email, None)


def _history(visit: Visit, whom: Whom, question: Question) -> Link | None:
    """The way to all changes of what they may do with it."""
    if whom.id is None or question.resource is None:
        return None
    there = visit.url("person.history", member=whom.id, resource=str(question.resource))
    return Link("When this changed, and who did it", there)


def _answer(
    visit: Visit, whom: Whom, question: Question, name: str, at: datetime | None, inventory: Inventory
) -> WhyAnswer:
    number = typed_page()
    if at is None:
        answer = answer_now(visit, whom, question, name, inventory, number=number, most=_PATHS)
    else:
        traces = Traces((number - 1) * _PATHS, _PATHS)
        answer = answer_then(visit, whom, question, name, at, inventory, traces)
    shown, total, size = len(answer.paths), answer.total, _PATHS
    if not answer.allowed:
        shown = min(max(answer.ways_total - (number - 1) * MOST_WAYS, 0), MOST_WAYS)
        total, size = answer.ways_total, MOST_WAYS
    if total <= shown:
        return answer
    on = str(question.resource) if question.resource else question.type
    where = {"person": whom.email, "action": question.action, "resource": on, "at": asked("at")}
    return replace(answer, ways_left=0, pager=pager(visit, "why.ask", where, number, shown, total, size=size))
