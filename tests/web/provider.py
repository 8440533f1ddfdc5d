"""A company's OpenID provider on this machine: a real HTTP server that signs people in as it is told, or lies."""

import json
import threading
import time
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from secrets import token_urlsafe
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from flask import Flask
from joserfc import jwt
from joserfc.jwk import RSAKey
from werkzeug.test import TestResponse

from bridge.domain.errors import Crowded
from bridge.domain.web_calls import Ask
from bridge.flows.connect_oidc import OidcDraft, create_oidc, read_provider
from bridge.flows.context import OPERATOR, Context
from bridge.flows.outside import NOWHERE
from bridge.outside.calls import OF_TWILIO, PATIENCE, SLOW, Calls
from bridge.web.current import OUTSIDE
from tests.web.browsing import Surfer

CLIENT_ID, SECRET = "bridge-client", "a secret: with % and +"
LOGOUT_EVENT = "http://schemas.openid.net/event/backchannel-logout"
Answer = tuple[int, str, bytes]


@cache
def key(kid: str) -> RSAKey:
    """A key of this name; making one takes a tenth of a second."""
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig", "alg": "RS256"}, private=True)


def json_answer(said: Any, status: int = 200) -> Answer:
    """An answer in JSON."""
    return status, "application/json", json.dumps(said).encode()


@dataclass
class Provider:
    """What the provider does and says. `answers` replaces whatever stands at a path; `seen` counts requests by path;
    `requests` holds the last one's headers and fields.
    """

    url: str
    kid: str = "first"
    claims: dict[str, Any] = field(default_factory=dict)
    userinfo: dict[str, Any] | None = None
    discovered: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, Callable[[], Answer]] = field(default_factory=dict)
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    seen: Counter[str] = field(default_factory=Counter)
    requests: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def discovery(self) -> dict[str, Any]:
        """Its discovery document."""
        paths = {"authorization_endpoint": "/authorize", "token_endpoint": "/token", "jwks_uri": "/keys"}
        paths |= {"userinfo_endpoint": "/userinfo", "end_session_endpoint": "/end"}
        own = {"issuer": self.url, "response_types_supported": ["code"], "subject_types_supported": ["public"]}
        own |= {"id_token_signing_alg_values_supported": ["RS256"]}
        return own | {name: self.url + path for name, path in paths.items()} | self.discovered

    def sign(self, claims: Mapping[str, Any], *, kid: str | None = None, typ: str = "JWT") -> str:
        """A token with these claims, by the present key."""
        kid = kid or self.kid
        return jwt.encode({"alg": "RS256", "kid": kid, "typ": typ}, dict(claims), key(kid))

    def consent(self, location: str, **said: Any) -> str:
        """Somebody signs in there: the way back, with a code. `said` goes into the ID token beside what is usual."""
        asked = dict(parse_qsl(urlsplit(location).query))
        code = token_urlsafe(16)
        self.codes[code] = asked
        self.claims = {"sub": "mei", "email": "mei@kicks.example", "email_verified": True, "name": "Mei"} | said
        return f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state']})}"

    def token_answer(self, form: Mapping[str, str]) -> Answer:
        """The token endpoint: each code once, with its verifier (RFC 7636 4.6)."""
        asked = self.codes.pop(form.get("code", ""), None)
        verifier = sha256(form.get("code_verifier", "").encode()).digest()
        if asked is None or asked["code_challenge"] != urlsafe_b64encode(verifier).rstrip(b"=").decode():
            return json_answer({"error": "invalid_grant"}, 400)
        now = datetime.now(UTC)
        usual = {"iss": self.url, "aud": CLIENT_ID, "nonce": asked["nonce"], "iat": int(now.timestamp())}
        usual |= {"exp": int((now + timedelta(minutes=5)).timestamp())}
        claims = {name: value for name, value in (usual | self.claims).items() if value is not None}
        said = {"access_token": "access", "token_type": "Bearer", "id_token": self.sign(claims)}
        return json_answer(said)

    def answer(self, path: str, form: Mapping[str, str]) -> Answer:
        """What stands at `path`."""
        self.seen[path] += 1
        if path in self.answers:
            return self.answers[path]()
        if path == "/.well-known/openid-configuration":
            return json_answer(self.discovery())
        if path == "/keys":
            return json_answer({"keys": [key(self.kid).as_dict(private=False)]})
        if path == "/token":
            return self.token_answer(form)
        if path == "/userinfo":
            return json_answer(self.userinfo if self.userinfo is not None else {"sub": self.claims["sub"]})
        return 404, "text/plain", b"nothing here"

    def logout_token(self, **said: Any) -> str:
        """A logout token at this moment, good but for what is said (OpenID Connect Back-Channel Logout 1.0 2.4)."""
        now = int(datetime.now(UTC).timestamp())
        usual = {"iss": self.url, "aud": CLIENT_ID, "iat": now, "exp": now + 120, "jti": token_urlsafe(8)}
        claims = usual | {"sub": "mei", "events": {LOGOUT_EVENT: {}}} | said
        return self.sign({name: value for name, value in claims.items() if value is not None}, typ="logout+jwt")


