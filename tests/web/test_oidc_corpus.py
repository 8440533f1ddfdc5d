"""The corpus of bad tokens at the doors it was made for: the callback, where the provider answers each code with the
attack's ID token, and the address of back-channel logout.

The connection is `tests.oidc.provider.CLIENT` at KICKS, its nonce the corpus's, the time what each token says; so each
is refused by its own rule, as in tests/oidc/test_attacks.py.
"""

import json
import os
import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select
from werkzeug.test import TestResponse

from bridge.app import create_web
from bridge.domain.web_calls import Ask, WebCall, WebReply
from bridge.flows import sign_in_log
from bridge.flows.connect_oidc import OidcConnection, OidcDraft, create_oidc, load_oidc, read_provider
from bridge.flows.context import OPERATOR, Context
from bridge.flows.login_requests import CodeSecrets
from bridge.flows.outside import NOWHERE
from bridge.storage.database import Database
from bridge.storage.tables import provider_keys, sessions, sign_in_attempts
from bridge.web.current import OUTSIDE
from oidc.keys import Keys
from tests.costs import bounded
from tests.oidc import provider as kicks
from tests.oidc.attacks import ATTACKS, BUILT, Attack
from tests.oidc.test_fuzz import FRAGMENTS
from tests.web.browsing import at, reference_in
from tests.web.test_saml_login import count
from tests.web.test_scim_hostile import kibibytes
from tests.world import World, make_world

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
#: Of the processor.
SECONDS = 2.0

#: What something before the token's own rules refuses: the token endpoint's answer is read as an answer first, and a
#: form of nothing, or over its limit, never becomes a token ("": no code is logged).
EARLIER = {
    "a_huge_text_that_is_no_token": ("too-large", ""),
    "text: nothing": ("missing-id-token", ""),
    "text: a NUL": ("bad-token-answer", ""),
    "text: a lone surrogate": ("bad-token-answer", ""),
    "logout: a_huge_token": ("", "not-too-long"),
    "logout: a_huge_text_that_is_no_token": ("", "not-too-long"),
    "logout: text: nothing": ("", "is-compact"),
}


@dataclass
class Peer:
    """The provider: it answers with `token`; `called` are the addresses that were asked. `asked` is what the sign-in
    of the attack has asked for, beside what is usual.
    """

    token: str = ""
    called: list[str] = field(default_factory=list)
    asked: Mapping[str, Any] = field(default_factory=dict)

    @contextmanager
    def turn(self, whose: str = "", provider: str = "") -> Iterator[Ask]:
        """A turn to call it."""
        yield self.answer

    def answer(self, call: WebCall) -> WebReply:
        """What stands at an address."""
        self.called.append(call.url)
        told = {
            f"{kicks.ISSUER}/.well-known/openid-configuration": kicks.DISCOVERY,
            f"{kicks.ISSUER}/token": {
                "id_token": self.token,
                "access_token": kicks.ACCESS_TOKEN,
                "token_type": "Bearer",
            },
        }
        return WebReply(200, "application/json", json.dumps(told.get(call.url, {"keys": []})).encode())

    def keys(self, *_: Any, **__: Any) -> Keys:
        """Its keys, or the attack's."""
        found: Keys = self.asked.get("keys", kicks.keys())
        return found

    def load(self, context: Context, connection_id: str) -> OidcConnection:
        """The connection, set as the attack wants it."""
        ours = load_oidc(context, connection_id)
        client = replace(ours.client, hosted_domain=self.asked.get("hosted_domain"))
        return replace(ours, client=client, provider=self.asked.get("provider", ours.provider))


@dataclass(frozen=True, slots=True)
class Door:
    """The connection, and the application in front of it."""

    app: Flask
    world: World
    peer: Peer
    path: str
    log: pytest.LogCaptureFixture

    def logged(self, reference: str | None) -> tuple[str, str]:
        """The code and the check under a reference of the sign-in log."""
        with self.world.context.database.reading() as rows:
            found = select(sign_in_attempts.c.code, sign_in_attempts.c.check)
            row = rows.execute(found.where(sign_in_attempts.c.ref == reference)).one()
        return row.code, row.check

    def sign_in(self, browser: Any, token: str, *, fresh: bool = False) -> TestResponse:
        """The whole way, with a provider that answers the code by this token."""
        self.peer.token = token
        there = browser.get(f"{self.path}/login" + ("?fresh=1" if fresh else "")).headers["Location"]
        (state,) = parse_qs(urlsplit(there).query)["state"]
        issuer = self.peer.asked.get("provider", kicks.KICKS).issuer
        query = urlencode({"code": "a-code", "state": state, "iss": issuer})
        told: TestResponse = browser.get(f"{self.path}/callback?{query}")
        return told

    def sign_out(self, token: str) -> TestResponse:
        """The provider says that somebody signed out there."""
        form = urlencode({"logout_token": token}, errors="surrogatepass")
        kind = "application/x-www-form-urlencoded"
        told: TestResponse = self.app.test_client().post(
            f"{self.path}/backchannel-logout", data=form, content_type=kind
        )
        return told


