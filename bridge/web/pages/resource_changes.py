"""`/w/<slug>/resources/labels` and `…/delete`: a resource carries other labels, or goes; first whom that moves.

The form of labels carries all that was chosen, so each of its buttons works without script. It is saved only as it was
shown last, and only if it still does the same.
"""

from dataclasses import dataclass, field, replace

from flask import Blueprint, Response

from bridge.domain.access import parse_resource_ref
from bridge.domain.errors import DomainError, NotFound
from bridge.domain.labels import Label, check_one_value_a_key, parse_label
from bridge.domain.previews import DeleteResource, Moved, Preview, SetLabels, Side, mark_of
from bridge.domain.resources import Resource, ResourceUse
from bridge.domain.roles import RESOURCE_TYPES
from bridge.domain.sentences import counted
from bridge.flows import resources
from bridge.flows.preview import list_moved, preview
from bridge.web.pages.forms import Stock, asked, error_at, error_note, load_stock, parted, typed, typed_text
from bridge.web.pages.frame import Visit, crumbs, enter_as_owner, show
from bridge.web.pages.preview_parts import (
    asked_panel,
    moved_csv,
    moved_note,
    numbers,
    page_of,
    panel_of,
    read_seen,
    unseen_note,
)
from bridge.web.pages.resources import href_of
from bridge.web.pages.views import (
    Choice,
    ConfirmPage,
    Consequence,
    Field,
    LabellingPage,
    Link,
    Note,
    Option,
    PreviewPanel,
)
from bridge.web.return_path import go
from bridge.web.statuses import status_of

blueprint = Blueprint("resource_changes", __name__, url_prefix="/w/<slug>/resources")

_TITLE, _LONGEST = "If you save this", 5_000
_UNCHANGED = "Choose other labels, and you see here who gains and who loses."


@dataclass(frozen=True, slots=True)
class _About:
    """The resource that is asked about, and all that a form can name."""

    visit: Visit
    resource: Resource
    stock: Stock

    @property
    def of(self) -> str:
        """`TYPE:ID`, as addresses say it."""
        return str(self.resource.ref)

    def url(self, endpoint: str, **values: str) -> str:
        """The path of one of its pages."""
        return self.visit.url(f"resource_changes.{endpoint}", of=self.of, **values)

    @property
    def crumbs(self) -> tuple[Link, ...]:
        """The way down to it."""
        every = Link("Resources", self.visit.url("resources.index"))
        return crumbs(self.visit, every, Link(self.resource.name, href_of(self.visit, self.of)))


def _enter(slug: str) -> _About:
    visit = enter_as_owner(slug)
    ref, stock = parse_resource_ref(asked("of")), load_stock(visit)
    found = stock.inventory.find(ref)
    if found is None:
        raise NotFound(f"There is no {ref} in {visit.workspace.name}.")
    return _About(visit, found, stock)


# -- Labels ------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Chosen:
    """How the form was left: of each key of the workspace the value that is chosen, if any; and what was typed."""

    values: dict[str, str] = field(default_factory=dict)
    more: str = ""

    def labels(self) -> frozenset[Label]:
        """The labels that it names. Raises Invalid."""
        chosen = [Label(key, value) for key, value in self.values.items() if value]
        return check_one_value_a_key(frozenset([*chosen, *map(parse_label, parted(self.more))]))


@blueprint.get("/labels")
def choose_labels(slug: str) -> Response:
    """The labels that it carries, to be changed."""
    about = _enter(slug)
    return _show(about, _carried(about), _Counted(panel=PreviewPanel(_TITLE, waiting=_UNCHANGED)))


@blueprint.post("/labels")
def set_labels(slug: str) -> Response:
    """One of the form's buttons; `save` has it carry them."""
    about, do = _enter(slug), typed("do")
    chosen = _Chosen({key: _value(about, key) for key in _keys(about)}, typed_text("more", _LONGEST))
    if do == "save":
        return _save(about, chosen)
    if do == "csv":
        return _download(about, chosen)
    return _show(about, chosen, _count(about, chosen, do), quiet=do == "live")


def _download(about: _About, chosen: _Chosen) -> Response:
    try:
        return moved_csv(about.visit, SetLabels(about.resource.ref, chosen.labels()))
    except DomainError:
        return _show(about, chosen, _count(about, chosen, "preview"))


def _keys(about: _About) -> list[str]:
    return sorted({label.key for label in about.stock.labels})


def _value(about: _About, key: str) -> str:
    """What the form says of one key; nothing, where that is no label of the workspace's."""
    value = typed(f"key-{key}")
    return value if Label(key, value) in about.stock.labels else ""


