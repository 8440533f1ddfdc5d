"""7a. One connection never signs in a person that another connection of the same workspace pushes, and no IdP change
makes an account's email one whose mailbox or domain wasn't proved.

Beside: tests/flows/test_sign_in.py, test_provision_users.py, test_link_account.py.
"""

from datetime import datetime
from itertools import count, product

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.errors import DomainError
from bridge.flows.link_account import find_proof
from bridge.flows.provision_users import create_user, delete_user
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sessions import SignedIn
from bridge.storage.tables import users
from tests.flows.logins import Browser, account, attempt, join, prove_domain, sign_in
from tests.properties.outsiders import person
from tests.properties.ways import say, set_active
from tests.world import World, another_connection, make_world

_serial = count(1)
STEPS = ("push", "delete", "suspend", "let in", "sign in", "sign in under another subject")


@pytest.fixture
def entra(acme: World) -> World:
    return another_connection(acme, "Entra")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(st.tuples(st.sampled_from([0, 1]), st.sampled_from(STEPS)), min_size=2, max_size=10),
    proved=st.booleans(),
)
def test_whatever_came_before_a_login_opens_nobody_whom_only_the_other_pushes(
    acme: World, entra: World, steps: list[tuple[int, str]], proved: bool
) -> None:
    name = f"person{next(_serial)}"
    email = f"{name}@{name}.example"
    if proved:
        prove_domain(acme, f"{name}.example")
    pushed: list[str | None] = [None, None]
    for which, step in steps:
        world = (acme, entra)[which]
        try:
            pushed[which] = take(world, step, email, pushed[which])
        except DomainError:
            continue
        if step.startswith("sign in"):
            assert pushed[which] or not pushed[1 - which]


def take(world: World, step: str, email: str, record: str | None) -> str | None:
    """Do one step; the record that the connection pushes afterwards. Raises DomainError where a login opens nothing."""
    if step == "push":
        return record or world.push(email).id
    if step == "delete" and record:
        delete_user(world.context, world.connection, record, world.now)
        return None
    if step in ("suspend", "let in") and record:
        set_active(world, record, email, step == "let in")
    if step.startswith("sign in"):
        told = attempt(world, email, Browser(), subject=email if step == "sign in" else f"s-{email}")
        if not isinstance(told, SignedIn):
            raise DomainError("not opened")
    return record


# -- Emails ----------------------------------------------------------------------------------------------------------

OLD, NEW = "ann@old.example", "ann@new.example"


def emails(world: World) -> set[str]:
    with world.context.database.reading() as rows:
        return set(rows.execute(select(users.c.email)).scalars()) - {world.owner.email}


@pytest.mark.parametrize(("old", "new"), list(product([False, True], repeat=2)))
@pytest.mark.parametrize("by", ["push", "login", "push with another user name"])
def test_an_address_changes_only_where_both_domains_are_proved(acme: World, old: bool, new: bool, by: str) -> None:
    for proved, domain in ((old, "old.example"), (new, "new.example")):
        if proved:
            prove_domain(acme, domain)
    if by == "login":
        sign_in(acme, OLD, subject="s1")
        sign_in(acme, NEW, subject="s1")
    else:
        record = acme.push(OLD)
        say(acme, record.id, person(OLD if by == "push" else "ann", NEW, "x", True))
    assert emails(acme) == ({NEW} if old and new else {OLD})


@pytest.mark.parametrize("by", ["push", "login"])
def test_a_domain_that_another_workspace_proved_changes_nothing(acme: World, now: datetime, by: str) -> None:
    other = make_world(acme.context.database, now, slug="other", owner="otto@other.example")
    prove_domain(other, "old.example")
    prove_domain(acme, "new.example")
    if by == "login":
        sign_in(acme, OLD, subject="s1")
        sign_in(acme, NEW, subject="s1")
    else:
        say(acme, acme.push(OLD).id, person(OLD, NEW, "x", True))
    assert emails(acme) == {OLD, other.owner.email}


def test_an_address_that_somebody_has_is_never_taken(acme: World) -> None:
    for domain in ("old.example", "new.example"):
        prove_domain(acme, domain)
    account(acme, NEW)
    say(acme, acme.push(OLD).id, person(OLD, NEW, "x", True))
    assert emails(acme) == {OLD, NEW}


def test_proof_is_asked_of_the_stored_address(acme: World) -> None:
    account(acme, "ann@mail.example")
    browser = Browser()
    told = attempt(acme, "ANN@mail.example", browser)
    assert isinstance(told, ProofNeeded)
    assert find_proof(acme.context, told.token, browser.secret, acme.now).account_email == "ann@mail.example"


def test_an_unproved_account_stays_unproved_whatever_an_idp_says(acme: World) -> None:
    join(acme, account(acme, OLD, proved=False))
    create_user(acme.context, acme.connection, person(OLD, OLD, "x", True), acme.now)
    sign_in(acme, OLD)
    with acme.context.database.reading() as rows:
        assert rows.execute(select(users.c.email_proved_at).where(users.c.email == OLD)).scalar_one() is None
