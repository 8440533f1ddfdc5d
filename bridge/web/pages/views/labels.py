"""Labels: all of them, what uses one, and what a resource carries."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Choice, Field
from bridge.web.pages.views.mapping import PreviewPanel
from bridge.web.pages.views.parts import Link, Note, NothingFound, Pager, Tab


@dataclass(frozen=True, slots=True)
class LabelRow:
    """A label in the list: how many resources carry it, how many grants name it. `href` leads to what uses it."""

    label: str
    description: str
    resources: int
    grants: int
    href: str
    built_in: bool = False


@dataclass(frozen=True, slots=True)
class LabelsPage:
    """`labels.html`. Two labels are always there, so it is never empty."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    new_href: str
    rows: tuple[LabelRow, ...]
    pager: Pager
    filters: tuple[Choice, ...] = ()
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class HeldRow:
    """A grant: who has it (`what` says of which kind they are), and on which labels or resources; none: on all."""

    holder: str
    what: str
    href: str
    role: str
    where: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class LabelPage:
    """`label.html`: what a label is for, and what uses it.

    `stays` says why it can't be deleted; else `delete_href` leads there.
    """

    label: str
    description: str
    crumbs: tuple[Link, ...]
    describe_href: str
    carried: str
    carriers: tuple[Link, ...]
    named: str
    rows: tuple[HeldRow, ...]
    all_carriers: Link | None = None
    next_href: str | None = None
    first_href: str | None = None
    stays: str = ""
    delete_href: str | None = None


@dataclass(frozen=True, slots=True)
class LabelFormPage:
    """`label_form.html`: a label is made (`label` is there), or described."""

    title: str
    text: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    description: Field
    label: Field | None = None
    button: str = "Make the label"
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class LabellingPage:
    """`resource_labels.html`: which labels a resource carries, a select a key, and what that would do beside it.

    `save` is the button's text, None until what is to be saved has been shown; `carried` goes with it.
    """

    title: str
    text: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    choices: tuple[Choice, ...]
    more: Field
    panel: PreviewPanel
    save: str | None = None
    carried: tuple[tuple[str, str], ...] = ()
    note: Note | None = None
