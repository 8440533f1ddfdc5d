"""`/w/<slug>/users`: everyone in a workspace, what they may do and where it comes from; and the same as CSV.

Fifty a page, searched and counted by the database. Who is invited comes after the last member.
"""

from dataclasses import dataclass
from uuid import UUID

from flask import Blueprint, Response, render_template

from bridge.domain.access import RoleInScope
from bridge.domain.errors import NotFound
from bridge.domain.members import Member, PersonDetails
from bridge.domain.roles import MINIMAL, OWNER, ROLES
from bridge.domain.sentences import counted, reach_lines, shorten
from bridge.flows.export_users import export_users
from bridge.flows.invite import PendingInvite, search_invites
from bridge.flows.members import PAGE, MembersPage, MembersQuery, Which, get_person, list_members
from bridge.flows.own_connections import list_connections
from bridge.web.pages.filters import until
from bridge.web.pages.forms import load_inventory, typed, typed_page
from bridge.web.pages.frame import Visit, access_tabs, counts, enter_as_owner, is_fragment, pager, show
from bridge.web.pages.invitations import promise
from bridge.web.pages.paths import givers_of, grants_by_hand, is_given_by_idp
from bridge.web.pages.standing import standing
from bridge.web.pages.views import (
    Chip,
    Choice,
    Fact,
    NothingFound,
    Option,
    Origin,
    PersonRow,
    PersonSummary,
    Post,
    Reach,
    Source,
    Status,
    UsersPage,
)
from bridge.web.return_path import go

blueprint = Blueprint("users", __name__, url_prefix="/w/<slug>")

INVITED = "invited"
_WHICH: dict[str, Which] = {
    "": "everyone",
    "owner": "owners",
    "member": "members",
    "suspended": "suspended",
    "removed": "removed",
}


@dataclass(frozen=True, slots=True)
class _Asked:
    """What the address asks for: the names are those of the query."""

    q: str
    membership: str
    source: str
    role: str
    page: int
    selected: str

    @property
    def filters(self) -> int:
        """How many filters are set beside the search."""
        return sum(map(bool, (self.membership, self.source, self.role)))

    @property
    def invited_too(self) -> bool:
        """Whether invitations belong to what is asked for: of them nothing but the address is known."""
        return self.membership in ("", INVITED) and not self.source and not self.role

    @property
    def where(self) -> dict[str, str]:
        """The question as the address says it, without the page."""
        return {"q": self.q, "membership": self.membership, "from": self.source, "role": self.role}

    def with_selected(self, visit: Visit, member_id: str) -> str:
        """The same page with somebody selected."""
        kept = {**self.where, "page": str(self.page) if self.page > 1 else "", "selected": member_id}
        return visit.url("users.index", **{name: value for name, value in kept.items() if value})


def _asked() -> _Asked:
    membership = typed("membership")
    return _Asked(
        q=typed("q"),
        membership=membership if membership in (*_WHICH, INVITED) else "",
        source=typed("from"),
        role=typed("role"),
        page=typed_page(),
        selected=typed("selected"),
    )


# -- The list ----------------------------------------------------------------------------------------


@blueprint.get("/users")
def index(slug: str) -> Response:
    """A page of people, and the summary of the one who is selected."""
    visit, asked = enter_as_owner(slug), _asked()
    people = _members(visit, asked)
    invited, pending = _invites(visit, asked, people)
    total = people.total + pending
    rows = (*(_row(visit, asked, one) for one in people.members), *(_invited_row(visit, one) for one in invited))
    page = UsersPage(
        tabs=access_tabs(visit, "Users"),
        action=visit.url("users.index"),
        query=asked.q,
        filters=_filters(visit, asked),
        rows=rows,
        pager=pager(visit, "users.index", asked.where, asked.page, len(rows), total),
        summary=_selected(visit, asked),
        csv_href=visit.url("users.download"),
        invite_href=visit.url("invitations.new"),
        only_you=total == 1 and not asked.q and not asked.filters,
        nothing_found=None if rows else _nothing(visit, asked),
    )
    return show(visit, "users.html", page)


