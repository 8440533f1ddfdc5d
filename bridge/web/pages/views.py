"""What each page shows: plain, frozen values. A view function fills one, its template writes it down.

A template is rendered with three names and no others: `page` (a value of this module), `frame` (a `Frame` inside
a workspace, else a `BareFrame`) and `now` (the request's time, aware). Addresses are ready-made strings, so
templates know no routes. An address that is None means that this person can't do it, or that it doesn't exist yet;
the control is then left out. Times are aware datetimes, written by the filters; sentences are finished English.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Kind = Literal["idp", "rule", "group", "role", "resource", "hand"]
Tone = Literal["ok", "warn", "bad", "off", "mail"]
NoteTone = Literal["info", "idp", "ok", "warn", "bad", "plain"]
Theme = Literal["light", "dark"]


# ---------- parts ----------


@dataclass(frozen=True, slots=True)
class Link:
    """A way to go; `primary` makes it the page's one filled button where it is shown as a button."""

    text: str
    href: str
    primary: bool = False


@dataclass(frozen=True, slots=True)
class Chip:
    """A thing of one of the six kinds, always shown with the same icon, tint and word."""

    kind: Kind
    text: str
    href: str | None = None
    title: str | None = None
    """A sentence that explains it, for who points at it."""


@dataclass(frozen=True, slots=True)
class Path:
    """One path that gives a permission: IdP group or hand, rule, User Group, role, as far as they take part."""

    steps: tuple[Chip, ...]
    reason: str | None = None
    """What the giver wrote, e.g. "debugging enrichment"."""


@dataclass(frozen=True, slots=True)
class Status:
    """A state: an icon of its own shape and a word."""

    tone: Tone
    text: str


@dataclass(frozen=True, slots=True)
class Note:
    """A title that says it all, one paragraph, one action. `urgent` has it read out at once."""

    tone: NoteTone
    title: str
    text: str | None = None
    action: Link | None = None
    urgent: bool = False


@dataclass(frozen=True, slots=True)
class Tab:
    """One of the tabs under a heading: a link."""

    text: str
    href: str
    count: int | None = None
    current: bool = False


@dataclass(frozen=True, slots=True)
class Pager:
    """Which of how many rows are shown; `total` is counted by the server."""

    first: int
    last: int
    total: int
    previous: str | None = None
    next: str | None = None


@dataclass(frozen=True, slots=True)
class Fact:
    """A line of a list of facts; `at`, when there, is written before the text."""

    label: str
    text: str = ""
    at: datetime | None = None
    href: str | None = None


@dataclass(frozen=True, slots=True)
class Consequence:
    """What happens when one goes on: somebody loses, gains or keeps something, or a thing is remembered."""

    effect: Literal["lose", "gain", "keep", "remember"]
    text: str


@dataclass(frozen=True, slots=True)
class Post:
    """A button that changes something: its words, where it posts to, what a screen reader hears after them."""

    text: str
    action: str
    about: str = ""


# ---------- parts of forms ----------


@dataclass(frozen=True, slots=True)
class Field:
    """One line or block of text to fill in. `error` says what is wrong and what to do."""

    name: str
    label: str
    value: str = ""
    kind: Literal["text", "email", "password", "search", "textarea"] = "text"
    help: str | None = None
    error: str | None = None
    required: bool = True
    autocomplete: str = "off"
    placeholder: str | None = None
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Option:
    """One thing to choose. `unavailable` is the reason why it can't be chosen here."""

    value: str
    text: str
    selected: bool = False
    help: str | None = None
    unavailable: str | None = None


@dataclass(frozen=True, slots=True)
class Choice:
    """One field with options: a select in filters and short forms, radio buttons or checkboxes elsewhere."""

    name: str
    label: str
    options: tuple[Option, ...]
    help: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class OptionGroup:
    """Options under a heading, e.g. the sources, or the roles of one area."""

    title: str
    options: tuple[Option, ...]


@dataclass(frozen=True, slots=True)
class ScopePicker:
    """Where a role applies. Posts `scope` (all, listed, labels), and any number of `resource` and `label`."""

    chosen: Literal["all", "listed", "labels"] = "all"
    all_text: str = "Everything of its kind, now and in future"
    resources: tuple[OptionGroup, ...] = ()
    labels: tuple[Option, ...] = ()
    error: str | None = None


