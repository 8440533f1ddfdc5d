"""Facts of a world written as rows of a workspace, and read from them: by plain selects, and nothing kept ready.

A short name (`p0`) is kept as `SLUG-p0`, since ids are unique in a database of many worlds; what flows make since has
an id of its own.
"""

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Table, select

from bridge.domain.access import ResourceRef, RoleInScope, Scope
from bridge.domain.access_facts import Facts, Grant, Group, Person, Record, Rule, UserGroup
from bridge.domain.group_mapping import GroupMatch, IdpGroup
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.roles import get_role
from bridge.domain.workspace import Workspace
from bridge.storage import tables as t
from bridge.storage.changes import Change, begin_facts, insert_rows, reserve_keys
from bridge.storage.mappings import refresh_connection_matches
from bridge.storage.workspaces import insert_workspace

# -- Written ---------------------------------------------------------------------------------------------------------


def put(change: Change, slug: str, facts: Facts) -> Workspace:
    """A new workspace in which these are the facts. Pairs of rules and groups are made as the house makes them."""
    workspace = insert_workspace(change, slug, slug, facts.plan)
    writer = _Writer(change, workspace)
    writer.people(facts)
    writer.directories(facts)
    writer.rules(facts)
    writer.resources(facts)
    writer.grants(facts)
    for connection in sorted({each.connection for each in facts.records}):
        refresh_connection_matches(change, writer.keys[connection])
    return workspace


