"""What a test reads of the audit trail, and of all that is kept."""

from typing import Any

from sqlalchemy import select

from bridge.flows.context import Context
from bridge.storage.tables import audit, metadata


def audit_events(context: Context) -> list[tuple[str, str, Any]]:
    """(actor, type, after) of each event, in order."""
    with context.database.reading() as connection:
        chosen = select(audit.c.actor, audit.c.type, audit.c.after).order_by(audit.c.workspace_id, audit.c.seq)
        return [(row.actor, row.type, row.after) for row in connection.execute(chosen)]


def everything_kept(context: Context) -> str:
    """Every value of every row of every table, as text."""
    with context.database.reading() as connection:
        rows = [row for table in metadata.sorted_tables for row in connection.execute(select(table))]
    return "\n".join(str(value) for row in rows for value in row)
