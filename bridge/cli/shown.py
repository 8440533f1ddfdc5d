"""Domain values as JSON and as text."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.domains import Domain
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.members import UserGroup
from bridge.domain.resources import Resource
from bridge.domain.workspace import Connection
from bridge.flows.connect import addresses
from bridge.flows.context import Context
from bridge.flows.give_roles import NewGrant
from bridge.flows.map_groups import MappingFacts, PersonMoved


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that line up, under their headings."""
    every = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every
    )


def wire_time(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def wire_scope(given: RoleInScope | Permission) -> dict[str, Any]:
    """A role by its name, and its scope as the terms that `--on` takes."""
    return {"role": given.role.name, "scope": given.scope.render()}


def wire_connection(context: Context, connection: Connection) -> dict[str, Any]:
    """A connection and our addresses of it."""
    own = {"id": connection.id, "kind": connection.kind, "name": connection.name, "enabled": connection.enabled}
    return own | asdict(addresses(context, connection.id))


def wire_domain(domain: Domain) -> dict[str, Any]:
    """A domain, and the two ways to prove it."""
    return {
        "name": domain.name,
        "status": domain.status,
        "dns_record": domain.dns_record,
        "meta_tag": domain.meta_tag,
        "connection": domain.connection_id,
    }


def wire_resource(resource: Resource) -> dict[str, Any]:
    """A resource with its labels."""
    labels = [str(label) for label in sorted(resource.labels)]
    return {"id": resource.ref.id, "type": resource.ref.type, "name": resource.name, "labels": labels}


def wire_user_group(group: UserGroup) -> dict[str, Any]:
    """A User Group with its people counted."""
    return {"id": group.id, "name": group.name, "member_count": group.member_count}


def wire_grant(grant: NewGrant) -> dict[str, Any]:
    """A grant."""
    return {"id": grant.id, **wire_scope(grant.given)}


def wire_mapping(mapping: MappingFacts) -> dict[str, Any]:
    """A rule: whom it takes, what it gives, and the same as a sentence."""
    return {
        "id": mapping.id,
        "connection": mapping.connection_id,
        "match": _wire_match(mapping.match),
        "gives": {
            "roles": [wire_scope(given) for given in mapping.roles],
            "user_groups": [{"id": uid, "name": name} for uid, name in mapping.user_groups],
        },
        "enabled": mapping.enabled,
        "origin": mapping.origin,
        "matched_groups": mapping.matched_groups,
        "sentence": mapping.sentence,
    }


def wire_moved(people: Sequence[PersonMoved]) -> dict[str, Any]:
    """Who would gain, or lose, and what; counted."""
    told = [
        {"email": one.email, "name": one.name, "permissions": [wire_scope(given) for given in one.roles]}
        for one in people
    ]
    return {"count": len(told), "people": told}


def wire_permission(permission: Permission) -> dict[str, Any]:
    """One role in one scope, with every path that gives it."""
    return {**wire_scope(permission), "because": [wire_because(because) for because in permission.because]}


def wire_because(because: Because) -> dict[str, Any]:
    """One path, as names and ids: only the links that it has."""
    told: dict[str, Any] = {"kind": because.kind, "grant": because.grant_id}
    told |= {"given_by": because.given_by, "since": wire_time(because.since)}
    links = {
        "user_group": (because.user_group_id, because.user_group),
        "mapping": (because.mapping_id, because.mapping),
        "idp_group": (because.idp_group_id, because.idp_group),
        "connection": (because.connection_id, because.connection),
    }
    told |= {link: {"id": uid, "name": name} for link, (uid, name) in links.items() if uid is not None}
    if because.idp_group_source is not None:
        told["idp_group"]["source"] = because.idp_group_source
        told["in_group_since"] = wire_time(because.in_group_since)
    return told


def text_because(because: Because) -> str:
    """One path as a line: IdP group → rule → User Group → role."""
    steps = []
    if because.idp_group is not None:
        steps.append(f"{because.connection} group {because.idp_group}")
        # A rule that takes its one group by id has no other name.
        steps += [] if because.mapping == because.idp_group_id else [f"rule {because.mapping}"]
    if because.user_group is not None:
        steps.append(f"User Group {because.user_group}")
    if steps:
        return " → ".join(steps)
    by_idp = because.given_by.startswith("connection:")
    how = "with the membership, by its connection" if by_idp else f"by hand, {because.given_by}"
    return f"{how}, {because.since:%d %b %Y}"


def text_permission(permission: Permission) -> str:
    """A permission, and under it every path that gives it."""
    head = f"{permission.role.name} on {', '.join(permission.scope.render())}"
    return "\n".join([head, *(f"    {text_because(because)}" for because in permission.because)])


def _wire_match(match: GroupMatch) -> dict[str, str]:
    return {"by": match.kind, "value": match.value}
