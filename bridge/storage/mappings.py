"""Rules and which IdP groups they match.

Matching is the one thing kept ready: `mapping_matches` holds the pairs that give something now (rule on,
connection enabled, group matches). Whoever changes a rule, a group's name, or a connection refreshes the
pairs in the same change, with one of the three `refresh_…` functions.

A rule and a group made at once must not miss each other. So whoever changes one of them holds their connection from
before the look at the other until the commit (`hold_connections`), and holds it before any row of a group or a
workspace (the order of locks: `bridge.storage.changes.lock_workspace`).
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, and_, or_, select, true

from bridge.domain.group_mapping import CountedGroup, GroupMatch, IdpGroup, group_matches
from bridge.domain.people import fold
from bridge.storage.changes import Change, alter_facts, begin_fact, begin_facts, end_facts
from bridge.storage.grants import end_grants
from bridge.storage.tables import (
    ASSERTED_GROUP,
    PUSHED_GROUP,
    connections,
    directory_groups,
    mapping_matches,
    mapping_user_groups,
    mappings,
    user_groups,
)
from bridge.storage.workspaces import insert_principal


@dataclass(frozen=True, slots=True)
class StoredMapping:
    """A rule as kept. `value_ci` of an id or external id is the id itself, folded like any value."""

    key: int
    id: str
    workspace_key: int
    connection_key: int
    match: GroupMatch
    enabled: bool
    origin: str
    made_by: str


_COLUMNS = (
    mappings.c.id,
    mappings.c.uid,
    mappings.c.workspace_id,
    mappings.c.connection_id,
    mappings.c.match,
    mappings.c.value,
    mappings.c.enabled,
    mappings.c.origin,
    mappings.c.made_by,
)


def _stored(row: Any) -> StoredMapping:
    key, uid, workspace, connection, kind, value, *rest = row
    return StoredMapping(key, uid, workspace, connection, GroupMatch(kind, value), *rest)


def list_mappings(connection: Any, where: ColumnElement[bool]) -> list[StoredMapping]:
    """The rules that `where` names, oldest first."""
    return [_stored(row) for row in connection.execute(select(*_COLUMNS).where(where).order_by(mappings.c.id))]


def list_of_workspace(connection: Any, workspace_key: int) -> list[StoredMapping]:
    """All rules of a workspace, the system-made ones too, oldest first."""
    return list_mappings(connection, mappings.c.workspace_id == workspace_key)


def find_mapping(connection: Any, workspace_key: int, uid: str) -> StoredMapping | None:
    """One rule of a workspace, or None."""
    found = list_mappings(connection, and_(mappings.c.workspace_id == workspace_key, mappings.c.uid == uid))
    return found[0] if found else None


def insert_mapping(
    change: Change,
    workspace_key: int,
    connection_key: int,
    match: GroupMatch,
    user_group_keys: Iterable[int],
    *,
    origin: str = "admin",
) -> StoredMapping:
    """A new rule and the User Groups it gives; roles hang on it as grants. Refresh its matches after."""
    hold_connections(change, [connection_key])
    key, uid = insert_principal(change, workspace_key, "mapping"), str(uuid4())
    values = {"id": key, "uid": uid, "workspace_id": workspace_key, "connection_id": connection_key}
    values |= {"match": match.kind, "value": match.value, "value_ci": fold(match.value), "origin": origin}
    begin_fact(change, mappings, {**values, "made_by": change.actor, "created_at": change.now})
    begin_facts(
        change, mapping_user_groups, [{"mapping_id": key, "user_group_id": n} for n in dict.fromkeys(user_group_keys)]
    )
    return StoredMapping(key, uid, workspace_key, connection_key, match, True, origin, change.actor)


def alter_mapping(
    change: Change, mapping: StoredMapping, match: GroupMatch, user_group_keys: Iterable[int]
) -> StoredMapping:
    """A rule takes these groups and gives these User Groups; the roles that hang on it are the caller's.

    Refresh its matches after.
    """
    hold_connections(change, [mapping.connection_key])
    if match != mapping.match:
        values = {"match": match.kind, "value": match.value, "value_ci": fold(match.value)}
        alter_facts(change, mappings, mappings.c.id == mapping.key, values=values)
    here, wanted = mapping_user_groups.c.mapping_id == mapping.key, set(user_group_keys)
    chosen = select(mapping_user_groups.c.user_group_id).where(here)
    present = set(change.connection.execute(chosen).scalars())
    if present - wanted:
        end_facts(change, mapping_user_groups, here, mapping_user_groups.c.user_group_id.in_(present - wanted))
    added = sorted(wanted - present)
    begin_facts(change, mapping_user_groups, [{"mapping_id": mapping.key, "user_group_id": key} for key in added])
    return replace(mapping, match=match)


def end_mapping(change: Change, mapping_key: int) -> None:
    """Remove a rule and all it gives."""
    hold_rules(change, [mapping_key])
    end_facts(change, mapping_matches, mapping_matches.c.mapping_id == mapping_key)
    end_facts(change, mapping_user_groups, mapping_user_groups.c.mapping_id == mapping_key)
    end_grants(change, mapping_key)
    end_facts(change, mappings, mappings.c.id == mapping_key)


def set_mapping_enabled(change: Change, mapping: StoredMapping, enabled: bool) -> None:
    """Switch a rule on or off."""
    hold_connections(change, [mapping.connection_key])
    alter_facts(change, mappings, mappings.c.id == mapping.key, values={"enabled": enabled})
    refresh_mapping_matches(change, mapping.connection_key, mapping.key)


# -- Which groups match ------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class StoredGroup:
    """An IdP group as rules see it, with its key and whether a pushed group decides in its place."""

    key: int
    group: IdpGroup
    shadowed: bool

    @property
    def counted(self) -> CountedGroup:
        """The group as access counts who is in it."""
        return CountedGroup(self.key, self.group.source == "asserted", self.shadowed)


def hold_connections(change: Change, keys: Collection[int]) -> None:
    """From here to the commit nobody else changes rules or names of groups of these connections."""
    _hold(change, connections.c.id.in_(list(keys)))


def hold_rules(change: Change, mapping_keys: Collection[int]) -> None:
    """The same for the connections of these rules."""
    _hold(change, connections.c.id.in_(select(mappings.c.connection_id).where(mappings.c.id.in_(list(mapping_keys)))))


def _hold(change: Change, where: ColumnElement[bool]) -> None:
    # Not FOR UPDATE: logins and pushes of people, which only refer to the connection, need not wait.
    held = select(connections.c.id).where(where).order_by(connections.c.id).with_for_update(key_share=True)
    change.connection.execute(held).all()


def refresh_group_matches(
    change: Change, connection_key: int, group_keys: Collection[int], *, also_named: Collection[str] = ()
) -> None:
    """These groups are new, renamed, or about to go: bring their pairs up to date.

    `also_named`: names (or external ids) a pushed group had until now; asserted groups of such a name may
    no longer be shadowed by it.
    """
    hold_connections(change, [connection_key])
    touched = set(group_keys) | _asserted_of_the_same_name(change, connection_key, group_keys, also_named)
    if touched:
        groups = _groups(change.connection, connection_key, directory_groups.c.id.in_(touched))
        rules = _rules_for(change.connection, connection_key, groups)
        new = _settle(change, _pairs(groups, rules), mapping_matches.c.group_id.in_(touched))
        _tell_matched(change, new, groups, rules)


def refresh_mapping_matches(change: Change, connection_key: int, mapping_key: int) -> None:
    """This rule is new, or switched: bring its pairs up to date."""
    hold_connections(change, [connection_key])
    rules = _live_rules(change.connection, connection_key, mappings.c.id == mapping_key)
    groups = [group for rule in rules for group in groups_of_match(change.connection, connection_key, rule.match)]
    _settle(change, _pairs(groups, rules), mapping_matches.c.mapping_id == mapping_key)


def refresh_connection_matches(change: Change, connection_key: int) -> None:
    """This connection was enabled or disabled: bring all its pairs up to date."""
    hold_connections(change, [connection_key])
    groups = _groups(change.connection, connection_key, true())
    rules = _live_rules(change.connection, connection_key, true())
    here = select(mappings.c.id).where(mappings.c.connection_id == connection_key)
    _settle(change, _pairs(groups, rules), mapping_matches.c.mapping_id.in_(here))


def end_group_matches(change: Change, group_key: int) -> None:
    """This group goes: so do its pairs."""
    end_facts(change, mapping_matches, mapping_matches.c.group_id == group_key)


def groups_of_match(connection: Any, connection_key: int, match: GroupMatch) -> list[StoredGroup]:
    """The groups of a connection that a match takes, pushed and asserted."""
    groups = directory_groups.c
    narrow = {
        "id": groups.uid == match.value,
        "external_id": or_(groups.external_id == match.value, groups.name_ci == fold(match.value)),
        "name": groups.name_ci == fold(match.value),
        "glob": true(),
    }[match.kind]
    return [group for group in _groups(connection, connection_key, narrow) if group_matches(match, group.group)]


def groups_by_keys(connection: Any, connection_key: int, keys: Collection[int]) -> list[StoredGroup]:
    """These groups of a connection, as rules see them."""
    return _groups(connection, connection_key, directory_groups.c.id.in_(list(keys)))


def connection_of(connection: Any, mapping: StoredMapping) -> str:
    """The outside id of a rule's connection."""
    found: str = connection.execute(
        select(connections.c.uid).where(connections.c.id == mapping.connection_key)
    ).scalar()
    return found


