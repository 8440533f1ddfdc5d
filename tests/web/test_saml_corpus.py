"""The attack corpus at the door it was made for: a connection that is `tests.saml.idp.BRIDGE`, whose browser has sent
the very request that each attack answers, at the time that each attack says. So each is refused by its own rule, as in
tests/saml/test_attacks.py, and by nothing before it.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, select, update
from werkzeug.test import TestResponse

from bridge.app import create_web
from bridge.flows import connect as connecting
from bridge.flows import login_requests, saml_connection, sign_in_log
from bridge.flows import sign_in as sign_in_flow
from bridge.flows.context import OPERATOR, Context
from bridge.storage.database import Database
from bridge.storage.tables import connections, seen, sessions, sign_in_attempts
from tests.costs import bounded
from tests.saml.attacks import Attack
from tests.saml.canary import visitors
from tests.saml.corpus import ATTACKS
from tests.saml.fuzz import mutate, seeds
from tests.saml.idp import BRIDGE, CONNECTION_ID, KICKS, NOW, PASSWORD, keys, post, sign_in
from tests.web.browsing import at, reference_in, request_id_in
from tests.web.test_saml_login import count
from tests.world import World, make_world

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ORIGIN = "https://bridge.example"
PATH = f"/saml/{CONNECTION_ID}"
REQUEST = "_request1"
#: Of the processor.
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Door:
    """The connection, on at `NOW`, and the application in front of it."""

    app: Flask
    world: World

    def browser(self) -> "Browser":
        """A browser that has asked to sign in; the request it sent is the corpus's, and nobody else's any more."""
        with self.world.context.database.writing() as rows:
            rows.execute(delete(seen).where(seen.c.hash == login_requests._spent("saml", CONNECTION_ID, REQUEST)))
        browser = Browser(self, self.app.test_client())
        there = browser.get(f"{PATH}/login")
        assert request_id_in(there.headers["Location"]) == REQUEST
        return browser

    def set_config(self, **values: Any) -> None:
        """Change what an admin has set."""
        with self.world.context.database.writing() as rows:
            is_it = connections.c.uid == CONNECTION_ID
            config = rows.execute(select(connections.c.config).where(is_it)).scalar_one()
            rows.execute(update(connections).where(is_it).values(config={**config, **values}))

    def logged(self, reference: str | None) -> tuple[str, str]:
        """The code and the check under a reference of the sign-in log."""
        with self.world.context.database.reading() as rows:
            found = select(sign_in_attempts.c.code, sign_in_attempts.c.check)
            row = rows.execute(found.where(sign_in_attempts.c.ref == reference)).one()
        return row.code, row.check


@dataclass(frozen=True, slots=True)
class Browser:
    """One browser, with its cookies."""

    door: Door
    client: Any

    def get(self, path: str) -> TestResponse:
        """Follow a link."""
        found: TestResponse = self.client.get(path, base_url=ORIGIN)
        return found

    def bring(self, form: dict[str, str]) -> TestResponse:
        """The IdP's page posts, without our cookies; where it is told to go on, the browser goes."""
        told: TestResponse = self.door.app.test_client().post(f"{PATH}/acs", base_url=ORIGIN, data=form)
        return self.get(told.headers["Location"].removeprefix(ORIGIN)) if told.status_code == 303 else told

    def is_signed_in(self) -> bool:
        """Whether `/session` knows it."""
        return self.get("/session").status_code == 200


@pytest.fixture
def door(database: Database, monkeypatch: pytest.MonkeyPatch) -> Iterator[Door]:
    world = make_world(database, NOW)
    context = replace(world.context, public_url=ORIGIN)
    with monkeypatch.context() as patch:
        patch.setattr(connecting, "uuid4", lambda: CONNECTION_ID)
        patch.setattr(connecting, "make_key_pair", lambda *_: (keys("bridge").private, keys("bridge").certificate))
        make(context)
    send_corpus_requests(monkeypatch)
    for limit in ("KEPT_BY_ADDRESS", "KEPT_BY_CONNECTION"):
        monkeypatch.setattr(sign_in_log, limit, 10_000)  # else it keeps one line for many of a kind
    app = create_web(context)
    app.testing = True
    found = Door(app, replace(world, context=context))
    found.set_config(authn_context=[PASSWORD])
    assert saml_connection.load_saml(context, CONNECTION_ID).sp == BRIDGE
    with at(app, NOW):
        yield found


