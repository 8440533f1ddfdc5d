"""“Why can't they …?” on a person's page: the question as the address asks it, and what answers it."""

from dataclasses import replace
from difflib import get_close_matches

from bridge.domain.access import RoleInScope
from bridge.domain.members import Member, PersonDetails
from bridge.domain.people import fold
from bridge.domain.resources import Resource
from bridge.domain.roles import RESOURCE_TYPES
from bridge.domain.sentences import Inventory, describe_permission, listed
from bridge.flows.explain import Answer, Question, WayToGet, check, what_would_give
from bridge.flows.members import get_person
from bridge.web.pages import views
from bridge.web.pages.forms import typed
from bridge.web.pages.frame import Visit, ask_owners
from bridge.web.pages.paths import givers_of, permission_lines
from bridge.web.pages.person_parts import href
from bridge.web.pages.views import Choice, Field, Link, Option, WhyAnswer, WhyPanel

_ACTIONS = ("read", "edit", "create")
_MOST_SUGGESTED = 200


def why_panel(visit: Visit, member: Member, inventory: Inventory) -> WhyPanel:
    """The question as asked in the address, and its answer."""
    action, text = typed("action"), typed("resource")
    action = action if action in _ACTIONS else "edit"
    resource = Field("resource", "On what", text, suggestions=_suggestions(inventory))
    options = tuple(Option(one, one, selected=one == action) for one in _ACTIONS)
    panel = WhyPanel(href(visit, member, "person.why"), Choice("action", "Do what", options), resource)
    if not text:
        return panel
    question, name = _question(action, text, inventory)
    if question is None:
        return replace(panel, problem=name)
    return replace(panel, answer=_answer(visit, member, question, name, inventory))


def visible(visit: Visit, details: PersonDetails, inventory: Inventory) -> Inventory:
    """The resources that one may ask about: all for owners, those that they reach for others."""
    if visit.is_owner:
        return inventory
    reached = (inventory.reached(RoleInScope(one.role, one.scope)) for one in details.member.permissions)
    return Inventory(tuple(dict.fromkeys(one for each in reached for one in each)))


def _suggestions(inventory: Inventory) -> tuple[str, ...]:
    kinds = tuple(plural for _, plural in RESOURCE_TYPES.values())
    names = tuple(dict.fromkeys(_shown(one, inventory) for one in inventory.resources))
    return names[:_MOST_SUGGESTED] + kinds


def _shown(resource: Resource, inventory: Inventory) -> str:
    """A resource's name, with its type where others have the same name."""
    twins = sum(fold(one.name) == fold(resource.name) for one in inventory.resources)
    return resource.name if twins == 1 else f"{resource.name} ({RESOURCE_TYPES[resource.ref.type][0]})"


def _question(action: str, text: str, inventory: Inventory) -> tuple[Question | None, str]:
    """What is asked, and the name of what it is about; None and the reason where that can't be known."""
    if action == "create":
        kinds = {fold(word): kind for kind, words in RESOURCE_TYPES.items() for word in (*words, kind)}
        kind = kinds.get(fold(text))
        if kind is None:
            return None, f"One creates {listed([plural for _, plural in RESOURCE_TYPES.values()], last='or')}."
        return Question("create", kind), RESOURCE_TYPES[kind][1]
    found = _find(text, inventory)
    if found is None:
        return None, _not_found(text, inventory)
    return Question("edit" if action == "edit" else "read", found.ref.type, found.ref), found.name


def _find(text: str, inventory: Inventory) -> Resource | None:
    named = {fold(_shown(one, inventory)): one for one in inventory.resources}
    by_ref = {str(one.ref): one for one in inventory.resources}
    return named.get(fold(text)) or by_ref.get(text)


def _not_found(text: str, inventory: Inventory) -> str:
    names = {fold(one.name): one.name for one in inventory.resources}
    near = get_close_matches(fold(text), names, n=1)
    return f"No resource is called “{text}”." + (f" {names[near[0]]} is nearest." if near else "")


def _answer(visit: Visit, member: Member, question: Question, name: str, inventory: Inventory) -> WhyAnswer:
    answer = check(visit.context, visit.slug, member.email, question, visit.now)
    if answer.allowed:
        return _allowed(visit, member, question, name, answer, inventory)
    ways = what_would_give(visit.context, visit.slug, question, visit.now)
    reads = question.action == "edit" and _reads(visit, member, question)
    title = (
        f"{member.name} can read {name}, not edit it." if reads else f"{member.name} can’t {question.action} {name}."
    )
    text = "Nothing that was given reaches that far." if ways else "No role or rule in this workspace gives it yet."
    return WhyAnswer(False, title, text, ways=tuple(_way(visit, member, way, inventory) for way in ways))


def _reads(visit: Visit, member: Member, question: Question) -> bool:
    return check(visit.context, visit.slug, member.email, replace(question, action="read"), visit.now).allowed


def _allowed(
    visit: Visit, member: Member, question: Question, name: str, answer: Answer, inventory: Inventory
) -> WhyAnswer:
    details = get_person(visit.context, visit.slug, member.id, visit.now)
    lines = permission_lines(visit, answer.because, inventory, givers_of(details))
    sentences = listed([line.sentence for line in lines])
    paths = tuple(path for line in lines for path in line.paths)
    return WhyAnswer(True, f"{member.name} can {question.action} {name}.", f"{sentences}.", paths)


def _way(visit: Visit, member: Member, way: WayToGet, inventory: Inventory) -> views.WayToGet:
    gives = describe_permission(RoleInScope(way.role, way.scope), inventory)
    open_group = None
    if way.user_group_id and visit.is_owner:
        open_group = Link("Open it", visit.url("user_groups.members", group=way.user_group_id))
    if way.kind == "user_group":
        return views.WayToGet(f"User Group {way.user_group}", f"By hand. It lets its members: {gives}.", open_group)
    if way.kind == "idp_group":
        by = f"A rule puts its people into {way.user_group}" if way.user_group else "A rule takes its people"
        return views.WayToGet(
            f"{way.connection} group {listed(way.idp_groups, last='or')}",
            f"{by}: {gives}. Changed in {way.connection}.",
        )
    text = f"{way.role.name}: {gives}."
    if not visit.is_owner:
        return views.WayToGet("A role by hand", f"{text} {ask_owners(visit)}")
    give = Link("Give it", visit.url("person.new_role", member=member.id, role=way.role.id))
    return views.WayToGet("A role by hand", text, give)