def _carried(about: _About) -> _Chosen:
    return _Chosen({label.key: label.value for label in about.resource.labels})


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the preview said of what is chosen, or why it says nothing."""

    panel: PreviewPanel
    found: Preview | None = None
    error: DomainError | None = None
    note: Note | None = None


def _count(about: _About, chosen: _Chosen, do: str) -> _Counted:
    visit = about.visit
    try:
        proposal = SetLabels(about.resource.ref, chosen.labels())
        if proposal.labels == about.resource.labels:
            return _Counted(PreviewPanel(_TITLE, waiting=_UNCHANGED))
        side, colon, after = do.partition(":")
        if colon and side in ("gains", "loses"):
            which: Side = "gains" if side == "gains" else "loses"
            moved = list_moved(visit.context, visit.slug, proposal, which, visit.now, after=after)
            return _Counted(PreviewPanel(_TITLE, page=page_of(visit, which, moved, do=_button, back_do="preview")))
        return _told(about, preview(visit.context, visit.slug, proposal, visit.now))
    except DomainError as error:
        return _Counted(PreviewPanel(_TITLE, waiting=error.text), error=error)


def _told(about: _About, found: Preview) -> _Counted:
    return _Counted(panel_of(about.visit, found, about.stock.inventory, title=_TITLE, do=_button), found)


def _button(side: Side, after: str) -> str:
    return f"{side}:{after}"


def _save(about: _About, chosen: _Chosen) -> Response:
    visit, seen = about.visit, read_seen()
    try:
        proposal = SetLabels(about.resource.ref, chosen.labels())
        if seen is None or seen.of != mark_of(proposal):
            note = Note("warn", "This isn’t what was counted. Not saved yet.", "Look at the new numbers first.")
            return _show(about, chosen, replace(_count(about, chosen, "preview"), note=note))
        said = (visit.context, visit.actor, visit.slug, proposal.resource, proposal.labels, visit.now)
        resources.set_labels(*said, seen=seen)
    except Moved as moved:
        return _show(about, chosen, replace(_told(about, moved.preview), note=moved_note(moved)))
    except DomainError as error:
        return _show(about, chosen, _Counted(PreviewPanel(_TITLE, waiting=error.text), error=error))
    return go(href_of(visit, about.of))


def _show(about: _About, chosen: _Chosen, counted_: _Counted, *, quiet: bool = False) -> Response:
    """The form with what it would do. `quiet`: while somebody writes, half a label is no fault yet."""
    error, found = None if quiet else counted_.error, counted_.found
    page = LabellingPage(
        title=f"Labels of {about.resource.name}",
        text="Roles that are given on labels reach what carries all of them, now and in future.",
        crumbs=about.crumbs,
        action=about.url("set_labels"),
        cancel_href=href_of(about.visit, about.of),
        choices=tuple(_choice(about, key, chosen.values.get(key, "")) for key in _keys(about)),
        more=_more(chosen, error),
        panel=counted_.panel,
        save=f"Save: {numbers(found)}" if found else None,
        carried=(("seen", found.seen.render()),) if found else (),
        note=counted_.note or error_note(error, "label"),
    )
    return show(about.visit, "resource_labels.html", page, status=status_of(error) if error else 200)


def _more(chosen: _Chosen, error: DomainError | None) -> Field:
    return Field(
        "more",
        "Other labels",
        chosen.more,
        help="key:value, such as team:mobile. A label that is new is made.",
        required=False,
        error=error_at(error, "label"),
    )


def _choice(about: _About, key: str, chosen: str) -> Choice:
    values = [label.value for label in sorted(about.stock.labels) if label.key == key]
    options = tuple(Option(value, value, selected=value == chosen) for value in values)
    return Choice(f"key-{key}", key, (Option("", "No value", selected=not chosen), *options))


# -- It goes -----------------------------------------------------------------------------------------


@blueprint.get("/delete")
def ask_to_delete(slug: str) -> Response:
    """Who loses what by it, and what ends with it."""
    return _ask_to_delete(_enter(slug))


@blueprint.post("/delete")
def delete(slug: str) -> Response:
    """It goes, if that still takes what was shown."""
    about, seen = _enter(slug), read_seen()
    visit = about.visit
    if seen is None:
        return _ask_to_delete(about, unseen_note())
    try:
        resources.delete_resource(visit.context, visit.actor, visit.slug, about.resource.ref, visit.now, seen=seen)
    except Moved as moved:
        return _ask_to_delete(about, moved_note(moved))
    return go(visit.url("resources.index"))


def _ask_to_delete(about: _About, note: Note | None = None) -> Response:
    visit, proposal = about.visit, DeleteResource(about.resource.ref)
    use = resources.look_at_deletion(visit.context, visit.slug, about.resource.ref)
    found = preview(visit.context, visit.slug, proposal, visit.now)

    def way(side: Side, after: str) -> str:
        return about.url("ask_to_delete", side=side, after=after)

    page = ConfirmPage(
        title=f"Delete {about.resource.name}?",
        text=f"A {RESOURCE_TYPES[about.resource.ref.type][0]} of {visit.workspace.name}.",
        crumbs=about.crumbs,
        action=about.url("delete"),
        button=f"Delete it: {numbers(found)}",
        consequences=_ends_with_it(use),
        cancel_href=href_of(visit, about.of),
        hidden=(("seen", found.seen.render()),),
        panel=asked_panel(visit, proposal, found, way, about.url("ask_to_delete")),
    )
    return show(visit, "confirm.html", page, notices=(note,) if note else ())


def _ends_with_it(use: ResourceUse) -> tuple[Consequence, ...]:
    lines = []
    if use.alone:
        lines.append(Consequence("lose", f"{counted(use.alone, 'role')} given on nothing else: ended for good"))
    if use.among:
        lines.append(Consequence("lose", f"{counted(use.among, 'role')} given on other resources, too: kept on those"))
    if use.requests:
        asks = counted(use.requests, "access request")
        lines.append(Consequence("lose", f"{asks} about it"))
    lines.append(Consequence("keep", "Roles on all resources, and on labels, stay and reach the others"))
    lines.append(Consequence("remember", "What an application has is untouched: it can register it here again, anew"))
    return tuple(lines)
