"""How Alembic compares tables.py with a database, and how it writes down what differs."""

from typing import Any, Literal

from alembic.autogenerate.api import AutogenContext
from sqlalchemy.types import TypeDecorator

from bridge.storage.columns import Id
from bridge.storage.tables import metadata


def render_item(kind: str, item: object, context: AutogenContext) -> str | Literal[False]:
    """A step names what is stored: our own types may change their meaning later. `write` defines ID in each step."""
    if item is Id:
        return "ID"
    if kind == "type" and isinstance(item, TypeDecorator):
        return f"sa.{type(item.impl).__name__}()"
    return False


COMPARISON: dict[str, Any] = {
    "target_metadata": metadata,
    "render_item": render_item,
    "render_as_batch": True,  # SQLite alters most things by making the table anew
    "compare_type": True,
    "compare_server_default": True,
}
