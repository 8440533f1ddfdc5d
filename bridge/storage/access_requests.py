"""What members have asked for, until an owner answers: an answered request is gone, the audit trail keeps it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Select, delete, func, select

from bridge.domain.access import ResourceRef
from bridge.storage.accounts import HELD_OUT
from bridge.storage.changes import Change, insert_row
from bridge.storage.tables import access_requests, memberships, resources, users


@dataclass(frozen=True, slots=True)
class StoredRequest:
    """A request as kept, with who asked. `resource` and its name are None where the role has no resources."""

    key: int
    id: str
    membership_id: str
    user_id: str
    name: str
    email: str
    role: str
    resource: ResourceRef | None
    resource_name: str | None
    message: str
    created_at: datetime


def _chosen(workspace_key: int) -> Select[Any]:
    """Those of members who are in: of who is held out, nothing waits for an answer."""
    asked = select(
        access_requests.c.id,
        access_requests.c.uid,
        memberships.c.uid,
        users.c.uid,
        users.c.name,
        users.c.email,
        access_requests.c.role,
        resources.c.type,
        resources.c.uid,
        resources.c.name,
        access_requests.c.message,
        access_requests.c.created_at,
    )
    joined = access_requests.join(memberships).join(users).outerjoin(resources)
    here = (memberships.c.workspace_id == workspace_key, memberships.c.status == "active", ~HELD_OUT)
    return asked.select_from(joined).where(*here)


def list_requests(
    connection: Any, workspace_key: int, *, limit: int, membership_key: int | None = None
) -> list[StoredRequest]:
    """A workspace's open requests, or one member's, oldest first."""
    chosen = _chosen(workspace_key).order_by(access_requests.c.id).limit(limit)
    if membership_key is not None:
        chosen = chosen.where(access_requests.c.membership_id == membership_key)
    return [_stored(row) for row in connection.execute(chosen)]


def find_request(connection: Any, workspace_key: int, uid: str) -> StoredRequest | None:
    """A workspace's open request, or None."""
    row = connection.execute(_chosen(workspace_key).where(access_requests.c.uid == uid)).first()
    return None if row is None else _stored(row)


def _stored(row: Any) -> StoredRequest:
    key, uid, member, user, name, email, role, kind, resource, resource_name, message, created_at = row
    ref = None if kind is None else ResourceRef(kind, resource)
    return StoredRequest(key, uid, member, user, name, email, role, ref, resource_name, message, created_at)


def count_of(connection: Any, membership_key: int) -> int:
    """How many a member has open."""
    counted = select(func.count()).where(access_requests.c.membership_id == membership_key)
    return int(connection.execute(counted).scalar_one())


def is_asked(connection: Any, membership_key: int, role: str, resource_key: int | None) -> bool:
    """Whether a member has asked for just that."""
    same = select(access_requests.c.id).where(
        access_requests.c.membership_id == membership_key,
        access_requests.c.role == role,
        access_requests.c.resource_id.is_not_distinct_from(resource_key),
    )
    return connection.execute(same.limit(1)).first() is not None


def insert_request(change: Change, membership_key: int, values: Mapping[str, Any]) -> str:
    """A new request: `role`, `resource_id`, `message`. Returns its outside id."""
    uid = str(uuid4())
    row = {**values, "uid": uid, "membership_id": membership_key, "created_at": change.now}
    insert_row(change, access_requests, row)
    return uid


def take_request(change: Change, key: int) -> bool:
    """End a request. False if another answer was quicker: each is answered once."""
    gone: int = change.connection.execute(delete(access_requests).where(access_requests.c.id == key)).rowcount
    return bool(gone)


def delete_requests_of(change: Change, membership_key: int) -> None:
    """End all that a member has asked for."""
    change.connection.execute(delete(access_requests).where(access_requests.c.membership_id == membership_key))
