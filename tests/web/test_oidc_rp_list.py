"""The OpenID Foundation's tests for relying parties, by name, played by a small provider over HTTP.

`PLANS` is the list as its conformance suite has it (openid-certification/conformance-suite, August 2026) for all that a
relying party can be asked. Each name is either played here, with what must come of it, or stands in `NOT_ASKED` with
the reason. What differs from the suite's own provider is that our person's email is verified: the suite's is said not
to be, which the bridge refuses after it has asked for it.
"""

from base64 import urlsafe_b64encode
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache, partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import orjson
import pytest
from flask import Flask
from joserfc import jwk, jws
from werkzeug.test import TestResponse

from bridge.domain.errors import Invalid
from bridge.flows.context import OPERATOR
from bridge.flows.oidc_settings import change_oidc_settings
from oidc.toolkit import half_hash
from tests.web.browsing import Surfer
from tests.web.provider import (
    LOGOUT_EVENT,
    SECRET,
    OidcCompany,
    Provider,
    connect_oidc,
    impatient,
    json_answer,
    key,
    running_provider,
)
from tests.web.test_saml_login import is_refused
from tests.world import World

SIGNS_IN = "signs in"
EMAIL = "mei@kicks.example"
#: By the code flow, an ID token without these: the suite's OP leaves them to userinfo.
THIN: Mapping[str, Any] = {"email": None, "email_verified": None, "name": None}
FULL: Mapping[str, Any] = {"sub": "mei", "email": EMAIL, "email_verified": True, "name": "Mei"}

PLANS: Mapping[str, tuple[str, ...]] = {
    "oidcc-client-test-plan": (
        "oidcc-client-test",
        "oidcc-client-test-nonce-invalid",
        "oidcc-client-test-client-secret-basic",
        "oidcc-client-test-scope-userinfo-claims",
        "oidcc-client-test-kid-absent-single-jwks",
        "oidcc-client-test-kid-absent-multiple-jwks",
        "oidcc-client-test-missing-iat",
        "oidcc-client-test-missing-aud",
        "oidcc-client-test-invalid-aud",
        "oidcc-client-test-idtoken-sig-none",
        "oidcc-client-test-idtoken-sig-rs256",
        "oidcc-client-test-missing-sub",
        "oidcc-client-test-invalid-sig-rs256",
        "oidcc-client-test-invalid-iss",
        "oidcc-client-test-userinfo-invalid-sub",
        "oidcc-client-test-userinfo-bearer-header",
        "oidcc-client-test-userinfo-bearer-body",
        "oidcc-client-test-nonce-unless-code-flow",
        "oidcc-client-test-missing-chash",
        "oidcc-client-test-invalid-chash",
        "oidcc-client-test-invalid-athash",
        "oidcc-client-test-missing-athash",
        "oidcc-client-test-form-post-error",
        "oidcc-client-test-invalid-sig-hs256",
        "oidcc-client-test-invalid-sig-es256",
        "oidcc-client-test-aggregated-claims",
        "oidcc-client-test-distributed-claims",
        "oidcc-client-test-mtls-endpoint-aliases",
        "oidcc-client-test-discovery-openid-config",
        "oidcc-client-test-discovery-jwks-uri-keys",
        "oidcc-client-test-discovery-issuer-mismatch",
        "oidcc-client-test-signing-key-rotation-just-before-signing",
        "oidcc-client-test-signing-key-rotation",
        "oidcc-client-test-discovery-webfinger-acct",
        "oidcc-client-test-discovery-webfinger-url",
        "oidcc-client-test-dynamic-registration",
        "oidcc-client-test-request-uri-signed-rs256",
        "oidcc-client-test-request-uri-signed-none",
        "oidcc-client-test-userinfo-signed",
    ),
    "oidcc-client-test-3rd-party-init-login-test-plan": ("oidcc-client-test-3rd-party-init-login",),
    "oidcc-client-refreshtoken-test-plan": (
        "oidcc-client-test-refresh-token",
        "oidcc-client-test-refresh-token-invalid-issuer",
        "oidcc-client-test-refresh-token-invalid-sub",
    ),
    "oidcc-client-logout-test-plan": (
        "oidcc-client-test-session-management",
        "oidcc-client-test-rp-init-logout",
        "oidcc-client-test-rp-init-logout-other-state",
        "oidcc-client-test-rp-init-logout-no-state",
        "oidcc-client-test-rp-frontchannel-rpinitlogout",
        "oidcc-client-test-rp-frontchannel-opinitlogout",
        "oidcc-client-test-rp-backchannel-rpinitlogout",
        "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none",
        "oidcc-client-test-rp-backchannel-rpinitlogout-no-event",
        "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce",
        "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg",
        "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud",
        "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event",
        "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss",
    ),
}

