"""Write a step from what differs between tables.py and the steps there are.

python -m bridge.storage.migrations.write "add colours to labels"
python -m bridge.storage.migrations.write --rewrite-first    (before the first release)
"""

import subprocess
import sys
from itertools import groupby
from pathlib import Path
from tempfile import TemporaryDirectory

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from alembic.operations.ops import MigrateOperation, UpgradeOps

from bridge.storage import schema
from bridge.storage.database import open_database
from bridge.storage.migrations.comparison import COMPARISON, render_item

VERSIONS = Path(__file__).parent / "versions"
FIRST = VERSIONS / "0001_first.py"
_LONGEST_NAME = 40

_STEP = '''"""{message}."""

import sqlalchemy as sa
from alembic import op

revision = "{number:04}"
down_revision = {previous}

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
{calls}

{functions}
'''


def render_first() -> str:
    """The first step as tables.py is now: whole, and formatted."""
    return _render("All tables", 1, _difference(after_steps=False))


def write_next(message: str) -> Path:
    """Add a step that brings the latest schema to tables.py. Raises ValueError where nothing differs."""
    difference = _difference(after_steps=True)
    if not difference:
        raise ValueError("The steps make what tables.py says: there is nothing to write.")
    number = 1 + max(int(path.name[:4]) for path in VERSIONS.glob("[0-9]*.py"))
    words = "".join(letter if letter.isalnum() else " " for letter in message.lower()).split()
    path = VERSIONS / f"{number:04}_{'_'.join(words)[:_LONGEST_NAME]}.py"
    path.write_text(_render(message, number, difference))
    return path


def _difference(*, after_steps: bool) -> dict[str, str]:
    """By table, in order, Python that brings a database to tables.py: an empty one, or what the steps have made."""
    with TemporaryDirectory() as folder:
        database = open_database(f"sqlite:///{folder}/compared.db", synchronous="NORMAL")
        if after_steps:
            schema.upgrade(database)
        with database.reading() as connection:
            context = MigrationContext.configure(connection, opts=COMPARISON)
            found = produce_migrations(context, COMPARISON["target_metadata"])
        database.close()
    assert found.upgrade_ops is not None
    by_table = groupby(found.upgrade_ops.ops, key=lambda operation: str(getattr(operation, "table_name", "rest")))
    return {table: _python(list(operations), as_batch=after_steps) for table, operations in by_table}


def _python(operations: list[MigrateOperation], *, as_batch: bool) -> str:
    code = render_python_code(UpgradeOps(operations), render_as_batch=as_batch, render_item=render_item)
    return "\n".join(line for line in code.splitlines() if not line.strip().startswith("# ###")).strip()


def _render(message: str, number: int, difference: dict[str, str]) -> str:
    step = _STEP.format(
        message=message,
        number=number,
        previous="None" if number == 1 else f'"{number - 1:04}"',
        calls="\n".join(f"    _{table}()" for table in difference),
        functions="\n\n".join(f"def _{table}() -> None:\n    {code}\n" for table, code in difference.items()),
    )
    ruff = [sys.executable, "-m", "ruff", "format", "--stdin-filename", str(FIRST), "-"]
    return subprocess.run(ruff, input=step, capture_output=True, text=True, check=True).stdout  # noqa: S603


def main(arguments: list[str]) -> int:
    """Write the step that the only argument asks for."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    if arguments == ["--rewrite-first"]:
        FIRST.write_text(render_first())
        print(FIRST)
    else:
        print(write_next(arguments[0]))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
