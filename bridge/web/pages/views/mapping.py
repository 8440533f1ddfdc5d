"""Group mapping: rules, one of them, and what a change of one would do."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Choice, Field, ScopePicker
from bridge.web.pages.views.parts import Chip, Consequence, Fact, Link, Note, NothingFound, Pager, Status, Tab


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


# -- What a change would do --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class MovedRow:
    """One person who gains or loses, and what."""

    name: str
    email: str
    href: str
    what: str
    signed_in: bool = False


@dataclass(frozen=True, slots=True)
class MovedSide:
    """Who gains, or who loses: how many, what they do by role, the first of them, and the way to all of them.

    `all_href` or, inside a form, `all_do` (the value of its button) leads to all of them.
    """

    title: str
    count: int
    by_role: tuple[str, ...] = ()
    signed_in: str = ""
    rows: tuple[MovedRow, ...] = ()
    all_href: str | None = None
    all_do: str | None = None


@dataclass(frozen=True, slots=True)
class MovedPage:
    """A page of one side: all who gain, or lose. `next_…`: the page after it; `back_…`: the counts."""

    title: str
    rows: tuple[MovedRow, ...]
    back_href: str | None = None
    back_do: str | None = None
    next_href: str | None = None
    next_do: str | None = None


@dataclass(frozen=True, slots=True)
class PreviewPanel:
    """Who gains, who loses, who keeps what they have by another path; `waiting` says why nothing is counted yet.

    `keeps` says why those do, where that is no other path. `csv_href` or, inside a form, `csv_do` gives all of them as
    a file.
    """

    title: str
    gains: MovedSide | None = None
    loses: MovedSide | None = None
    covered: int = 0
    keeps: tuple[str, ...] = ()
    later: str = ""
    waiting: str = ""
    page: MovedPage | None = None
    csv_href: str | None = None
    csv_do: str | None = None


@dataclass(frozen=True, slots=True)
class GivenRole:
    """A role that the rule being written gives: its sentence, and what its hidden field and its button carry."""

    sentence: tuple[RulePart, ...]
    value: str
    about: str
    drop_do: str


@dataclass(frozen=True, slots=True)
class TakenGroups:
    """What the match takes now."""

    text: str
    chips: tuple[Chip, ...]
    later: str


@dataclass(frozen=True, slots=True)
class RuleFormPage:
    """`mapping_form.html`: a rule being written, and what it would do.

    `save` is the button's text, None until what is to be saved has been shown; `carried` goes with it.
    """

    title: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    sentence: tuple[RulePart, ...]
    connection: Choice
    how: Choice
    find: Field
    groups: Choice
    more_groups: str
    name: Field
    pattern: Field
    taken: TakenGroups | None
    user_groups: Choice
    given: tuple[GivenRole, ...]
    role: Choice
    scope: ScopePicker
    panel: PreviewPanel
    save: str | None = None
    carried: tuple[tuple[str, str], ...] = ()
    gives_error: str | None = None
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class RuleChangePage:
    """`mapping_change.html`: a rule is deleted or switched; first what that does."""

    title: str
    heading: str
    crumbs: tuple[Link, ...]
    sentence: tuple[RulePart, ...]
    panel: PreviewPanel
    action: str
    button: str
    keep: str
    cancel_href: str
    consequences: tuple[Consequence, ...]
    carried: tuple[tuple[str, str], ...]
    danger: bool
    note: Note | None = None
