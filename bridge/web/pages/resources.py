"""`/w/<slug>/resources`: what there is to work on; of one, who may read and edit it, and by what.

Owners see all of them and everybody who may. Others see those that they reach, what they may there themselves, and
where they ask for more.
"""

from collections.abc import Mapping
from dataclasses import replace

from flask import Blueprint, Response

from bridge.domain.access import Action, parse_resource_ref
from bridge.domain.errors import Forbidden, NotFound
from bridge.domain.labels import Label
from bridge.domain.resources import Resource, ResourceQuery, ResourcesFound, browse
from bridge.domain.roles import RESOURCE_TYPES, parse_resource_type
from bridge.domain.sentences import Inventory, counted
from bridge.flows.explain import Question, what_would_give
from bridge.flows.members import get_person
from bridge.flows.resources import browse_resources, get_resource
from bridge.flows.who_may import WhoMay, given_by, who_may
from bridge.web.pages.forms import asked, load_inventory, typed, typed_page
from bridge.web.pages.frame import Visit, access_tabs, ask_owners, crumbs, enter, pager, show
from bridge.web.pages.paths import Givers, path_of
from bridge.web.pages.person_why import visible
from bridge.web.pages.views import (
    Chip,
    Choice,
    Fact,
    Link,
    NothingFound,
    Option,
    ResourcePage,
    ResourceRow,
    ResourcesPage,
    Tab,
    WhoMayRow,
    WhyAnswer,
)
from bridge.web.pages.why_parts import Whom, answer_now

blueprint = Blueprint("resources", __name__, url_prefix="/w/<slug>/resources")

_PATHS = 3
_GIVEN_BY = 12
#: Stands for no label, where one may be chosen: no label begins so.
_UNLABELLED = "-"


# -- The list ----------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """A page of resources by kind and name."""
    visit = enter(slug)
    query, said = _asked()
    found = _found(visit, query)
    action, there = visit.url("resources.index"), sum(found.by_type.values())
    page = ResourcesPage(
        tabs=access_tabs(visit, "Resources"),
        says="Applications register what there is to work on. Open one to see who can read and edit it, and why; its "
        "labels are changed there, too."
        if visit.is_owner
        else "What you can read or edit here. Open one to ask for more.",
        action=action,
        query=query.search,
        filters=(_kinds(query.type, found), _labels_to_choose(said["label"], found)),
        rows=tuple(_row(visit, one) for one in found.resources),
        pager=pager(visit, "resources.index", said, query.page, len(found.resources), found.total, size=query.size),
        create=_create_links(visit) if visit.is_owner else (),
        empty=None if there else _nothing(visit),
        nothing_found=None if found.resources else _not_found(said, action),
    )
    return show(visit, "resources.html", page)


def _asked() -> tuple[ResourceQuery, dict[str, str]]:
    """What the address asks for, and how it says so. A label that is none is carried by nothing."""
    kind, label = asked("type"), typed("label")
    kind = kind if kind in RESOURCE_TYPES else ""
    key, colon, value = label.partition(":")
    wanted = Label(key, value) if colon else None
    label = label if colon or label == _UNLABELLED else ""
    query = ResourceQuery(typed("q"), kind, wanted, label == _UNLABELLED, typed_page())
    return query, {"q": query.search, "type": kind, "label": label}


def _found(visit: Visit, query: ResourceQuery) -> ResourcesFound:
    if visit.is_owner:
        return browse_resources(visit.context, visit.slug, query)
    return browse(_inventory(visit).resources, query)


def _inventory(visit: Visit) -> Inventory:
    """What somebody who is no owner reaches."""
    person = get_person(visit.context, visit.slug, visit.reached.membership_id, visit.now)
    return visible(visit, person, load_inventory(visit))


def _kinds(chosen: str, found: ResourcesFound) -> Choice:
    kinds = tuple(
        Option(kind, f"{words[1].capitalize()} ({found.by_type.get(kind, 0):,})", selected=kind == chosen)
        for kind, words in RESOURCE_TYPES.items()
    )
    return Choice("type", "Kind", (Option("", "Every kind", selected=not chosen), *kinds))


def _labels_to_choose(chosen: str, found: ResourcesFound) -> Choice:
    """The labels that some resource carries, with how many; and none at all."""
    labels = tuple(
        Option(str(label), f"{label} ({found.by_label[label]:,})", selected=str(label) == chosen)
        for label in sorted(found.by_label)
    )
    none = Option(_UNLABELLED, f"Without labels ({found.unlabelled:,})", selected=chosen == _UNLABELLED)
    return Choice("label", "Label", (Option("", "Every label", selected=not chosen), *labels, none))


def _not_found(said: Mapping[str, str], clear_href: str) -> NothingFound:
    title = f"No resource called “{said['q']}”" if said["q"] else "No such resource"
    return NothingFound(title, clear_href, bool(said["type"]) + bool(said["label"]))


def _row(visit: Visit, one: Resource) -> ResourceRow:
    return ResourceRow(one.name, RESOURCE_TYPES[one.ref.type][0], _labels(one), href_of(visit, str(one.ref)))


def href_of(visit: Visit, ref: str) -> str:
    """The page of a resource, by `TYPE:ID`, or of creating one, by `TYPE`. An id may hold any sign."""
    return visit.url("resources.show_one", of=ref)


def _labels(one: Resource) -> tuple[str, ...]:
    return tuple(str(label) for label in sorted(one.labels))


