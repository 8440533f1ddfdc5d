"""Which warnings of an end were given, so that each is given once; and tokens that end."""

from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, delete, insert, select

from bridge.domain.expiry import Expiry
from bridge.domain.workspace import Connection
from bridge.storage.changes import Change
from bridge.storage.connections import COLUMNS
from bridge.storage.tables import connections, expiry_warnings, tokens
from bridge.storage.tokens import MAKER_ALIVE


def warned_of(connection: Any) -> set[tuple[str, int]]:
    """The (mark, days before the end) of each warning that was given."""
    rows = connection.execute(select(expiry_warnings.c.mark, expiry_warnings.c.days))
    return {(row.mark, row.days) for row in rows}


def note_warning(change: Change, expiry: Expiry, days: int) -> bool:
    """Note that a warning is given. False where it was before. (Who loses a race for it meets the other's row.)"""
    here = (expiry_warnings.c.mark == expiry.mark) & (expiry_warnings.c.days == days)
    if change.connection.execute(select(expiry_warnings.c.mark).where(here)).first() is not None:
        return False
    row = {"mark": expiry.mark, "days": days, "ends_at": expiry.ends_at, "warned_at": change.now}
    change.connection.execute(insert(expiry_warnings).values(row))
    return True


def forget_warnings(connection: Any, before: datetime) -> None:
    """Forget warnings of what ended before."""
    connection.execute(delete(expiry_warnings).where(expiry_warnings.c.ends_at < before))


def list_saml(connection: Any, workspace_key: int | None = None) -> list[Connection]:
    """The enabled SAML connections of a workspace, or of all."""
    chosen = select(*COLUMNS).where(connections.c.enabled, connections.c.kind == "saml").order_by(connections.c.id)
    chosen = chosen if workspace_key is None else chosen.where(connections.c.workspace_id == workspace_key)
    return [Connection(*row) for row in connection.execute(chosen)]


def list_ending_tokens(connection: Any, after: datetime, until: datetime) -> list[Expiry]:
    """Tokens that end between two moments and, but for that, work."""
    rows = connection.execute(_ENDING_TOKENS, {"after": after, "until": until})
    return [
        Expiry(
            "api_token" if row.kind == "api" else "scim_token",
            row.workspace_id,
            row.uid,
            row.description,
            f"token:{row.uid}",
            row.created_at,
            row.expires_at,
        )
        for row in rows
    ]


_ENDING_TOKENS = (
    select(tokens)
    .where(tokens.c.expires_at > bindparam("after"), tokens.c.expires_at <= bindparam("until"), MAKER_ALIVE)
    .order_by(tokens.c.id)
)