def keys_of_connection(connection: Any, connection_key: int) -> set[int]:
    """All rules of a connection, the system-made ones too."""
    chosen = select(mappings.c.id).where(mappings.c.connection_id == connection_key)
    return set(connection.execute(chosen).scalars())


def rules_of_groups(connection: Any, group_keys: Collection[int]) -> list[int]:
    """The rules by which any of these groups gives something now."""
    chosen = select(mapping_matches.c.mapping_id).where(mapping_matches.c.group_id.in_(list(group_keys)))
    return sorted(connection.execute(chosen.distinct()).scalars())


def pairs_when_on(connection: Any, connection_key: int) -> list[tuple[int, StoredGroup]]:
    """The pairs of rule and group that would give something, were the connection enabled."""
    groups = _groups(connection, connection_key, true())
    rules = list_mappings(connection, and_(mappings.c.connection_id == connection_key, mappings.c.enabled))
    by_key = {stored.key: stored for stored in groups}
    return [(rule, by_key[group]) for group, rule in _pairs(groups, rules)]


def unshadowed_without(connection: Any, connection_key: int, group_key: int) -> set[int]:
    """The asserted groups in whose place this pushed group, and no other one, decides."""
    columns = directory_groups.c
    own = connection.execute(select(columns.name_ci, columns.external_id).where(columns.id == group_key)).one()
    names = {own.name_ci} | ({fold(own.external_id)} if own.external_id else set())
    asserted = select(columns.id, columns.name).where(
        columns.connection_id == connection_key, ASSERTED_GROUP, columns.name_ci.in_(names)
    )
    found = connection.execute(asserted).all()
    others = _deciding_names(connection, connection_key, [row.name for row in found], but=group_key)
    return {row.id for row in found if not _decided(row.name, others)}


