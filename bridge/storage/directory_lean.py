"""What a filter is asked of: resources as their IdP is shown them, with no more in them than the filter looks at."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson
from sqlalchemy import ColumnElement, Text, type_coerce

from bridge.domain.directory import GroupMemberRef
from bridge.storage.directory_members import GROUP_COLUMNS, StoredGroup, members_of_groups, stored_group
from bridge.storage.directory_people import groups_of_users
from bridge.storage.tables import directory_users
from scim.resources import Meta, Reference, render_group, render_user
from scim.versions import render_version

#: Members of groups that are looked at together, where a filter or an order is of members.
MEMBERS_AT_ONCE = 10_000


@dataclass(frozen=True, slots=True)
class Lean:
    """How little of a resource is read, given the names of the attributes that are asked for.

    `columns` behind a row's key and what it is sorted by; `resources` makes of such rows what the filter is asked of.
    """

    columns: Callable[[frozenset[str]], Sequence[ColumnElement[Any]]]
    resources: Callable[[Any, Sequence[Any], frozenset[str]], Iterable[dict[str, Any]]]


def lean_users(base: str) -> Lean:
    """People. `base` is what the locations of resources begin with."""
    return Lean(_user_columns, partial(_user_resources, base))


def lean_groups(base: str) -> Lean:
    """The same of groups."""
    return Lean(lambda asked: GROUP_COLUMNS, partial(_group_resources, base))


# -- People ------------------------------------------------------------------------------------------

#: What isn't in the document, nor beside it in a column.
_RENDERED = frozenset({"schemas", "meta", "groups"})


def _user_columns(asked: frozenset[str]) -> list[ColumnElement[Any]]:
    users = directory_users.c
    beside: list[ColumnElement[Any]] = [users.uid] if "id" in asked else []
    beside += [users.active] if "active" in asked else []
    if asked & _RENDERED:
        beside = [users.uid, users.active, users.created_at, users.modified_at, users.version]
    return [type_coerce(users.document, Text).label("document"), *beside]


def _user_resources(
    base: str, connection: Any, people: Sequence[Any], asked: frozenset[str]
) -> Iterable[dict[str, Any]]:
    if asked & _RENDERED:
        return _rendered_users(base, connection, people, asked)
    # One after the other: thousands of documents at once would keep the garbage collector busy with what isn't garbage.
    documents = (orjson.loads(each.document) for each in people)
    # The column, as in SQL: a document whose `active` was removed doesn't say it.
    beside = [(name, column) for name, column in (("id", "uid"), ("active", "active")) if name in asked]
    if not beside:
        return documents
    return (
        {**document, **{name: getattr(each, column) for name, column in beside}}
        for document, each in zip(documents, people, strict=True)
    )


def _rendered_users(
    base: str, connection: Any, people: Sequence[Any], asked: frozenset[str]
) -> Iterator[dict[str, Any]]:
    # A version tells the groups apart that it was shown with.
    wanted = asked & {"groups", "meta"}
    groups = groups_of_users(connection, [each.key for each in people]) if wanted else {}
    for each in people:
        mine = groups.get(each.key, ())
        meta = _meta("User", f"{base}/Users/{each.uid}", each, render_version(each.version, mine))
        shown = [Reference(uid, f"{base}/Groups/{uid}", name) for uid, name in mine]
        yield {**render_user(orjson.loads(each.document), each.uid, meta, shown), "active": each.active}


# -- Groups ------------------------------------------------------------------------------------------


def _group_resources(
    base: str, connection: Any, rows: Sequence[Any], asked: frozenset[str]
) -> Iterator[dict[str, Any]]:
    """One after the other, so that not all members of all groups are held at once."""
    groups = [stored_group(row[-len(GROUP_COLUMNS) :]) for row in rows]
    for some in _by_members(groups) if "members" in asked else [groups]:
        members = members_of_groups(connection, [each.key for each in some]) if "members" in asked else {}
        yield from (_group_resource(base, each, members.get(each.key, ())) for each in some)


def _by_members(groups: list[StoredGroup]) -> Iterator[list[StoredGroup]]:
    """The groups in parts of at most MEMBERS_AT_ONCE members, a larger group alone."""
    part: list[StoredGroup] = []
    size = 0
    for group in groups:
        if part and size + group.n_members > MEMBERS_AT_ONCE:
            yield part
            part, size = [], 0
        part.append(group)
        size += group.n_members
    if part:
        yield part


def _group_resource(base: str, stored: StoredGroup, members: tuple[GroupMemberRef, ...]) -> dict[str, Any]:
    group = stored.group
    shown = [Reference(member.id, f"{base}/Users/{member.id}", member.name) for member in members]
    meta = _meta("Group", f"{base}/Groups/{group.id}", group, render_version(group.version))
    return render_group(group.name, group.external_id, group.id, meta, shown)


def _meta(kind: str, location: str, resource: Any, version: str) -> Meta:
    return Meta(kind, resource.created_at, resource.modified_at, location, version)