@pytest.fixture
def door(database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[Door]:
    world, peer = make_world(database, kicks.NOW), Peer()
    draft = OidcDraft(issuer=kicks.ISSUER, client_id=kicks.CLIENT_ID, client_secret="s3cret", name="Kicks")
    made = create_oidc(world.context, OPERATOR, "acme", draft, read_provider(kicks.ISSUER, peer.answer), kicks.NOW)
    for module in ("oidc_login", "oidc_logout"):
        monkeypatch.setattr(f"bridge.web.{module}.load_oidc", peer.load)
    monkeypatch.setattr("bridge.flows.provider_keys.parse_keys", peer.keys)
    monkeypatch.setattr("bridge.flows.provider_keys.STRANGERS_READS_A_MINUTE", 10_000)
    for limit in ("KEPT_BY_ADDRESS", "KEPT_BY_CONNECTION"):
        monkeypatch.setattr(sign_in_log, limit, 10_000)  # else it keeps one line for many of a kind
    # State and browser are this sign-in's own; the nonce, which every token names, is the corpus's.
    monkeypatch.setattr(
        "bridge.flows.oidc_login.open_keepsake", lambda *_: CodeSecrets(peer.asked.get("nonce", kicks.NONCE), "v" * 43)
    )
    app = create_web(world.context)
    app.testing = True
    app.extensions[OUTSIDE] = replace(NOWHERE, calls=peer)
    with at(app, kicks.NOW):
        yield Door(app, world, peer, f"/oidc/{made.id}", caplog)


def reason(door: Door, attack: Attack, browser: Any) -> tuple[str, str]:
    """The code and check by which it is refused, in its protocol's form."""
    if attack.logout:
        door.log.clear()
        told = door.sign_out(BUILT[attack.name])
        assert told.status_code in (400, 413), attack.name
        assert told.json is not None
        assert told.json["error_description"], attack.name
        said = [one.rpartition(" ")[2] for one in door.log.messages if "was refused: " in one]
        return "".join(said), attack.check  # that log has no checks
    told = door.sign_in(browser, BUILT[attack.name], fresh="max_age" in attack.asked)
    assert 400 <= told.status_code < 500, attack.name
    return door.logged(reference_in(told))


def forget_keys(door: Door) -> None:
    """The provider's keys are read anew: they may be another attack's."""
    with door.world.context.database.writing() as rows:
        rows.execute(delete(provider_keys))


def check_refused(door: Door, attack: Attack, browser: Any) -> None:
    """Fails unless it is refused in time, for its own reason, nobody is signed in or out, and nothing else fetched."""
    door.peer.asked = attack.asked
    before = count(door.world, sessions)
    forget_keys(door)
    door.peer.called.clear()
    code, check = bounded(lambda: reason(door, attack, browser), SECONDS, attack.name)
    assert (code, check) == EARLIER.get(attack.name, (attack.refusal.code, attack.check)), attack.name
    assert browser.get("/session").status_code == 401, attack.name
    assert count(door.world, sessions) == before, attack.name
    assert set(door.peer.called) <= {f"{kicks.ISSUER}/token", f"{kicks.ISSUER}/keys"}, attack.name
    door.peer.asked = {}


def play(door: Door, attacks: list[Attack]) -> None:
    """Each attack in a browser that waits for its answer, then a good login in the same browser."""
    for number, attack in enumerate(attacks):
        browser = door.app.test_client()
        check_refused(door, attack, browser)
        forget_keys(door)
        told = door.sign_in(browser, kicks.sign(kicks.claims(sid=f"s{number}", jti=str(number))))
        assert browser.get("/session").status_code == 200, (attack.name, told.text)


@contextmanager
def memory_bounded() -> Iterator[None]:
    """Fails if this process ever held 300 MB more than it did before; not measured where there is no such /proc."""
    reset, pid = Path("/proc/self/clear_refs"), os.getpid()
    if not reset.exists():
        yield
        return
    reset.write_text("5")  # proc(5): the peak starts again from here
    held = kibibytes(pid, "VmRSS")
    yield
    assert (kibibytes(pid, "VmHWM") - held) // 1024 < 300


@pytest.mark.long
def test_every_token_is_refused_for_its_own_reason_and_the_same_browser_signs_in_after_it(door: Door) -> None:
    assert len(ATTACKS) > 500
    with memory_bounded():
        play(door, ATTACKS)


def test_some_tokens_of_each_reason_are_refused_for_it(door: Door) -> None:
    play(door, list({(attack.refusal, attack.logout): attack for attack in ATTACKS}.values())[::3])


def test_a_good_logout_token_ends_the_session(door: Door) -> None:
    browser = door.app.test_client()
    door.sign_in(browser, kicks.sign(kicks.claims()))
    assert browser.get("/session").status_code == 200
    forget_keys(door)
    assert door.sign_out(kicks.sign(kicks.logout_claims())).status_code == 200
    assert browser.get("/session").status_code == 401


# -- Fuzzing ---------------------------------------------------------------------------------------------------------


def check_harmless(door: Door, chance: random.Random) -> None:
    """A good token, changed in one to three places: refused, and nobody is signed in."""
    good = kicks.sign(kicks.claims())
    token = good
    for _ in range(chance.choice((1, 1, 3))):
        start = chance.randrange(len(token) + 1)
        new = chance.choice((chance.choice(FRAGMENTS), chance.randbytes(2))).decode("latin-1")
        token = token[:start] + new + token[start + chance.choice((0, 1, 20)) :]
    browser = door.app.test_client()
    told = door.sign_in(browser, token)
    if token != good:
        assert 400 <= told.status_code < 500, token
        assert browser.get("/session").status_code == 401, token
        assert 400 <= door.sign_out(token).status_code < 500, token


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_token_signs_nobody_in(door: Door, seed: int) -> None:
    check_harmless(door, random.Random(seed))


@pytest.mark.long
@given(st.integers(0, 2**32))
@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_mutated_token_of_many_signs_anybody_in(door: Door, seed: int) -> None:
    check_harmless(door, random.Random(seed))
