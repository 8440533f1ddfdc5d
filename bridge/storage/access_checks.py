"""What applications ask: one check in one statement, or many in as few as there are kinds of things.

However many checks there are, a statement is said for each kind of thing: people by address, people by id, resources,
their labels, what the people hold, what those grants list, which labels they name.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import (
    ARRAY,
    BigInteger,
    ColumnElement,
    Join,
    Select,
    Table,
    Text,
    and_,
    any_,
    bindparam,
    func,
    literal_column,
    select,
    text,
)

from bridge.domain.access import ResourceRef
from bridge.domain.labels import Label
from bridge.domain.workspace import Workspace
from bridge.storage.access import ALIVE, FOREVER, OF_ROLES, first_end, fits, held_by_members, moment_of
from bridge.storage.columns import Instant, Json
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    grant_labels,
    grant_resources,
    memberships,
    resource_labels,
    resources,
    users,
    workspaces,
)
from bridge.storage.tokens import API_TOKEN_COLUMNS, API_TOKEN_WORKS, API_TOKENS, FoundApiToken, found_api_token
from bridge.storage.workspaces import COLUMNS as WORKSPACE_COLUMNS

# -- One -----------------------------------------------------------------------------------------------------------


class OneCheck(NamedTuple):
    """What one statement knows of one check: keys of who and what is asked about, None where there is no such one.

    `ends`: when by time alone the answer is no longer yes, in microseconds since 1970, or FOREVER; None of a no.
    """

    member: int | None
    resource: int | None
    ends: int | None

    @property
    def until(self) -> datetime | None:
        """The end as a moment; None where there is none."""
        return None if self.ends is None or self.ends == FOREVER else moment_of(self.ends)


_USER, _MEMBER, _ABOUT = users.alias("u"), memberships.alias("m"), resources.alias("r")


def _with_named(of: Join | Table, subject: str, *, resource: bool) -> Join:
    """Beside each workspace the member and the resource that are named, where it has them."""
    here = workspaces.c.id
    named = of.outerjoin(_USER, and_(_USER.c[subject] == bindparam("subject"), _USER.c.closed_at.is_(None)))
    named = named.outerjoin(_MEMBER, and_(_MEMBER.c.workspace_id == here, _MEMBER.c.user_id == _USER.c.id))
    if not resource:
        return named
    typed, called = _ABOUT.c.type == bindparam("type"), _ABOUT.c.uid == bindparam("uid")
    return named.outerjoin(_ABOUT, and_(_ABOUT.c.workspace_id == here, typed, called))


def _one_check(subject: str, *, resource: bool) -> Prepared:
    """Of the token and its workspace, then of the check: so both are of one moment, and a call takes one statement."""
    grant = f"{OF_ROLES} AND {fits('r.id')}" if resource else f"{OF_ROLES} AND g.scope = 'all'"
    found = "m.id IS NOT NULL AND r.id IS NOT NULL" if resource else "m.id IS NOT NULL"
    ends = text(f"CASE WHEN {found} AND {ALIVE} THEN {first_end(grant)} END")
    ends = ends.bindparams(bindparam("roles", type_=Text, expanding=True), bindparam("now", type_=Instant))
    of_check = (_MEMBER.c.id, _ABOUT.c.id if resource else literal_column("0"), ends)
    among = _with_named(API_TOKENS, subject, resource=resource)
    return Prepared(select(*API_TOKEN_COLUMNS, *of_check).select_from(among).where(API_TOKEN_WORKS))


_ONE = {
    (subject, resource): _one_check(subject, resource=resource)
    for subject in ("email_ci", "uid")
    for resource in (True, False)
}


def check_one(
    connection: Any, digest: bytes, subject: str, roles: Sequence[str], ref: ResourceRef | None, now: datetime
) -> tuple[FoundApiToken, OneCheck] | None:
    """The API token whose secret has this hash, and whether, in its workspace, somebody has any of the roles on a
    resource; on none given, in a scope of all (to create). None for a token that doesn't work now.

    `subject` is an account's id, or an address as `fold_letters` has it. What the token may ask is the caller's to see.
    """
    statement = _ONE["email_ci" if "@" in subject else "uid", ref is not None]
    about = {} if ref is None else {"type": ref.type, "uid": ref.id}
    row = statement.first(connection, hash=digest, subject=subject, roles=roles, now=now, **about)
    return None if row is None else (found_api_token(row[:-3]), OneCheck(*row[-3:]))


def _who_and_what(*, resource: bool) -> Prepared:
    columns = (*WORKSPACE_COLUMNS, _MEMBER.c.id, _ABOUT.c.id if resource else literal_column("NULL"))
    among = _with_named(workspaces, "email_ci", resource=resource)
    return Prepared(select(*columns).select_from(among).where(workspaces.c.slug == bindparam("slug")))


_WHO_AND_WHAT = {resource: _who_and_what(resource=resource) for resource in (True, False)}


def who_and_what(
    connection: Any, slug: str, email_ci: str, ref: ResourceRef | None
) -> tuple[Workspace, int | None, int | None] | None:
    """The workspace with this slug, and the keys of the member with this address (as `fold_letters` has it) and of the
    resource, each None where there is none. None for no workspace.
    """
    about = {} if ref is None else {"type": ref.type, "uid": ref.id}
    row = _WHO_AND_WHAT[ref is not None].first(connection, slug=slug, subject=email_ci, **about)
    return None if row is None else (Workspace(*row[:-2]), *row[-2:])


# -- Many ----------------------------------------------------------------------------------------------------------

#: So many people at a time: one in a thousand groups may hold as many grants.
_PEOPLE_AT_ONCE = 100


def _in_list(column: ColumnElement[Any], name: str, kind: Any) -> dict[str, ColumnElement[bool]]:
    """That a value is in the list bound to `name`: one value however long it is, so that nothing is compiled anew."""
    listed = func.json_each(bindparam(name, type_=Json)).table_valued("value")
    return {
        "sqlite": column.in_(select(listed.c.value)),
        "postgresql": column == any_(bindparam(name, type_=ARRAY(kind))),
    }


def _by_list(chosen: Select[Any], column: ColumnElement[Any], name: str, kind: Any) -> dict[str, Prepared]:
    return {engine: Prepared(chosen.where(where)) for engine, where in _in_list(column, name, kind).items()}


_MEMBERS = (
    select(users.c.email_ci, users.c.uid, memberships.c.id)
    .join_from(users, memberships, memberships.c.user_id == users.c.id)
    .where(memberships.c.workspace_id == bindparam("workspace"), users.c.closed_at.is_(None))
)
_BY_EMAIL = _by_list(_MEMBERS, users.c.email_ci, "emails", Text)
_BY_UID = _by_list(_MEMBERS, users.c.uid, "uids", Text)


def members_asked(
    connection: Any, workspace_key: int, emails: Collection[str], uids: Collection[str]
) -> dict[str, int]:
    """The memberships of those of these people who have one, removed or not, by what they were named by: the address as
    `fold_letters` has it, or the account's id.
    """
    engine = connection.dialect.name
    found: dict[str, int] = {}
    if emails:
        rows = _BY_EMAIL[engine](connection, workspace=workspace_key, emails=list(emails))
        found |= {row.email_ci: row.id for row in rows}
    if uids:
        rows = _BY_UID[engine](connection, workspace=workspace_key, uids=list(uids))
        found |= {row.uid: row.id for row in rows}
    return found


@dataclass(frozen=True, slots=True)
class ResourceAsked:
    """A resource by its key, with what it carries."""

    key: int
    labels: frozenset[Label]


_RESOURCES = _by_list(
    select(resources.c.type, resources.c.uid, resources.c.id).where(
        resources.c.workspace_id == bindparam("workspace"), resources.c.type == bindparam("type")
    ),
    resources.c.uid,
    "uids",
    Text,
)
_CARRIED = _by_list(
    select(resource_labels.c.resource_id, resource_labels.c.key, resource_labels.c.value),
    resource_labels.c.resource_id,
    "keys",
    BigInteger,
)


def resources_asked(
    connection: Any, workspace_key: int, refs: Iterable[ResourceRef]
) -> dict[ResourceRef, ResourceAsked]:
    """Those of these resources that the workspace has, with their labels."""
    engine = connection.dialect.name
    by_type: dict[str, list[str]] = {}
    for ref in refs:
        by_type.setdefault(ref.type, []).append(ref.id)
    keys = {}
    for kind, uids in by_type.items():
        for row in _RESOURCES[engine](connection, workspace=workspace_key, type=kind, uids=uids):
            keys[ResourceRef(row.type, row.uid)] = row.id
    carried: dict[int, set[Label]] = {}
    for key, name, value in _CARRIED[engine](connection, keys=list(keys.values())) if keys else ():
        carried.setdefault(key, set()).add(Label(name, value))
    return {ref: ResourceAsked(key, frozenset(carried.get(key, ()))) for ref, key in keys.items()}


# -- What they hold ------------------------------------------------------------------------------------------------


@dataclass(slots=True)
class Reach:
    """How far one role of one person reaches, by whichever grants: everywhere; to what these grants list; to what
    carries all labels of one of these sets.
    """

    everywhere: bool = False
    listing: set[int] = field(default_factory=set)
    labelled: set[frozenset[Label]] = field(default_factory=set)


@dataclass(slots=True)
class Holdings:
    """What people hold: each one's roles, and which of the grants list which of the resources that are asked about.

    `until`: the first moment at which time alone ends any of it; None where none of it has an end.
    """

    roles: dict[int, dict[str, Reach]] = field(default_factory=dict)
    listed: dict[int, set[int]] = field(default_factory=dict)
    until: datetime | None = None

    def may(self, member: int, roles: Iterable[str], resource: ResourceAsked | None) -> bool:
        """Whether the member has any of the roles on the resource; on none given, everywhere (to create)."""
        held: Mapping[str, Reach] = self.roles.get(member, {})
        return any(self._reaches(held[role], resource) for role in roles if role in held)

    def _reaches(self, reach: Reach, resource: ResourceAsked | None) -> bool:
        if reach.everywhere or resource is None:
            return reach.everywhere
        if not reach.listing.isdisjoint(self.listed.get(resource.key, ())):
            return True
        return any(wanted <= resource.labels for wanted in reach.labelled)


_LISTING = _by_list(
    select(grant_resources.c.resource_id, grant_resources.c.grant_id),
    grant_resources.c.resource_id,
    "keys",
    BigInteger,
)
_NAMED = _by_list(
    select(grant_labels.c.grant_id, grant_labels.c.key, grant_labels.c.value),
    grant_labels.c.grant_id,
    "keys",
    BigInteger,
)


def holdings(
    connection: Any, members: Collection[int], resource_keys: Collection[int], roles: Collection[str], now: datetime
) -> Holdings:
    """What the members hold of these roles, to be asked about these resources."""
    found, ordered = Holdings(), sorted(set(members))
    for start in range(0, len(ordered), _PEOPLE_AT_ONCE):
        _add_held(connection, found, ordered[start : start + _PEOPLE_AT_ONCE], roles, now)
    if resource_keys:
        listing = _LISTING[connection.dialect.name]
        for resource, grant in listing(connection, keys=sorted(set(resource_keys))):
            found.listed.setdefault(resource, set()).add(grant)
    return found


def _add_held(connection: Any, found: Holdings, members: list[int], roles: Collection[str], now: datetime) -> None:
    labelled: dict[int, list[Reach]] = {}
    for row in held_by_members(connection, members, roles, now):
        found.until = min(filter(None, (found.until, row.expires_at, row.asserted_until)), default=None)
        reach = found.roles.setdefault(row.membership_id, {}).setdefault(row.role, Reach())
        if row.scope == "all":
            reach.everywhere = True
        elif row.scope == "list":
            reach.listing.add(row.grant_id)
        else:
            labelled.setdefault(row.grant_id, []).append(reach)
    wanted: dict[int, set[Label]] = {}
    for grant, key, value in _NAMED[connection.dialect.name](connection, keys=sorted(labelled)) if labelled else ():
        wanted.setdefault(grant, set()).add(Label(key, value))
    for grant, reaches in labelled.items():
        for reach in reaches:
            reach.labelled.add(frozenset(wanted[grant]))