def _members(visit: Visit, asked: _Asked) -> MembersPage:
    if asked.membership == INVITED:
        return MembersPage((), 0, 0)
    query = MembersQuery(asked.q, _WHICH[asked.membership], asked.source, asked.role, asked.page)
    return list_members(visit.context, visit.slug, query, visit.now)


def _invites(visit: Visit, asked: _Asked, people: MembersPage) -> tuple[tuple[PendingInvite, ...], int]:
    """The invitations that this page has room for after its members, and how many fit the search in all."""
    if not asked.invited_too:
        return (), 0
    skipped = max((asked.page - 1) * PAGE - people.total, 0)
    room = PAGE - len(people.members)
    return search_invites(visit.context, visit.slug, asked.q, limit=room, offset=skipped)


def _nothing(visit: Visit, asked: _Asked) -> NothingFound:
    title = f"Nobody called “{asked.q}”" if asked.q else "Nobody like this"
    return NothingFound(title, visit.url("users.index"), asked.filters)


def _filters(visit: Visit, asked: _Asked) -> tuple[Choice, ...]:
    invited = counts(visit).invited
    memberships = {
        "": "Everyone",
        "owner": "Owners",
        "member": "Members",
        INVITED: f"Invited ({invited:,})",
        "suspended": "Suspended by an IdP",
        "removed": "Removed",
    }
    sources = {one.id: one.name for one in list_connections(visit.context, visit.slug)}
    roles = {role.id: role.name for role in ROLES if role is not MINIMAL}
    return (
        _select("membership", "Membership", memberships, asked.membership),
        _select(
            "from",
            "Where access comes from",
            {"": "From anywhere", **sources, "hand": "Given by hand"},
            asked.source,
        ),
        _select("role", "Role", {"": "Any role", **roles}, asked.role),
    )


def _select(name: str, label: str, options: dict[str, str], chosen: str) -> Choice:
    return Choice(name, label, tuple(Option(value, text, selected=value == chosen) for value, text in options.items()))


# -- A line of it ------------------------------------------------------------------------------------


def _row(visit: Visit, asked: _Asked, member: Member) -> PersonRow:
    given = [RoleInScope(one.role, one.scope) for one in member.permissions]
    active = member.status == "active"
    bare = active and all(one.role is MINIMAL for one in given)
    return PersonRow(
        name=member.name,
        email=member.email,
        access=shorten(given) if active else "",
        sources=_sources(member),
        owner=any(one.role is OWNER for one in given),
        access_note="nothing gives more" if bare else None,
        href=visit.url("person.access", member=member.id),
        selected_href=asked.with_selected(visit, member.id),
        summary_href=visit.url("users.summary", member=member.id),
        selected=member.id == asked.selected,
        status=None if active else standing(member),
        last_sign_in=member.last_sign_in,
    )


def _sources(member: Member) -> tuple[Source, ...]:
    found: list[Source] = []
    for because in (path for one in member.permissions for path in one.because):
        if because.kind == "mapping":
            found.append(Source(because.connection or "An IdP", "idp"))
        elif is_given_by_idp(because.given_by):
            found.extend(_through_idp(member, because.given_by))
        else:
            found.append(Source("By hand", "hand"))
    if not found:
        found = [Source(one.connection, "idp") for one in member.records if one.pushed]
    return tuple(dict.fromkeys(found))


def _through_idp(member: Member, actor: str) -> list[Source]:
    """The IdP that pushes somebody; a first sign-in, where none does."""
    known = [one for one in member.records if actor == f"connection:{one.connection_id}" and one.pushed]
    return [Source(one.connection, "idp") for one in known] or [Source("First sign-in", "first_sign_in")]


