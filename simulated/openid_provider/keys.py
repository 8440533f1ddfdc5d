"""What the provider signs with: one RSA key at a time, and those before it while anything that they signed lives."""

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from simulated.state_file import StateFile

ALGORITHM = "RS256"
BITS = 2048
#: Longer than any token's life, so that none outlives its key.
PUBLISHED_AFTER_RETIREMENT = 24 * 3600


class SigningKeys:
    """The keys, in the host's file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock
        self._imported: dict[str, RSAKey] = {}

    def current(self) -> RSAKey:
        """The key that signs now; the first is made here."""
        with self._file.transaction() as db:
            row = db.execute("SELECT kid, jwk FROM signing_keys WHERE retired_at IS NULL").fetchone()
        if row is None:
            return self.rotate()
        return self._import(row["kid"], row["jwk"])

    def rotate(self) -> RSAKey:
        """Signs with a new key from now on. The one before stays published for a day, then it is forgotten."""
        key = RSAKey.generate_key(BITS, {"kid": secrets.token_hex(8), "use": "sig", "alg": ALGORITHM})
        now = int(self._clock())
        with self._file.transaction() as db:
            db.execute("UPDATE signing_keys SET retired_at = ? WHERE retired_at IS NULL", (now,))
            db.execute("DELETE FROM signing_keys WHERE retired_at < ?", (now - PUBLISHED_AFTER_RETIREMENT,))
            document = json.dumps(key.as_dict(private=True))
            db.execute("INSERT INTO signing_keys VALUES (?, ?, ?, NULL)", (key.kid, document, now))
        return key

    def published(self) -> KeySet:
        """The keys that a client may still need, the newest first."""
        self.current()
        oldest = int(self._clock()) - PUBLISHED_AFTER_RETIREMENT
        with self._file.transaction() as db:
            rows = db.execute(
                "SELECT kid, jwk FROM signing_keys WHERE retired_at IS NULL OR retired_at >= ? ORDER BY rowid DESC",
                (oldest,),
            ).fetchall()
        return KeySet([self._import(row["kid"], row["jwk"]) for row in rows])

    def sign(self, claims: Mapping[str, Any], media_type: str) -> str:
        """A JWT of these claims, with `media_type` as its `typ` (RFC 8725 3.11)."""
        key = self.current()
        return jwt.encode({"alg": ALGORITHM, "kid": key.kid, "typ": media_type}, dict(claims), key, [ALGORITHM])

    def _import(self, kid: str, document: str) -> RSAKey:
        if kid not in self._imported:
            self._imported[kid] = RSAKey.import_key(json.loads(document))
        return self._imported[kid]