def _label_links(visit: Visit, one: Resource) -> tuple[Link, ...]:
    """Each with what uses it, for owners."""
    return tuple(
        Link(label, visit.url("labels.show_one", label=label) if visit.is_owner else "") for label in _labels(one)
    )


def _changes(visit: Visit, of: str) -> tuple[Link, ...]:
    return (
        Link("Change labels…", visit.url("resource_changes.choose_labels", of=of)),
        Link("Delete…", visit.url("resource_changes.ask_to_delete", of=of)),
    )


def _create_links(visit: Visit) -> tuple[Link, ...]:
    return tuple(Link(words[1], href_of(visit, kind)) for kind, words in RESOURCE_TYPES.items())


def _nothing(visit: Visit) -> str:
    if visit.is_owner:
        return "Applications register sources, warehouses, functions, spaces and tracking plans, each with its labels."
    return f"Nothing that was given to you reaches a resource. {ask_owners(visit)}"


# -- One of them -------------------------------------------------------------------------------------


@blueprint.get("/one")
def show_one(slug: str) -> Response:
    """Who may read or edit it, for owners; what one may oneself, for others."""
    visit = enter(slug)
    of = asked("of")
    if ":" not in of:
        return _show_kind(visit, parse_resource_type(of))
    ref = parse_resource_ref(of)
    resource = get_resource(visit.context, visit.slug, ref) if visit.is_owner else _inventory(visit).find(ref)
    if resource is None:
        raise NotFound(f"There is no {ref} in {visit.workspace.name} that you could see.")
    kind = RESOURCE_TYPES[ref.type][0]
    page = ResourcePage(
        name=resource.name,
        says=f"A {kind} of {visit.workspace.name}.",
        crumbs=_crumbs(visit),
        facts=(Fact("Kind", kind), Fact("Id", ref.id)),
        labels=_label_links(visit, resource),
        changes=_changes(visit, of) if visit.is_owner else (),
    )
    if not visit.is_owner:
        return show(visit, "resource.html", _own(visit, page, resource))
    action: Action = "read" if asked("action") == "read" else "edit"
    question = Question(action, ref.type, ref)
    tabs = tuple(
        Tab(f"Who can {each}", visit.url("resources.show_one", of=of, action=each), current=each == action)
        for each in ("edit", "read")
    )
    return show(visit, "resource.html", _people(visit, replace(page, tabs=tabs), question, of))


def _show_kind(visit: Visit, kind: str) -> Response:
    if not visit.is_owner:
        raise Forbidden(f"Only Workspace Owners see what others may do. {ask_owners(visit)}")
    plural = RESOURCE_TYPES[kind][1]
    page = ResourcePage(
        name=f"Who can create {plural}",
        says=f"To create {plural} takes a role that edits all of them.",
        crumbs=_crumbs(visit),
        facts=(Fact("Kind", RESOURCE_TYPES[kind][0]),),
    )
    return show(visit, "resource.html", _people(visit, page, Question("create", kind), kind))


def _crumbs(visit: Visit) -> tuple[Link, ...]:
    return crumbs(visit, Link("Resources", visit.url("resources.index")))


def _people(visit: Visit, page: ResourcePage, question: Question, of: str) -> ResourcePage:
    found = who_may(visit.context, visit.slug, question, visit.now, after=asked("after"))
    here = {"of": of, "action": question.action}
    return replace(
        page,
        rows=tuple(_person(visit, one, question, of, Givers(found.names)) for one in found.people),
        counted=counted(found.total, "person can", "people can"),
        first_href=visit.url("resources.show_one", **here) if asked("after") else None,
        next_href=visit.url("resources.show_one", **here, after=found.after) if found.after else None,
        given_by=_given_by(visit, question),
    )


def _person(visit: Visit, one: WhoMay, question: Question, of: str, givers: Givers) -> WhoMayRow:
    paths = [path_of(visit, path, each.role, givers) for each in one.because for path in each.because]
    left = len(paths) - _PATHS
    return WhoMayRow(
        name=one.name,
        email=one.email,
        href=visit.url("person.access", member=one.id),
        why_href=visit.url("why.ask", person=one.email, action=question.action, resource=of),
        paths=tuple(paths[:_PATHS]),
        more=counted(left, "more path") if left > 0 else "",
    )


def _given_by(visit: Visit, question: Question) -> tuple[Chip, ...]:
    chips = []
    for way in given_by(visit.context, visit.slug, question, visit.now):
        if way.user_group_id:
            href = visit.url("user_groups.show_roles", group=way.user_group_id)
            chips.append(Chip("group", way.user_group or "", href))
        else:
            chips += [Chip("idp", name) for name in way.idp_groups]
    return tuple(dict.fromkeys(chips))[:_GIVEN_BY]


def _own(visit: Visit, page: ResourcePage, resource: Resource) -> ResourcePage:
    user = visit.session.user
    whom = Whom(user.name, user.email, visit.reached.membership_id)
    edit = Question("edit", resource.ref.type, resource.ref)
    inventory = Inventory((resource,))
    answers: tuple[WhyAnswer, ...] = tuple(
        replace(answer_now(visit, whom, question, resource.name, inventory, most=8), ways=())
        for question in (edit, replace(edit, action="read"))
    )
    if answers[0].allowed:
        return replace(page, own=answers[:1])
    roles = [way.role.id for way in what_would_give(visit.context, visit.slug, edit, visit.now) if way.kind == "role"]
    ask = visit.url("access_requests.new", resource=str(resource.ref), **({"role": roles[0]} if roles else {}))
    return replace(page, own=answers, ask_href=ask)
