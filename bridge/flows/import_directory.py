"""A file of people and groups becomes what a connection's IdP has pushed: one transaction, all of it or nothing.

The meaning is a push's own (product.md 4.4, 4.5, 4.8), so the change's actor is the connection; that an operator had it
done is an event of its own, `directory.imported`, under the same cause. People: `import_people`. Groups are made and
renamed by `provision_groups`; only their members are compared and written in bulk.

From its first statement to its last an import holds the directory and the workspace, so that what was read stays true,
and events can be written as they come.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import uuid4

from bridge.domain.directory import DirectoryGroup, GroupExternalIdSet, GroupRenamed, PushedUser, pushed_user
from bridge.domain.errors import Forbidden
from bridge.domain.imports import NAMED, Counted, FaultyFile, ImportReport, SuspendsMany
from bridge.domain.people import fold, fold_user_name
from bridge.domain.workspace import Connection
from bridge.flows.context import OPERATOR, Context
from bridge.flows.import_people import Importing, LastOwnerInFile, Progress, Row, batches, import_people
from bridge.flows.named import check_sso_in_plan, get_connection, get_workspace
from bridge.flows.provision_groups import NAMED_IN_EVENT, add_group, record_members, rename_group
from bridge.flows.provision_users import actor_of
from bridge.flows.warn_owners import warn_of_last_owner
from bridge.storage import directory, directory_many, directory_members
from bridge.storage.changes import Change, write_audit
from bridge.storage.directory_many import KnownRecord
from bridge.storage.directory_members import StoredGroup
from bridge.storage.mappings import refresh_group_matches
from bridge.storage.statistics import refresh_statistics
from scim.directory_file import DirectoryFile, GroupInFile, PersonInFile
from scim.resources import NO_GROUPS_IN_GROUPS

#: So many changes at once are more than the database expects; smaller ones it comes to know by itself.
MANY = 1_000


@dataclass(frozen=True, slots=True)
class ImportOptions:
    """What the one who imports has said. `suspend_many`: yes, also more than half of them."""

    dry_run: bool = False
    deactivate_missing: bool = False
    suspend_many: bool = False


class _OnlyAsking(Exception):
    """Ends a dry run, so that its transaction is undone."""


def import_directory(
    context: Context,
    workspace_slug: str,
    connection_id: str,
    file: DirectoryFile,
    options: ImportOptions,
    now: datetime,
    progress: Progress = lambda _what, _done, _all: None,
) -> ImportReport:
    """Bring the connection's directory to what the file says; a dry run does the same, and undoes it.

    People are known by userName, else by externalId; groups by externalId, else by name. Who isn't in the file stays,
    unless `deactivate_missing`. A group in the file gets exactly the file's members, or, where the file tells people's
    groups, its people get exactly those.

    Raises NotFound, NotInPlan, Forbidden (the connection is off), FaultyFile (all faults), SuspendsMany, LastOwner
    (owners are told, unless it is a dry run), Conflict.
    """
    with context.database.reading() as rows:
        connection = _open_connection(rows, workspace_slug, connection_id)
    undone = ImportReport()

    def import_it(change: Change) -> ImportReport:
        nonlocal undone
        undone = ImportReport()
        directory_many.hold_directory(change, connection)
        # Once more: whoever held the connection until now may have switched it off.
        held = _open_connection(change.connection, workspace_slug, connection_id)
        _import(Importing(change, held, undone, progress), file, options)
        if options.dry_run:
            raise _OnlyAsking
        return undone

    try:
        done = context.change(actor_of(connection), now, import_it)
    except _OnlyAsking:
        return undone
    except LastOwnerInFile as refused:
        if not options.dry_run:
            warn_of_last_owner(context, connection, refused.person, now)
        raise
    if done.changes >= MANY:
        refresh_statistics(context.database)
    return done


def _open_connection(rows: Any, workspace_slug: str, connection_id: str) -> Connection:
    workspace = get_workspace(rows, workspace_slug)
    connection = get_connection(rows, workspace, connection_id)
    check_sso_in_plan(workspace)
    if not connection.enabled:
        raise Forbidden(f"The connection {connection.name} is switched off. Enable it first.")
    return connection


def _import(importing: Importing, file: DirectoryFile, options: ImportOptions) -> None:
    change, connection = importing.change, importing.connection
    matched = _match(change, connection, file)
    rows = _rows_of(file, matched, deactivate_missing=options.deactivate_missing)
    import_people(importing, rows)
    _check_suspended(importing.report, matched.records, options)
    _import_groups(importing, file, matched)
    if importing.report.changes:
        after = {"people": len(file.people), "groups": len(file.groups), "changes": importing.report.changes}
        change.record_by(OPERATOR, connection.workspace_key, "directory.imported", connection.id, after=after)


def _check_suspended(report: ImportReport, records: Sequence[KnownRecord], options: ImportOptions) -> None:
    active, suspended = sum(record.active for record in records), report.people_deactivated.count
    if 2 * suspended > active and not options.suspend_many and not options.dry_run:
        raise SuspendsMany(
            f"This would suspend {suspended} of {active} active people, more than half. "
            "Look at it with --dry-run; say --yes if it is what you want."
        )


# -- Whom and what the file means ----------------------------------------------------------------------


@dataclass(slots=True)
class _Matched:
    """What there is for what the file has: the record of each person, the group of each group, None where new."""

    records: Sequence[KnownRecord]
    groups: Sequence[StoredGroup]
    people: list[KnownRecord | None] = field(default_factory=list)
    found_groups: list[StoredGroup | None] = field(default_factory=list)
    #: Keys of those whom the groups of the file name and the file itself doesn't have, by outside id.
    others: dict[str, int] = field(default_factory=dict)


def _match(change: Change, connection: Connection, file: DirectoryFile) -> _Matched:
    """Find whom the file means. Raises FaultyFile, with the faults of the file itself too."""
    records = directory_many.known_records(change.connection, connection.key)
    groups = directory_members.list_groups(change.connection, directory.pushed_groups(connection.key))
    matched, faults = _Matched(records, groups), [(fault.line, fault.text) for fault in file.faults]
    _match_people(matched, file.people, faults)
    _match_groups(matched, file, faults)
    matched.others = {record.id: record.key for record in records}
    for group in file.groups:
        unknown = [other for other in group.others if other not in matched.others]
        faults += [(group.line, _why_no_member(other, groups)) for other in unknown]
    if faults:
        raise FaultyFile(tuple(sorted(faults)))
    return matched


def _why_no_member(other: str, groups: Sequence[StoredGroup]) -> str:
    if any(stored.group.id == other for stored in groups):
        return f"The member {other[:100]} is a group of the directory. {NO_GROUPS_IN_GROUPS}"
    return f"There is no person {other[:100]!r} in the file or the directory."


_Faults = list[tuple[int, str]]


def _match_people(matched: _Matched, people: Sequence[PersonInFile], faults: _Faults) -> None:
    by_name = {record.user_name_ci: record for record in matched.records}
    by_external_id = _once(matched.records)
    lines: dict[int, int] = {}
    for person in people:
        named = by_name.get(fold_user_name(person.user_name))
        outside = by_external_id.get(person.external_id or "")
        if named and outside and named.key != outside.key:
            faults.append((person.line, _TWO_PEOPLE.format(person.user_name[:100], (person.external_id or "")[:100])))
        found = named or outside
        if found and found.key in lines:
            faults.append((person.line, f"This is the person of line {lines[found.key]}."))
        elif found:
            lines[found.key] = person.line
        matched.people.append(found)


_TWO_PEOPLE = "In the directory, userName {!r} is one person's and externalId {!r} another's."


def _once(records: Sequence[KnownRecord]) -> dict[str, KnownRecord]:
    """The records by external id, but for ids that several have: those say nothing of who is meant."""
    found: dict[str, KnownRecord] = {}
    twice: set[str] = set()
    for record in records:
        if record.external_id and found.setdefault(record.external_id, record) is not record:
            twice.add(record.external_id)
    return {external_id: record for external_id, record in found.items() if external_id not in twice}


def _match_groups(matched: _Matched, file: DirectoryFile, faults: _Faults) -> None:
    by_external_id: dict[str, list[StoredGroup]] = {}
    by_name: dict[str, list[StoredGroup]] = {}
    for stored in matched.groups:
        by_external_id.setdefault(stored.group.external_id or "", []).append(stored)
        by_name.setdefault(fold(stored.group.name), []).append(stored)
    lines: dict[int, int] = {}
    for group in file.groups:
        found = by_external_id.get(group.external_id, []) if group.external_id else []
        found = found or [each for each in by_name.get(fold(group.name), []) if _may_be(each.group, group)]
        if len(found) > 1:
            faults.append(
                (group.line, f"The directory has several groups {group.name[:100]!r}: say which by externalId.")
            )
        elif found and found[0].key in lines:
            faults.append((group.line, f"This is the group of line {lines[found[0].key]}."))
        elif found:
            lines[found[0].key] = group.line
        matched.found_groups.append(found[0] if found else None)


def _may_be(stored: DirectoryGroup, group: GroupInFile) -> bool:
    """Whether a group of the same name may be meant: not where both have an external id, and different ones."""
    return group.external_id is None or stored.external_id is None


def _rows_of(file: DirectoryFile, matched: _Matched, *, deactivate_missing: bool) -> list[Row]:
    ids = _ids_of_managers(file, matched)
    pairs = enumerate(zip(file.people, matched.people, strict=True))
    rows = [
        Row(number, known.key if known else None, _as_said(person, ids.get(person.manager)), ids.get(number))
        for number, (person, known) in pairs
    ]
    if deactivate_missing:
        here = {known.key for known in matched.people if known}
        gone = [record for record in matched.records if record.active and record.key not in here]
        rows += [Row(len(rows) + number, record.key, _suspended) for number, record in enumerate(gone)]
    return rows


def _ids_of_managers(file: DirectoryFile, matched: _Matched) -> dict[int | None, str]:
    """The ids of those of the file who are somebody's manager, by place: of who is new, before they are written."""
    managers = sorted({person.manager for person in file.people if person.manager is not None})
    known = [(place, matched.people[place]) for place in managers]
    return {place: record.id if record else str(uuid4()) for place, record in known}