# ---------- the frame ----------


@dataclass(frozen=True, slots=True)
class NavItem:
    """A page of the side navigation; `icon` is a name of icons.html."""

    text: str
    href: str
    icon: str
    current: bool = False
    waiting: int = 0


@dataclass(frozen=True, slots=True)
class NavSection:
    """A heading of the side navigation with its pages."""

    title: str
    items: tuple[NavItem, ...]


@dataclass(frozen=True, slots=True)
class Me:
    """The person who looks at the page, and what they are in this workspace."""

    name: str
    role: str


@dataclass(frozen=True, slots=True)
class Frame:
    """What surrounds every page of a workspace."""

    workspace: str
    plan: str
    people: int
    home_href: str
    switch_href: str | None
    """The choice of workspaces; None when the session reaches only this one."""
    nav: tuple[NavSection, ...]
    me: Me
    path: str
    """The path and query of this page: where the theme switch returns to."""
    theme: Theme | None = None
    """What the cookie says; None follows the device."""
    theme_action: str = "/theme"
    sign_out_action: str = "/logout"
    notices: tuple[Note, ...] = ()
    """What the request before this one did, said once."""


@dataclass(frozen=True, slots=True)
class BareFrame:
    """What surrounds the pages outside a workspace: signing in, refusals, errors."""

    site: str
    """The host name, shown in the foot so that people see where they are."""
    theme: Theme | None = None


# ---------- signing in ----------


@dataclass(frozen=True, slots=True)
class SignInWay:
    """One way to sign in, after the email is known. The company's own comes first and is large."""

    kind: Literal["sso", "twilio", "password"]
    text: str
    help: str
    href: str


@dataclass(frozen=True, slots=True)
class LoginPage:
    """`login.html`. First it asks `email`; then it shows `known_email` with the ways, or the password field."""

    action: str
    email: Field | None = None
    known_email: str | None = None
    change_href: str = "/login"
    ways: tuple[SignInWay, ...] = ()
    password: Field | None = None
    forgotten_href: str | None = None
    notice: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    password_href: str | None = None
    """The same first page in password mode, whatever the domain; None where it is that already."""


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """`refused.html`: what happened, whose turn it is, the reference, what to do now.

    Nothing in it helps an attacker: the detail is in the sign-in log under the reference.
    """

    title: str
    text: str
    actions: tuple[Link, ...]
    kicker: str = "Sign-in refused"
    reference: str | None = None
    reference_help: str = "With it, a Workspace Owner finds this attempt, and what to change."


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """`invitation.html`. It needs a new account (name and password), a sign-in, or nothing but the button."""

    workspace: str
    email: str
    invited_by: str
    gives: tuple[str, ...]
    expires: datetime
    action: str
    needs: Literal["account", "sign_in", "nothing"]
    name: Field | None = None
    password: Field | None = None
    sign_in_href: str | None = None
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class ProveAccountPage:
    """`prove_account.html`: an account with this email exists; the IdP's person proves that it is theirs.

    `mailed_to`, when set, is the stored address a link was just sent to (and the page says so).
    """

    connection: str
    workspace: str
    email: str
    why: str
    sign_in_href: str
    mail_action: str
    mailed_to: str | None = None
    link_minutes: int = 15
    cancel_href: str = "/login"
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`error.html`: 403, 404, 500 and their kin. `reference` only where something was stored under it."""

    status: int
    kicker: str
    title: str
    text: str
    actions: tuple[Link, ...] = ()
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A workspace to open. `asks` says what it asks for first ("asks for Okta"), None when it opens at once."""

    name: str
    href: str
    role: str
    people: int
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    """`workspaces.html`: the person is a member of several, or of none."""

    name: str
    email: str
    workspaces: tuple[WorkspaceChoice, ...]
    sign_out_action: str = "/logout"
    notice: Note | None = None


# ---------- Access Management: Users ----------