#: From so many values on, a connection's groups are read whole instead of by value.
_MOST_VALUES = 500


def count_groups_of(connection: Any, rules: Collection[StoredMapping]) -> dict[int, int]:
    """How many groups each of these rules takes, pushed and asserted, whether it is on or not. One statement."""
    by_value: dict[tuple[int, str], list[IdpGroup]] = {}
    by_connection: dict[int, list[IdpGroup]] = {}
    for key, group in _groups_for(connection, rules) if rules else ():
        by_connection.setdefault(key, []).append(group)
        for value in {fold(group.id), fold(group.name), fold(group.external_id or group.name)}:
            by_value.setdefault((key, value), []).append(group)
    counted = {}
    for rule in rules:
        at, match = rule.connection_key, rule.match
        could = by_connection.get(at, []) if match.kind == "glob" else by_value.get((at, fold(match.value)), [])
        counted[rule.key] = sum(group_matches(match, group) for group in could)
    return counted


def _groups_for(connection: Any, rules: Collection[StoredMapping]) -> Iterator[tuple[int, IdpGroup]]:
    """The groups that the rules could take, each with its connection's key."""
    columns, values = directory_groups.c, {rule.match.value for rule in rules}
    chosen = select(columns.connection_id, columns.uid, columns.name, columns.external_id, columns.source)
    chosen = chosen.where(columns.connection_id.in_({rule.connection_key for rule in rules}))
    if len(values) <= _MOST_VALUES and all(rule.match.kind != "glob" for rule in rules):
        named = columns.name_ci.in_({fold(value) for value in values})
        chosen = chosen.where(or_(columns.uid.in_(values), columns.external_id.in_(values), named))
    for key, *rest in connection.execute(chosen):
        yield key, IdpGroup(*rest)


