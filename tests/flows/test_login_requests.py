"""Requests to an IdP: nothing is kept of them here, and only what was sent is answered, once, in its own browser."""

import re
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from bridge.domain.sign_in_refusals import UnknownRequest
from bridge.flows.context import OPERATOR, Context
from bridge.flows.login_requests import (
    REQUEST_LASTS,
    Keepsake,
    Kind,
    find_unanswered,
    is_kept_by,
    name_request,
    new_keepsake,
    open_keepsake,
    read_request,
    sealed_keepsake,
)
from bridge.flows.own_connections import set_enabled
from bridge.flows.sign_in import complete
from bridge.storage.database import Database
from bridge.storage.secret_box import SecretBox
from bridge.storage.tables import metadata
from tests.flows.logins import Browser, answer, fetch_result, start
from tests.world import World, make_world

NOW = datetime(2026, 10, 1, 9, 30, 0, 123456, tzinfo=UTC)
ANN = "ann@acme.example"
KEEPSAKE = Keepsake("secret", "/w/acme")


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    """A workspace and its connection."""
    return make_world(database, now)


def name(context: Context, kind: Kind = "saml", connection_id: str = "one", **said: Any) -> str:
    """A request of this moment."""
    asked = {"fresh": False, "test": False} | said
    return name_request(context, kind, connection_id, KEEPSAKE, NOW, **asked)


def rows(world: World) -> int:
    with world.context.database.reading() as connection:
        counts = (connection.execute(select(func.count()).select_from(table)) for table in metadata.sorted_tables)
        return sum(one.scalar_one() for one in counts)


def test_a_request_says_when_it_was_sent_by_whom_and_what_it_demands(world: World) -> None:
    for fresh in (False, True):
        for test in (False, True):
            found = read_request(world.context, "saml", "one", name(world.context, fresh=fresh, test=test), NOW)
            assert found is not None
            assert (found.asked_at, found.fresh, found.test) == (NOW, fresh, test)
            assert found.fresh_since == (NOW if fresh else None)
            assert is_kept_by(KEEPSAKE, found.browser_hash)


@pytest.mark.parametrize("other", [None, Keepsake("secret", "/"), Keepsake("other", "/w/acme"), Keepsake("", "")])
def test_it_is_kept_by_one_browser_with_its_way_back(world: World, other: Keepsake | None) -> None:
    found = read_request(world.context, "saml", "one", name(world.context), NOW)
    assert found is not None
    assert not is_kept_by(other, found.browser_hash)


def test_its_name_is_an_xs_id_and_fits_into_a_form(world: World) -> None:
    """SAML Core 1.3.4: an NCName; RFC 6749 A.5: printable."""
    assert re.fullmatch(r"_[A-Za-z0-9_-]{56}", name(world.context))


def test_it_lasts_half_an_hour(world: World) -> None:
    asked = name(world.context)
    assert read_request(world.context, "saml", "one", asked, NOW + REQUEST_LASTS - timedelta(microseconds=1))
    assert read_request(world.context, "saml", "one", asked, NOW + REQUEST_LASTS) is None


@pytest.mark.parametrize("kind", get_args(Kind))
@pytest.mark.parametrize("connection_id", ["one", "two", "", "one:", "saml:one"])
def test_it_is_of_one_protocol_and_one_connection(world: World, kind: Kind, connection_id: str) -> None:
    found = read_request(world.context, kind, connection_id, name(world.context), NOW)
    assert (found is not None) == ((kind, connection_id) == ("saml", "one"))


@given(at=st.integers(0, 56), letter=st.sampled_from(string.ascii_letters + string.digits + "-_.=+/é "))
def test_nobody_else_makes_one(at: int, letter: str) -> None:
    context = make()
    asked = name(context)
    changed = asked[:at] + letter + asked[at + 1 :]
    assert (read_request(context, "saml", "one", changed, NOW) is None) == (changed != asked)


@given(said=st.text(max_size=80))
def test_whatever_is_said_to_be_one_is_none(said: str) -> None:
    context = make()
    for text in (said, f"_{said}", name(context) + said if said else "", name(context)[:-1]):
        assert read_request(context, "saml", "one", text, NOW) is None


def make() -> Context:
    """What naming needs of a context."""
    nothing: Any = None
    return Context(nothing, SecretBox(("key",)), "https://bridge.example")


def test_requests_outlast_a_change_of_the_operators_keys_and_no_others_keys_fit(world: World) -> None:
    (key,) = world.context.secrets.keys
    asked = name(world.context)
    for keys, fits in ((("new", key), True), (("new",), False)):
        context = replace(world.context, secrets=SecretBox(keys))
        assert (read_request(context, "saml", "one", asked, NOW) is not None) == fits


def test_thousands_of_requests_leave_nothing_behind_and_each_can_be_answered(world: World) -> None:
    browsers, before = [Browser() for _ in range(3)], rows(world)
    asked = [start(world, browser) for _ in range(1_000) for browser in browsers]
    assert rows(world) == before
    assert len(set(asked)) == 3_000
    handle = complete(world.context, "saml", answer(world, ANN, to=asked[0]), world.now)
    assert fetch_result(world.context, handle, browsers[0], world.now)


def test_an_answered_request_is_known_no_more(world: World) -> None:
    asked, uid = start(world, Browser()), world.connection.id
    assert find_unanswered(world.context, "saml", uid, asked, world.now)
    complete(world.context, "saml", answer(world, ANN, to=asked), world.now)
    assert find_unanswered(world.context, "saml", uid, asked, world.now) is None
    with pytest.raises(UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=asked), world.now)


def test_what_was_asked_before_the_connection_was_off_is_over(world: World) -> None:
    before, later = start(world, Browser()), world.now + timedelta(seconds=2)
    for enabled in (False, True):
        set_enabled(world.context, OPERATOR, "acme", world.connection.id, enabled, later - timedelta(seconds=1))
    with pytest.raises(UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=before), later)
    after = start(world, Browser(), now=later)
    assert complete(world.context, "saml", answer(world, ANN, to=after), later)


def test_nonce_and_verifier_are_sealed_in_what_the_browser_keeps(world: World) -> None:
    keepsake, secrets = sealed_keepsake(world.context, "/")
    assert open_keepsake(world.context, keepsake) == secrets
    for other in (new_keepsake("/"), Keepsake("", "/"), Keepsake("é", "/"), Keepsake(keepsake.secret[:-4], "/")):
        assert open_keepsake(world.context, other) is None
    assert sealed_keepsake(world.context, "/")[1].nonce != secrets.nonce