@dataclass(frozen=True, slots=True)
class Source:
    """Where somebody's access comes from, shortly: an IdP by its name, or by hand."""

    text: str
    kind: Literal["idp", "hand", "first_sign_in"]


@dataclass(frozen=True, slots=True)
class PersonRow:
    """A line of Users: a member, or somebody invited (no `href`, a `status`, and posts to resend)."""

    name: str
    email: str
    access: str
    sources: tuple[Source, ...] = ()
    owner: bool = False
    access_note: str | None = None
    href: str | None = None
    selected_href: str | None = None
    """Users with this person's summary beside it."""
    summary_href: str | None = None
    """The fragment `person_summary.html` alone."""
    selected: bool = False
    status: Status | None = None
    last_sign_in: datetime | None = None
    resend: Post | None = None
    revoke_href: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """A line of "May edit" or "May read": a kind of resource and which of them."""

    what: str
    which: str


@dataclass(frozen=True, slots=True)
class Origin:
    """A line of "Comes from": a thing and the IdP or person behind it."""

    chip: Chip
    by: str


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """The panel beside Users, `person_summary.html` (a fragment, also under its own address)."""

    name: str
    email: str
    href: str
    edit_href: str | None
    owner: bool
    may_edit: tuple[Reach, ...]
    may_read: tuple[Reach, ...]
    comes_from: tuple[Origin, ...]
    facts: tuple[Fact, ...]
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class NothingFound:
    """A search without result: what was asked, perhaps a better spelling, and how to clear."""

    title: str
    clear_href: str
    filters: int = 0
    suggestion: Link | None = None


@dataclass(frozen=True, slots=True)
class UsersPage:
    """`users.html`. `only_you` when nobody else is there yet; `nothing_found` when a search has no result."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[PersonRow, ...]
    pager: Pager
    summary: PersonSummary | None = None
    csv_href: str | None = None
    invite_href: str | None = None
    only_you: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class InvitePage:
    """`invite.html`. Posts `emails`, `role` (empty for none) with its scope, any number of `user_group`."""

    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    emails: Field
    role: Choice
    scope: ScopePicker
    user_groups: Choice
    expires_days: int
    notice: Note | None = None


# ---------- a person ----------


@dataclass(frozen=True, slots=True)
class PermissionLine:
    """A permission as a sentence ("Read all sources with environment:prod"), and every path that gives it."""

    sentence: str
    paths: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class AccessChange:
    """Something lately gained or lost, and how."""

    gained: bool
    text: str
    how: str
    at: datetime


@dataclass(frozen=True, slots=True)
class WayToGet:
    """One thing that would give what is missing, and who can do it."""

    title: str
    text: str
    action: Link | None = None


@dataclass(frozen=True, slots=True)
class WhyAnswer:
    """The answer of "Why can't ... ?": when they can, by which paths; when not, what would give it."""

    allowed: bool
    title: str
    text: str
    paths: tuple[Path, ...] = ()
    ways: tuple[WayToGet, ...] = ()


@dataclass(frozen=True, slots=True)
class WhyPanel:
    """The question: `act` and `resource`, asked by GET at `action`."""

    action: str
    act: Choice
    resource: Field
    answer: WhyAnswer | None = None
    problem: str | None = None
    """Why there is no answer, said in its place: htmx swaps no more than that."""


@dataclass(frozen=True, slots=True)
class GrantRow:
    """A role given to this very person or User Group."""

    role: str
    text: str
    scope: tuple[Chip, ...]
    """Resources or labels; empty for all of its kind."""
    reach: str
    """How many that is now: "2 of 11 sources", "all 2, and future ones"."""
    given_by: str
    at: datetime
    reason: str | None = None
    change_href: str | None = None
    take_href: str | None = None
    locked: str | None = None


@dataclass(frozen=True, slots=True)
class InGroupRow:
    """A User Group that the person is in, and the ways by which they came in."""

    name: str
    href: str | None
    ways: tuple[Chip, ...]
    leave_href: str | None = None
    """Where the person is taken out; None where only an IdP could."""


@dataclass(frozen=True, slots=True)
class PersonPage:
    """`person.html`. `tab` says which of its tabs is shown: "access", "grants" (Roles by hand) or "groups"."""

    name: str
    short_name: str
    """What to call them in a sentence, e.g. the given name the IdP pushed, else the whole name."""
    email: str
    crumbs: tuple[Link, ...]
    member_since: datetime
    status: Status | None
    tabs: tuple[Tab, ...]
    tab: Literal["access", "grants", "groups"]
    facts: tuple[Fact, ...]
    notes: tuple[Note, ...] = ()
    permissions: tuple[PermissionLine, ...] = ()
    nothing: tuple[str, str] | None = None
    """Where there are no permissions, what that means here: a title and a sentence; None: a member without any."""
    totals: str = ""
    changes: tuple[AccessChange, ...] = ()
    why: WhyPanel | None = None
    grants: tuple[GrantRow, ...] = ()
    groups: tuple[InGroupRow, ...] = ()
    give_href: str | None = None
    remove_href: str | None = None
    remove_locked: str | None = None
    """Why nobody can remove this person; shown in the button's place."""