def _invited_row(visit: Visit, invite: PendingInvite) -> PersonRow:
    if invite.is_expired(visit.now):
        status = Status("warn", "Invitation expired")
    else:
        status = Status("mail", f"Invited, expires {until(invite.expires_at, visit.now)}")
    return PersonRow(
        name=invite.email,
        email=invite.email,
        access=promise(invite.gives),
        sources=(Source("By hand", "hand"),),
        status=status,
        resend=Post(
            "Resend", visit.url("invitations.send_again", invite=invite.id), f"the invitation of {invite.email}"
        ),
        revoke_href=visit.url("invitations.ask_to_revoke", invite=invite.id),
    )


# -- The summary beside it ---------------------------------------------------------------------------


@blueprint.get("/users/<uuid:member>/summary")
def summary(slug: str, member: UUID) -> Response:
    """The panel alone for htmx; for others the list with this person selected."""
    visit = enter_as_owner(slug)
    if not is_fragment():
        return go(visit.url("users.index", selected=str(member)))
    page = _summary(visit, get_person(visit.context, visit.slug, str(member), visit.now))
    return Response(render_template("person_summary.html", page=page, now=visit.now))


def _selected(visit: Visit, asked: _Asked) -> PersonSummary | None:
    """The selected person; nobody where the address names nobody of this workspace."""
    try:
        return _summary(visit, get_person(visit.context, visit.slug, asked.selected, visit.now))
    except NotFound:
        return None


def _summary(visit: Visit, details: PersonDetails) -> PersonSummary:
    member = details.member
    given = [RoleInScope(one.role, one.scope) for one in member.permissions]
    edit, read = reach_lines(given, load_inventory(visit))
    return PersonSummary(
        name=member.name,
        email=member.email,
        href=visit.url("person.access", member=member.id),
        edit_href=visit.url("person.grants", member=member.id) if member.status != "removed" else None,
        owner=any(one.role is OWNER for one in given),
        may_edit=tuple(Reach(line.what, line.which) for line in edit),
        may_read=tuple(Reach(line.what, line.which) for line in read),
        comes_from=_origins(visit, details),
        facts=(_last_sign_in(member), Fact("Member since", at=member.member_since)),
        status=None if member.status == "active" else standing(member),
    )


def _origins(visit: Visit, details: PersonDetails) -> tuple[Origin, ...]:
    """The IdP groups, User Groups by hand and roles by hand behind somebody's access, each once."""
    found: dict[str, Origin] = {}
    for because in (path for one in details.member.permissions for path in one.because):
        if because.kind == "mapping":
            name = because.idp_group or ""
            found[f"idp {because.idp_group_id}"] = Origin(Chip("idp", name), because.connection or "")
        elif because.kind == "user_group":
            href = visit.url("user_groups.show_roles", group=because.user_group_id)
            found[f"group {because.user_group_id}"] = Origin(Chip("group", because.user_group or "", href), "by hand")
    by_hand = grants_by_hand(details)
    if by_hand:
        href = visit.url("person.grants", member=details.member.id)
        givers = {one.given_by_name or givers_of(details).name(one.given_by) for one in by_hand}
        chip = Chip("hand", counted(len(by_hand), "role"), href)
        found["hand"] = Origin(chip, givers.pop() if len(givers) == 1 else f"{len(givers)} people")
    return tuple(found.values())


def _last_sign_in(member: Member) -> Fact:
    return Fact("Last sign-in", at=member.last_sign_in) if member.last_sign_in else Fact("Last sign-in", "never")


# -- As CSV ------------------------------------------------------------------------------------------


@blueprint.get("/users.csv")
def download(slug: str) -> Response:
    """All people with their roles, in pieces, however many there are."""
    visit = enter_as_owner(slug)
    rows = export_users(visit.context, visit.slug, visit.now)
    headers = {"Content-Disposition": f'attachment; filename="{visit.slug}-users.csv"'}
    return Response(rows, mimetype="text/csv", headers=headers)
