"""Logging in by Google: the relying party's side of OpenID Connect, over HTTP only, as any site has it."""

import hashlib
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from urllib.parse import urlencode

import requests
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from simulated.twilio.errors import GoogleRefused, Invalid

SECONDS_TO_ANSWER = 10
_FAULTS = (requests.RequestException, ValueError, KeyError, TypeError)


@dataclass(frozen=True, slots=True)
class GoogleIdentity:
    """Whom Google names: `subject` is theirs for good."""

    subject: str
    email: str
    given_name: str
    family_name: str


@dataclass(frozen=True, slots=True)
class Google:
    """What this application knows of Google: its issuer, and its own registration there."""

    issuer: str
    client_id: str
    client_secret: str
    clock: Callable[[], float]

    def begin(self, redirect_uri: str) -> tuple[str, dict[str, str]]:
        """The address to send a browser to, and what has to be remembered of it. Raises GoogleRefused."""
        asked = {name: secrets.token_urlsafe(32) for name in ("state", "nonce", "verifier")}
        challenge = urlsafe_b64encode(hashlib.sha256(asked["verifier"].encode()).digest()).rstrip(b"=").decode()
        query = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": redirect_uri,
            "scope": "openid profile email",
            "state": asked["state"],
            "nonce": asked["nonce"],
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            "prompt": "select_account",
        }
        return f"{self._discover()['authorization_endpoint']}?{urlencode(query)}", asked

    def finish(self, answer: Mapping[str, str], asked: Mapping[str, str], redirect_uri: str) -> GoogleIdentity:
        """Whom the answer proves. Raises GoogleRefused."""
        if answer.get("state") != asked["state"] or answer.get("iss") != self.issuer:
            raise GoogleRefused("This isn't the answer to the question that this browser asked. Start again.")
        if "code" not in answer:
            raise GoogleRefused("Google signed nobody in.")
        try:
            claims = self._redeem(answer["code"], asked["verifier"], redirect_uri)
            self._check(claims, asked["nonce"])
            return _read_identity(claims)
        except (*_FAULTS, JoseError) as error:
            raise GoogleRefused("Google’s answer can’t be used.") from error

    def _discover(self) -> dict[str, Any]:
        try:
            found = _get(f"{self.issuer}/.well-known/openid-configuration")
            if found["issuer"] != self.issuer:
                raise ValueError(found["issuer"])
        except _FAULTS as error:
            raise GoogleRefused("Google can’t be reached.") from error
        return found

    def _redeem(self, code: str, verifier: str, redirect_uri: str) -> dict[str, Any]:
        """The claims of the ID token that the code gives, whose signature is Google's."""
        places = self._discover()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": redirect_uri,
            "code_verifier": verifier,
        }
        who = (self.client_id, self.client_secret)
        answer = requests.post(
            places["token_endpoint"], form, auth=who, timeout=SECONDS_TO_ANSWER, allow_redirects=False
        )
        answer.raise_for_status()
        keys = KeySet.import_key_set(cast(Any, _get(places["jwks_uri"])))
        return dict(jwt.decode(answer.json()["id_token"], keys, algorithms=["RS256"]).claims)

    def _check(self, claims: dict[str, Any], nonce: str) -> None:
        """Core 3.1.3.7."""
        jwt.JWTClaimsRegistry(
            now=int(self.clock()),
            iss={"essential": True, "value": self.issuer},
            aud={"essential": True, "value": self.client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
            email={"essential": True},
            email_verified={"essential": True, "value": True},
        ).validate(claims)


def read_google(document: Any, clock: Callable[[], float]) -> Google:
    """The registration at Google that a file states: `issuer`, `client_id`, `client_secret`. Raises Invalid."""
    names = ("issuer", "client_id", "client_secret")
    if not isinstance(document, Mapping) or not all(isinstance(document.get(name), str) for name in names):
        raise Invalid(f"The file for Google has to name {', '.join(names)}.")
    return Google(document["issuer"].rstrip("/"), document["client_id"], document["client_secret"], clock)


def _get(address: str) -> dict[str, Any]:
    answer = requests.get(address, timeout=SECONDS_TO_ANSWER, allow_redirects=False)
    answer.raise_for_status()
    return dict(answer.json())


def _read_identity(claims: Mapping[str, Any]) -> GoogleIdentity:
    subject, email = claims["sub"], claims["email"]
    if not isinstance(subject, str) or not isinstance(email, str):
        raise TypeError("sub and email have to be texts")
    given = str(claims.get("given_name") or email.partition("@")[0])
    return GoogleIdentity(subject, email, given, str(claims.get("family_name") or ""))