@contextmanager
def running_provider() -> Iterator[Provider]:
    """A provider, for the length of a block."""

    class Request(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self.reply({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            self.reply({name: values[0] for name, values in parse_qs(body).items()})

        def reply(self, form: Mapping[str, str]) -> None:
            path = urlsplit(self.path).path
            provider.requests[path] = {**dict(self.headers), **form}
            status, content_type, body = provider.answer(path, form)
            self.send_response(status)
            headers = {"Content-Type": content_type, "Content-Length": str(len(body))}
            headers |= {"Location": body.decode()} if status in (302, 307) else {}
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            pass  # clients that give up are what is tested

    with Server(("127.0.0.1", 0), Request) as server:
        provider = Provider(f"http://127.0.0.1:{server.server_port}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield provider
        finally:
            server.shutdown()
            thread.join()


@dataclass(frozen=True)
class OidcCompany:
    """A company's provider and its connection to a workspace."""

    provider: Provider
    connection_id: str

    def path(self, what: str) -> str:
        """`/oidc/<connection>/<what>`."""
        return f"/oidc/{self.connection_id}/{what}"

    def start(self, surfer: Surfer, **query: str) -> str:
        """Go to the provider. Returns the address that the browser arrives at."""
        told = surfer.get(self.path("login"), **query)
        assert told.status_code == 302, told.text
        return told.headers["Location"]

    def sign_in(self, surfer: Surfer, *, return_to: str = "", **said: Any) -> TestResponse:
        """A whole login, from the link to the page after it."""
        query = {"return_to": return_to} if return_to else {}
        return self.bring(surfer, self.provider.consent(self.start(surfer, **query), **said))

    def bring(self, surfer: Surfer, location: str) -> TestResponse:
        """The browser follows the provider's redirect."""
        parts = urlsplit(location)
        return surfer.get(f"{parts.path}?{parts.query}")


def connect_oidc(context: Context, slug: str, provider: Provider, **given: Any) -> OidcCompany:
    """An OpenID Connect connection of the workspace, made from the provider's discovery document."""
    draft = OidcDraft(**({"issuer": provider.url, "client_id": CLIENT_ID, "client_secret": SECRET} | given))
    with Calls().turn() as ask:
        found = read_provider(provider.url, ask)
    made = create_oidc(context, OPERATOR, slug, draft, found, datetime.now(UTC))
    return OidcCompany(provider, made.id)


def impatient(app: Flask, seconds: float, *, slow: float = SLOW, patience: float = PATIENCE) -> None:
    """From now on the application waits no longer than that for providers."""
    calls = Calls(longest=seconds, slow=slow, patience=patience)
    twilio = Calls(longest=seconds, slow=slow, patience=patience, slots=OF_TWILIO, most=OF_TWILIO, of_one=OF_TWILIO)
    app.extensions[OUTSIDE] = replace(NOWHERE, calls=calls, twilio=twilio)


class _Full:
    """Turns that are all taken, and others wait for them."""

    def turn(self, whose: str = "", provider: str = "") -> AbstractContextManager[Ask]:
        raise Crowded


FULL = _Full()


def after(seconds: float, answer: Answer) -> Callable[[], Answer]:
    """The same answer, late."""

    def wait() -> Answer:
        time.sleep(seconds)
        return answer

    return wait
