"""Secrets at rest: encrypted with the operator's keys, each blob bound to the column it belongs in.

A blob is one byte of version, eight that name the key, twelve of nonce, then AES-256-GCM's ciphertext and tag. The
key is derived (HKDF-SHA-256, RFC 5869) from the operator's key and the purpose, so that a blob moved from one column
to another doesn't open.
"""

import hmac
import os
from dataclasses import dataclass, field
from functools import lru_cache

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

_VERSION = b"\x01"
_NAME_BYTES = 8
_NONCE_BYTES = 12
_KEY_BYTES = 32
_SHORTEST_SEAL = 16


class CannotDecrypt(Exception):
    """A blob that stays closed."""


class KeyMissing(CannotDecrypt):
    """It was encrypted with a key that isn't among BRIDGE_SECRET_KEYS any more, or never was."""


class Damaged(CannotDecrypt):
    """The key is there, but the blob was changed, cut, or meant for another purpose."""


@dataclass(frozen=True, slots=True)
class SecretBox:
    """Encrypts with the first of `keys`; decrypts what any of them encrypted."""

    keys: tuple[str, ...] = field(repr=False)

    def __post_init__(self) -> None:
        if not self.keys or not all(self.keys):
            raise ValueError("A secret box needs a key, and no key is empty.")

    def encrypt(self, secret: bytes, purpose: str) -> bytes:
        """`secret` for a column named by `purpose`, such as `connections.secrets_enc`; never twice the same."""
        key, nonce = self.keys[0], os.urandom(_NONCE_BYTES)
        sealed = _cipher(key, purpose).encrypt(nonce, secret, None)
        return _VERSION + _name(key) + nonce + sealed

    def decrypt(self, blob: bytes, purpose: str) -> bytes:
        """The secret in a blob of `encrypt` with the same purpose. Raises KeyMissing, Damaged."""
        version, rest = blob[:1], blob[1:]
        name, rest = rest[:_NAME_BYTES], rest[_NAME_BYTES:]
        if version != _VERSION or len(rest) <= _NONCE_BYTES:
            raise Damaged(f"This is no encrypted secret: {purpose}.")
        key = next((key for key in self.keys if _name(key) == name), None)
        if key is None:
            raise KeyMissing(f"BRIDGE_SECRET_KEYS lacks the key that encrypted {purpose}: add it behind the first.")
        try:
            return _cipher(key, purpose).decrypt(rest[:_NONCE_BYTES], rest[_NONCE_BYTES:], None)
        except InvalidTag as error:
            raise Damaged(f"The secret was changed, or is of another purpose than {purpose}.") from error

    @property
    def mark(self) -> bytes:
        """How every blob begins that the first key has encrypted."""
        return _VERSION + _name(self.keys[0])

    @property
    def older_marks(self) -> tuple[bytes, ...]:
        """How those begin that each of the other keys has encrypted."""
        return tuple(_VERSION + _name(key) for key in self.keys[1:])

    def sign(self, message: bytes, purpose: str) -> bytes:
        """32 bytes that only this box can make of `message` (HMAC-SHA-256), with the first key."""
        return _seal(self.keys[0], message, purpose)

    def is_signed(self, message: bytes, seal: bytes, purpose: str) -> bool:
        """Whether `sign` made this seal, or the beginning of one, with any of the keys. At least 16 bytes of it."""
        if len(seal) < _SHORTEST_SEAL:
            return False
        return any(hmac.compare_digest(_seal(key, message, purpose)[: len(seal)], seal) for key in self.keys)

    def derive(self, purpose: str) -> bytes:
        """32 bytes from the first key for another use, such as Flask's SECRET_KEY; always the same."""
        return _derive(self.keys[0], f"derive:{purpose}", _KEY_BYTES)


def _cipher(key: str, purpose: str) -> AESGCM:
    return AESGCM(_derive(key, f"encrypt:{purpose}", _KEY_BYTES))


def _seal(key: str, message: bytes, purpose: str) -> bytes:
    return hmac.digest(_derive(key, f"sign:{purpose}", _KEY_BYTES), message, "sha256")


def _name(key: str) -> bytes:
    return _derive(key, "name", _NAME_BYTES)


@lru_cache(maxsize=256)  # of the operator's keys and a few purposes, never of what is stored
def _derive(key: str, use: str, length: int) -> bytes:
    return HKDF(SHA256(), length, salt=None, info=f"bridge/{use}".encode()).derive(key.encode())