@dataclass(frozen=True, slots=True)
class RemovePersonPage:
    """`person_remove.html`. `button` names the consequence: "Remove Priya Raman: loses 6 permissions"."""

    name: str
    email: str
    crumbs: tuple[Link, ...]
    person_href: str
    action: str
    button: str
    consequences: tuple[Consequence, ...]
    loses: tuple[PermissionLine, ...] = ()
    tokens: tuple[str, ...] = ()
    note: Note | None = None
    keep: str = "Keep them"


@dataclass(frozen=True, slots=True)
class GrantPage:
    """`grant_new.html`: give a role, or change its scope. First the role (GET `role`), then where (POST)."""

    title: str
    crumbs: tuple[Link, ...]
    cancel_href: str
    action: str
    roles: tuple[OptionGroup, ...] = ()
    """The first step: roles to choose from. Empty in the second."""
    role: Option | None = None
    """The second step: the role chosen, with what it gives."""
    other_role_href: str | None = None
    scope: ScopePicker | None = None
    """None when the role has no listable resources."""
    reason: Field | None = None
    button: str = "Give the role"
    note: Note | None = None


@dataclass(frozen=True, slots=True)
class ConfirmPage:
    """`confirm.html`: any other step that takes something away. The button names what."""

    title: str
    crumbs: tuple[Link, ...]
    action: str
    button: str
    consequences: tuple[Consequence, ...]
    cancel_href: str
    text: str | None = None
    keep: str = "Keep it"
    hidden: tuple[tuple[str, str], ...] = ()


# ---------- User Groups ----------


@dataclass(frozen=True, slots=True)
class UserGroupRow:
    """A line of User Groups. `decided_by`: the IdP groups behind it; `by_hand`: people are put in by hand too."""

    name: str
    href: str
    members: int
    gives: str
    decided_by: tuple[Chip, ...] = ()
    by_hand: bool = False
    status: Status | None = None


@dataclass(frozen=True, slots=True)
class UserGroupsPage:
    """`user_groups.html`."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[UserGroupRow, ...]
    pager: Pager
    new_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class Deciders:
    """Who decides the members of a User Group: the page's first words, with the ways people come in."""

    tone: NoteTone
    title: str
    text: str
    paths: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class MemberRow:
    """A member and how they came in; `remove_href` None with `locked` says who could change it."""

    name: str
    email: str
    href: str
    by: Chip
    since: datetime | None = None
    remove_href: str | None = None
    locked: str | None = None


@dataclass(frozen=True, slots=True)
class UserGroupPage:
    """`user_group.html`. `add` is None where members can't be put in by hand."""

    name: str
    members: int
    summary: str
    crumbs: tuple[Link, ...]
    tabs: tuple[Tab, ...]
    tab: Literal["roles", "members"]
    deciders: Deciders
    may_edit: tuple[Reach, ...] = ()
    may_read: tuple[Reach, ...] = ()
    grants: tuple[GrantRow, ...] = ()
    give_href: str | None = None
    rename_href: str | None = None
    delete_href: str | None = None
    delete_locked: str | None = None
    action: str = ""
    query: str = ""
    filters: tuple[Choice, ...] = ()
    rows: tuple[MemberRow, ...] = ()
    pager: Pager | None = None
    nothing_found: NothingFound | None = None
    add: Field | None = None
    add_action: str = ""
    first_members: tuple[MemberRow, ...] = ()
    members_href: str = ""