class _Writer:
    """Writes the rows of one world, and knows the key of each."""

    def __init__(self, change: Change, workspace: Workspace) -> None:
        self._change, self._workspace = change, workspace
        self._here = {"workspace_id": workspace.key}
        self._made = {"created_at": change.now}
        self.keys: dict[str, int] = {}

    def people(self, facts: Facts) -> None:
        """Accounts, members, and User Groups with whom they hold by hand."""
        people, slug = sorted(facts.people, key=repr), self._workspace.slug
        accounts = [self._named(f"account of {one.id}") for one in people]
        for account, one in zip(accounts, people, strict=True):
            email = f"{one.id}@{slug}.example"
            account |= {"email": email, "email_ci": email, "name": one.id, "email_proved_at": self._change.now}
            account |= {"password_hash": "of nothing"}
        self._insert(t.users, accounts, self._made)
        self._principals("membership", [one.id for one in people])
        rows = [
            self._named(one.id)
            | {"user_id": account["id"], "status": "removed" if one.removed else "active"}
            | {"accepted_at": self._change.now}
            for account, one in zip(accounts, people, strict=True)
        ]
        self._begin(t.memberships, rows, self._here | self._made)
        groups = sorted(facts.user_groups, key=repr)
        self._principals("user_group", [one.id for one in groups])
        self._begin(
            t.user_groups,
            [self._named(one.id) | {"name": one.id, "name_ci": one.id} for one in groups],
            self._here | self._made,
        )
        inside = [
            {"user_group_id": self.keys[one.id], "membership_id": self.keys[person], "given_by": "operator"}
            for one in groups
            for person in sorted(one.people)
        ]
        self._begin(t.user_group_members, inside)

    def directories(self, facts: Facts) -> None:
        """Connections, records, groups and who is in them."""
        names = sorted({one.connection for one in facts.records})
        rows = [self._named(one) | {"name": one, "enabled": one in facts.connections} for one in names]
        self._begin(t.connections, rows, self._here | self._made | {"kind": "saml", "config": {"preset": "okta"}})
        self._begin(t.directory_users, [self._record(one) for one in sorted(facts.records, key=repr)])
        known = [(one, self.keys[f"account of {one.person}"]) for one in facts.records if one.person]
        signing = [
            {"connection_id": self.keys[one.connection], "subject": one.id, "user_id": key} for one, key in known
        ]
        insert_rows(self._change, t.identities, [each | {"linked_at": self._change.now} for each in signing])
        groups = sorted(facts.groups, key=repr)
        self._begin(t.directory_groups, [self._group(one) for one in groups])
        inside = [
            {"group_id": self.keys[one.idp_group.id], "directory_user_id": self.keys[record]}
            for one in groups
            for record in sorted(one.records)
        ]
        self._begin(t.group_members, inside)

    def _record(self, one: Record) -> dict[str, Any]:
        said = {"user_name": one.id, "user_name_ci": one.id, "display_name": one.id, "document": {"userName": one.id}}
        flags = {"pushed": one.pushed, "active": not one.holds_out, "holds_out": one.holds_out}
        times = {"asserted_until": one.asserted_until, "modified_at": self._change.now, **self._made}
        person = self.keys[one.person] if one.person else None
        keys = {"connection_id": self.keys[one.connection], "membership_id": person}
        return self._named(one.id) | said | flags | times | keys

    def _group(self, one: Group) -> dict[str, Any]:
        seen = one.idp_group
        said = {"name": seen.name, "name_ci": fold(seen.name), "external_id": seen.external_id, "source": seen.source}
        counted = {"n_members": len(one.records), "modified_at": self._change.now, **self._made}
        return self._named(seen.id) | said | counted | {"connection_id": self.keys[one.connection]}

    def rules(self, facts: Facts) -> None:
        """Rules and the User Groups that they give."""
        rules = sorted(facts.rules, key=repr)
        self._principals("mapping", [one.id for one in rules])
        rows = []
        for one in rules:
            value = self._uid(one.match.value) if one.match.kind == "id" else one.match.value
            said = {"match": one.match.kind, "value": value, "value_ci": fold(value), "enabled": one.enabled}
            rows.append(self._named(one.id) | said | {"connection_id": self.keys[one.connection]})
        self._begin(t.mappings, rows, self._here | self._made | {"origin": "admin", "made_by": "operator"})
        given = [
            {"mapping_id": self.keys[one.id], "user_group_id": self.keys[user_group]}
            for one in rules
            for user_group in sorted(one.user_groups)
        ]
        self._begin(t.mapping_user_groups, given)

    def resources(self, facts: Facts) -> None:
        """Resources with their labels, and the labels of the workspace."""
        listed = sorted(facts.resources, key=repr)
        rows = [
            self._keyed(str(ref)) | {"uid": ref.id, "type": ref.type, "name": ref.id, "slug": ref.id}
            for ref, _ in listed
        ]
        self._begin(t.resources, rows, self._here)
        carried = [{"resource_id": self.keys[str(ref)], **_of(label)} for ref, labels in listed for label in labels]
        self._begin(t.resource_labels, carried)
        insert_rows(self._change, t.labels, [{**_of(Label("team", "red")), **self._here}])

    def grants(self, facts: Facts) -> None:
        """Grants with their scopes."""
        grants = sorted(facts.grants, key=repr)
        rows = [
            self._named(one.id)
            | {"principal_id": self.keys[one.holder], "role": one.given.role.id, "scope": one.given.scope.kind}
            | {"expires_at": one.expires_at, "given_by": "operator"}
            for one in grants
        ]
        self._begin(t.grants, rows)
        scopes = [(self.keys[one.id], one.given.scope) for one in grants]
        listed = [{"grant_id": key, "resource_id": self.keys[str(ref)]} for key, s in scopes for ref in s.resources]
        self._begin(t.grant_resources, listed)
        self._begin(t.grant_labels, [{"grant_id": key, **_of(label)} for key, s in scopes for label in s.labels])

    # -- Rows and their keys ----------------------------------------------------------------------------------------

    def _uid(self, name: str) -> str:
        return f"{self._workspace.slug}-{name}"

    def _keyed(self, name: str) -> dict[str, Any]:
        """A row's name, until it has its key."""
        return {"id": self.keys.get(name, name)}

    def _named(self, name: str) -> dict[str, Any]:
        return self._keyed(name) | {"uid": self._uid(name)}

    def _principals(self, kind: str, names: list[str]) -> None:
        rows = [self._keyed(name) for name in names]
        self._insert(t.principals, rows, self._here | {"kind": kind})

    def _insert(self, table: Table, rows: list[dict[str, Any]], more: dict[str, Any] | None = None) -> None:
        self._give_keys(table, rows)
        insert_rows(self._change, table, [row | (more or {}) for row in rows])

    def _begin(self, table: Table, rows: list[dict[str, Any]], more: dict[str, Any] | None = None) -> None:
        self._give_keys(table, rows)
        begin_facts(self._change, table, [row | (more or {}) for row in rows])

    def _give_keys(self, table: Table, rows: list[dict[str, Any]]) -> None:
        new = [row for row in rows if isinstance(row.get("id"), str)]
        for row, key in zip(new, self._new_keys(table, len(new)), strict=True):
            self.keys[row["id"]] = row["id"] = key

    def _new_keys(self, table: Table, count: int) -> list[int]:
        """Keys that no other world had. SQLite gives that of the last row again when it is gone; its past would be read
        for this world's, since all worlds are of one time.
        """
        drawn = reserve_keys(self._change, table, count) if count else []
        first = self._workspace.key * _OF_ONE_WORLD if self._change.connection.dialect.name == "sqlite" else 0
        return [max(key, first + n) for n, key in enumerate(drawn)]


#: More than a world has of anything, ever.
_OF_ONE_WORLD = 1000


def _of(label: Label) -> dict[str, str]:
    return {"key": label.key, "value": label.value}


# -- Read ------------------------------------------------------------------------------------------------------------


def facts_of(connection: Connection, workspace: Workspace) -> Facts:
    """The facts of a workspace as they stand."""
    return _Reader(connection, workspace).facts()