def _as_said(person: PersonInFile, manager_id: str | None) -> Callable[[PushedUser | None], PushedUser]:
    return lambda present: pushed_user(
        person.document_after(present.document if present else None, manager_id), present
    )


def _suspended(present: PushedUser | None) -> PushedUser:
    if present is None:
        raise AssertionError("nobody new is missing")
    return replace(present, active=False, document={**present.document, "active": False})


# -- Groups --------------------------------------------------------------------------------------------


def _import_groups(importing: Importing, file: DirectoryFile, matched: _Matched) -> None:
    wanted: dict[int, set[int]] = {}
    made: list[int] = []
    groups = {stored.key: stored for stored in matched.groups}
    people = _keys_of_people(importing, file)
    for number, (group, found) in enumerate(zip(file.groups, matched.found_groups, strict=True)):
        importing.progress("groups", number, len(file.groups))
        stored = _make(importing, group) if found is None else _rename(importing, group, found)
        groups[stored.key] = stored
        made += [stored.key] if found is None else []
        wanted[stored.key] = {people[n] for n in group.members} | {matched.others[uid] for uid in group.others}
    for _, batch in batches(made):
        refresh_group_matches(importing.change, importing.connection.key, batch)
    if file.telling == "groups of people":
        # Their groups that the file doesn't name lose them as well.
        wanted = {key: wanted.get(key, set()) for key in groups}
    about = set(people) if file.telling == "groups of people" else None
    changes = [_Members(groups[key], members) for key, members in wanted.items()]
    for number, piece in _by_weight(changes):
        _set_members(importing, piece, about)
        importing.progress("members of groups", number + len(piece), len(changes))


