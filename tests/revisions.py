"""Whatever alters access raises the workspace's revision: held under every test that runs flows on SQLite.

An application keeps answers of `/access/check` by the revision (docs/decisions/0033), so a change that leaves it as it
was is seen by nobody who asks whether an answer still stands. Triggers note each row from which access is derived
that begins, ends or changes; when a transaction of a flow ends, every workspace noted has to have a revision above the
one at which the transaction began. Tests that write rows by themselves are left alone.
"""

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any
from weakref import WeakSet

import pytest
from sqlalchemy import Connection, Engine, event

from bridge.storage.database import Database

_FLOWS = str(Path(__file__).parents[1] / "bridge" / "flows")
#: What stands between a flow and its transaction.
_BETWEEN = re.compile(r"/(?:bridge/storage/\w+|bridge/flows/context|contextlib|tests/revisions)\.py$")

_OF_PRINCIPAL = "(SELECT workspace_id FROM principals WHERE id = {row}.principal_id)"
_OF_GRANT = (
    "(SELECT p.workspace_id FROM grants g JOIN principals p ON p.id = g.principal_id WHERE g.id = {row}.grant_id)"
)
_OF_CONNECTION = "(SELECT workspace_id FROM connections WHERE id = {row}.connection_id)"
_OF_GROUP = (
    "(SELECT c.workspace_id FROM directory_groups dg JOIN connections c ON c.id = dg.connection_id "
    "WHERE dg.id = {row}.group_id)"
)
_OF_RULE = "(SELECT workspace_id FROM mappings WHERE id = {row}.mapping_id)"
_OF_RESOURCE = "(SELECT workspace_id FROM resources WHERE id = {row}.resource_id)"
#: Of each table: its row's workspace, and the columns that access reads, which a row may change.
_READ: dict[str, tuple[str, tuple[str, ...]]] = {
    "memberships": ("{row}.workspace_id", ("status",)),
    "grants": (_OF_PRINCIPAL, ("role", "scope", "expires_at")),
    "grant_resources": (_OF_GRANT, ()),
    "grant_labels": (_OF_GRANT, ("value",)),
    "user_group_members": ("(SELECT workspace_id FROM user_groups WHERE id = {row}.user_group_id)", ()),
    "directory_users": (_OF_CONNECTION, ("membership_id", "pushed", "holds_out")),
    "group_members": (_OF_GROUP, ()),
    "mapping_matches": (_OF_RULE, ("asserted", "shadowed")),
    "mapping_user_groups": (_OF_RULE, ()),
    "resources": ("{row}.workspace_id", ("type", "uid")),
    "resource_labels": (_OF_RESOURCE, ("value",)),
}
_THEIRS = "WHERE user_id = NEW.id AND status = 'active'"
_NOTED = "INSERT OR IGNORE INTO access_touched (workspace_id, what) "


def _triggers() -> Iterator[str]:
    yield "CREATE TEMP TABLE access_touched (workspace_id INTEGER, what TEXT, PRIMARY KEY (workspace_id, what))"
    for table, (workspace, columns) in _READ.items():
        changes = {"INSERT": "NEW", "DELETE": "OLD"}
        for what, row in changes.items():
            noted = f"{_NOTED} SELECT {workspace.format(row=row)}, '{table}'"
            yield f"CREATE TEMP TRIGGER see_{table}_{what} AFTER {what} ON main.{table} BEGIN {noted}; END"
        for column in columns:
            noted = f"{_NOTED} SELECT {workspace.format(row='NEW')}, '{table}.{column}'"
            yield (
                f"CREATE TEMP TRIGGER see_{table}_{column} AFTER UPDATE OF {column} ON main.{table} "
                f"WHEN OLD.{column} IS NOT NEW.{column} BEGIN {noted}; END"
            )
    yield (
        "CREATE TEMP TRIGGER see_plan AFTER UPDATE OF plan ON main.workspaces WHEN OLD.plan IS NOT NEW.plan "
        f"BEGIN {_NOTED} VALUES (NEW.id, 'workspaces.plan'); END"
    )
    # At a login its groups count for seven more days, which is no news unless they counted no longer.
    stale = "OLD.asserted_until IS NOT NULL AND OLD.asserted_until < NEW.asserted_until - 7 * 86400000000"
    again = f"{_NOTED} SELECT {_OF_CONNECTION.format(row='NEW')}, 'directory_users.asserted_until'"
    yield (
        "CREATE TEMP TRIGGER see_stale AFTER UPDATE OF asserted_until ON main.directory_users "
        f"WHEN {stale} BEGIN {again}; END"
    )
    for column in ("email_ci", "closed_at"):
        noted = f"{_NOTED} SELECT workspace_id, 'users.{column}' FROM memberships {_THEIRS}"
        yield (
            f"CREATE TEMP TRIGGER see_users_{column} AFTER UPDATE OF {column} ON main.users "
            f"WHEN OLD.{column} IS NOT NEW.{column} BEGIN {noted}; END"
        )


_SEE = "; ".join(_triggers())


_WATCHED: WeakSet[Engine] = WeakSet()


def watch(database: Database) -> None:
    """See every row of access that this database's writers touch from now on."""
    _WATCHED.add(database.write_engine)
    event.listen(database.write_engine, "connect", lambda connection, _: connection.executescript(_SEE))


def _is_flow(frame: FrameType | None) -> bool:
    """Whether a flow opened the transaction, by itself or by storage."""
    while frame is not None and _BETWEEN.search(frame.f_code.co_filename):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_FLOWS)


def _revisions(connection: Connection) -> dict[int, int]:
    driver: Any = connection.connection.driver_connection
    return dict(driver.execute("SELECT id, rev FROM workspaces"))


@contextmanager
def _writing(self: Database, *, durable: bool = True) -> Iterator[Connection]:
    asked = _is_flow(sys._getframe(1))
    with _REAL(self, durable=durable) as connection:
        driver: Any = connection.connection.driver_connection
        is_seen = asked and self.write_engine in _WATCHED
        if is_seen:
            driver.execute("DELETE FROM access_touched")
            before = _revisions(connection)
        yield connection
        if is_seen:
            after = _revisions(connection)
            touched = driver.execute("SELECT workspace_id, what FROM access_touched").fetchall()
            unseen = {what for workspace, what in touched if after.get(workspace, 1) <= before.get(workspace, 0)}
            assert not unseen, f"access changed, and the revision did not: {sorted(unseen)}"


_REAL = Database.writing


def hold(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on no transaction of a flow ends that alters access and leaves the revision as it was."""
    monkeypatch.setattr(Database, "writing", _writing)
