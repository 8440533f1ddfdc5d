"""The registered client, as the tests play it: its requests, its look at the tokens."""

from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any
from urllib.parse import urlencode

from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet
from werkzeug.test import TestResponse

from tests.simulated.twilio.browser import URL, Browser

SECRET = "made-by-chance-0123456789-abcdefghij"
HOME = "http://localhost:8000"
CLIENT: dict[str, Any] = {
    "client_id": "segment",
    "client_secret": SECRET,
    "client_name": "Segment",
    "redirect_uris": [f"{HOME}/callback", f"{HOME}/other?fixed=1"],
    "post_logout_redirect_uris": [f"{HOME}/bye"],
    "initiate_login_uri": f"{HOME}/initiate",
    "target_link_uri": f"{HOME}/start",
    "backchannel_logout_uri": f"{HOME}/backchannel-logout",
    "event_endpoint": f"{HOME}/events",
    "event_token": "e-token",
}
VERIFIER = "v" * 43


class RelyingParty:
    """What it asks and how it reads the answers."""

    def __init__(self, app: Flask, address: str = URL) -> None:
        self.http = app.test_client()
        self.address = address

    def request(self, **more: str | None) -> str:
        """The path of an authorization request; a parameter that is None is left out."""
        challenge = urlsafe_b64encode(sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code",
            "client_id": "segment",
            "redirect_uri": f"{HOME}/callback",
            "scope": "openid profile email",
            "state": "s t&ate",
            "nonce": "n0nce",
            "code_challenge": challenge,
            "code_challenge_method": "S256",
            **more,
        }
        return f"/oauth2/authorize?{urlencode({name: value for name, value in asked.items() if value is not None})}"

    def redeem(self, given_code: str, **more: str | None) -> TestResponse:
        """The token endpoint's answer."""
        form = {
            "grant_type": "authorization_code",
            "code": given_code,
            "redirect_uri": f"{HOME}/callback",
            "code_verifier": VERIFIER,
            "client_id": "segment",
            "client_secret": SECRET,
            **more,
        }
        sent = {name: value for name, value in form.items() if value is not None}
        return self.http.post("/oauth2/token", data=sent, base_url=self.address)

    def tokens(self, browser: Browser) -> dict[str, Any]:
        """The tokens for the code that a browser arrived with."""
        answer = self.redeem(browser.arrived["code"])
        assert answer.status_code == 200, answer.text
        return dict(answer.json or {})

    def keys(self) -> KeySet:
        """The provider's published keys."""
        return KeySet.import_key_set(self.http.get("/oauth2/jwks", base_url=self.address).json)

    def read(self, token: str) -> jwt.Token:
        """A token whose signature is the provider's."""
        return jwt.decode(token, self.keys(), algorithms=["RS256"])

    def userinfo(self, access_token: str) -> TestResponse:
        """The userinfo endpoint's answer."""
        bearer = {"Authorization": f"Bearer {access_token}"}
        return self.http.get("/oauth2/userinfo", headers=bearer, base_url=self.address)
