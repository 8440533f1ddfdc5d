"""Settings: the documented defaults, the environment before the file, and every fault told at once by name."""

import re
import stat
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import FrozenInstanceError, fields
from pathlib import Path
from typing import Any

import pytest

from bridge.settings import Settings, SettingsError, read_settings, render_example

EXAMPLE = Path(__file__).parent.parent / "config" / "bridge.example.toml"
POSTGRESQL = "postgresql://bridge:hidden-password@localhost/bridge"


@pytest.fixture(autouse=True)
def _start_in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def config(tmp_path: Path) -> Callable[[str], dict[str, str]]:
    """Write a TOML file; gives the environment that names it."""

    def write(text: str) -> dict[str, str]:
        (tmp_path / "bridge.toml").write_text(text)
        return {"BRIDGE_CONFIG": str(tmp_path / "bridge.toml")}

    return write


def faults_of(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as refused:
        read_settings(environ)
    return refused.value.faults


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


# -- Defaults ------------------------------------------------------------------------------------------------------


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = read_settings({})
    assert settings.public_url == "http://localhost:8000"
    assert settings.data_dir == tmp_path / "var"
    assert settings.database_url == f"sqlite:///{tmp_path}/var/bridge.db"
    assert settings.uses_sqlite
    assert settings.mail_url == f"file://{tmp_path}/var/mail"
    assert settings.mail_from == "bridge@localhost"
    assert (settings.session_days, settings.invite_days, settings.asserted_groups_days) == (7, 3, 7)
    assert settings.sqlite_synchronous == "FULL"
    assert settings.fetch_private_addresses
    assert settings.trusted_proxies == 0
    assert settings.twilio_issuer is settings.twilio_client_id is settings.twilio_client_secret is None


@pytest.mark.parametrize(
    ("public_url", "allowed"),
    [
        ("http://localhost:8000", True),
        ("http://bridge.localhost:8000", True),
        ("http://127.0.0.1:8000", True),
        ("http://[::1]:8000", True),
        ("https://sso.example.com", False),
        ("https://localhost.example.com", False),
        ("https://10.0.0.7", False),
    ],
)
def test_private_addresses_are_fetched_only_where_only_this_machine_is_served_or_the_operator_says_so(
    public_url: str, allowed: bool
) -> None:
    assert read_settings({"BRIDGE_PUBLIC_URL": public_url}).fetch_private_addresses == allowed
    for word, said in (("true", True), ("false", False)):
        told = {"BRIDGE_PUBLIC_URL": public_url, "BRIDGE_FETCH_PRIVATE_ADDRESSES": word}
        assert read_settings(told).fetch_private_addresses == said


def test_an_empty_variable_counts_as_not_set() -> None:
    assert read_settings({"BRIDGE_PUBLIC_URL": "", "BRIDGE_CONFIG": ""}).public_url == "http://localhost:8000"


def test_the_data_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    read_settings({"BRIDGE_DATA_DIR": "deep/inside"})
    assert mode(tmp_path / "deep" / "inside") == 0o700


def test_settings_do_not_change() -> None:
    with pytest.raises(FrozenInstanceError):
        read_settings({}).public_url = "http://elsewhere"  # type: ignore[misc]


# -- Keys ----------------------------------------------------------------------------------------------------------


def test_the_embedded_default_makes_a_key_once_and_keeps_it(tmp_path: Path) -> None:
    first = read_settings({}).secret_keys
    assert len(first) == 1
    assert len(first[0]) >= 32
    assert read_settings({}).secret_keys == first
    assert mode(tmp_path / "var" / "secret.key") == 0o600
    assert [path.name for path in (tmp_path / "var").iterdir()] == ["secret.key"]


def test_two_installations_have_different_keys() -> None:
    first, second = (read_settings({"BRIDGE_DATA_DIR": folder}) for folder in ("first", "second"))
    assert first.secret_keys != second.secret_keys


def test_processes_that_start_at_once_have_the_same_key(tmp_path: Path) -> None:
    code = "from bridge.settings import read_settings; print(read_settings({'BRIDGE_DATA_DIR': 'shared'}).secret_keys)"
    command = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(EXAMPLE.parent.parent)!r}); {code}"]
    started = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(4)]
    assert len({racer.communicate(timeout=30)[0] for racer in started}) == 1
    assert [path.name for path in (tmp_path / "shared").iterdir()] == ["secret.key"]


def test_given_keys_are_taken_and_no_file_is_made(tmp_path: Path) -> None:
    assert read_settings({"BRIDGE_SECRET_KEYS": "new, old"}).secret_keys == ("new", "old")
    assert not (tmp_path / "var" / "secret.key").exists()