Pairs = dict[tuple[int, int], tuple[bool, bool]]


def _pairs(groups: Iterable[StoredGroup], rules: Iterable[StoredMapping]) -> Pairs:
    ruled = list(rules)
    return {
        (stored.key, rule.key): (stored.group.source == "asserted", stored.shadowed)
        for stored in groups
        for rule in ruled
        if group_matches(rule.match, stored.group)
    }


def _tell_matched(
    change: Change, new: Collection[tuple[int, int]], groups: Iterable[StoredGroup], rules: Iterable[StoredMapping]
) -> None:
    """A rule takes a group that wasn't there, or wasn't called so, when somebody looked at its preview: say so."""
    by_key, by_rule = {stored.key: stored.group for stored in groups}, {rule.key: rule for rule in rules}
    for group_key, rule_key in sorted(new):
        rule, group = by_rule[rule_key], by_key[group_key]
        if rule.match.takes_later:
            told = {"rule": rule.match.value, "idp_group": group.name, "idp_group_id": group.id}
            change.record(rule.workspace_key, "mapping.matched", rule.id, after=told)


def _settle(change: Change, wanted: Pairs, where: ColumnElement[bool]) -> list[tuple[int, int]]:
    """Make the stored pairs that `where` names the wanted ones, touching none that is right already.

    Returns those that there weren't.
    """
    pairs = mapping_matches.c
    present: Pairs = {
        (group, mapping): (asserted, shadowed)
        for group, mapping, asserted, shadowed in change.connection.execute(
            select(pairs.group_id, pairs.mapping_id, pairs.asserted, pairs.shadowed).where(where)
        )
    }
    stale = [key for key, flags in present.items() if wanted.get(key) != flags]
    for group, mapping in stale:
        end_facts(change, mapping_matches, pairs.group_id == group, pairs.mapping_id == mapping)
    missing = [key for key, flags in wanted.items() if present.get(key) != flags]
    begin_facts(change, mapping_matches, [_match_row(key, wanted[key]) for key in missing])
    return [key for key in missing if key not in present]


def _match_row(key: tuple[int, int], flags: tuple[bool, bool]) -> dict[str, Any]:
    return {"group_id": key[0], "mapping_id": key[1], "asserted": flags[0], "shadowed": flags[1]}


def _live_rules(connection: Any, connection_key: int, where: ColumnElement[bool]) -> list[StoredMapping]:
    enabled = select(connections.c.id).where(connections.c.id == connection_key, connections.c.enabled)
    return list_mappings(connection, and_(mappings.c.connection_id.in_(enabled), mappings.c.enabled, where))


def _rules_for(connection: Any, connection_key: int, groups: Collection[StoredGroup]) -> list[StoredMapping]:
    """The live rules that could match any of the groups: by index, but for globs, which are few."""
    ids = {fold(stored.group.id) for stored in groups}
    names = {fold(stored.group.name) for stored in groups}
    outside = {fold(stored.group.external_id) for stored in groups if stored.group.external_id} | names
    could = or_(
        mappings.c.match == "glob",
        and_(mappings.c.match == "id", mappings.c.value_ci.in_(ids)),
        and_(mappings.c.match == "name", mappings.c.value_ci.in_(names)),
        and_(mappings.c.match == "external_id", mappings.c.value_ci.in_(outside)),
    )
    return _live_rules(connection, connection_key, could)