def _keys_of_people(importing: Importing, file: DirectoryFile) -> list[int]:
    """The records of the file's people, now that each has one."""
    records = directory_many.known_records(importing.change.connection, importing.connection.key)
    by_name = {record.user_name_ci: record.key for record in records}
    return [by_name[fold_user_name(person.user_name)] for person in file.people]


def _make(importing: Importing, group: GroupInFile) -> StoredGroup:
    importing.report.groups_created.note(group.name)
    return add_group(importing.change, importing.connection, group.name, group.external_id)


def _rename(importing: Importing, group: GroupInFile, stored: StoredGroup) -> StoredGroup:
    """The group that there is, as the file calls it; by a name alone, it keeps the one it has."""
    after = stored.group
    if group.external_id is not None:
        for step in (GroupRenamed(group.name), GroupExternalIdSet(group.external_id)):
            after = rename_group(importing.change, importing.connection, replace(stored, group=after), step)
    if after == stored.group:
        return stored
    directory_members.touch_group(importing.change, stored.key, 0)
    importing.report.groups_changed.note(after.name)
    return replace(stored, group=after)


@dataclass(frozen=True, slots=True)
class _Members:
    """A group, and the keys of those whom the file names as its members."""

    stored: StoredGroup
    wanted: set[int]


#: So many members are compared and written at a time, unless one group has more.
_MEMBERS_AT_ONCE = 5_000


