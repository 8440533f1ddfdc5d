"""5. A disabled connection is closed now, also for responses already under way, tokens and refreshes.

"Require SSO" stays closed when its connection breaks. Everything that a connection opens is opened first; then it is
switched off, put on a plan without SSO, or deleted, and each is tried once more.
"""

from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge.domain.errors import DomainError
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import MINIMAL
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.link_account import find_proof, follow_link, mail_link
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.password_login import Credentials, sign_in_with_password, ways_of
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sign_in import complete
from bridge.flows.tokens import create_scim_token, find_scim_token
from tests.flows.logins import (
    CLIENT,
    PASSWORD,
    Browser,
    account,
    answer,
    attempt,
    fetch_result,
    join,
    prove_domain,
    set_config,
    set_workspace,
    sign_in,
    start,
)
from tests.properties.outsiders import ADMIN
from tests.properties.ways import mailed_secret
from tests.world import World

ANN, BEN = "ann@acme.example", "ben@mail.example"
Try = Callable[[], bool]


def works(step: Callable[[], object]) -> bool:
    """Whether a step is let through and finds something."""
    try:
        return bool(step())
    except DomainError:
        return False


def open_everything(world: World) -> dict[str, Try]:
    """Each thing that the connection opens, under way or standing, as something to be tried."""
    context, now = world.context, world.now
    prove_domain(world, "acme.example")
    set_config(world, allow_idp_initiated=True)
    engineering = world.push_group("Engineering", world.push(ANN))
    draft = MappingDraft(world.connection.id, GroupMatch("id", engineering.id), (), (ADMIN,))
    add_mapping(context, OPERATOR, "acme", draft, now)
    account(world, BEN, password=PASSWORD)
    session, browser, asking, linking = sign_in(world, ANN), Browser(), Browser(), Browser()
    request_id = start(world, browser)
    handle = complete(context, "saml", answer(world, ANN, to=start(world, browser)), now)
    asked, linked = attempt(world, BEN, asking), attempt(world, BEN, linking)
    assert isinstance(asked, ProofNeeded)
    assert isinstance(linked, ProofNeeded)
    mail_link(context, linked.token, linking.secret, now)
    link = mailed_secret(context, now)
    token = create_scim_token(context, OPERATOR, "acme", world.connection.id, None, "pushes", now).token
    by_password = Credentials(BEN, PASSWORD, (asked.token, asking.secret))
    return {
        "session": lambda: "acme" in session.reaches(world),
        "access by its groups": lambda: any(one.role is not MINIMAL for one in access_of(context, "acme", ANN, now)),
        "scim token": lambda: works(lambda: find_scim_token(context, token, now)),
        "the login page's way": lambda: bool(ways_of(context, ANN)),
        "a new request": lambda: works(lambda: start(world, Browser())),
        "an answer": lambda: works(lambda: complete(context, "saml", answer(world, ANN, to=request_id), now)),
        "an unasked answer": lambda: works(lambda: complete(context, "saml", answer(world, ANN, to=None), now)),
        "a handle": lambda: works(lambda: fetch_result(context, handle, browser, now)),
        "the question": lambda: works(lambda: find_proof(context, asked.token, asking.secret, now)),
        "a mailed link": lambda: works(lambda: follow_link(context, link, linking.secret, CLIENT, now)),
        "a proof by password": lambda: works(lambda: sign_in_with_password(context, by_password, CLIENT, now)),
    }


WAYS = (
    "session",
    "access by its groups",
    "scim token",
    "the login page's way",
    "a new request",
    "an answer",
    "an unasked answer",
    "a handle",
    "the question",
    "a mailed link",
    "a proof by password",
)


def switch_off(world: World) -> None:
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)


def downgrade(world: World) -> None:
    set_plan(world.context, OPERATOR, "acme", "team", world.now)


def remove(world: World) -> None:
    delete_connection(world.context, OPERATOR, "acme", world.connection.id, world.now)


@pytest.mark.parametrize("way", WAYS)
def test_each_way_is_open_before(acme: World, way: str) -> None:
    ways = open_everything(acme)
    assert set(ways) == set(WAYS)
    assert ways[way]()


@pytest.mark.parametrize("close", [switch_off, downgrade, remove])
def test_and_each_is_closed_now(acme: World, close: Callable[[World], None]) -> None:
    ways = open_everything(acme)
    close(acme)
    still_open = [way for way, try_it in ways.items() if try_it()]
    # A downgrade removes nothing silently: Source Admin, part of every plan, stays given (product.md 1.6).
    assert still_open == (["access by its groups"] if close is downgrade else [])


@pytest.mark.parametrize("close", [switch_off, downgrade, remove])
def test_required_sso_stays_required(acme: World, close: Callable[[World], None]) -> None:
    join(acme, account(acme, BEN, password=PASSWORD))
    set_workspace(acme, require_sso=True)
    close(acme)
    told = sign_in_with_password(acme.context, Credentials(BEN, PASSWORD), CLIENT, acme.now)
    assert Browser(session=told.cookie).reaches(acme) == []


def test_what_it_authenticated_stays_ended_when_it_is_on_again(acme: World) -> None:
    session = sign_in(acme, ANN)
    set_enabled(acme.context, OPERATOR, "acme", acme.connection.id, False, acme.now + timedelta(minutes=1))
    set_enabled(acme.context, OPERATOR, "acme", acme.connection.id, True, acme.now + timedelta(minutes=2))
    assert session.reaches(acme, acme.now + timedelta(minutes=3)) == []


@pytest.mark.parametrize("way", ["an answer", "a handle", "the question", "a mailed link", "a proof by password"])
def test_what_was_under_way_is_over_when_it_is_on_again(acme: World, way: str) -> None:
    ways = open_everything(acme)
    switch_off(acme)
    set_enabled(acme.context, OPERATOR, "acme", acme.connection.id, True, acme.now + timedelta(seconds=1))
    assert not ways[way]()