def test_a_key_file_may_hold_several_keys_as_the_variable_does(tmp_path: Path) -> None:
    read_settings({})
    (tmp_path / "var" / "secret.key").write_text("new,old\n")
    assert read_settings({}).secret_keys == ("new", "old")


def test_a_key_file_that_others_can_read_is_a_fault(tmp_path: Path) -> None:
    read_settings({})
    (tmp_path / "var" / "secret.key").chmod(0o644)
    assert faults_of({}) == (
        f"{tmp_path}/var/secret.key must be readable by its owner only: chmod 600 {tmp_path}/var/secret.key",
    )


def test_an_empty_key_file_is_a_fault(tmp_path: Path) -> None:
    read_settings({})
    (tmp_path / "var" / "secret.key").write_text("\n")
    [fault] = faults_of({})
    assert "secret.key must hold keys" in fault


def test_postgresql_without_keys_is_a_fault_and_makes_no_file(tmp_path: Path) -> None:
    assert faults_of({"BRIDGE_DATABASE_URL": POSTGRESQL}) == (
        "BRIDGE_SECRET_KEYS must be set when BRIDGE_DATABASE_URL is PostgreSQL.",
    )
    assert not (tmp_path / "var").exists()


def test_postgresql_with_keys_is_fine() -> None:
    settings = read_settings({"BRIDGE_DATABASE_URL": POSTGRESQL, "BRIDGE_SECRET_KEYS": "k"})
    assert settings.database_url == POSTGRESQL
    assert not settings.uses_sqlite


# -- Where settings come from --------------------------------------------------------------------------------------


def test_the_file_is_read_and_the_environment_wins(config: Callable[[str], dict[str, str]]) -> None:
    environ = config('public_url = "https://file.example"\nsession_days = 2\nfetch_private_addresses = false\n')
    settings = read_settings(environ | {"BRIDGE_PUBLIC_URL": "https://environment.example"})
    assert settings.public_url == "https://environment.example"
    assert settings.session_days == 2
    assert not settings.fetch_private_addresses


def test_keys_in_the_file_may_be_a_list(config: Callable[[str], dict[str, str]]) -> None:
    assert read_settings(config('secret_keys = ["new", "old"]')).secret_keys == ("new", "old")


def test_an_unknown_name_in_the_file_is_a_fault(config: Callable[[str], dict[str, str]]) -> None:
    [fault] = faults_of(config('publik_url = "https://bridge.example"'))
    assert fault.startswith("publik_url in ")
    assert "is no setting" in fault
    assert "public_url" in fault


def test_a_missing_file_is_a_fault() -> None:
    assert faults_of({"BRIDGE_CONFIG": "nowhere.toml"}) == (
        "BRIDGE_CONFIG must name a file that can be read: nowhere.toml: No such file or directory.",
    )


@pytest.mark.parametrize("content", [b"public_url =", b"\xff\xfe"])
def test_a_file_that_is_no_toml_is_a_fault(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "bridge.toml").write_bytes(content)
    [fault] = faults_of({"BRIDGE_CONFIG": "bridge.toml"})
    assert fault.startswith("BRIDGE_CONFIG must name a TOML file: bridge.toml: ")


# -- Faults --------------------------------------------------------------------------------------------------------


def test_every_fault_is_told_at_once_by_name(config: Callable[[str], dict[str, str]]) -> None:
    environ = config('colour = "red"\ninvite_days = "soon"')
    faults = faults_of(environ | {"BRIDGE_PUBLIC_URL": "bridge.example", "BRIDGE_SESSION_DAYS": "0"})
    assert [fault.split()[0] for fault in faults] == [
        "colour",
        "BRIDGE_PUBLIC_URL",
        "BRIDGE_SESSION_DAYS",
        "BRIDGE_INVITE_DAYS",
    ]
    assert "BRIDGE_SESSION_DAYS must be a whole number from 1 to 90, not '0'." in faults