class _Reader:
    """Reads one workspace, a table at a time."""

    def __init__(self, connection: Connection, workspace: Workspace) -> None:
        self._connection, self._workspace = connection, workspace

    def facts(self) -> Facts:
        """All of it."""
        connections = self._rows(t.connections)
        ids = {row.id: self._short(row.uid) for row in connections}
        return Facts(
            next(row.plan for row in self._rows(t.workspaces, t.workspaces.c.id == self._workspace.key)),
            frozenset(Person(self._short(row.uid), row.status == "removed") for row in self._rows(t.memberships)),
            frozenset(ids[row.id] for row in connections if row.enabled),
            frozenset(self._records(ids)),
            frozenset(self._groups(ids)),
            frozenset(self._rules(ids)),
            frozenset(self._user_groups()),
            frozenset(self._grants()),
            frozenset(self._resources()),
        )

    def _records(self, connections: dict[int, str]) -> Iterable[Record]:
        people = self._uids(t.memberships)
        for row in self._rows(t.directory_users, t.directory_users.c.connection_id.in_(connections)):
            person = people.get(row.membership_id)
            at, until = connections[row.connection_id], row.asserted_until
            yield Record(self._short(row.uid), at, person, row.pushed, row.holds_out, until)

    def _groups(self, connections: dict[int, str]) -> Iterable[Group]:
        rows = self._rows(t.directory_groups, t.directory_groups.c.connection_id.in_(connections))
        records = self._uids(t.directory_users, t.directory_users.c.connection_id.in_(connections))
        inside = self._pairs(t.group_members.c.group_id, t.group_members.c.directory_user_id, [row.id for row in rows])
        for row in rows:
            seen = IdpGroup(self._short(row.uid), row.name, row.external_id, row.source)
            yield Group(connections[row.connection_id], seen, frozenset(records[key] for key in inside[row.id]))

    def _rules(self, connections: dict[int, str]) -> Iterable[Rule]:
        rows, user_groups = self._rows(t.mappings), self._uids(t.user_groups)
        columns = t.mapping_user_groups.c
        given = self._pairs(columns.mapping_id, columns.user_group_id, [row.id for row in rows])
        for row in rows:
            match = GroupMatch(row.match, self._short(row.value))
            gives = frozenset(user_groups[key] for key in given[row.id])
            yield Rule(self._short(row.uid), connections[row.connection_id], match, gives, row.enabled)

    def _user_groups(self) -> Iterable[UserGroup]:
        rows, people = self._rows(t.user_groups), self._uids(t.memberships)
        columns = t.user_group_members.c
        inside = self._pairs(columns.user_group_id, columns.membership_id, [row.id for row in rows])
        for row in rows:
            yield UserGroup(self._short(row.uid), frozenset(people[key] for key in inside[row.id]))

    def _grants(self) -> Iterable[Grant]:
        holders = self._uids(t.memberships) | self._uids(t.user_groups) | self._uids(t.mappings)
        rows = self._rows(t.grants, t.grants.c.principal_id.in_(holders))
        resources = {row.id: ResourceRef(row.type, row.uid) for row in self._rows(t.resources)}
        keys = [row.id for row in rows]
        listed = self._pairs(t.grant_resources.c.grant_id, t.grant_resources.c.resource_id, keys)
        labelled = self._labels(t.grant_labels, t.grant_labels.c.grant_id, keys)
        for row in rows:
            refs = frozenset(resources[key] for key in listed[row.id])
            given = RoleInScope(get_role(row.role), Scope(row.scope, refs, labelled[row.id]))
            yield Grant(self._short(row.uid), holders[row.principal_id], given, row.expires_at)

    def _resources(self) -> Iterable[tuple[ResourceRef, frozenset[Label]]]:
        rows = self._rows(t.resources)
        carried = self._labels(t.resource_labels, t.resource_labels.c.resource_id, [row.id for row in rows])
        for row in rows:
            yield ResourceRef(row.type, row.uid), carried[row.id]

    # -- Rows --------------------------------------------------------------------------------------------------------

    def _short(self, uid: str) -> str:
        return uid.removeprefix(f"{self._workspace.slug}-")

    def _rows(self, table: Table, where: Any = None) -> list[Any]:
        here = table.c.workspace_id == self._workspace.key if where is None else where
        return list(self._connection.execute(select(table).where(here)))

    def _uids(self, table: Table, where: Any = None) -> dict[int, str]:
        return {row.id: self._short(row.uid) for row in self._rows(table, where)}

    def _pairs(self, one: Any, other: Any, keys: list[int]) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {key: [] for key in keys}
        for key, value in self._connection.execute(select(one, other).where(one.in_(keys))):
            found[key].append(value)
        return found

    def _labels(self, table: Table, column: Any, keys: list[int]) -> dict[int, frozenset[Label]]:
        found: dict[int, set[Label]] = {key: set() for key in keys}
        for key, *label in self._connection.execute(select(column, table.c.key, table.c.value).where(column.in_(keys))):
            found[key].add(Label(*label))
        return {key: frozenset(labels) for key, labels in found.items()}