_HYBRID = "of the hybrid flow: c_hash goes with a code that comes beside the ID token, which the code flow never has"
_WEBFINGER = "nobody types an issuer here: an owner sets the connection's, or a proved domain names it"
_REQUEST_URI = "requests go by the query with PKCE and state; no request object is made"
_REFRESH = "no refresh token is asked for, and none is kept: a login ends with userinfo"
NOT_ASKED: Mapping[str, str] = {
    "oidcc-client-test-userinfo-bearer-body": "the other way than -bearer-header; the profile asks for one of the two",
    "oidcc-client-test-missing-chash": _HYBRID,
    "oidcc-client-test-invalid-chash": _HYBRID,
    "oidcc-client-test-missing-athash": "of other flows: by the code flow at_hash may be absent (Core 3.1.3.6)",
    "oidcc-client-test-form-post-error": "answers come in the query: a POST from elsewhere brings no Lax cookie",
    "oidcc-client-test-mtls-endpoint-aliases": "of clients with a TLS certificate; ours have a secret or a key",
    "oidcc-client-test-discovery-webfinger-acct": _WEBFINGER,
    "oidcc-client-test-discovery-webfinger-url": _WEBFINGER,
    "oidcc-client-test-dynamic-registration": "the provider's administrator registers the client by hand",
    "oidcc-client-test-request-uri-signed-rs256": _REQUEST_URI,
    "oidcc-client-test-request-uri-signed-none": _REQUEST_URI,
    "oidcc-client-test-refresh-token": _REFRESH,
    "oidcc-client-test-refresh-token-invalid-issuer": _REFRESH,
    "oidcc-client-test-refresh-token-invalid-sub": _REFRESH,
    "oidcc-client-test-session-management": "by frames and their cookies, which browsers keep back",
    "oidcc-client-test-rp-frontchannel-rpinitlogout": "by frames, too; back-channel logout does it without",
    "oidcc-client-test-rp-frontchannel-opinitlogout": "by frames, too; back-channel logout does it without",
}


@dataclass
class Play:
    """The provider, and one browser that signs in by it."""

    world: World
    provider: Provider
    surfer: Surfer

    def connect(self, **given: Any) -> OidcCompany:
        """The connection, made from discovery."""
        return connect_oidc(self.world.context, "acme", self.provider, name="Suite", **given)

    def sign_in(self, company: OidcCompany | None = None, **said: Any) -> TestResponse:
        """A login in which the ID token also says this; of the person themselves only userinfo does."""
        self.provider.userinfo = self.provider.userinfo or dict(FULL)
        return (company or self.connect()).sign_in(self.surfer, **{**THIN, **said})

    def signs(self, make: Callable[[Mapping[str, Any]], str]) -> None:
        """ID tokens are made so from now on."""
        self.provider.sign = lambda claims, **_: make(claims)  # type: ignore[method-assign]

    def publishes(self, *keys: Mapping[str, Any]) -> None:
        """These are the keys at jwks_uri from now on."""
        self.provider.answers["/keys"] = lambda: json_answer({"keys": keys})


Playing = Callable[[Play], TestResponse]


@dataclass(frozen=True)
class Module:
    """A test of the suite: how it is played, and by which code it is refused, or that it signs in."""

    outcome: str
    play: Playing


MODULES: dict[str, Module] = {}


def module(name: str, outcome: str = SIGNS_IN) -> Callable[[Playing], Playing]:
    """Registers the decorated function."""

    def register(play: Playing) -> Playing:
        MODULES[f"oidcc-client-test{name}"] = Module(outcome, play)
        return play

    return register


