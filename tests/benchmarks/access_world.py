"""A big workspace, written by a few statements: what the access benchmarks ask about.

100,000 people, 1,000 IdP groups, each with its mirror, 1,000,000 memberships in them, 10,000 resources with four labels
each, 200 User Groups filled by hand, 300 rules, 5,000 grants beside the one that everybody has. It is written behind
the bridge's back, since to push it would take an hour; the tables are analysed after it.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import text

from bridge.domain.roles import RESOURCE_TYPES
from bridge.storage.database import Database

_TYPES = tuple(RESOURCE_TYPES)
#: For each type of resource, in their order.
_ROLES = ("source_admin", "warehouse_read_only", "function_admin", "unify_read_only_engage_user", "tracking_plan_admin")
_LABELS = {
    "environment": ("'prod'", "'dev'", "'stage'"),
    "team": ("'t' || CAST(i / 7 % 50 AS TEXT)",),
    "region": ("'eu'", "'us'", "'apac'"),
    "tier": ("'one'", "'two'"),
}


@dataclass(frozen=True, slots=True)
class Sizes:
    """How big it is. Group 0 has everybody, group 1 ten; person 0 is in every group. Each person is in ten groups."""

    people: int = 100_000
    groups: int = 1_000
    resources: int = 10_000
    user_groups: int = 200
    rules: int = 300
    grants: int = 5_000


@dataclass(frozen=True, slots=True)
class BigWorld:
    """What was made, by the names that the bridge knows it by."""

    sizes: Sizes
    workspace: str
    connection: str

    def email(self, person: int) -> str:
        """Of the person with this number."""
        return f"p{person % self.sizes.people}@big.example"

    def resource(self, number: int) -> str:
        """As TYPE:ID."""
        number %= self.sizes.resources
        return f"{_TYPES[number % len(_TYPES)]}:r{number}"


def fill(database: Database, workspace: str, connection: str, sizes: Sizes) -> BigWorld:
    """Write it into a workspace, and its connection with this outside id. Returns how to ask about it."""
    with database.writing() as rows:
        known = _beginnings(rows, workspace, connection, sizes)
        for statement in _statements(sizes):
            rows.execute(text(statement.format(**known)))
        if not database.is_sqlite:
            rows.exec_driver_sql(_SET_SEQUENCES)
    with database.reading() as rows:
        rows.exec_driver_sql("ANALYZE")
    return BigWorld(sizes, workspace, connection)


#: Keys that are given out next come after those that are written here.
_SET_SEQUENCES = "; ".join(
    f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT MAX(id) FROM {table}))"
    for table in ("users", "principals", "directory_users", "directory_groups", "grants", "resources")
)


def _beginnings(rows: Any, workspace: str, connection: str, sizes: Sizes) -> dict[str, int]:
    """Where it goes, and the key before the first of each kind of thing."""
    one = rows.execute(text("SELECT id FROM workspaces WHERE slug = :slug"), {"slug": workspace}).scalar_one()
    other = rows.execute(text("SELECT id FROM connections WHERE uid = :uid"), {"uid": connection}).scalar_one()
    yesterday = int((datetime.now(UTC) - timedelta(days=1)).timestamp() * 1e6)
    known = {"workspace": one, "connection": other, "now": yesterday, "stands": yesterday}
    tables = {"user": "users", "record": "directory_users", "group": "directory_groups", "grant": "grants"}
    for name, table in (tables | {"resource": "resources", "member": "principals"}).items():
        known[name] = rows.exec_driver_sql(f"SELECT COALESCE(MAX(id), 0) + 1 FROM {table}").scalar_one()
    known["user_group"] = known["member"] + sizes.people
    known["mirror"] = known["user_group"] + sizes.user_groups
    known["mirroring"] = known["mirror"] + sizes.groups
    known["rule"] = known["mirroring"] + sizes.groups
    return known


def _insert(table: str, count: int, **columns: str) -> str:
    """So many rows, of which i is the number, from 0. Both engines count by themselves."""
    numbers = f"WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})"
    listed = ", ".join(f'"{name}"' for name in columns)
    return f"INSERT INTO {table} ({listed}) {numbers} SELECT {', '.join(columns.values())} FROM n"


def _word(number: str, words: tuple[str, ...]) -> str:
    """One of these expressions, by a number."""
    if len(words) == 1:
        return words[0]
    return (
        f"CASE ({number}) % {len(words)} " + " ".join(f"WHEN {n} THEN {word}" for n, word in enumerate(words)) + " END"
    )


_HERE = {"workspace_id": "{workspace}"}
_STANDS = {"since": "{now}", "cause": "1"}
_MADE = {"created_at": "{now}", **_STANDS}


def _uid(kind: str) -> str:
    return f"'{kind}' || CAST(i AS TEXT)"


def _principals(kind: str, first: str, count: int) -> str:
    return _insert("principals", count, id=f"{{{first}}} + i", kind=f"'{kind}'", **_HERE)


def _statements(sizes: Sizes) -> list[str]:
    return [*_people(sizes), *_groups(sizes), *_resources(sizes), *_given(sizes)]


def _people(sizes: Sizes) -> list[str]:
    email, name = "'p' || CAST(i AS TEXT) || '@big.example'", "'Person ' || CAST(i AS TEXT)"
    of_person = {"user_name": email, "user_name_ci": email, "email_ci": email, "display_name": name}
    flags = {
        "pushed": "(1 = 1)",
        "active": "(1 = 1)",
        "holds_out": "(1 = 0)",
        "modified_at": "{now}",
        "document": "'{{}}'",
    }
    members = {"user_id": "{user} + i", "status": "'active'", "accepted_at": "{now}", **_HERE, **_MADE}
    records = {"connection_id": "{connection}", "membership_id": "{member} + i", **of_person, **flags, **_MADE}
    minimal = {"role": "'minimal_workspace_access'", "scope": "'all'", "given_by": "'system'", **_STANDS}
    return [
        _insert(
            "users",
            sizes.people,
            id="{user} + i",
            uid=_uid("u"),
            email=email,
            email_ci=email,
            name=name,
            created_at="{now}",
        ),
        _principals("membership", "member", sizes.people),
        _insert("memberships", sizes.people, id="{member} + i", uid=_uid("m"), **members),
        _insert("directory_users", sizes.people, id="{record} + i", uid=_uid("d"), **records),
        _insert("grants", sizes.people, id="{grant} + i", uid=_uid("gm"), principal_id="{member} + i", **minimal),
    ]


def _groups(sizes: Sizes) -> list[str]:
    name = "'Group ' || CAST(i AS TEXT)"
    named = {"name": name, "name_ci": f"LOWER({name})"}
    own = {"connection_id": "{connection}", "source": "'scim'", "n_members": "1", "modified_at": "{now}", **_MADE}
    mirrors = {"name": f"{name} || ' (Okta)'", "name_ci": f"LOWER({name}) || ' (okta)'", "mirror": "(1 = 1)"}
    rules = {
        "connection_id": "{connection}",
        "match": "'id'",
        "value": _uid("g"),
        "value_ci": _uid("g"),
        "made_by": "'system'",
    }
    matches = {"group_id": "{group} + i", "asserted": "(1 = 0)", "shadowed": "(1 = 0)", **_STANDS}
    gives = {"role": "'minimal_workspace_access'", "scope": "'all'", "given_by": "'system'", **_STANDS}
    return [
        _insert("directory_groups", sizes.groups, id="{group} + i", uid=_uid("g"), **named, **own),
        *_memberships(sizes),
        _principals("user_group", "mirror", sizes.groups),
        _insert("user_groups", sizes.groups, id="{mirror} + i", uid=_uid("mi"), **mirrors, **_HERE, **_MADE),
        _principals("mapping", "mirroring", sizes.groups),
        _insert(
            "mappings", sizes.groups, id="{mirroring} + i", uid=_uid("mr"), origin="'mirror'", **rules, **_HERE, **_MADE
        ),
        _insert(
            "mapping_user_groups", sizes.groups, mapping_id="{mirroring} + i", user_group_id="{mirror} + i", **_STANDS
        ),
        _insert("mapping_matches", sizes.groups, mapping_id="{mirroring} + i", **matches),
        _insert(
            "grants",
            sizes.groups,
            id=f"{{grant}} + {sizes.people} + i",
            uid=_uid("gg"),
            principal_id="{mirror} + i",
            **gives,
        ),
    ]


def _memberships(sizes: Sizes) -> list[str]:
    """Everybody in group 0, ten people in group 1, eight or nine of the others each; person 0 in all of them."""
    rest, keys = sizes.groups - 2, {"directory_user_id": "{record} + i", **_STANDS}
    spread = [
        _insert("group_members", sizes.people, group_id=f"{{group}} + 2 + (i * 7 + {n * 101}) % {rest}", **keys)
        for n in range(9)
    ]
    everybody = _insert("group_members", sizes.people, group_id="{group}", **keys)
    few = _insert("group_members", 10, group_id="{group} + 1", **keys)
    giant = _insert("group_members", sizes.groups, group_id="{group} + i", directory_user_id="{record}", **_STANDS)
    return [everybody, *spread, few, f"{giant} WHERE 1 = 1 ON CONFLICT DO NOTHING"]


def _resources(sizes: Sizes) -> list[str]:
    kind = _word("i", tuple(f"'{each}'" for each in _TYPES))
    own = {
        "uid": _uid("r"),
        "type": kind,
        "name": "'Resource ' || CAST(i AS TEXT)",
        "slug": _uid("r"),
        **_HERE,
        **_STANDS,
    }
    labels = [
        _insert(
            "resource_labels",
            sizes.resources,
            resource_id="{resource} + i",
            key=f"'{key}'",
            value=_word("i / 5", values),
            **_STANDS,
        )
        for key, values in _LABELS.items()
    ]
    return [_insert("resources", sizes.resources, id="{resource} + i", **own), *labels]


def _given(sizes: Sizes) -> list[str]:
    """What owners made: User Groups with 500 people each, rules that match one group each, half of which give a User
    Group, and grants.
    """
    name = "'Guild ' || CAST(i AS TEXT)"
    groups = {"uid": _uid("ug"), "name": name, "name_ci": f"LOWER({name})", **_HERE, **_MADE}
    taken = f"CAST(2 + i * 3 % {sizes.groups - 2} AS TEXT)"
    rules = {
        "connection_id": "{connection}",
        "match": "'name'",
        "value": f"'Group ' || {taken}",
        "value_ci": f"'group ' || {taken}",
        "made_by": "'operator'",
    }
    match = {"mapping_id": "{rule} + i", "group_id": f"{{group}} + 2 + i * 3 % {sizes.groups - 2}"}
    by_hand = {
        "user_group_id": f"{{user_group}} + i % {sizes.user_groups}",
        "membership_id": "{member} + i",
        "given_by": "'operator'",
    }
    return [
        _principals("user_group", "user_group", sizes.user_groups),
        _insert("user_groups", sizes.user_groups, id="{user_group} + i", **groups),
        _insert("user_group_members", sizes.people, **by_hand, **_STANDS),
        _principals("mapping", "rule", sizes.rules),
        _insert("mappings", sizes.rules, id="{rule} + i", uid=_uid("ru"), origin="'admin'", **rules, **_HERE, **_MADE),
        _insert("mapping_matches", sizes.rules, **match, asserted="(1 = 0)", shadowed="(1 = 0)", **_STANDS),
        _insert(
            "mapping_user_groups",
            sizes.rules,
            mapping_id="{rule} + i",
            user_group_id=f"{{user_group}} + i % {sizes.user_groups}",
            **_STANDS,
        )
        + " WHERE i % 2 = 0",
        *_grants(sizes),
    ]


def _grants(sizes: Sizes) -> list[str]:
    """Of ten one for a User Group, one for a rule, eight for people; few on all, others on a list or two labels."""
    first = sizes.people + sizes.groups
    kind, which = "(i / 10 + i) % 5", "i / 10"
    holder = (
        f"CASE i % 10 WHEN 0 THEN {{user_group}} + {which} % {sizes.user_groups} "
        f"WHEN 1 THEN {{rule}} + {which} % {sizes.rules} ELSE {{member}} + i * 61 % {sizes.people} END"
    )
    scope = "CASE WHEN i / 7 % 25 = 0 THEN 'all' WHEN i / 7 % 2 = 0 THEN 'list' ELSE 'labels' END"
    own = {
        "uid": _uid("gr"),
        "principal_id": holder,
        "role": _word(kind, tuple(f"'{each}'" for each in _ROLES)),
        "scope": scope,
    }
    key, is_one = {"grant_id": f"{{grant}} + {first} + i"}, "WHERE " + scope + " = '{}'"
    listed = [
        _insert(
            "grant_resources",
            sizes.grants,
            **key,
            resource_id=f"{{resource}} + ((i * 17 + {n * 300}) * 5 + {kind}) % {sizes.resources}",
            **_STANDS,
        )
        + " "
        + is_one.format("list")
        for n in range(3)
    ]
    labelled = [
        _insert("grant_labels", sizes.grants, **key, key=f"'{name}'", value=_word("i / 11", _LABELS[name]), **_STANDS)
        + " "
        + is_one.format("labels")
        for name in ("environment", "team")
    ]
    grants = _insert("grants", sizes.grants, id=f"{{grant}} + {first} + i", given_by="'operator'", **own, **_STANDS)
    return [grants, *listed, *labelled]