@dataclass(frozen=True, slots=True)
class UserGroupFormPage:
    """`user_group_new.html`: create a User Group, or rename one (then `members` is None)."""

    title: str
    text: str
    crumbs: tuple[Link, ...]
    action: str
    cancel_href: str
    name: Field
    members: Field | None = None
    button: str = "Create the User Group"


# ---------- Tokens ----------


@dataclass(frozen=True, slots=True)
class NewToken:
    """A secret, shown in place, this one time."""

    name: str
    secret: str
    done_href: str
    base_url: str
    base_url_help: str


@dataclass(frozen=True, slots=True)
class TokenRow:
    """A token. `expires` None means never; expired and soon-to-expire ones are marked by the template.

    `note` says in a few words what is special about it, e.g. that it stopped with who made it.
    """

    name: str
    note: str | None
    kind: Literal["api", "scim"]
    may: str
    last_used: datetime | None
    expires: datetime | None
    href: str
    selected: bool = False


@dataclass(frozen=True, slots=True)
class TokenSummary:
    """The panel beside Tokens. `stops` says who can't work any more once it is revoked."""

    name: str
    text: str
    facts: tuple[Fact, ...]
    stops: str
    note: Note | None = None
    second_href: str | None = None
    revoke_href: str | None = None


@dataclass(frozen=True, slots=True)
class TokensPage:
    """`tokens.html`: Public API and SCIM tokens in one list, since both are keys."""

    tabs: tuple[Tab, ...]
    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[TokenRow, ...]
    pager: Pager
    summary: TokenSummary | None = None
    new: NewToken | None = None
    create_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


# ---------- the SCIM log ----------


@dataclass(frozen=True, slots=True)
class OpenedRequest:
    """All that is kept of one call. `request` and `answer` are text to be shown as it is, empty for none."""

    facts: tuple[Fact, ...]
    request: str
    answer: str


@dataclass(frozen=True, slots=True)
class RequestRow:
    """One SCIM call: `href` opens it, or closes it where it is `opened`."""

    at: datetime
    sentence: str
    outcome: Literal["changed", "unchanged", "read", "refused"]
    status: Status
    call: str
    connection: str
    href: str
    opened: OpenedRequest | None = None


@dataclass(frozen=True, slots=True)
class ScimLogPage:
    """`scim_log.html`: calls of IdPs, newest first, kept `days`."""

    action: str
    query: str
    filters: tuple[Choice, ...]
    rows: tuple[RequestRow, ...]
    days: int
    token_href: str
    newest_href: str | None = None
    older_href: str | None = None
    none_yet: bool = False
    nothing_found: NothingFound | None = None


@dataclass(frozen=True, slots=True)
class TokenFormPage:
    """`token_new.html`. Posts `name`, `expires`, and `role` with its scope (api) or `connection` (scim)."""

    tabs: tuple[Tab, ...]
    crumbs: tuple[Link, ...]
    kind: Literal["api", "scim"]
    action: str
    cancel_href: str
    name: Field
    expires: Choice
    role: Choice | None = None
    scope: ScopePicker | None = None
    connection: Choice | None = None
    """None for a SCIM token when no connection exists: the page then says so."""


# ---------- Roles ----------


@dataclass(frozen=True, slots=True)
class RoleCard:
    """A role: what it gives, sentence by sentence, whom it is for, where it can apply, how many hold it."""

    name: str
    text: str
    gives: tuple[str, ...]
    for_whom: str
    scope: str
    people: int
    people_href: str | None = None
    plan_note: str | None = None


@dataclass(frozen=True, slots=True)
class RoleArea:
    """The roles of one area of the product, e.g. Sources."""

    title: str
    roles: tuple[RoleCard, ...]


@dataclass(frozen=True, slots=True)
class RolesPage:
    """`roles.html`: reads what each role gives."""

    tabs: tuple[Tab, ...]
    areas: tuple[RoleArea, ...]
