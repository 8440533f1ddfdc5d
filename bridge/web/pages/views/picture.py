"""The picture of access, drawn, and the same as a table."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.parts import Chip, Link, Note, NothingFound, Pager, Tab


@dataclass(frozen=True, slots=True)
class DrawnBox:
    """A node: a box with its label, which leads to what passes it. `dim`: something else is followed.

    `says` is what a screen reader hears and a pointer shows; `href` None: it stands for several.
    """

    kind: str
    x: str
    y: str
    height: str
    label_x: str
    label_y: str
    label: str
    people: int
    says: str
    href: str | None
    dim: bool = False


@dataclass(frozen=True, slots=True)
class DrawnRibbon:
    """A ribbon's outline; `lit` is that of its part that is followed."""

    outline: str
    says: str
    lit: str | None = None


@dataclass(frozen=True, slots=True)
class Drawn:
    """The drawing: its size, the headings of its columns, ribbons behind boxes."""

    width: str
    height: str
    columns: tuple[tuple[str, str], ...]
    boxes: tuple[DrawnBox, ...]
    ribbons: tuple[DrawnRibbon, ...]
    says: str


@dataclass(frozen=True, slots=True)
class RouteRow:
    """One path from an IdP group to what it opens; `user_group` None: the rule gives the role itself."""

    group: Chip
    rule: Chip
    user_group: Chip | None
    role: str
    opens: str
    people: int


@dataclass(frozen=True, slots=True)
class FollowedNode:
    """The node whose paths are looked at, its page, and how many people pass."""

    chip: Chip
    text: str
    people: int
    clear_href: str
    switch: Link | None = None
    """Only these paths, or all with these lit."""


@dataclass(frozen=True, slots=True)
class PicturePage:
    """`picture.html`. `drawn` None: there is nothing to draw, and `empty` or `nothing_found` says why."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    drawn: Drawn | None
    people: int
    foot: str
    rows: tuple[RouteRow, ...]
    pager: Pager
    followed: FollowedNode | None = None
    gone: Note | None = None
    empty: Link | None = None
    nothing_found: NothingFound | None = None
