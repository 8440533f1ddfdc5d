"""`bridge db`, `bridge backup`, `bridge restore`: the database as a whole."""

from pathlib import Path

import click

from bridge.cli.terminal import House, Terminal, Told, json_option, told
from bridge.domain.errors import DomainError
from bridge.flows import back_up
from bridge.settings import KEY_FILE, read_settings


@click.group()
def db() -> None:
    """Bring the database to this version's schema."""


@db.command("upgrade")
@told
def upgrade(house: House) -> Told:
    """Run the migrations that the database lacks. Every command and the server do this before anything else."""
    return Told({"upgraded": True}, "The database is at this version's schema.")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@told
def backup(house: House, file: Path) -> Told:
    """Write the embedded database and its key into FILE, also while the server runs. Keep it as secret as the key."""
    held = back_up.back_up(house.context, house.settings.data_dir / KEY_FILE, file)
    key = "" if KEY_FILE in held else " The keys are in BRIDGE_SECRET_KEYS: keep them too."
    return Told({"file": str(file), "holds": list(held)}, f"Wrote {file}: {', '.join(held)}.{key}")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.pass_obj
@json_option
def restore(terminal: Terminal, file: Path) -> None:
    """Put a backup into an empty data directory. Stop the server first."""
    settings = read_settings()
    if not settings.uses_sqlite:
        raise DomainError("This is for the embedded database. For PostgreSQL: pg_restore --dbname=URL FILE")
    database_file = Path(settings.database_url.removeprefix("sqlite:///"))
    held = back_up.restore(file, database_file, settings.data_dir / KEY_FILE)
    terminal.show(Told({"restored": list(held)}, f"Put back {' and '.join(held)} into {settings.data_dir}."))
