"""A device that keeps passkeys and answers whatever a test wants it to, right or wrong (Web Authentication 6)."""

import hashlib
import html
import json
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass, field
from secrets import token_bytes
from typing import Any

import cbor2
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from werkzeug.test import TestResponse

ORIGIN, PARTY = "http://localhost:8000", "localhost"
PRESENT, VERIFIED, ATTESTED = 0x01, 0x04, 0x40
_ES256 = {1: 2, 3: -7, -1: 1}
_OPTIONS = re.compile(r'data-options="([^"]+)"')


def options_in(page: TestResponse) -> dict[str, Any]:
    """The question that a page puts to a passkey."""
    found = _OPTIONS.search(page.text)
    assert found is not None, page.text
    options: dict[str, Any] = json.loads(html.unescape(found[1]))
    return options


def encode(octets: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(octets).rstrip(b"=").decode()


@dataclass
class Passkey:
    """One passkey; `handle` is what it was told of its account, `counter` how often it answered."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    credential: bytes = field(default_factory=lambda: token_bytes(16))
    handle: str = ""
    counter: int = 0

    def make(self, options: dict[str, Any], **said: Any) -> str:
        """It is made for who is asked (7.1), good but for what is said."""
        self.handle = options["user"]["id"]
        numbers = self.key.public_key().public_numbers()
        public = cbor2.dumps(_ES256 | {-2: numbers.x.to_bytes(32, "big"), -3: numbers.y.to_bytes(32, "big")})
        own = bytes(16) + len(self.credential).to_bytes(2, "big") + self.credential + public
        proof = self._proof({"flags": PRESENT | VERIFIED | ATTESTED} | said) + own
        attested = cbor2.dumps({"fmt": "none", "attStmt": {}, "authData": proof})
        asked = _asked(options, {"type": "webauthn.create"} | said)
        return self._answer({"clientDataJSON": encode(asked), "attestationObject": encode(attested)})

    def answer(self, options: dict[str, Any], **said: Any) -> str:
        """It answers a question (7.2), well but for what is said: of the question, `flags`, `party` or `handle`."""
        asked, proof = _asked(options, {"type": "webauthn.get"} | said), self._proof(said)
        signature = self.key.sign(proof + hashlib.sha256(asked).digest(), ec.ECDSA(hashes.SHA256()))
        parts = {"clientDataJSON": encode(asked), "authenticatorData": encode(proof), "signature": encode(signature)}
        return self._answer({**parts, "userHandle": said.get("handle", self.handle)})

    def _proof(self, said: dict[str, Any]) -> bytes:
        self.counter += 1
        flags = said.get("flags", PRESENT | VERIFIED)
        party = hashlib.sha256(said.get("party", PARTY).encode()).digest()
        return bytes(party + bytes([flags]) + said.get("counter", self.counter).to_bytes(4, "big"))

    def _answer(self, response: dict[str, Any]) -> str:
        own = encode(self.credential)
        return json.dumps({"id": own, "rawId": own, "type": "public-key", "response": response})


def _asked(options: dict[str, Any], said: dict[str, Any]) -> bytes:
    usual = {"type": "", "challenge": options["challenge"], "origin": ORIGIN, "crossOrigin": False}
    return json.dumps({name: said.get(name, value) for name, value in usual.items()}).encode()
