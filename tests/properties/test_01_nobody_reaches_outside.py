"""1. An IdP vouches only inside its own workspace.

Whatever connection A's IdP asserts (any email, any subject, any group), no account, membership, session or data of
another workspace is reached or changed. An identity is (connection, subject), never an email.

Beside: tests/flows/test_sign_in.py (the order of product.md 2.6), test_sessions.py (reach), test_link_account.py.
"""

from datetime import datetime
from functools import partial

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.domains import parse_domain
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.people import email_domain
from bridge.domain.roles import OWNER
from bridge.flows.accept_invitation import accept_with_password
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.password_login import Credentials, sign_in_with_password
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.user_groups import create_user_group, get_user_group
from bridge.storage.people import find_user_by_email
from tests.flows.logins import CLIENT, PASSWORD, Browser, account, attempt, join, prove_domain, sign_in
from tests.flows.mailer import link_of
from tests.properties.outsiders import PEOPLE, TRICKS, Acme, arrive, furnish
from tests.properties.rows import accounts_of, proofs_of, rows_of
from tests.world import World, make_world

STRASSE, LOOK_ALIKE = "ann@strasse.example", "ann@straße.example"


@pytest.fixture
def furnished(acme: World) -> Acme:
    return furnish(acme)


@pytest.fixture
def other(acme: World, now: datetime) -> World:
    return make_world(acme.context.database, now, slug="other", owner="otto@other.example")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_whatever_an_outsider_does_changes_no_row_of_the_workspace(furnished: Acme, data: st.DataObject) -> None:
    world, outsider = furnished.world, arrive(furnished)
    rows, accounts, proofs = rows_of(world), accounts_of(world), proofs_of(world)
    for _ in range(data.draw(st.integers(1, 15))):
        trick, n = data.draw(st.sampled_from(TRICKS)), data.draw(st.integers(0, 20))
        chosen = [data.draw(st.sampled_from(pool)) for pool in (outsider.texts(), outsider.addresses(), outsider.ids())]
        outsider.do(partial(trick, said=chosen[0], email=chosen[1], uid=chosen[2], n=n))
    assert rows_of(world) == rows
    assert accounts_of(world) == accounts
    assert proofs_of(world) >= proofs
    reached = {slug for browser in outsider.browsers for slug in browser.reaches(outsider.world)}
    assert reached <= {outsider.world.workspace.slug}


def test_furnished_people_still_reach_their_workspace_and_the_owner_is_alone(furnished: Acme) -> None:
    assert all(browser.reaches(furnished.world) == ["acme"] for browser in furnished.browsers.values())
    owners = [
        email
        for email in PEOPLE[:4]
        if any(one.role is OWNER for one in access_of(furnished.world.context, "acme", email, furnished.world.now))
    ]
    assert owners == ["olga@acme.example"]


@pytest.mark.parametrize("pushed_first", [False, True])
@pytest.mark.parametrize("subject", ["olga@acme.example", "anything", "OLGA@ACME.EXAMPLE"])
def test_an_idp_that_names_another_workspaces_owner_opens_its_own_workspace_only(
    acme: World, other: World, subject: str, pushed_first: bool
) -> None:
    if pushed_first:
        other.push("olga@acme.example")
    browser = Browser()
    told = attempt(other, "olga@acme.example", browser, subject=subject)
    browser.session = getattr(told, "cookie", None)
    assert browser.reaches(other) == (["other"] if pushed_first else [])
    current = browser.look(other)
    assert current is None or not current.may_change_account


def test_a_subject_of_one_connection_is_nobody_at_another(acme: World, other: World) -> None:
    sign_in(acme, "ann@acme.example", subject="00u1")
    told = attempt(other, "bob@other.example", browser := Browser(), subject="00u1")
    browser.session = getattr(told, "cookie", None)
    current = browser.look(other)
    assert current is not None
    assert current.user.email == "bob@other.example"


# -- Look-alikes: ß is not ss, a Kelvin sign is not k ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "like"),
    [
        (STRASSE, LOOK_ALIKE),
        ("strauss@mail.example", "strauß@mail.example"),
        ("sam@mail.example", "ſam@mail.example"),
        ("fin@mail.example", "ﬁn@mail.example"),
        ("mike@mail.example", "mi\u212ae@mail.example"),
    ],
)
def test_an_address_that_looks_alike_is_another_account(acme: World, one: str, like: str) -> None:
    account(acme, one)
    with acme.context.database.reading() as rows:
        assert find_user_by_email(rows, one.upper() if one.isascii() else one) is not None
        assert find_user_by_email(rows, like) is None


def test_an_invitation_to_a_look_alike_gives_no_password_to_the_account(acme: World, other: World) -> None:
    join(acme, account(acme, STRASSE))
    invite(other.context, f"user:{other.owner.id}", "other", InviteDraft((LOOK_ALIKE,)), other.now)
    accept_with_password(other.context, link_of(other.context, other.now), "Mallory", PASSWORD, other.now)
    told = sign_in_with_password(other.context, Credentials(LOOK_ALIKE, PASSWORD), CLIENT, other.now)
    assert Browser(session=told.cookie).reaches(other) == ["other"]


def test_a_proved_domain_is_not_its_look_alike(acme: World) -> None:
    assert parse_domain("straße.example") == email_domain(LOOK_ALIKE) != email_domain(STRASSE)
    prove_domain(acme, parse_domain("straße.example"))
    account(acme, STRASSE)
    assert isinstance(attempt(acme, STRASSE, Browser()), ProofNeeded)


def test_a_proved_domain_beyond_ascii_is_that_of_its_people(acme: World) -> None:
    prove_domain(acme, parse_domain("Bücher.example"))
    account(acme, "ann@bücher.example")
    assert sign_in(acme, "ann@BÜCHER.example").reaches(acme) == ["acme"]


# -- Ids of others ---------------------------------------------------------------------------------------------------


def test_a_rule_over_another_workspaces_group_matches_nothing_and_tells_nothing(acme: World, other: World) -> None:
    secret = acme.push_group("Project Nightfall", acme.push("ann@acme.example"))
    own = create_user_group(other.context, OPERATOR, "other", "Own", other.now)
    draft = MappingDraft(other.connection.id, GroupMatch("id", secret.id), ("Own",))
    made = add_mapping(other.context, f"user:{other.owner.id}", "other", draft, other.now)
    assert made.matched_groups == 0
    shown = get_user_group(other.context, "other", own.id, other.now)
    assert shown.member_count == 0
    assert "Nightfall" not in made.sentence + repr(shown)