def _groups(connection: Any, connection_key: int, where: ColumnElement[bool]) -> list[StoredGroup]:
    columns = directory_groups.c
    chosen = select(columns.id, columns.uid, columns.name, columns.external_id, columns.source).where(
        columns.connection_id == connection_key, where
    )
    found = [(key, IdpGroup(*rest)) for key, *rest in connection.execute(chosen)]
    deciding = _deciding_names(connection, connection_key, [group.name for _, group in found if group.source != "scim"])
    return [
        StoredGroup(key, group, group.source == "asserted" and _decided(group.name, deciding)) for key, group in found
    ]


def _decided(name: str, deciding: tuple[set[str], set[str]]) -> bool:
    names, outside = deciding
    return fold(name) in names or name in outside


def _deciding_names(
    connection: Any, connection_key: int, names: Collection[str], *, but: int = 0
) -> tuple[set[str], set[str]]:
    """Of these asserted names, those a pushed group has as its name (folded), or as its external id."""
    if not names:
        return set(), set()
    columns = directory_groups.c
    named = or_(columns.name_ci.in_([fold(name) for name in names]), columns.external_id.in_(list(names)))
    pushed = select(columns.name_ci, columns.external_id).where(
        columns.connection_id == connection_key, columns.id != but, PUSHED_GROUP, named
    )
    rows = connection.execute(pushed).all()
    return {row.name_ci for row in rows}, {row.external_id for row in rows if row.external_id}


def _asserted_of_the_same_name(
    change: Change, connection_key: int, group_keys: Collection[int], also_named: Collection[str]
) -> set[int]:
    """Asserted groups whose shadow may have changed with these pushed ones."""
    columns = directory_groups.c
    pushed = select(columns.name_ci, columns.external_id).where(columns.id.in_(group_keys), PUSHED_GROUP)
    names = {fold(name) for name in also_named}
    for name_ci, external_id in change.connection.execute(pushed):
        names |= {name_ci} | ({fold(external_id)} if external_id else set())
    if not names:
        return set()
    asserted = select(columns.id).where(
        columns.connection_id == connection_key, ASSERTED_GROUP, columns.name_ci.in_(names)
    )
    return set(change.connection.execute(asserted).scalars())


# -- What rules give ---------------------------------------------------------------------------------


def user_groups_given(connection: Any, mapping_keys: Collection[int]) -> dict[int, list[tuple[int, str, str]]]:
    """For each rule, the (key, outside id, name) of the User Groups that it gives."""
    given: dict[int, list[tuple[int, str, str]]] = {key: [] for key in mapping_keys}
    chosen = (
        select(mapping_user_groups.c.mapping_id, user_groups.c.id, user_groups.c.uid, user_groups.c.name)
        .join_from(mapping_user_groups, user_groups)
        .where(mapping_user_groups.c.mapping_id.in_(list(mapping_keys)))
        .order_by(user_groups.c.name_ci)
    )
    for mapping_key, *user_group in connection.execute(chosen):
        given[mapping_key].append(tuple(user_group))
    return given


def user_group_keys(connection: Any, workspace_key: int, names: Collection[str]) -> dict[str, int]:
    """The keys of User Groups by their names, compared without case; only those that are there."""
    folded = {fold(name): name for name in names}
    chosen = select(user_groups.c.name_ci, user_groups.c.id).where(
        user_groups.c.workspace_id == workspace_key, user_groups.c.name_ci.in_(list(folded))
    )
    return {folded[name_ci]: key for name_ci, key in connection.execute(chosen)}


def group_names(connection: Any, workspace_key: int, uids: Collection[str]) -> dict[str, str]:
    """The names of a workspace's IdP groups by outside id; whoever writes another's id into a rule learns nothing."""
    chosen = (
        select(directory_groups.c.uid, directory_groups.c.name)
        .join_from(directory_groups, connections)
        .where(directory_groups.c.uid.in_(list(uids)), connections.c.workspace_id == workspace_key)
    )
    return {row.uid: row.name for row in connection.execute(chosen)}


def matched_now(connection: Any, mapping_key: int) -> list[CountedGroup]:
    """The groups that a rule matches and that give something by it."""
    pairs = mapping_matches.c
    chosen = select(pairs.group_id, pairs.asserted, pairs.shadowed).where(pairs.mapping_id == mapping_key)
    return [CountedGroup(*row) for row in connection.execute(chosen)]