def _by_weight(changes: Sequence[_Members]) -> Iterator[tuple[int, list[_Members]]]:
    """The groups in pieces, each with how many came before it."""
    batch: list[_Members] = []
    weight = 0
    for number, one in enumerate(changes):
        batch.append(one)
        weight += 1 + len(one.wanted) + one.stored.n_members
        if weight >= _MEMBERS_AT_ONCE:
            yield number + 1 - len(batch), batch
            batch, weight = [], 0
    yield len(changes) - len(batch), batch


def _set_members(importing: Importing, groups: Sequence[_Members], about: set[int] | None) -> None:
    """These groups have these members from now on; where the file is `about` some people only, all others stay."""
    change, connection, report = importing.change, importing.connection, importing.report
    present = directory_many.member_keys(change.connection, [one.stored.key for one in groups])
    coming = {one.stored.key: one.wanted - present[one.stored.key] for one in groups}
    leaving = {one.stored.key: present[one.stored.key] - one.wanted for one in groups}
    if about is not None:
        leaving = {key: keys & about for key, keys in leaving.items()}
    for key, keys in leaving.items():
        directory_members.remove_members(change, key, sorted(keys))
    directory_many.insert_members(change, coming)
    moved = {key: len(coming[key]) - len(leaving[key]) for key in coming if coming[key] or leaving[key]}
    directory_many.touch_groups(change, moved)
    first = {key for keys in (*coming.values(), *leaving.values()) for key in sorted(keys)[:NAMED_IN_EVENT]}
    names = directory_many.names_by_key(change.connection, first)
    for one in groups:
        came, went = coming[one.stored.key], leaving[one.stored.key]
        record_members(change, connection, one.stored, "idp_group.members_added", came, names)
        record_members(change, connection, one.stored, "idp_group.members_removed", went, names)
        _count_members(report.members_added, one.stored, came, names)
        _count_members(report.members_removed, one.stored, went, names)
    write_audit(change)


def _count_members(counted: Counted, stored: StoredGroup, keys: set[int], names: Mapping[int, dict[str, str]]) -> None:
    named = sorted(keys)[: max(0, NAMED - len(counted.first))]
    counted.first += [f"{names[key]['name']} in {stored.group.name}" for key in named]
    counted.count += len(keys)