@pytest.mark.parametrize(
    ("variable", "wrong"),
    [
        ("BRIDGE_PUBLIC_URL", "ftp://bridge.example"),
        ("BRIDGE_PUBLIC_URL", "https://bridge.example/path"),
        ("BRIDGE_PUBLIC_URL", "https://bridge.example?query"),
        ("BRIDGE_PUBLIC_URL", "https://user@bridge.example"),
        ("BRIDGE_PUBLIC_URL", "https://bridge.example:port"),
        ("BRIDGE_PUBLIC_URL", "https://[bridge.example"),
        ("BRIDGE_PUBLIC_URL", "https://"),
        ("BRIDGE_DATABASE_URL", "mysql://localhost/bridge"),
        ("BRIDGE_DATABASE_URL", "sqlite://"),
        ("BRIDGE_DATABASE_URL", "sqlite:///:memory:"),
        ("BRIDGE_DATABASE_URL", "postgresql:bridge"),
        ("BRIDGE_SQLITE_SYNCHRONOUS", "OFF"),
        ("BRIDGE_SECRET_KEYS", "one,,two"),
        ("BRIDGE_SECRET_KEYS", "one,one"),
        ("BRIDGE_MAIL_URL", "http://mail.example"),
        ("BRIDGE_MAIL_URL", "smtp://"),
        ("BRIDGE_MAIL_FROM", "The Bridge"),
        ("BRIDGE_MAIL_FROM", "a@b\nBcc: c@d"),
        ("BRIDGE_SESSION_DAYS", "91"),
        ("BRIDGE_SESSION_DAYS", "1.5"),
        ("BRIDGE_INVITE_DAYS", "-1"),
        ("BRIDGE_ASSERTED_GROUPS_DAYS", "31"),
        ("BRIDGE_FETCH_PRIVATE_ADDRESSES", "maybe"),
        ("BRIDGE_TRUSTED_PROXIES", "all"),
    ],
)
def test_a_wrong_value_is_a_fault_that_names_it(variable: str, wrong: str) -> None:
    [fault] = faults_of({variable: wrong})
    assert fault.startswith(f"{variable} must be ")


@pytest.mark.parametrize(
    ("name", "wrong"),
    [("session_days", "true"), ("public_url", "8000"), ("mail_url", "[]"), ("secret_keys", "{a = 1}")],
)
def test_a_wrong_type_in_the_file_is_a_fault(config: Callable[[str], dict[str, str]], name: str, wrong: str) -> None:
    [fault] = faults_of(config(f"{name} = {wrong}"))
    assert fault.startswith(f"BRIDGE_{name.upper()} must be ")


@pytest.mark.parametrize("given", [("ISSUER",), ("ISSUER", "CLIENT_ID"), ("CLIENT_SECRET",)])
def test_the_settings_of_twilio_come_together(given: tuple[str, ...]) -> None:
    names = {"ISSUER", "CLIENT_ID", "CLIENT_SECRET"}
    [fault] = faults_of({f"BRIDGE_TWILIO_{name}": "https://twilio.example" for name in given})
    told = set(re.findall(r"BRIDGE_TWILIO_(\w+)", fault))
    assert told == names - set(given)


def test_a_data_directory_that_cannot_be_made_is_a_fault(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    [fault] = faults_of({"BRIDGE_DATA_DIR": "file/inside"})
    assert fault.startswith("BRIDGE_DATA_DIR must be a folder to write in: ")


def test_a_trailing_slash_of_the_public_url_is_dropped() -> None:
    assert read_settings({"BRIDGE_PUBLIC_URL": "https://bridge.example/"}).public_url == "https://bridge.example"


# -- Secrets -------------------------------------------------------------------------------------------------------


def test_secrets_are_shown_in_no_repr_and_no_fault() -> None:
    secret: dict[str, str] = {
        "BRIDGE_DATABASE_URL": POSTGRESQL,
        "BRIDGE_MAIL_URL": "smtp://me:hidden-password@mail.example",
        "BRIDGE_SECRET_KEYS": "hidden-key",
        "BRIDGE_TWILIO_ISSUER": "https://twilio.example",
        "BRIDGE_TWILIO_CLIENT_ID": "bridge",
        "BRIDGE_TWILIO_CLIENT_SECRET": "hidden-secret",
    }
    assert "hidden" not in repr(read_settings(secret))
    wrong = {name: f"ftp://{value},," for name, value in secret.items()} | {"BRIDGE_INVITE_DAYS": "x"}
    assert "hidden" not in "".join(faults_of(wrong))


# -- Their documentation -------------------------------------------------------------------------------------------


def test_the_example_file_is_what_the_settings_say() -> None:
    assert EXAMPLE.read_text() == render_example(), "stale: run  python -m bridge.settings > config/bridge.example.toml"


def test_every_setting_has_a_text_and_an_example() -> None:
    shown = render_example()
    for setting in fields(Settings):
        assert re.search(rf"^# .+\n#{setting.name} = (?!\"\"$).+$", shown, re.MULTILINE), setting.name


def test_the_examples_are_settings_that_can_be_used(config: Callable[[str], dict[str, str]]) -> None:
    uncommented = re.sub(r"^#(\w+ = )", r"\1", render_example(), flags=re.MULTILINE)
    values: dict[str, Any] = tomllib.loads(uncommented)
    assert set(values) == {setting.name for setting in fields(Settings)}
    settings = read_settings(config(uncommented))
    assert settings.secret_keys == ("NEWEST", "OLDER")