# -- keys and signatures -----------------------------------------------------------------------------


@cache
def made(kind: str, n: int = 0) -> Any:
    """One of the provider's other keys."""
    if kind == "RSA":
        return jwk.RSAKey.generate_key(2048)
    return jwk.OKPKey.generate_key("Ed25519") if kind == "Ed25519" else jwk.ECKey.generate_key(kind)


def public(one: Any, **members: Any) -> dict[str, Any]:
    """As published, without a name."""
    shown = {name: value for name, value in one.as_dict(private=False).items() if name != "kid"}
    return {**shown, **members}


def sign(claims: Mapping[str, Any], by: Any, alg: str = "RS256", **header: Any) -> str:
    """A token, signed for real."""
    registry = jws.JWSRegistry(algorithms=["RS256", "ES256", "HS256"])
    return jws.serialize_compact({"alg": alg, **header}, orjson.dumps(dict(claims)), by, registry=registry)


def unsigned(claims: Mapping[str, Any]) -> str:
    """A token by `none`."""
    parts = (orjson.dumps({"alg": "none"}), orjson.dumps(dict(claims)))
    return ".".join(urlsafe_b64encode(part).rstrip(b"=").decode() for part in parts) + "."


def spoiled(token: str) -> str:
    """The same token with another signature."""
    text, _, signature = token.rpartition(".")
    return f"{text}.{'B' if signature[0] == 'A' else 'A'}{signature[1:]}"


# -- the code flow -----------------------------------------------------------------------------------


@module("")
def _(play: Play) -> TestResponse:
    told = play.sign_in()
    assert play.provider.requests["/token"]["grant_type"] == "authorization_code"
    return told


@module("-nonce-invalid", "wrong-nonce")
def _(play: Play) -> TestResponse:
    return play.sign_in(nonce="of another login")


@module("-client-secret-basic")
def _(play: Play) -> TestResponse:
    told = play.sign_in()
    assert play.provider.requests["/token"]["Authorization"].startswith("Basic ")
    assert SECRET not in str(play.provider.requests["/token"])
    return told


@module("-scope-userinfo-claims")
def _(play: Play) -> TestResponse:
    company = play.connect()
    asked = parse_qs(urlsplit(company.start(play.surfer)).query)["scope"][0].split()
    assert {"openid", "email", "profile"} <= set(asked)
    return play.sign_in(company)


@module("-kid-absent-single-jwks")
def _(play: Play) -> TestResponse:
    play.publishes(public(made("RSA"), use="sig"))
    play.signs(lambda claims: sign(claims, made("RSA")))
    return play.sign_in()


@module("-kid-absent-multiple-jwks")
def _(play: Play) -> TestResponse:
    kinds = ("RSA", "P-256", "secp256k1", "Ed25519")
    play.publishes(*(public(made(kind, n), use="sig") for kind in kinds for n in range(2)))
    play.signs(lambda claims: sign(claims, made("RSA", 1)))
    return play.sign_in()


@module("-missing-iat", "missing-time")
def _(play: Play) -> TestResponse:
    return play.sign_in(iat=None)


@module("-missing-aud", "wrong-audience")
def _(play: Play) -> TestResponse:
    return play.sign_in(aud=None)


@module("-invalid-aud", "wrong-audience")
def _(play: Play) -> TestResponse:
    return play.sign_in(aud="another-client")


@module("-idtoken-sig-none", "forbidden-algorithm")
def _(play: Play) -> TestResponse:
    play.signs(unsigned)
    return play.sign_in()


@module("-idtoken-sig-rs256")
def _(play: Play) -> TestResponse:
    play.signs(lambda claims: sign(claims, key("first"), kid="first"))
    return play.sign_in()


@module("-missing-sub", "missing-subject")
def _(play: Play) -> TestResponse:
    return play.sign_in(sub=None)


@module("-invalid-sig-rs256", "bad-signature")
def _(play: Play) -> TestResponse:
    play.signs(lambda claims: spoiled(sign(claims, key("first"), kid="first")))
    return play.sign_in()


@module("-invalid-iss", "wrong-issuer")
def _(play: Play) -> TestResponse:
    return play.sign_in(iss=f"{play.provider.url}/another")