def send_corpus_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """The bridge's requests have the name that the corpus answers, and are read by the name that they would have."""
    named, read, last = login_requests.name_request, login_requests.read_request, [""]

    def name_request(*said: Any, **more: Any) -> str:
        last[0] = named(*said, **more)
        return REQUEST

    def read_request(context: Context, kind: Any, connection_id: str, name: str, now: datetime) -> Any:
        return read(context, kind, connection_id, last[0] if name == REQUEST else name, now)

    monkeypatch.setattr(sign_in_flow, "name_request", name_request)
    for module in (sign_in_flow, login_requests):
        monkeypatch.setattr(module, "read_request", read_request)


def make(context: Context) -> None:
    draft = connecting.SamlDraft(KICKS.metadata, name="Kicks", preset="okta")
    connecting.create_saml(context, OPERATOR, "acme", draft, NOW)


def check_refused(door: Door, attack: Attack, browser: Browser, sessions_before: int) -> None:
    """Fails unless it is refused in time, for its own reason, and nobody is signed in."""
    form, _ = attack.make(), visitors()
    told = bounded(lambda: browser.bring(form), SECONDS, attack.name)
    assert 400 <= told.status_code < 500, attack.name
    code, check = door.logged(reference_in(told))
    assert code == attack.refusal.code, attack.name
    assert attack.check in (None, check), attack.name
    assert not browser.is_signed_in(), attack.name
    assert count(door.world, sessions) == sessions_before, attack.name
    assert visitors() == 0, attack.name


def play(door: Door, attacks: list[Attack]) -> None:
    """Each attack in a browser that waits for its answer, then the good answer in the same browser."""
    for number, attack in enumerate(attacks):
        door.set_config(allow_idp_initiated=attack.allow_unsolicited)
        browser = door.browser()
        check_refused(door, attack, browser, number)
        browser.bring(sign_in(KICKS, BRIDGE, NOW, in_response_to=REQUEST))
        assert browser.is_signed_in(), attack.name


@pytest.mark.long
def test_every_attack_is_refused_for_its_own_reason_and_the_same_browser_signs_in_after_it(door: Door) -> None:
    assert len(ATTACKS) > 400
    play(door, ATTACKS)


def test_some_attacks_of_each_reason_are_refused_for_it(door: Door) -> None:
    play(door, list({attack.refusal: attack for attack in ATTACKS}.values())[::3])


# -- Fuzzing ---------------------------------------------------------------------------------------------------------


@cache
def known_messages() -> list[bytes]:
    """Made once: it takes seconds."""
    return seeds()


def check_harmless(door: Door, known: list[bytes], chance: random.Random) -> None:
    """A mutation of a good or a bad message, in a browser that waits for it: a 4xx, or it still was Mei's."""
    octets = mutate(chance.choice(known), known, chance)
    browser = door.browser()
    told = browser.bring(post(octets))
    said = browser.get("/session").json or {}
    if 400 <= told.status_code < 500:
        assert "user" not in said, octets
    else:  # what was changed isn't in what was signed
        assert told.status_code == 303, octets
        assert said["user"]["email"] == "mei@kicks.example", octets


@given(st.integers(0, 2**32))
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_mutated_message_signs_in_nobody_else(door: Door, seed: int) -> None:
    check_harmless(door, known_messages(), random.Random(seed))
    assert visitors() == 0


@pytest.mark.long
@given(st.integers(0, 2**32))
@settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_many_mutated_messages_sign_in_nobody_else(door: Door, seed: int) -> None:
    check_harmless(door, known_messages(), random.Random(seed))
    assert visitors() == 0
