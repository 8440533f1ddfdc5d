"""Grants as facts: given, and ended for good. An edit ends one and makes another."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from sqlalchemy import select

from bridge.domain.access import ResourceRef, RoleInScope, Scope
from bridge.domain.errors import NotFound
from bridge.domain.labels import Label
from bridge.storage.changes import Change, begin_fact, begin_facts, end_facts
from bridge.storage.tables import grant_labels, grant_resources, grants, labels, principals, resources


def scope_keys(connection: Any, workspace_key: int, scope: Scope) -> dict[ResourceRef, int]:
    """The keys of the resources that a scope lists.

    Raises NotFound, naming the first resource or label that the workspace doesn't have: it would give nothing.
    """
    for label in sorted(scope.labels - known_labels(connection, workspace_key, scope.labels)):
        raise NotFound(f"There is no label {label} in this workspace.")
    return _resource_keys(connection, workspace_key, scope.resources)


def known_labels(connection: Any, workspace_key: int, wanted: Collection[Label]) -> frozenset[Label]:
    """Those of these labels that the workspace has."""
    if not wanted:
        return frozenset()
    columns = labels.c
    chosen = select(columns.key, columns.value).where(
        columns.workspace_id == workspace_key, columns.key.in_([label.key for label in wanted])
    )
    here = (Label(key, value) for key, value in connection.execute(chosen))
    return frozenset(wanted).intersection(here)


def _resource_keys(connection: Any, workspace_key: int, refs: Collection[ResourceRef]) -> dict[ResourceRef, int]:
    if not refs:
        return {}
    chosen = select(resources.c.type, resources.c.uid, resources.c.id).where(
        resources.c.workspace_id == workspace_key, resources.c.uid.in_([ref.id for ref in refs])
    )
    found = {ResourceRef(kind, uid): key for kind, uid, key in connection.execute(chosen)}
    for ref in refs:
        if ref not in found:
            raise NotFound(f"There is no {ref} in this workspace.")
    return {ref: found[ref] for ref in refs}


def insert_grant(
    change: Change, workspace_key: int, principal_key: int, given: RoleInScope, given_by: str
) -> tuple[int, str]:
    """Give a role in a scope to a principal. Returns the grant's (key, outside id). Raises as `scope_keys` does."""
    listed = scope_keys(change.connection, workspace_key, given.scope)
    uid = str(uuid4())
    values = {"uid": uid, "principal_id": principal_key, "role": given.role.id, "scope": given.scope.kind}
    key = begin_fact(change, grants, {**values, "given_by": given_by})
    begin_facts(change, grant_resources, [{"grant_id": key, "resource_id": n} for n in sorted(listed.values())])
    named = [{"grant_id": key, "key": label.key, "value": label.value} for label in sorted(given.scope.labels)]
    begin_facts(change, grant_labels, named)
    return key, uid


@dataclass(frozen=True, slots=True)
class StoredGrant:
    """A standing grant: what it gives, and the principal it hangs on, by key and kind."""

    key: int
    principal_key: int
    principal_kind: str
    role: str


def find_grant(connection: Any, workspace_key: int, uid: str) -> StoredGrant | None:
    """A workspace's grant by its outside id, or None."""
    chosen = select(grants.c.id, grants.c.principal_id, principals.c.kind, grants.c.role)
    here = (principals.c.workspace_id == workspace_key) & (grants.c.uid == uid)
    row = connection.execute(chosen.join_from(grants, principals).where(here)).first()
    return None if row is None else StoredGrant(*row)


def end_grants(change: Change, principal_key: int) -> int:
    """End every grant that hangs on a principal. Returns how many."""
    keys = select(grants.c.id).where(grants.c.principal_id == principal_key)
    return end_grant_keys(change, list(change.connection.execute(keys).scalars()))


def end_grant_keys(change: Change, keys: Collection[int]) -> int:
    """End these grants. Returns how many."""
    if not keys:
        return 0
    end_facts(change, grant_resources, grant_resources.c.grant_id.in_(keys))
    end_facts(change, grant_labels, grant_labels.c.grant_id.in_(keys))
    return len(end_facts(change, grants, grants.c.id.in_(keys)))
