"""Group mapping: rules, one of them, and what a change of one would do."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Choice
from bridge.web.pages.views.parts import Chip, Fact, Link, Note, NothingFound, Pager, Status, Tab


@dataclass(frozen=True, slots=True)
class RulePart:
    """A part of a rule's sentence: words, a thing as a chip, or a label or connection as a tag."""

    text: str = ""
    chip: Chip | None = None
    tag: str | None = None


@dataclass(frozen=True, slots=True)
class RuleRow:
    """A rule as a sentence; `people` says how many it reaches, or would. `href` leads to it, or to what ties it."""

    number: int
    sentence: tuple[RulePart, ...]
    people: str
    groups: str
    status: Status
    href: str
    quiet: bool = False


@dataclass(frozen=True, slots=True)
class RulesPage:
    """`mapping.html`. `empty`: no rule is there; it says what to do first, and `note` what waits for a rule."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[RuleRow, ...]
    pager: Pager
    picture_href: str
    add: Link | None = None
    note: Note | None = None
    empty: Note | None = None
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class MatchedGroupRow:
    """An IdP group that a rule matches now; `note` says what is particular about it."""

    chip: Chip
    people: int
    note: str = ""


@dataclass(frozen=True, slots=True)
class RulePage:
    """`mapping_rule.html`. `more_groups`: so many more are matched. `changes` lead to what shows its effect first."""

    title: str
    crumbs: tuple[Link, ...]
    sentence: tuple[RulePart, ...]
    status: Status
    facts: tuple[Fact, ...]
    groups: tuple[MatchedGroupRow, ...]
    more_groups: int
    later: str
    changes: tuple[Link, ...] = ()
    note: Note | None = None
    delete_href: str | None = None
    picture_href: str | None = None
