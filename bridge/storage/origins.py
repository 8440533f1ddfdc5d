"""Who made the links of paths that are shown, and when: read for those alone, beside the query of access itself."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select

from bridge.domain.access import Because
from bridge.domain.origins import Makers, RuleMade
from bridge.storage.access import in_batches
from bridge.storage.accounts import names_of_actors
from bridge.storage.tables import (
    audit,
    connections,
    directory_groups,
    directory_users,
    group_members,
    mapping_user_groups,
    mappings,
    tokens,
    user_groups,
)

_IMPORTED = "directory.imported"


@dataclass(frozen=True, slots=True)
class LinkRows:
    """What the rows of one member's links say, of today or of a moment that is past.

    `rules`: uid, match, value, origin, made_by, created_at, since, cause and group (by its name, where it takes one by
    its id); `giving`: rule, user_group, since, cause, created_at and made_by; `counting` and `names` by a connection's
    id and by actor, as in `Makers`; `joined`: by which cause the member is in each IdP group, asked only where a file
    was imported.
    """

    rules: Iterable[Any]
    giving: Iterable[Any]
    counting: Mapping[str, datetime]
    joined: Callable[[], Mapping[str, int]]
    names: Mapping[str, str] = field(default_factory=dict)


def makers_of(connection: Any, workspace_key: int, membership_key: int, paths: Collection[Because]) -> Makers:
    """What is known of the links of these paths of one member. Some ten statements, however many paths."""
    rules = {one.mapping_id for one in paths if one.mapping_id}
    groups = {one.idp_group_id for one in paths if one.idp_group_id}
    links = LinkRows(
        _rules(connection, rules),
        _giving(connection, rules),
        _counting(connection, membership_key),
        lambda: _joined(connection, membership_key, groups),
    )
    return makers_from(connection, workspace_key, paths, links)


def makers_from(connection: Any, workspace_key: int, paths: Collection[Because], links: LinkRows) -> Makers:
    """The same of what was read already: with the audit trail's word on who did it, and names."""
    made = {row.uid: row for row in links.rules}
    giving = {(row.rule, row.user_group): row for row in links.giving}
    later = {row.cause for row in (*made.values(), *giving.values()) if row.since != row.created_at}
    actors = actors_of(connection, workspace_key, later)
    told = {uid: _rule_made(row, actors) for uid, row in made.items()}
    given = {ids: (row.since, _giver(row, actors)) for ids, row in giving.items()}
    acting = {one.given_by for one in paths} | {one.put_in_by for one in paths if one.put_in_by}
    acting |= {f"connection:{one.connection_id}" for one in paths if one.connection_id}
    imports = _imports(connection, workspace_key, {one.connection_id for one in paths if one.connection_id})
    joined = links.joined() if imports else {}
    acting |= {rule.made_by for rule in told.values()} | set(actors.values())
    return Makers(
        rules=told,
        giving=given,
        counting=links.counting,
        imported=frozenset(group for group, cause in joined.items() if cause in imports),
        names={**names_of(connection, acting), **links.names},
    )


def _rules(connection: Any, uids: Collection[str]) -> Iterable[Any]:
    columns = (
        mappings.c.uid,
        mappings.c.match,
        mappings.c.value,
        mappings.c.origin,
        mappings.c.made_by,
        mappings.c.created_at,
        mappings.c.since,
        mappings.c.cause,
        directory_groups.c.name.label("group"),
    )
    named = (mappings.c.match == "id") & (directory_groups.c.uid == mappings.c.value)
    for batch in in_batches(uids):
        chosen = select(*columns).outerjoin_from(mappings, directory_groups, named).where(mappings.c.uid.in_(batch))
        yield from connection.execute(chosen)


def _rule_made(row: Any, actors: dict[int, str]) -> RuleMade:
    made = RuleMade(row.origin, row.group or row.value, row.made_by, row.created_at)
    if row.since == row.created_at:
        return made
    return replace(made, changed_by=actors.get(row.cause), changed_at=row.since)


def _giving(connection: Any, rules: Collection[str]) -> Iterable[Any]:
    """Which User Groups these rules give, each since when."""
    given = mapping_user_groups.c
    columns = (mappings.c.uid.label("rule"), user_groups.c.uid.label("user_group"), given.since, given.cause)
    chosen = select(*columns, mappings.c.created_at, mappings.c.made_by)
    chosen = chosen.join_from(mapping_user_groups, mappings, mappings.c.id == given.mapping_id)
    chosen = chosen.join(user_groups, user_groups.c.id == given.user_group_id)
    for batch in in_batches(rules):
        yield from connection.execute(chosen.where(mappings.c.uid.in_(batch)))


def _giver(row: Any, actors: dict[int, str]) -> str | None:
    """Who had a rule give a User Group: whoever made it, unless that came later."""
    return row.made_by if row.since == row.created_at else actors.get(row.cause)


def _joined(connection: Any, membership_key: int, groups: Collection[str]) -> dict[str, int]:
    """By which cause the member is in each of these IdP groups."""
    chosen = (
        select(directory_groups.c.uid, group_members.c.cause)
        .join_from(directory_users, group_members, group_members.c.directory_user_id == directory_users.c.id)
        .join(directory_groups, directory_groups.c.id == group_members.c.group_id)
        .where(directory_users.c.membership_id == membership_key)
    )
    found: dict[str, int] = {}
    for batch in in_batches(groups):
        found |= {row.uid: row.cause for row in connection.execute(chosen.where(directory_groups.c.uid.in_(batch)))}
    return found


def _counting(connection: Any, membership_key: int) -> dict[str, datetime]:
    chosen = (
        select(connections.c.uid, directory_users.c.asserted_until)
        .join_from(directory_users, connections, connections.c.id == directory_users.c.connection_id)
        .where(directory_users.c.membership_id == membership_key, directory_users.c.asserted_until.is_not(None))
    )
    return {row.uid: row.asserted_until for row in connection.execute(chosen)}


def actors_of(connection: Any, workspace_key: int, causes: Collection[int]) -> dict[int, str]:
    """Who acted by each of these causes, where the audit trail still says it."""
    here = audit.c.workspace_id == workspace_key
    chosen = select(audit.c.cause, audit.c.actor).where(here).order_by(audit.c.seq.desc())
    rows = (row for batch in in_batches(causes) for row in connection.execute(chosen.where(audit.c.cause.in_(batch))))
    return {row.cause: row.actor for row in rows}


def _imports(connection: Any, workspace_key: int, connection_uids: Collection[str]) -> set[int]:
    """The causes by which files were imported into these connections."""
    chosen = select(audit.c.cause).where(
        audit.c.workspace_id == workspace_key, audit.c.subject.in_(connection_uids), audit.c.type == _IMPORTED
    )
    return set(connection.execute(chosen).scalars()) if connection_uids else set()


def names_of(connection: Any, actors: Collection[str]) -> dict[str, str]:
    """The names of people, connections and tokens among these actors, by actor."""
    found = names_of_actors(connection, set(actors))
    for kind, table, named in (
        ("connection", connections, connections.c.name),
        ("token", tokens, tokens.c.description),
    ):
        uids = {actor.partition(":")[2] for actor in actors if actor.startswith(f"{kind}:")}
        if uids:
            rows = connection.execute(select(table.c.uid, named.label("name")).where(table.c.uid.in_(uids)))
            found |= {f"{kind}:{row.uid}": row.name for row in rows}
    return found
