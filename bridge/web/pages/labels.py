"""`/w/<slug>/labels`: what resources carry and roles are given on; of one, what uses it. For owners.

A label moves nobody's access by itself: a resource that carries it does (`resource_changes`), and a role on it.
"""

from flask import Blueprint, Response

from bridge.domain.errors import Conflict, DomainError
from bridge.domain.labels import LabelFacts, parse_label
from bridge.domain.people import fold
from bridge.domain.resources import LabelUse
from bridge.domain.sentences import counted
from bridge.flows import resources
from bridge.web.pages.forms import asked_key, error_at, error_note, typed, typed_page
from bridge.web.pages.frame import Visit, access_tabs, crumbs, enter_as_owner, pager, show
from bridge.web.pages.held_grants import held_row
from bridge.web.pages.resources import href_of
from bridge.web.pages.views import (
    ConfirmPage,
    Consequence,
    Field,
    LabelFormPage,
    LabelPage,
    LabelRow,
    LabelsPage,
    Link,
    NothingFound,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("labels", __name__, url_prefix="/w/<slug>/labels")

_PAGE = 50


# -- The list ----------------------------------------------------------------------------------------


@blueprint.get("")
def index(slug: str) -> Response:
    """A page of labels, with how much uses each."""
    visit = enter_as_owner(slug)
    search, number = typed("q"), typed_page()
    found = [one for one in resources.list_label_facts(visit.context, visit.slug) if _fits(one, search)]
    shown = found[(number - 1) * _PAGE : number * _PAGE]
    action = visit.url("labels.index")
    page = LabelsPage(
        tabs=access_tabs(visit, "Labels"),
        action=action,
        query=search,
        new_href=visit.url("labels.new"),
        rows=tuple(_row(visit, one) for one in shown),
        pager=pager(visit, "labels.index", {"q": search}, number, len(shown), len(found), size=_PAGE),
        nothing_found=None if shown else NothingFound(f"No label with “{search}”" if search else "No more", action),
    )
    return show(visit, "labels.html", page)


def _fits(one: LabelFacts, search: str) -> bool:
    return any(fold(search) in fold(text) for text in (str(one.label), one.description))


def _row(visit: Visit, one: LabelFacts) -> LabelRow:
    href = visit.url("labels.show_one", label=str(one.label))
    return LabelRow(str(one.label), one.description, one.resources, one.grants, href, one.built_in)


# -- Made and described ------------------------------------------------------------------------------


@blueprint.get("/new")
def new(slug: str) -> Response:
    """Ask for a label, and what it is for."""
    return _new(enter_as_owner(slug))


@blueprint.post("/new")
def create(slug: str) -> Response:
    """Make it."""
    visit = enter_as_owner(slug)
    try:
        label = parse_label(typed("label"))
        said = (visit.context, visit.actor, visit.slug, label, visit.now)
        resources.add_label(*said, description=typed("description"))
    except DomainError as error:
        return _new(visit, error)
    return go(visit.url("labels.show_one", label=str(label)))


def _new(visit: Visit, error: DomainError | None = None) -> Response:
    page = LabelFormPage(
        title="Make a label",
        text="It changes nobody’s access before a resource carries it and a role is given on it.",
        crumbs=_crumbs(visit),
        action=visit.url("labels.create"),
        cancel_href=visit.url("labels.index"),
        label=Field(
            "label",
            "Label",
            typed("label"),
            help="key:value, such as team:mobile. Each part begins with a letter; letters, digits and hyphens follow. "
            "A resource carries one value a key.",
            error=error.text if isinstance(error, Conflict) else error_at(error, "label"),
        ),
        description=_description(typed("description"), error),
        note=None if isinstance(error, Conflict) else error_note(error, "label", "description"),
    )
    return show(visit, "label_form.html", page, status=status_of(error) if error else 200)


def _description(said: str, error: DomainError | None) -> Field:
    wrong = error_at(error, "description")
    return Field("description", "What it is for", said, required=False, help="In one line.", error=wrong)


@blueprint.get("/<label>/describe")
def ask_to_describe(slug: str, label: str) -> Response:
    """Ask what it is for."""
    visit, found = _enter(slug, label)
    return _describing(visit, found.facts, found.facts.description)


@blueprint.post("/<label>/describe")
def describe(slug: str, label: str) -> Response:
    """Say it."""
    visit, found = _enter(slug, label)
    try:
        said = (visit.context, visit.actor, visit.slug, found.facts.label, typed("description"), visit.now)
        resources.describe_label(*said)
    except DomainError as error:
        return _describing(visit, found.facts, typed("description"), error)
    return go(visit.url("labels.show_one", label=label))


def _describing(visit: Visit, facts: LabelFacts, said: str, error: DomainError | None = None) -> Response:
    here = str(facts.label)
    page = LabelFormPage(
        title=f"What {here} is for",
        text="Nobody’s access changes.",
        crumbs=_crumbs(visit, here),
        action=visit.url("labels.describe", label=here),
        cancel_href=visit.url("labels.show_one", label=here),
        description=_description(said, error),
        button="Save",
        note=error_note(error, "description"),
    )
    return show(visit, "label_form.html", page, status=status_of(error) if error else 200)


# -- One of them, and its end ------------------------------------------------------------------------


@blueprint.get("/<label>")
def show_one(slug: str, label: str) -> Response:
    """What uses it."""
    visit, found = _enter(slug, label)
    return show(visit, "label.html", _page(visit, found))


@blueprint.get("/<label>/delete")
def ask_to_delete(slug: str, label: str) -> Response:
    """It goes, where nothing uses it; else what does."""
    visit, found = _enter(slug, label)
    if _stays(found):
        return go(visit.url("labels.show_one", label=label))
    page = ConfirmPage(
        title=f"Delete {label}?",
        crumbs=_crumbs(visit, label),
        action=visit.url("labels.delete", label=label),
        button=f"Delete {label}",
        consequences=(
            Consequence("keep", "Nobody’s access changes: no resource carries it, and no role is given on it"),
            Consequence("remember", "It can be made again at any time"),
        ),
        cancel_href=visit.url("labels.show_one", label=label),
    )
    return show(visit, "confirm.html", page)


@blueprint.post("/<label>/delete")
def delete(slug: str, label: str) -> Response:
    """Forget it, unless something uses it by now."""
    visit, found = _enter(slug, label)
    try:
        resources.delete_label(visit.context, visit.actor, visit.slug, found.facts.label, visit.now)
    except Conflict as error:
        note = error_note(error)
        notices = (note,) if note else ()
        return show(visit, "label.html", _page(visit, found), status=status_of(error), notices=notices)
    return go(visit.url("labels.index"))


def _enter(slug: str, label: str) -> tuple[Visit, LabelUse]:
    visit = enter_as_owner(slug)
    after = asked_key("after")
    return visit, resources.look_at_label(visit.context, visit.slug, parse_label(label), after=after)


def _page(visit: Visit, found: LabelUse) -> LabelPage:
    facts, here = found.facts, str(found.facts.label)
    stays, more = _stays(found), facts.resources - len(found.resources)
    every = visit.url("resources.index", label=here)
    return LabelPage(
        label=here,
        description=facts.description,
        crumbs=_crumbs(visit),
        describe_href=visit.url("labels.ask_to_describe", label=here),
        carried=counted(facts.resources, "resource carries it", "resources carry it"),
        carriers=tuple(Link(one.name, href_of(visit, str(one.ref))) for one in found.resources),
        all_carriers=Link(f"{counted(more, 'more resource')}", every) if more > 0 else None,
        named=counted(facts.grants, "role is given on it", "roles are given on it"),
        rows=tuple(held_row(visit, one) for one in found.grants),
        first_href=visit.url("labels.show_one", label=here) if asked_key("after") else None,
        next_href=visit.url("labels.show_one", label=here, after=found.after) if found.after else None,
        stays=stays,
        delete_href=None if stays else visit.url("labels.ask_to_delete", label=here),
    )


def _stays(found: LabelUse) -> str:
    facts, invited = found.facts, len(found.promised)
    if facts.built_in:
        return "It exists in every workspace, so it can’t be deleted."
    if facts.resources or facts.grants:
        return "It can be deleted once no resource carries it and no role is given on it."
    if invited:
        promises = counted(invited, "pending invitation promises", "pending invitations promise")
        return f"{promises} a role on it. It can be deleted once none does."
    return ""


def _crumbs(visit: Visit, *label: str) -> tuple[Link, ...]:
    below = tuple(Link(one, visit.url("labels.show_one", label=one)) for one in label)
    return crumbs(visit, Link("Labels", visit.url("labels.index")), *below)
