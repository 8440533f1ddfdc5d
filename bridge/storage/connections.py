"""Connections: a workspace's links to its IdPs, their keys encrypted."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import ColumnElement, bindparam, exists, or_, select, update

from bridge.domain.workspace import Connection, Workspace
from bridge.storage.changes import Change, alter_facts, begin_fact
from bridge.storage.columns import Instant
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PAST, connections, directory_users, identities, workspaces
from bridge.storage.workspaces import COLUMNS as WORKSPACE

COLUMNS = (
    connections.c.id,
    connections.c.uid,
    connections.c.workspace_id,
    connections.c.kind,
    connections.c.name,
    connections.c.enabled,
    connections.c.config,
    connections.c.version,
)


def find_connection(connection: Any, where: ColumnElement[bool]) -> Connection | None:
    """The connection that `where` names, or None."""
    row = connection.execute(select(*COLUMNS).where(where)).first()
    return None if row is None else Connection(*row)


_BY_UID = Prepared(select(*COLUMNS).where(connections.c.uid == bindparam("uid")))
_WITH_WORKSPACE = Prepared(
    select(*COLUMNS, *WORKSPACE)
    .join_from(connections, workspaces, workspaces.c.id == connections.c.workspace_id)
    .where(connections.c.uid == bindparam("uid"))
)
_WITH_SECRETS = Prepared(select(*COLUMNS, connections.c.secrets_enc).where(connections.c.uid == bindparam("uid")))
_SECRETS = Prepared(select(connections.c.secrets_enc).where(connections.c.id == bindparam("key")))


def find_by_uid(connection: Any, uid: str) -> Connection | None:
    """The connection with this outside id, or None."""
    row = _BY_UID.first(connection, uid=uid)
    return None if row is None else Connection(*row)


def find_with_workspace(connection: Any, uid: str) -> tuple[Connection, Workspace] | None:
    """The same, and whose it is."""
    row = _WITH_WORKSPACE.first(connection, uid=uid)
    return None if row is None else (Connection(*row[: len(COLUMNS)]), Workspace(*row[len(COLUMNS) :]))


def find_with_secrets(connection: Any, uid: str) -> tuple[Connection, bytes | None] | None:
    """The same, and its encrypted secrets."""
    row = _WITH_SECRETS.first(connection, uid=uid)
    return None if row is None else (Connection(*row[:-1]), row[-1])


_once = PAST[connections]
_WAS_OFF = Prepared(
    select(_once.c.id)
    .where(_once.c.id == bindparam("key"), ~_once.c.enabled, _once.c.until > bindparam("since", type_=Instant))
    .limit(1)
)


def was_off_since(connection: Any, key: int, since: datetime) -> bool:
    """Whether the connection, which is on, was off at some time after `since`."""
    return bool(_WAS_OFF(connection, key=key, since=since))


def hold_connection(change: Change, uid: str) -> None:
    """From here to the commit nobody else changes this connection: what is read of it after this stays true."""
    # Not FOR UPDATE: logins and pushes of people, which only refer to the connection, need not wait.
    held = select(connections.c.id).where(connections.c.uid == uid).with_for_update(key_share=True)
    change.connection.execute(held).all()


def list_connections(connection: Any, workspace_key: int) -> list[Connection]:
    """A workspace's connections, oldest first."""
    chosen = select(*COLUMNS).where(connections.c.workspace_id == workspace_key).order_by(connections.c.id)
    return [Connection(*row) for row in connection.execute(chosen)]


def names_by_id(connection: Any, uids: Sequence[str]) -> dict[str, str]:
    """What connections are called, by their ids."""
    chosen = select(connections.c.uid, connections.c.name).where(connections.c.uid.in_(uids))
    return dict(map(tuple, connection.execute(chosen))) if uids else {}


def insert_connection(
    change: Change,
    workspace_key: int,
    kind: str,
    name: str,
    config: Mapping[str, Any],
    *,
    uid: str | None = None,
    secrets_enc: bytes | None = None,
    enabled: bool = True,
) -> str:
    """A new connection. Returns its outside id, which the caller may have chosen (a key names it)."""
    uid = uid or str(uuid4())
    values = {"uid": uid, "workspace_id": workspace_key, "kind": kind, "name": name, "config": dict(config)}
    values |= {"secrets_enc": secrets_enc, "enabled": enabled, "created_at": change.now}
    begin_fact(change, connections, values)
    return uid


def set_connection(change: Change, key: int, **values: Any) -> None:
    """Change columns of a connection; the former row is kept, and `version` rises."""
    values = {**values, "version": connections.c.version + 1}
    alter_facts(change, connections, connections.c.id == key, values=values)


def set_secrets(change: Change, key: int, secrets_enc: bytes, **values: Any) -> None:
    """Other secrets from now on, with whatever else changes by them. The former ones are forgotten, in the past rows
    too: a key that went is gone."""
    set_connection(change, key, secrets_enc=secrets_enc, **values)
    past = PAST[connections]
    change.connection.execute(update(past).where(past.c.id == key).values(secrets_enc=None))


def was_used(connection: Any, uid: str) -> bool:
    """Whether there is a connection with this outside id, or ever was."""
    return any(
        connection.execute(select(table.c.id).where(table.c.uid == uid).limit(1)).first() is not None
        for table in (connections, PAST[connections])
    )


_KNOWS_PEOPLE = select(
    or_(
        exists().where(identities.c.connection_id == bindparam("key")),
        exists().where(directory_users.c.connection_id == bindparam("key")),
    )
)


def knows_people(connection: Any, key: int) -> bool:
    """Whether anybody signed in through the connection, or was pushed by it: people whom it names by a subject."""
    return bool(connection.execute(_KNOWS_PEOPLE, {"key": key}).scalar_one())


def find_secrets(connection: Any, key: int) -> bytes | None:
    """The connection's encrypted secrets."""
    blob: bytes | None = _SECRETS.scalar(connection, key=key)
    return blob