@module("-userinfo-invalid-sub", "wrong-userinfo-subject")
def _(play: Play) -> TestResponse:
    play.provider.userinfo = {**FULL, "sub": "another"}
    return play.sign_in()


@module("-userinfo-bearer-header")
def _(play: Play) -> TestResponse:
    told = play.sign_in()
    assert play.provider.requests["/userinfo"]["Authorization"] == "Bearer access"
    return told


@module("-nonce-unless-code-flow")
def _(play: Play) -> TestResponse:
    company = play.connect()
    assert len(parse_qs(urlsplit(company.start(play.surfer)).query)["nonce"][0]) >= 32
    return play.sign_in(company)


@module("-invalid-athash", "wrong-token-hash")
def _(play: Play) -> TestResponse:
    return play.sign_in(at_hash=half_hash("another token", "RS256"))


@module("-invalid-sig-hs256", "forbidden-algorithm")
def _(play: Play) -> TestResponse:
    secret = jwk.OctKey.import_key(SECRET.ljust(32, "!"))
    play.signs(lambda claims: spoiled(sign(claims, secret, "HS256")))
    return play.sign_in()


@module("-invalid-sig-es256", "bad-signature")
def _(play: Play) -> TestResponse:
    play.provider.discovered["id_token_signing_alg_values_supported"] = ["RS256", "ES256"]
    play.publishes(public(made("P-256"), kid="ec"))
    play.signs(lambda claims: spoiled(sign(claims, made("P-256"), "ES256", kid="ec")))
    return play.sign_in()


@module("-aggregated-claims")
def _(play: Play) -> TestResponse:
    inner = unsigned({"email": "another@kicks.example", "groups": ["Owners"]})
    names = {"email": "src1", "groups": "src1"}
    play.provider.userinfo = {**FULL, "_claim_names": names, "_claim_sources": {"src1": {"JWT": inner}}}
    return play.sign_in()


@module("-distributed-claims")
def _(play: Play) -> TestResponse:
    source = {"endpoint": f"{play.provider.url}/claims", "access_token": "more"}
    play.provider.userinfo = {**FULL, "_claim_names": {"x": "src1"}, "_claim_sources": {"src1": source}}
    told = play.sign_in()
    assert play.provider.seen["/claims"] == 0  # nothing is fetched on a token's word
    return told


@module("-discovery-openid-config")
def _(play: Play) -> TestResponse:
    told = play.sign_in()
    assert play.provider.seen["/.well-known/openid-configuration"] == 1
    return told


@module("-discovery-jwks-uri-keys")
def _(play: Play) -> TestResponse:
    play.provider.discovered["jwks_uri"] = f"{play.provider.url}/keys-of-today"
    play.provider.answers["/keys-of-today"] = lambda: json_answer({"keys": [public(key("first"), kid="first")]})
    told = play.sign_in()
    assert (play.provider.seen["/keys-of-today"], play.provider.seen["/keys"]) == (1, 0)
    return told


@module("-discovery-issuer-mismatch")
def _(play: Play) -> TestResponse:
    play.provider.discovered["issuer"] = f"{play.provider.url}/another"
    with pytest.raises(Invalid, match="calls itself"):
        play.connect()
    play.provider.discovered.clear()
    return play.sign_in()


@module("-signing-key-rotation-just-before-signing")
def _(play: Play) -> TestResponse:
    company = play.connect()
    play.sign_in(company)
    play.provider.kid = "second"
    return play.sign_in(company)


@module("-signing-key-rotation")
def _(play: Play) -> TestResponse:
    company = play.connect()
    for kid in ("first", "second"):
        play.provider.kid = kid
        told = play.sign_in(company)
    assert play.provider.seen["/keys"] == 2
    return told


@module("-userinfo-signed")
def _(play: Play) -> TestResponse:
    said = {**FULL, "iss": play.provider.url, "aud": "bridge-client"}
    play.provider.answers["/userinfo"] = lambda: (200, "application/jwt", play.provider.sign(said).encode())
    return play.sign_in()


