"""A connection's directory: what its IdP pushed, and what its people and its groups have in common here.

People are in `directory_people`, groups with who is in them in `directory_members`. Everything is scoped to one
connection.
"""

from typing import Any, Literal

from sqlalchemy import ARRAY, BigInteger, ColumnElement, and_, any_, bindparam, func, select, update

from bridge.storage.changes import Change
from bridge.storage.columns import Json
from bridge.storage.prepared import Prepared
from bridge.storage.tables import PUSHED_GROUP, connections, directory_groups, directory_users

Hold = Literal["read", "stay", "alone"]
#: What no two pushed people of a connection have in common.
Unique = Literal["id", "userName"]


def pushed_users(connection_key: int) -> ColumnElement[bool]:
    """Records that the connection's IdP can see."""
    return and_(directory_users.c.connection_id == connection_key, directory_users.c.pushed)


def pushed_groups(connection_key: int) -> ColumnElement[bool]:
    """Groups that the connection's IdP can see."""
    return and_(directory_groups.c.connection_id == connection_key, PUSHED_GROUP)


def is_one_of(column: ColumnElement[int], name: str) -> dict[str, ColumnElement[bool]]:
    """That a key is in the list bound to `name`: one value however many they are, so that nothing is compiled anew."""
    listed = func.json_each(bindparam(name, type_=Json)).table_valued("value")
    return {
        "sqlite": column.in_(select(listed.c.value)),
        "postgresql": column == any_(bindparam(name, type_=ARRAY(BigInteger))),
    }


_COUNT = Prepared(
    update(connections)
    .where(connections.c.id == bindparam("key"))
    .values(n_users=connections.c.n_users + bindparam("users"), n_groups=connections.c.n_groups + bindparam("groups"))
)
_TOTALS = Prepared(select(connections.c.n_users, connections.c.n_groups).where(connections.c.id == bindparam("key")))


def count_in_directory(change: Change, connection_key: int, *, users: int = 0, groups: int = 0) -> None:
    """Keep the directory's totals, so that a listing need not count."""
    _COUNT.run(change.connection, key=connection_key, users=users, groups=groups)


def totals(connection: Any, connection_key: int) -> tuple[int, int]:
    """How many people and groups the connection's IdP has pushed."""
    row = _TOTALS.first(connection, key=connection_key)
    return row.n_users, row.n_groups
