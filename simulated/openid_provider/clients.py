"""The applications that may send people here, as their operator registered them."""

import hmac
import ipaddress
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from hashlib import sha256
from typing import Any
from urllib.parse import urlsplit

from authlib.oauth2.rfc6749 import ClientMixin

from simulated.openid_provider.errors import Invalid
from simulated.state_file import StateFile

SCOPES = ("openid", "profile", "email")
SHORTEST_SECRET = 32
_LISTS = ("redirect_uris", "post_logout_redirect_uris")
_ADDRESSES = ("initiate_login_uri", "target_link_uri", "backchannel_logout_uri", "event_endpoint")


@dataclass(frozen=True, slots=True)
class Client(ClientMixin):  # type: ignore[misc]
    """A registered client, by the names of OpenID Connect Registration 1.0 2 and of the logout specifications.

    `target_link_uri` is where the client is asked to lead to when a login starts here (Core 4). `event_endpoint` takes
    Security Event Tokens by push (RFC 8935), with `event_token` as bearer token if there is one.
    """

    client_id: str
    secret_hash: str
    client_name: str
    redirect_uris: tuple[str, ...]
    post_logout_redirect_uris: tuple[str, ...] = ()
    initiate_login_uri: str = ""
    target_link_uri: str = ""
    backchannel_logout_uri: str = ""
    event_endpoint: str = ""
    event_token: str = ""

    @property
    def client_metadata(self) -> dict[str, Any]:
        """What Authlib's endpoints look things up in."""
        return {"post_logout_redirect_uris": self.post_logout_redirect_uris}

    @property
    def origins(self) -> set[str]:
        """The sites that a person may be sent to on this client's behalf."""
        addresses = (*self.redirect_uris, *self.post_logout_redirect_uris, self.initiate_login_uri)
        return {origin_of(address) for address in addresses if address}

    def get_client_id(self) -> str:
        """RFC 6749 2.2."""
        return self.client_id

    def get_default_redirect_uri(self) -> None:
        """None: OpenID Connect wants it in every request (Core 3.1.2.1)."""

    def get_allowed_scope(self, scope: str | None) -> str:
        """Those of the scopes asked for that exist here; the rest is ignored (Core 3.1.2.1)."""
        wanted = (scope or "").split()
        return " ".join(one for one in SCOPES if one in wanted)

    def check_redirect_uri(self, redirect_uri: str) -> bool:
        """By simple string comparison (RFC 9700 2.1)."""
        return redirect_uri in self.redirect_uris

    def check_client_secret(self, client_secret: str) -> bool:
        """In constant time."""
        return hmac.compare_digest(self.secret_hash, hash_of(client_secret))

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        """Every client is a confidential one."""
        return method in ("client_secret_basic", "client_secret_post")

    def check_response_type(self, response_type: str) -> bool:
        """The code flow alone."""
        return response_type == "code"

    def check_grant_type(self, grant_type: str) -> bool:
        """No refresh tokens: a login is renewed by another one."""
        return grant_type == "authorization_code"


class Clients:
    """The registrations, in the host's file."""

    def __init__(self, file: StateFile) -> None:
        self._file = file

    def register(self, document: Any) -> Client:
        """Adds a client, or puts it in the place of the one with its id. Raises Invalid."""
        client = parse_client(document)
        with self._file.transaction() as db:
            kept = json.dumps({name: value for name, value in asdict(client).items() if name != "secret_hash"})
            db.execute(
                "INSERT OR REPLACE INTO clients (id, secret_hash, document) VALUES (?, ?, ?)",
                (client.client_id, client.secret_hash, kept),
            )
        return client

    def find(self, client_id: str) -> Client | None:
        """The client with that id."""
        with self._file.transaction() as db:
            row = db.execute("SELECT * FROM clients WHERE id = ?", (client_id,)).fetchone()
        return _read(row) if row else None

    def all(self) -> list[Client]:
        """All of them, by name."""
        with self._file.transaction() as db:
            rows = db.execute("SELECT * FROM clients").fetchall()
        return sorted(map(_read, rows), key=lambda client: client.client_name)


def parse_client(document: Any) -> Client:
    """The client that a registration describes. Raises Invalid, which names the first fault."""
    if not isinstance(document, Mapping):
        raise Invalid("A client's registration is a JSON object.")
    given = dict(document)
    secret = _text(given, "client_secret", required=True)
    if len(secret) < SHORTEST_SECRET or not _is_visible(secret):
        raise Invalid(f"client_secret has to be {SHORTEST_SECRET} visible ASCII characters or more, made by chance.")
    client = Client(
        client_id=_text(given, "client_id", required=True),
        secret_hash=hash_of(secret),
        client_name=_text(given, "client_name", required=True),
        event_token=_text(given, "event_token"),
        **{name: _addresses(given, name) for name in _LISTS},  # type: ignore[arg-type]
        **{name: _address(name, _text(given, name)) for name in _ADDRESSES},  # type: ignore[arg-type]
    )
    if not client.redirect_uris:
        raise Invalid("redirect_uris has to name one address or more.")
    known = {field.name for field in fields(Client)} - {"secret_hash"} | {"client_secret"}
    if unknown := sorted(set(given) - known):
        raise Invalid(f"A client's registration has no {unknown[0]!r}. It has: {', '.join(sorted(known))}.")
    return client


def hash_of(secret: str) -> str:
    """What is kept of a secret that was made by chance."""
    return sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def origin_of(address: str) -> str:
    """Its scheme, host and port."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _read(row: Any) -> Client:
    kept = json.loads(row["document"])
    return Client(secret_hash=row["secret_hash"], **kept | {name: tuple(kept[name]) for name in _LISTS})


def _text(given: Mapping[str, Any], name: str, *, required: bool = False) -> str:
    value = given.get(name, "")
    if not isinstance(value, str) or (required and not value.strip()):
        raise Invalid(f"{name} has to be a text{', and there' if required else ''}.")
    return value


def _addresses(given: Mapping[str, Any], name: str) -> tuple[str, ...]:
    values = given.get(name, [])
    if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
        raise Invalid(f"{name} has to be a list of addresses.")
    return tuple(_address(name, value) for value in values)


def _address(name: str, value: str) -> str:
    """Registration 1.0 2: absolute, no fragment, https; plain http on loopback alone."""
    if not value:
        return value
    try:
        parts = urlsplit(value)
        fine = parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))
        fine = fine and bool(parts.hostname) and "#" not in value and "@" not in parts.netloc and _is_visible(value)
        _ = parts.port
    except ValueError:
        fine = False
    if not fine:
        raise Invalid(f"{name}: {value!r} has to be an https address (http on loopback), without fragment or user.")
    return value


def _is_visible(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(" ;,\"'")


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