@module("-3rd-party-init-login")
def _(play: Play) -> TestResponse:
    company = play.connect(allow_idp_initiated=True)
    play.provider.userinfo = dict(FULL)
    location = company.start(play.surfer, iss=play.provider.url, login_hint=EMAIL)
    return company.bring(play.surfer, play.provider.consent(location, **THIN))


# -- signing out -------------------------------------------------------------------------------------


def leave(play: Play, company: OidcCompany) -> dict[str, list[str]]:
    """Sign out here. Returns what the provider's end_session_endpoint is asked."""
    told = play.surfer.submit("/logout", play.surfer.get("/logout"))
    assert told.headers["Location"].startswith(f"{play.provider.url}/end?")
    return parse_qs(urlsplit(told.headers["Location"]).query)


@module("-rp-init-logout")
@module("-rp-init-logout-other-state")
@module("-rp-init-logout-no-state")
def _(play: Play) -> TestResponse:
    company = play.connect()
    known = partial(replace, logout_return=True)
    change_oidc_settings(play.world.context, OPERATOR, "acme", company.connection_id, known, play.world.now)
    play.sign_in(company)
    asked = leave(play, company)
    assert asked["id_token_hint"][0].count(".") == 2
    assert asked["client_id"] == ["bridge-client"]
    back = urlsplit(asked["post_logout_redirect_uri"][0]).path
    for state in ("", "?state=another"):
        assert play.surfer.get(f"{back}{state}").headers["Location"] == "/logout"
    assert play.surfer.session() is None
    return play.sign_in(company)


WRONG: dict[str, tuple[dict[str, Any], Callable[[Mapping[str, Any]], str] | None]] = {
    "-alg-none": ({}, unsigned),
    "-no-event": ({"events": None}, None),
    "-with-nonce": ({"nonce": "n"}, None),
    "-wrong-alg": ({}, lambda claims: sign(claims, made("P-256"), "ES256", kid="ec")),
    "-wrong-aud": ({"aud": "another-client"}, None),
    "-wrong-event": ({"events": {LOGOUT_EVENT + "x": {}}}, None),
    "-wrong-iss": ({"iss": "https://another.example"}, None),
}


def back_channel(wrong: str) -> Playing:
    """A logout token, good but for what is wrong with it; whoever was signed in stays so for a wrong one."""

    def play_it(play: Play) -> TestResponse:
        play.publishes(public(key("first"), kid="first"), public(made("P-256"), kid="ec"))
        company, good = play.connect(), play.provider.sign
        told = play.sign_in(company, sid="session-1")
        said, make = WRONG.get(wrong, ({}, None))
        play.signs(make or good)
        token = play.provider.logout_token(sid="session-1", ignored_claim="may be there", **said)
        answer = play.surfer.client.post(company.path("backchannel-logout"), data={"logout_token": token})
        assert (answer.status_code, answer.headers["Cache-Control"]) == (400 if wrong else 200, "no-store")
        assert (play.surfer.session() is None) is (not wrong)
        play.signs(good)
        return told if wrong else play.sign_in(company)

    return play_it


for _wrong in ("", *WRONG):
    MODULES[f"oidcc-client-test-rp-backchannel-rpinitlogout{_wrong}"] = Module(SIGNS_IN, back_channel(_wrong))


# -- the list ----------------------------------------------------------------------------------------


@pytest.fixture
def play(world: World, app: Flask, surfer: Surfer) -> Iterator[Play]:
    impatient(app, 5)
    with running_provider() as provider:
        yield Play(world, provider, surfer)


@pytest.mark.parametrize("name", MODULES)
def test_a_module_of_the_suite_ends_as_it_must(play: Play, name: str) -> None:
    told, outcome = MODULES[name].play(play), MODULES[name].outcome
    if outcome != SIGNS_IN:
        assert is_refused(play.world, told, outcome), told.text
        return
    assert told.status_code == 303, told.text
    said = play.surfer.session()
    assert (said["user"]["email"], said["authenticated_by"][0]["groups"]) == (EMAIL, [])


def test_every_module_is_played_or_has_its_reason() -> None:
    listed = [name for plan in PLANS.values() for name in plan]
    assert len(listed) == len(set(listed))
    assert set(listed) == {*MODULES, *NOT_ASKED}
    assert not MODULES.keys() & NOT_ASKED.keys()
