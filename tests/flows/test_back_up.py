"""Backup while the server runs, and restore into an empty data directory."""

import stat
import tarfile
from datetime import datetime
from pathlib import Path

import pytest

from bridge.domain.errors import Conflict, DomainError, Invalid
from bridge.flows.administer import WorkspaceDraft, create_workspace, find_workspace
from bridge.flows.back_up import back_up, restore
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR, Context
from bridge.flows.open_context import CannotOpen, open_context
from bridge.flows.saml_connection import load_saml
from tests.flows.conftest import METADATA

KEY = "a key that is long enough"


def open_in(folder: Path, *, keys: tuple[str, ...] = (KEY,)) -> Context:
    return open_context(
        database_url=f"sqlite:///{folder}/bridge.db",
        synchronous="NORMAL",
        secret_keys=keys,
        public_url="http://localhost:8000",
        session_days=7,
        invite_days=3,
    )


@pytest.fixture
def live(tmp_path: Path, now: datetime) -> Context:
    """A data directory in use, with a workspace and a connection's secret."""
    (tmp_path / "live").mkdir()
    (tmp_path / "live" / "secret.key").write_text(KEY)
    context = open_in(tmp_path / "live")
    create_workspace(context, OPERATOR, WorkspaceDraft("kicks", "Kicks", "marcus@kicks.example"), now)
    create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA), now)
    return context


def put_back(file: Path, folder: Path) -> tuple[str, ...]:
    return restore(file, folder / "bridge.db", folder / "secret.key")


def backed_up(live: Context, tmp_path: Path) -> Path:
    back_up(live, tmp_path / "live" / "secret.key", tmp_path / "backup.tgz")
    return tmp_path / "backup.tgz"


def test_everything_is_there_again_secrets_included(live: Context, tmp_path: Path) -> None:
    file = backed_up(live, tmp_path)
    (tmp_path / "new").mkdir()
    assert put_back(file, tmp_path / "new") == ("bridge.db", "secret.key")
    again = open_in(tmp_path / "new", keys=((tmp_path / "new" / "secret.key").read_text(),))
    workspace = find_workspace(again, "kicks")
    with again.database.reading() as rows:
        [uid] = rows.exec_driver_sql("SELECT uid FROM connections").scalars()
    assert workspace.name == "Kicks"
    assert "PRIVATE KEY" in load_saml(again, uid).sp.private_key_pem


def test_a_change_under_way_is_in_whole_or_not_at_all(live: Context, tmp_path: Path, now: datetime) -> None:
    with live.changing(OPERATOR, now) as change:
        change.connection.exec_driver_sql("UPDATE workspaces SET name = 'half'")
        file = backed_up(live, tmp_path)
    (tmp_path / "new").mkdir()
    put_back(file, tmp_path / "new")
    assert find_workspace(open_in(tmp_path / "new"), "kicks").name == "Kicks"


def test_nobody_else_may_read_it(live: Context, tmp_path: Path) -> None:
    assert stat.S_IMODE(backed_up(live, tmp_path).stat().st_mode) == 0o600


def test_a_backup_replaces_nothing(live: Context, tmp_path: Path) -> None:
    file = backed_up(live, tmp_path)
    with pytest.raises(Conflict):
        back_up(live, tmp_path / "live" / "secret.key", file)
    with pytest.raises(Conflict, match="stop the server"):
        put_back(file, tmp_path / "live")


def test_a_key_that_is_there_is_kept_beside(live: Context, tmp_path: Path) -> None:
    file = backed_up(live, tmp_path)
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "secret.key").write_text("another key")
    put_back(file, tmp_path / "new")
    assert (tmp_path / "new" / "secret.key").read_text() == KEY
    assert (tmp_path / "new" / "secret.key.old").read_text() == "another key"


@pytest.mark.parametrize("content", [b"", b"no archive", b"\x1f\x8b\x08\x00broken"])
def test_what_is_no_backup_restores_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "file").write_bytes(content)
    (tmp_path / "new").mkdir()
    with pytest.raises(Invalid):
        put_back(tmp_path / "file", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize("name", ["bridge.db", "../bridge.db", "/etc/passwd"])
def test_an_archive_of_something_else_restores_nothing(tmp_path: Path, name: str) -> None:
    (tmp_path / "x").write_bytes(b"SQLite format 3\x00 but no more")
    with tarfile.open(tmp_path / "file", "w:gz") as archive:
        archive.add(tmp_path / "x", arcname=name)
    (tmp_path / "new").mkdir()
    with pytest.raises(Invalid):
        put_back(tmp_path / "file", tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []


def test_postgresql_is_sent_to_its_own_tools(context: Context, tmp_path: Path) -> None:
    if context.database.is_sqlite:
        assert back_up(context, tmp_path / "none", tmp_path / "file") == ("bridge.db",)
        return
    with pytest.raises(DomainError, match="pg_dump"):
        back_up(context, tmp_path / "none", tmp_path / "file")


def test_a_database_of_a_newer_version_is_not_opened(live: Context, tmp_path: Path) -> None:
    with live.database.writing() as rows:
        rows.exec_driver_sql("UPDATE alembic_version SET version_num = 'from the future'")
    with pytest.raises(CannotOpen, match="newer version"):
        open_in(tmp_path / "live")


def test_a_file_that_is_no_database_is_not_opened(tmp_path: Path) -> None:
    (tmp_path / "bridge.db").write_bytes(b"not a database" * 100)
    with pytest.raises(CannotOpen):
        open_in(tmp_path)
