"""The operator's settings: read once, every fault told at once, then a frozen value.

Each can stand in the TOML file that BRIDGE_CONFIG names, or in the environment, which wins; an empty variable counts as
not set. The text under each setting below is its documentation: `python -m bridge.settings` prints it as
config/bridge.example.toml.
"""

import ast
import inspect
import json
import os
import re
import secrets
import sys
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from pathlib import Path
from textwrap import fill
from typing import Any, Literal
from urllib.parse import urlsplit

PREFIX = "BRIDGE_"
CONFIG = "BRIDGE_CONFIG"
KEY_FILE = "secret.key"


class SettingsError(Exception):
    """Settings that can't be used. `faults` names each and says what it must be."""

    def __init__(self, faults: tuple[str, ...]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


# -- What a setting may be: each takes what was written, raises ValueError with the rest of "NAME must be ..." ----


def _whole_number(least: int, most: int) -> Callable[[object], int]:
    def parse(written: object) -> int:
        text = str(written)
        if isinstance(written, bool) or not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(f"a whole number from {least} to {most}")
        return int(text)

    return parse


def _yes_or_no(written: object) -> bool:
    text = str(written).lower()
    if text not in ("true", "false", "yes", "no", "1", "0"):
        raise ValueError("true or false")
    return text in ("true", "yes", "1")


def _one_of(*words: str) -> Callable[[object], str]:
    def parse(written: object) -> str:
        if written not in words:
            raise ValueError(f"one of {', '.join(words)}")
        return str(written)

    return parse


def _text(written: object) -> str:
    if not isinstance(written, str):
        raise ValueError("text")
    return written


def _folder(written: object) -> Path:
    return Path(_text(written)).expanduser().absolute()


def _origin(written: object) -> str:
    url = _parts(written, "http", "https")
    if url is None or url.path not in ("", "/") or url.query or url.fragment or url.username is not None:
        raise ValueError("http:// or https://, a host, perhaps a port, and no path")
    return f"{url.scheme}://{url.netloc}"


def _issuer(written: object) -> str:
    if _parts(written, "http", "https") is None:
        raise ValueError("an address that begins with https:// (or http://)")
    return _text(written)


def _database(written: object) -> str:
    text = _text(written)
    scheme, _, rest = text.partition(":///")
    if scheme == "sqlite" and rest and rest != ":memory:":
        return text
    if re.match(r"postgresql(\+psycopg)?://.", text):
        return text
    raise ValueError("sqlite:///PATH or postgresql://USER:PASSWORD@HOST/DATABASE")


def _mail(written: object) -> str:
    text = _text(written)
    if _parts(text, "smtp", "smtps") is None and not text.startswith("file:///"):
        raise ValueError("smtp://HOST, smtps://HOST or file:///FOLDER")
    return text


def _address(written: object) -> str:
    text = _text(written)
    if not re.fullmatch(r"[^\s@<>,]+@[^\s@<>,]+", text):
        raise ValueError("an e-mail address")
    return text


def _keys(written: object) -> tuple[str, ...]:
    listed = written if isinstance(written, list) else _text(written).split(",")
    keys = tuple(str(key).strip() for key in listed)
    if not all(keys) or len(set(keys)) != len(keys):
        raise ValueError("keys separated by commas, none empty, none twice")
    return keys


def _parts(written: object, *schemes: str) -> Any:
    """The parts of a URL with a host and a possible port, or None."""
    try:
        url = urlsplit(_text(written))
        return url if url.scheme in schemes and url.hostname and url.port != 0 else None
    except ValueError:
        return None


# -- The settings --------------------------------------------------------------------------------------------------


def _read_by(
    parse: Callable[[object], object], default: object = None, *, computed: str = "", example: object = ""
) -> Any:
    """How a setting is read, and what the example file says of it: `computed` is a default in words."""
    return {"parse": parse, "default": default, "computed": computed, "example": example}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting, checked. Made by `read_settings`; handed down by whoever starts the bridge."""

    public_url: str = field(metadata=_read_by(_origin, "http://localhost:8000"))
    """Where people and IdPs reach the bridge: scheme, host and port, no path. Every URL that it hands out begins with
    this, and no header of a request can change it."""

    data_dir: Path = field(metadata=_read_by(_folder, "./var"))
    """Where the bridge keeps files: the embedded database, its key, undelivered mail. Made with mode 0700."""

    database_url: str = field(
        metadata=_read_by(
            _database,
            computed="SQLite, in the file bridge.db of the data directory",
            example="postgresql://bridge:PASSWORD@localhost/bridge",
        ),
        repr=False,
    )
    """The database: sqlite:///FILE, or postgresql://USER:PASSWORD@HOST/DATABASE."""

    sqlite_synchronous: Literal["FULL", "NORMAL"] = field(metadata=_read_by(_one_of("FULL", "NORMAL"), "FULL"))
    """FULL: what was answered survives a power cut. NORMAL writes faster and may lose the last moments then."""

    secret_keys: tuple[str, ...] = field(
        metadata=_read_by(
            _keys,
            computed="with SQLite, the file secret.key of the data directory, made at the first start",
            example="NEWEST,OLDER",
        ),
        repr=False,
    )
    """Keys for secrets at rest, separated by commas: the first encrypts, the rest still decrypt. Any text will do, if
    it is long and random (openssl rand -base64 32). PostgreSQL needs them: several machines must share them."""

    mail_url: str = field(
        metadata=_read_by(
            _mail,
            computed="the folder mail of the data directory, a file a message",
            example="smtp://USER:PASSWORD@mail.example.com:587",
        ),
        repr=False,
    )
    """How mail leaves: smtp://USER:PASSWORD@HOST:PORT (encrypted where the server offers it; a password is never sent
    otherwise), smtps:// (encrypted from the start), or file:///FOLDER, which keeps every message as a file."""

    mail_from: str = field(
        metadata=_read_by(_address, computed="bridge@ and the host of public_url", example="bridge@example.com")
    )
    """The sender's address of all mail."""

    session_days: int = field(metadata=_read_by(_whole_number(1, 90), 7))
    """Days after which a person signs in again, whatever they did meanwhile."""

    invite_days: int = field(metadata=_read_by(_whole_number(1, 30), 3))
    """Days in which an invitation can be accepted."""

    asserted_groups_days: int = field(metadata=_read_by(_whole_number(1, 30), 7))
    """Days for which groups that an IdP named at a login count, for connections made from now on. Groups that it pushes
    count until it takes them back."""

    scim_log_days: int = field(metadata=_read_by(_whole_number(1, 365), 30))
    """Days for which the SCIM log remembers what an IdP asked and was answered."""

    scim_search_seconds: int = field(metadata=_read_by(_whole_number(1, 60), 1))
    """Seconds of work that the searches of one SCIM request may take together: of a processor, however busy the machine
    is, and on PostgreSQL of the server. What takes longer is refused with `tooMany`."""

    sign_in_log_days: int = field(metadata=_read_by(_whole_number(1, 365), 90))
    """Days for which the sign-in log remembers attempts to sign in, good and refused."""

    audit_days: int = field(metadata=_read_by(_whole_number(90, 3650), 90))
    """Days for which the audit trail is kept, and with it what people could do at any moment and by what. No fewer than
    the longest session lasts."""

    metadata_refresh_hours: int = field(metadata=_read_by(_whole_number(1, 168), 24))
    """Hours after which an IdP's metadata is read again where it was given as an address, more or less a tenth."""

    fetch_private_addresses: bool = field(
        metadata=_read_by(
            _yes_or_no,
            computed="yes where the public URL is on this machine, for trying it out; else no",
            example=True,
        )
    )
    """Whether the bridge may fetch what an admin's URL names (metadata, issuers) from private addresses too. Say true
    where IdPs are in a network that holds nothing else which admins of workspaces must not reach."""

    trusted_proxies: int = field(metadata=_read_by(_whole_number(0, 10), 0))
    """How many proxies stand in front, each adding X-Forwarded-For and X-Forwarded-Proto. With 0 both are ignored."""

    twilio_issuer: str | None = field(metadata=_read_by(_issuer, example="https://login.example.com"))
    """The issuer of Twilio Unified Login. Without the three settings of Twilio's, its button isn't shown."""

    twilio_client_id: str | None = field(metadata=_read_by(_text, example="CLIENT_ID"))
    """The bridge's client id there."""

    twilio_client_secret: str | None = field(metadata=_read_by(_text, example="CLIENT_SECRET"), repr=False)
    """The bridge's client secret there."""

    @property
    def uses_sqlite(self) -> bool:
        """Whether the embedded database is in use."""
        return self.database_url.startswith("sqlite:")


# -- Reading them --------------------------------------------------------------------------------------------------


def read_settings(environ: Mapping[str, str] = os.environ) -> Settings:
    """Read, check and complete the settings; make the data directory and, for SQLite without keys, its key file.

    Raises SettingsError with every fault there is.
    """
    written, faults = _written(environ)
    values, more = _parsed(written)
    faults += more
    if not faults:
        faults += _together(values)
    if faults:
        raise SettingsError(tuple(faults))
    try:
        return Settings(**_completed(values))
    except OSError as error:
        raise SettingsError((f"{_variable('data_dir')} must be a folder to write in: {error}.",)) from error


def _written(environ: Mapping[str, str]) -> tuple[dict[str, object], list[str]]:
    """What was written under each setting's name, the environment before the file, and the file's faults."""
    from_file, faults = _read_file(environ[CONFIG]) if environ.get(CONFIG) else ({}, [])
    names = [setting.name for setting in fields(Settings)]
    unknown = sorted(set(from_file) - set(names))
    faults += [f"{name} in {environ[CONFIG]} is no setting; those are: {', '.join(names)}." for name in unknown]
    from_environ = {name: environ[_variable(name)] for name in names if environ.get(_variable(name))}
    return from_file | from_environ, faults


def _read_file(path: str) -> tuple[dict[str, object], list[str]]:
    try:
        return tomllib.loads(Path(path).read_text(encoding="utf-8")), []
    except OSError as error:
        return {}, [f"{CONFIG} must name a file that can be read: {path}: {error.strerror}."]
    except ValueError as error:
        return {}, [f"{CONFIG} must name a TOML file: {path}: {error}."]


def _parsed(written: dict[str, object]) -> tuple[dict[str, Any], list[str]]:
    values: dict[str, Any] = {}
    faults = []
    for setting in fields(Settings):
        given = written.get(setting.name, setting.metadata["default"])
        try:
            values[setting.name] = None if given is None else setting.metadata["parse"](given)
        except ValueError as error:
            shown = "" if not setting.repr else f", not {str(given)[:100]!r}"
            faults.append(f"{_variable(setting.name)} must be {error}{shown}.")
    return values, faults


def _together(values: dict[str, Any]) -> list[str]:
    """Faults of settings that are right by themselves."""
    faults = []
    if not values["secret_keys"] and not (values["database_url"] or "sqlite:").startswith("sqlite:"):
        faults.append(f"{_variable('secret_keys')} must be set when {_variable('database_url')} is PostgreSQL.")
    twilio = [name for name in values if name.startswith("twilio_")]
    missing = [_variable(name) for name in twilio if not values[name]]
    if 0 < len(missing) < len(twilio):
        faults.append(f"{' and '.join(missing)} must be set too: Twilio's settings come together.")
    return faults


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    """The values with what defaults depend on other settings or files. Raises OSError, SettingsError."""
    data_dir: Path = values["data_dir"]
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    host = urlsplit(values["public_url"]).hostname
    computed = {
        "database_url": f"sqlite:///{data_dir}/bridge.db",
        "mail_url": (data_dir / "mail").as_uri(),
        "mail_from": f"bridge@{host}",
    }
    if values["fetch_private_addresses"] is None:
        values["fetch_private_addresses"] = _is_here(host or "")
    keys = values["secret_keys"] or _keys_in_file(data_dir / KEY_FILE)
    return values | {name: values[name] or default for name, default in computed.items()} | {"secret_keys": keys}


def _is_here(host: str) -> bool:
    """Whether only this machine reaches that host: nobody who isn't trusted with it could be an admin."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _keys_in_file(path: Path) -> tuple[str, ...]:
    """The keys of the embedded default, made now if there are none. Raises SettingsError, OSError."""
    if not path.exists():
        _make_key_file(path)
    if path.stat().st_mode & 0o077:
        raise SettingsError((f"{path} must be readable by its owner only: chmod 600 {path}",))
    try:
        return _keys(path.read_text().strip())
    except ValueError as error:
        raise SettingsError((f"{path} must hold {error}.",)) from error


def _make_key_file(path: Path) -> None:
    # Written whole under another name, then linked: of processes that start at once, all read the same key.
    draft = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(handle, "w") as file:
        file.write(secrets.token_urlsafe(32) + "\n")
        file.flush()
        os.fsync(handle)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()


def _variable(name: str) -> str:
    return PREFIX + name.upper()


# -- Their documentation -------------------------------------------------------------------------------------------


def render_example() -> str:
    """config/bridge.example.toml: every setting with its text and default, each commented out."""
    head = (
        "The bridge's settings. Name this file in BRIDGE_CONFIG, or set each in the environment, which wins: BRIDGE_ "
        "and the name in capitals, such as BRIDGE_PUBLIC_URL. Paths are relative to where the bridge is started. "
        "What stands below is the default, or an example."
    )
    texts = _texts()
    examples = [_example(setting, texts[setting.name]) for setting in fields(Settings)]
    return "\n\n".join([_comment(head), *examples]) + "\n"


def _example(setting: Field[Any], text: str) -> str:
    known = setting.metadata
    by_default = "" if known["default"] is not None else f" By default: {known['computed'] or 'not set'}."
    value = known["example"] if known["default"] is None else known["default"]
    return f"{_comment(text + by_default)}\n#{setting.name} = {json.dumps(value)}"


def _comment(text: str) -> str:
    return fill(" ".join(text.split()), 100, initial_indent="# ", subsequent_indent="# ")


def _texts() -> dict[str, str]:
    """The text under each setting, by its name."""
    [settings] = ast.parse(inspect.getsource(Settings)).body
    assert isinstance(settings, ast.ClassDef)
    lines = zip(settings.body, settings.body[1:], strict=False)
    return {
        str(setting.target.id): str(text.value.value)
        for setting, text in lines
        if isinstance(setting, ast.AnnAssign) and isinstance(setting.target, ast.Name)
        if isinstance(text, ast.Expr) and isinstance(text.value, ast.Constant)
    }


if __name__ == "__main__":
    sys.stdout.write(render_example())
