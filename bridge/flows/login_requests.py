"""Requests that we sent to an IdP. Nothing is kept of them here: anybody can have one sent, as often as they like.

- The request's own name (SAML's ID, OpenID Connect's state) says when it was sent and by which browser, under a seal
  that only we can make. It counts for half an hour, and once: that it was answered is what is remembered.
- The browser keeps the rest, a cookie for each request (`Keepsake`), so that two tabs don't take each other's away.
  The name holds its hash, so neither can be changed.
"""

import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

import orjson

from bridge.flows.bearer_secrets import digest, new_secret
from bridge.flows.context import Context
from bridge.storage import pending
from bridge.storage.changes import Change
from bridge.storage.secret_box import CannotDecrypt

#: How long somebody may take at the IdP, second factor, forgotten password and sign-up included.
REQUEST_LASTS: Final = timedelta(minutes=30)

#: How connections sign people in; and what else we send such requests to.
Protocol = Literal["saml", "oidc"]
Kind = Literal["saml", "oidc", "twilio", "passkey"]

_PURPOSE = "login requests"
_SEED_PURPOSE = "login requests, seed"
#: Microseconds since 1970, flags, the hash of the keepsake.
_BODY: Final = struct.Struct(">QB16s")
_SEAL_BYTES: Final = 17  # with the body a multiple of three, so that base64 has one spelling
_NAME_LENGTH: Final = 57
_FRESH, _TEST = 1, 2
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Keepsake:
    """What a browser keeps of one login that it began: a secret, and the path where it wanted to go."""

    secret: str
    return_to: str

    @property
    def hash(self) -> bytes:
        """By which it is known again: 16 bytes. Neither part can be changed."""
        return digest(f"keepsake:{self.secret}:{self.return_to}")[:16]

    @property
    def name(self) -> str:
        """What tells it from the browser's others: 12 hexadecimal digits, not secret."""
        return name_of(self.hash)


def name_of(keepsake_hash: bytes) -> str:
    """`Keepsake.name`, by its hash."""
    return keepsake_hash[:6].hex()


@dataclass(frozen=True, slots=True)
class LoginRequest:
    """One that we sent: `fresh` where the person had to show anew who they are, `test` where it signs nobody in."""

    asked_at: datetime
    browser_hash: bytes
    fresh: bool
    test: bool

    @property
    def expires_at(self) -> datetime:
        """From then on no answer to it is taken."""
        return self.asked_at + REQUEST_LASTS

    @property
    def fresh_since(self) -> datetime | None:
        """Since when the person has to have shown who they are; None: any time will do."""
        return self.asked_at if self.fresh else None


def new_keepsake(return_to: str) -> Keepsake:
    """For a login that begins now."""
    return Keepsake(new_secret(), return_to)


def is_kept_by(keepsake: Keepsake | None, browser_hash: bytes | None) -> bool:
    """Whether this is the browser that began."""
    return keepsake is not None and keepsake.hash == browser_hash


# -- The request's name ------------------------------------------------------------------------------


def name_request(
    context: Context, kind: Kind, connection_id: str, keepsake: Keepsake, now: datetime, *, fresh: bool, test: bool
) -> str:
    """A name for a request that is sent now: 57 letters, digits, `-` and `_`, an xs:ID (SAML Core 1.3.4).

    Of both protocols' rules for such a name (SAML Core 1.3.4, RFC 6749 10.10): nobody can guess it.
    """
    flags = (_FRESH if fresh else 0) | (_TEST if test else 0)
    body = _BODY.pack((now - _EPOCH) // timedelta(microseconds=1), flags, keepsake.hash)
    seal = context.secrets.sign(_signed(kind, connection_id, body), _PURPOSE)[:_SEAL_BYTES]
    return "_" + urlsafe_b64encode(body + seal).decode()


def read_request(context: Context, kind: Kind, connection_id: str, name: str, now: datetime) -> LoginRequest | None:
    """The request of this name, None where we sent none through this connection in the last half hour."""
    raw = _decoded(name)
    if raw is None:
        return None
    body, seal = raw[: _BODY.size], raw[_BODY.size :]
    if not context.secrets.is_signed(_signed(kind, connection_id, body), seal, _PURPOSE):
        return None
    asked, flags, browser_hash = _BODY.unpack(body)
    asked_at = _EPOCH + timedelta(microseconds=asked)
    request = LoginRequest(asked_at, browser_hash, bool(flags & _FRESH), bool(flags & _TEST))
    return request if now < request.expires_at else None


def _signed(kind: Kind, connection_id: str, body: bytes) -> bytes:
    # With the connection, so that no other one's answer fits.
    return f"{kind}:{connection_id}:".encode() + body


def _decoded(name: str) -> bytes | None:
    if len(name) != _NAME_LENGTH:
        return None
    try:
        raw = urlsafe_b64decode(name[1:].encode("ascii"))
    except ValueError:
        return None
    return raw if name == "_" + urlsafe_b64encode(raw).decode() else None


# -- Answered once -----------------------------------------------------------------------------------


def spend_request(change: Change, kind: Kind, connection_id: str, name: str, request: LoginRequest) -> bool:
    """Whether this is its first answer. Now it had one: in every process, and after a restart."""
    return pending.remember(change, _spent(kind, connection_id, name), request.expires_at)


def find_unanswered(context: Context, kind: Kind, connection_id: str, name: str, now: datetime) -> LoginRequest | None:
    """The same as `read_request`, None also where it was answered already."""
    request = read_request(context, kind, connection_id, name, now)
    if request is None:
        return None
    with context.database.reading() as rows:
        return None if pending.was_remembered(rows, _spent(kind, connection_id, name)) else request


def _spent(kind: Kind, connection_id: str, name: str) -> bytes:
    return digest(f"request:{kind}:{connection_id}:{name}")


# -- What OpenID Connect holds an answer against -----------------------------------------------------


@dataclass(frozen=True, slots=True)
class CodeSecrets:
    """The nonce (OpenID Connect Core 3.1.2.1) and the code verifier (RFC 7636 4.1) of one request."""

    nonce: str
    code_verifier: str


def sealed_keepsake(context: Context, return_to: str) -> tuple[Keepsake, CodeSecrets]:
    """A keepsake whose secret holds these two as well, sealed: the browser can't read them."""
    made = CodeSecrets(new_secret(), new_secret())
    sealed = context.secrets.encrypt(orjson.dumps([made.nonce, made.code_verifier]), purpose=_SEED_PURPOSE)
    return Keepsake(urlsafe_b64encode(sealed).decode().rstrip("="), return_to), made


def open_keepsake(context: Context, keepsake: Keepsake) -> CodeSecrets | None:
    """What `sealed_keepsake` put into it, None where that was another function."""
    padded = keepsake.secret + "=" * (-len(keepsake.secret) % 4)
    try:
        opened = orjson.loads(context.secrets.decrypt(urlsafe_b64decode(padded), purpose=_SEED_PURPOSE))
    except (ValueError, CannotDecrypt):
        return None
    return CodeSecrets(*opened)
