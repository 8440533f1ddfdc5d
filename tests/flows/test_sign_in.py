"""Product.md 2.6 and 5.1, properties.md 1, 2, 5, 7a, 12: signing in through a connection."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bridge.domain import sign_in_refusals as refused
from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser, PushedEmail, PushedUser
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import OWNER, get_role
from bridge.domain.workspace import Membership, User
from bridge.flows.context import OPERATOR
from bridge.flows.invite import InviteDraft, invite, revoke
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.own_connections import set_enabled
from bridge.flows.provision_users import change_user, delete_user
from bridge.flows.resume_login import ProofNeeded
from bridge.flows.sessions import SignedIn
from bridge.flows.sign_in import complete
from bridge.storage import access, people
from bridge.storage.changes import changing
from bridge.storage.database import Database
from bridge.storage.grants import insert_grant
from bridge.storage.tables import (
    audit,
    authentications,
    directory_groups,
    directory_users,
    group_members,
    identities,
    mapping_matches,
    memberships,
    sessions,
    sign_in_attempts,
    users,
)
from tests.flows.audit import audit_events
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
    sign_in,
    start,
)
from tests.world import World, another_connection, make_world

ANN = "ann@acme.example"


@pytest.fixture
def world(database: Database, now: datetime) -> World:
    return make_world(database, now)


def user(world: World, email: str) -> User | None:
    with world.context.database.reading() as rows:
        return people.find_user_by_email(rows, email)


def member(world: World, email: str = ANN) -> Membership | None:
    with world.context.database.reading() as rows:
        found = people.find_user_by_email(rows, email)
        return people.find_member(rows, world.workspace.key, found.key) if found else None


def read(world: World, *columns: Any) -> list[Any]:
    with world.context.database.reading() as rows:
        in_order = select(*columns).order_by(*columns[0].table.primary_key)
        return [tuple(row) for row in rows.execute(in_order)]


def count(world: World, table: Any) -> int:
    with world.context.database.reading() as rows:
        counted: int = rows.execute(select(func.count()).select_from(table)).scalar_one()
        return counted


def suspend(world: World, user_id: str, active: bool = False) -> None:
    change_user(
        world.context, world.connection, user_id, lambda stored: replace(stored.pushed, active=active), world.now
    )


def make_owner(world: World, membership_key: int) -> None:
    with changing(world.context.database, OPERATOR, world.now) as change:
        insert_grant(change, world.workspace.key, membership_key, RoleInScope(OWNER, EVERYWHERE), OPERATOR)


def groups_of(world: World, email: str = ANN) -> list[str]:
    """The asserted groups that a person is in."""
    found = member(world, email)
    assert found is not None
    with world.context.database.reading() as rows:
        chosen = (
            select(directory_groups.c.name)
            .join(group_members, group_members.c.group_id == directory_groups.c.id)
            .join(directory_users, directory_users.c.id == group_members.c.directory_user_id)
            .where(directory_users.c.membership_id == found.key, directory_groups.c.source == "asserted")
            .order_by(directory_groups.c.name)
        )
        return list(rows.execute(chosen).scalars())


# -- Whose account it is, in the order of 2.6 --------------------------------------------------------


def test_nobody_has_the_email_so_an_account_and_a_membership_are_made(world: World) -> None:
    browser = sign_in(world, ANN, name="Ann Ames")
    made, joined = user(world, ANN), member(world)
    assert made is not None
    assert made.name == "Ann Ames"
    assert not made.email_proved
    assert joined is not None
    assert joined.accepted
    assert browser.reaches(world) == ["acme"]


def test_a_made_membership_has_minimal_access_given_by_the_connection(world: World) -> None:
    sign_in(world, ANN)
    joined = member(world)
    assert joined is not None
    with world.context.database.reading() as rows:
        (path,) = access.paths(rows, joined.key, ["minimal_workspace_access", OWNER.id], world.now)
    assert path.role == "minimal_workspace_access"
    assert path.because.given_by == f"connection:{world.connection.id}"


def test_a_made_account_in_a_proved_domain_has_a_proved_email(world: World) -> None:
    prove_domain(world, "acme.example")
    sign_in(world, ANN)
    made = user(world, ANN)
    assert made is not None
    assert made.email_proved


def test_the_identity_comes_first_whatever_the_email_says(world: World) -> None:
    sign_in(world, ANN, subject="s1")
    account(world, "bob@acme.example")
    browser = sign_in(world, "bob@acme.example", subject="s1")
    current = browser.look(world)
    assert current is not None
    assert current.user.email == ANN


def test_a_subject_is_compared_with_its_case(world: World) -> None:
    sign_in(world, ANN, subject="abc")
    sign_in(world, "bob@acme.example", subject="ABC")
    assert len(set(read(world, identities.c.user_id))) == 2


@pytest.mark.parametrize("subject", ["EXT-1", "Ann@Acme.Example", "opaque"])
def test_a_pushed_person_is_found_by_external_id_user_name_or_email(world: World, subject: str) -> None:
    world.push(ANN, external_id="EXT-1")
    email = ANN if subject == "opaque" else "other@elsewhere.example"
    browser = sign_in(world, email, subject=subject)
    current = browser.look(world)
    assert current is not None
    assert current.user.email == ANN
    assert count(world, users) == 2  # Ann and the owner


def test_a_pushed_account_that_had_a_life_before_is_reached_through_sso_only(world: World) -> None:
    account(world, ANN, password=PASSWORD)
    world.push(ANN)
    sign_in(world, ANN)
    joined = member(world)
    assert joined is not None
    assert not joined.accepted


def test_a_member_whom_nobody_else_signs_in_is_found_by_email(world: World) -> None:
    join(world, account(world, ANN))
    sign_in(world, ANN, subject="s1")
    assert count(world, users) == 2
    assert read(world, identities.c.subject) == [("s1",)]


def test_a_member_whom_another_connection_signed_in_proves_the_account(world: World) -> None:
    join(world, account(world, ANN))
    sign_in(world, ANN)
    entra = another_connection(world, "Entra")
    assert isinstance(attempt(entra, ANN, Browser()), ProofNeeded)


def test_an_owner_is_found_by_email_only_where_the_domain_is_proved(world: World) -> None:
    make_owner(world, join(world, account(world, ANN)))
    assert isinstance(attempt(world, ANN, Browser()), ProofNeeded)
    assert count(world, identities) == 0
    prove_domain(world, "acme.example")
    assert isinstance(attempt(world, ANN, Browser()), SignedIn)


def test_an_account_from_elsewhere_is_opened_where_this_workspace_proved_its_domain(world: World) -> None:
    key = account(world, ANN)
    prove_domain(world, "acme.example")
    browser = sign_in(world, ANN)
    current = browser.look(world)
    assert current is not None
    assert current.user.key == key
    assert browser.reaches(world) == ["acme"]


def test_an_account_from_elsewhere_proves_itself_where_the_domain_is_not_proved(world: World) -> None:
    account(world, ANN)
    assert isinstance(attempt(world, ANN, Browser()), ProofNeeded)
    assert member(world) is None
    assert count(world, identities) == 0


def test_a_domain_proved_by_another_workspace_opens_nothing(world: World, database: Database) -> None:
    account(world, ANN)
    prove_domain(make_world(database, world.now, slug="other", owner="o@other.example"), "acme.example")
    assert isinstance(attempt(world, ANN, Browser()), ProofNeeded)


# -- Who stays out -----------------------------------------------------------------------------------


def test_without_just_in_time_accounts_a_stranger_is_refused(world: World) -> None:
    set_config(world, jit=False)
    with pytest.raises(refused.NotAMember):
        attempt(world, ANN, Browser())
    assert user(world, ANN) is None


def test_without_just_in_time_accounts_nobody_learns_whether_an_account_exists(world: World) -> None:
    set_config(world, jit=False)
    account(world, ANN)
    with pytest.raises(refused.NotAMember):
        attempt(world, ANN, Browser())


def test_without_just_in_time_accounts_a_pushed_person_signs_in(world: World) -> None:
    set_config(world, jit=False)
    world.push(ANN)
    assert sign_in(world, ANN).reaches(world) == ["acme"]


def test_without_just_in_time_accounts_who_is_invited_signs_in(world: World) -> None:
    set_config(world, jit=False)
    invite(world.context, OPERATOR, "acme", InviteDraft((ANN.upper(),)), world.now - timedelta(days=1))
    assert sign_in(world, ANN).reaches(world) == ["acme"]


@pytest.mark.parametrize("why", ["expired", "revoked", "of another workspace", "not vouched"])
def test_without_just_in_time_accounts_no_other_invitation_helps(world: World, why: str) -> None:
    set_config(world, jit=False)
    slug = "acme"
    if why == "of another workspace":
        slug = make_world(world.context.database, world.now, slug="other", owner="o@other.example").workspace.slug
    sent = world.now - timedelta(days=4 if why == "expired" else 1)
    [sent_one] = invite(world.context, OPERATOR, slug, InviteDraft((ANN,)), sent)
    if why == "revoked":
        revoke(world.context, OPERATOR, slug, sent_one.id, world.now)
    with pytest.raises(refused.NotAMember):
        attempt(world, ANN, Browser(), email_vouched=why != "not vouched")
    assert user(world, ANN) is None


def test_a_removed_member_is_not_revived(world: World) -> None:
    sign_in(world, ANN)
    joined = member(world)
    assert joined is not None
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.end_membership(change, joined.key)
    with pytest.raises(refused.MembershipEnded):
        attempt(world, ANN, Browser())
    still = member(world)
    assert still is not None
    assert still.status == "removed"


def test_a_suspended_person_is_held_out(world: World) -> None:
    suspend(world, world.push(ANN).id)
    with pytest.raises(refused.HeldOut):
        attempt(world, ANN, Browser())


def test_a_deleted_person_does_not_come_back_by_signing_in(world: World) -> None:
    delete_user(world.context, world.connection, world.push(ANN).id, world.now)
    with pytest.raises(refused.MembershipEnded):
        attempt(world, ANN, Browser())


def test_a_pushed_record_without_an_account_holds_out_too(world: World) -> None:
    suspend(world, world.push("no-address", external_id="EXT-9").id)
    with pytest.raises(refused.HeldOut):
        attempt(world, ANN, Browser(), subject="EXT-9")


def test_the_second_of_two_with_one_address_does_not_open_the_firsts_account(world: World) -> None:
    world.push(ANN)
    second = world.push("ann.second", external_id="EXT-2")

    def share(stored: DirectoryUser) -> PushedUser:
        return replace(stored.pushed, emails=(PushedEmail(ANN, "work", True),))

    change_user(world.context, world.connection, second.id, share, world.now)
    with pytest.raises(refused.SharedEmail):
        attempt(world, ANN, Browser(), subject="EXT-2")


def test_one_connection_never_signs_in_a_person_that_another_pushes(world: World) -> None:
    another_connection(world, "Entra").push(ANN)
    with pytest.raises(refused.AnotherConnectionsPerson):
        attempt(world, ANN, Browser())


def test_not_even_where_the_domain_is_proved(world: World) -> None:
    another_connection(world, "Entra").push(ANN)
    prove_domain(world, "acme.example")
    with pytest.raises(refused.AnotherConnectionsPerson):
        attempt(world, ANN, Browser())


def test_nor_once_it_has_signed_them_in_before_the_other_pushed(world: World) -> None:
    sign_in(world, ANN)
    another_connection(world, "Entra").push(ANN)
    with pytest.raises(refused.AnotherConnectionsPerson):
        attempt(world, ANN, Browser())


def test_a_closed_account_is_not_opened(world: World) -> None:
    sign_in(world, ANN)
    found = user(world, ANN)
    assert found is not None
    with changing(world.context.database, OPERATOR, world.now) as change:
        people.set_user(change, found.key, closed_at=world.now)
    with pytest.raises(refused.AccountClosed):
        attempt(world, ANN, Browser())


@pytest.mark.parametrize("email", ["", "ann", "ann@", "a b@acme.example", "ann@acme.example\n"])
def test_an_email_that_is_none_is_refused_or_read_without_space(world: World, email: str) -> None:
    if email.strip() == ANN:
        sign_in(world, email, subject="s1")
        assert user(world, ANN) is not None
    else:
        with pytest.raises(refused.UnusableIdentity):
            attempt(world, email, Browser(), subject="s1")


@pytest.mark.parametrize("subject", ["", "x" * 513, "a\x00b", "a\nb"])
def test_a_subject_that_could_not_be_kept_is_refused(world: World, subject: str) -> None:
    with pytest.raises(refused.UnusableIdentity):
        attempt(world, ANN, Browser(), subject=subject)


# -- An account whose email was never proved ---------------------------------------------------------


def test_an_unproved_account_with_a_password_is_not_linked_by_email(world: World) -> None:
    join(world, account(world, ANN, proved=False, password=PASSWORD))
    assert isinstance(attempt(world, ANN, Browser()), ProofNeeded)


def test_pushing_it_first_does_not_help(world: World) -> None:
    account(world, ANN, proved=False, password=PASSWORD)
    world.push(ANN)
    assert isinstance(attempt(world, ANN, Browser()), ProofNeeded)
    found = user(world, ANN)
    assert found is not None
    assert found.has_password


def test_adopting_it_by_a_proved_domain_clears_credentials_sessions_and_links(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    squatter = sign_in(other, ANN, subject="squatter")
    key = read(world, identities.c.user_id)[0][0]
    with changing(database, OPERATOR, world.now) as change:
        people.set_user(change, key, password_hash="squatted")
    prove_domain(world, "acme.example")
    sign_in(world, ANN, subject="ann")
    assert squatter.look(other) is None
    assert read(world, identities.c.subject) == [("ann",)]
    found = user(world, ANN)
    assert found is not None
    assert found.key == key
    assert found.email_proved
    assert not found.has_password


def test_two_workspaces_of_one_unproved_person_do_not_disturb_each_other(world: World, database: Database) -> None:
    other = make_world(database, world.now, slug="other", owner="o@other.example")
    there = sign_in(other, ANN)
    world.push(ANN)
    here = sign_in(world, ANN)
    assert there.reaches(other) == ["other"]
    assert here.reaches(world) == ["acme"]


# -- An IdP's new address ----------------------------------------------------------------------------


def test_an_idp_changes_an_address_where_both_domains_are_proved(world: World) -> None:
    for domain in ("acme.example", "acme.test"):
        prove_domain(world, domain)
    sign_in(world, ANN, subject="s1")
    sign_in(world, "ann@acme.test", subject="s1")
    assert user(world, ANN) is None
    assert user(world, "ann@acme.test") is not None


@pytest.mark.parametrize("proved", [(), ("acme.example",), ("acme.test",)])
def test_otherwise_the_account_keeps_its_address_and_the_record_takes_the_new_one(
    world: World, proved: tuple[str, ...]
) -> None:
    for domain in proved:
        prove_domain(world, domain)
    sign_in(world, ANN, subject="s1")
    sign_in(world, "ann@acme.test", subject="s1")
    assert user(world, ANN) is not None
    assert read(world, directory_users.c.email_ci) == [("ann@acme.test",)]


def test_an_address_that_somebody_has_is_not_taken(world: World) -> None:
    for domain in ("acme.example", "acme.test"):
        prove_domain(world, domain)
    account(world, "ann@acme.test")
    sign_in(world, ANN, subject="s1")
    sign_in(world, "ann@acme.test", subject="s1")
    assert user(world, ANN) is not None


# -- Groups named at a login (5.1) -------------------------------------------------------------------


def test_asserted_groups_are_replaced_whole_at_each_login(world: World) -> None:
    sign_in(world, ANN, groups=("eng", "ops"))
    assert groups_of(world) == ["eng", "ops"]
    sign_in(world, ANN, groups=("ops", "sales"))
    assert groups_of(world) == ["ops", "sales"]
    sign_in(world, ANN)
    assert groups_of(world) == []


def test_a_member_who_stays_in_a_group_keeps_their_row(world: World) -> None:
    sign_in(world, ANN, groups=("eng",))
    sign_in(world, ANN, groups=("eng", "ops"), now=world.now + timedelta(days=1))
    since = {row[0]: row[1] for row in read(world, group_members.c.group_id, group_members.c.since)}
    assert sorted(since.values()) == [world.now, world.now + timedelta(days=1)]


def test_groups_count_their_members(world: World) -> None:
    for email, groups in ((ANN, ("eng", "ops")), ("bob@acme.example", ("eng",)), (ANN, ("eng",))):
        sign_in(world, email, groups=groups)
    counted = dict(read(world, directory_groups.c.name, directory_groups.c.n_members))
    assert counted == {"eng": 2, "ops": 0}


def test_a_group_is_one_whatever_its_case(world: World) -> None:
    sign_in(world, ANN, groups=("Eng",))
    sign_in(world, "bob@acme.example", groups=("ENG", "eng"))
    assert read(world, directory_groups.c.name, directory_groups.c.n_members) == [("Eng", 2)]


def test_six_hundred_groups_work(world: World) -> None:
    names = tuple(f"group-{n:03}" for n in range(600))
    sign_in(world, ANN, groups=names)
    assert len(groups_of(world)) == 600


@pytest.mark.parametrize("name", ["x" * 256, "x" * 100_000, "", "a\x00b"])
def test_a_group_name_that_no_rule_could_match_is_left_out(world: World, name: str) -> None:
    sign_in(world, ANN, groups=(name, "eng"))
    assert groups_of(world) == ["eng"]


def test_asserted_groups_count_for_seven_days(world: World) -> None:
    sign_in(world, ANN, groups=("eng",))
    assert read(world, directory_users.c.asserted_until) == [(world.now + timedelta(days=7),)]


@pytest.mark.parametrize(("days", "counted"), [(1, 1), (30, 30), (365, 30)])
def test_a_setting_says_how_long_and_thirty_days_is_the_most(world: World, days: int, counted: int) -> None:
    set_config(world, asserted_days=days)
    sign_in(world, ANN, groups=("eng",))
    assert read(world, directory_users.c.asserted_until) == [(world.now + timedelta(days=counted),)]


def test_groups_that_counted_no_more_are_come_into_again(world: World) -> None:
    """Programs that kept an answer by the revision hear of it (docs/decisions/0033)."""
    for days, told in ((0, 1), (1, 1), (9, 2)):
        sign_in(world, ANN, groups=("eng",), now=world.now + timedelta(days=days))
        events = [kind for _, kind, _ in audit_events(world.context)]
        assert events.count("idp_groups.named_at_login") == told


def test_a_rule_matches_a_group_that_a_login_names_first(world: World) -> None:
    role = RoleInScope(get_role("Source Admin"), EVERYWHERE)
    draft = MappingDraft(world.connection.id, GroupMatch("glob", "eng-*"), roles=(role,))
    add_mapping(world.context, OPERATOR, "acme", draft, world.now)
    sign_in(world, ANN, groups=("eng-mobile",))
    assert count(world, mapping_matches) == 1
    joined = member(world)
    assert joined is not None
    with world.context.database.reading() as rows:
        assert access.may(rows, joined.key, ["source_admin"], None, world.now)
        assert not access.may(rows, joined.key, ["source_admin"], None, world.now + timedelta(days=8))


def test_a_pushed_person_keeps_one_record_and_stays_what_was_pushed(world: World) -> None:
    pushed = world.push(ANN, name="Ann Ames")
    sign_in(world, "other@acme.example", subject=ANN, name="Somebody", groups=("eng",))
    columns = directory_users.c
    rows = read(world, columns.uid, columns.pushed, columns.display_name, columns.version)
    assert rows == [(pushed.id, True, "Ann Ames", 0)]


# -- Requests, replays, browsers ---------------------------------------------------------------------


def test_an_answer_signs_in_once(world: World) -> None:
    browser = Browser()
    said = answer(world, ANN, to=start(world, browser))
    complete(world.context, "saml", said, world.now)
    with pytest.raises(refused.Replayed):
        complete(world.context, "saml", said, world.now)


def test_an_unasked_answer_signs_in_once_too(world: World) -> None:
    set_config(world, allow_idp_initiated=True)
    said = answer(world, ANN, to=None)
    complete(world.context, "saml", said, world.now)
    with pytest.raises(refused.Replayed):
        complete(world.context, "saml", said, world.now)


def test_of_parallel_replays_one_signs_in(world: World) -> None:
    set_config(world, allow_idp_initiated=True)
    said = answer(world, ANN, to=None)
    assert sum(_together(lambda: complete(world.context, "saml", said, world.now))) == 1


def test_parallel_first_logins_of_one_person_make_one_account(world: World) -> None:
    set_config(world, allow_idp_initiated=True)

    def login() -> str:
        return complete(world.context, "saml", answer(world, ANN, to=None, groups=("eng", "ops")), world.now)

    assert sum(_together(login)) == 4
    assert count(world, users) == 2
    assert count(world, memberships) == 2
    assert dict(read(world, directory_groups.c.name, directory_groups.c.n_members)) == {"eng": 1, "ops": 1}


def _together(do: Callable[[], str]) -> list[bool]:
    """Whether each of four at once succeeds; what fails must be a refusal."""

    def succeeds(_: int) -> bool:
        try:
            do()
        except refused.SignInRefused:
            return False
        return True

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(succeeds, range(4)))


def test_a_refused_answer_is_spent(world: World) -> None:
    browser = Browser()
    suspended = world.push(ANN)
    suspend(world, suspended.id)
    said = answer(world, ANN, to=start(world, browser))
    with pytest.raises(refused.HeldOut):
        complete(world.context, "saml", said, world.now)
    suspend(world, suspended.id, active=True)
    with pytest.raises(refused.Replayed):
        complete(world.context, "saml", said, world.now)


def test_a_request_is_answered_once(world: World) -> None:
    request_id = start(world, Browser())
    complete(world.context, "saml", answer(world, ANN, to=request_id), world.now)
    with pytest.raises(refused.UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=request_id), world.now)


def test_a_request_that_nobody_sent_is_refused(world: World) -> None:
    with pytest.raises(refused.UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to="_invented"), world.now)
    assert user(world, ANN) is None


def test_a_request_of_another_connection_is_refused(world: World) -> None:
    entra = another_connection(world, "Entra")
    with pytest.raises(refused.UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=start(entra, Browser())), world.now)


def test_a_request_runs_out(world: World) -> None:
    request_id = start(world, Browser())
    with pytest.raises(refused.UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=request_id), world.now + timedelta(minutes=31))


def test_an_unasked_answer_is_refused_unless_the_connection_allows_it(world: World) -> None:
    with pytest.raises(refused.UnknownRequest):
        complete(world.context, "saml", answer(world, ANN, to=None), world.now)


def test_another_browser_cannot_finish_a_login(world: World) -> None:
    handle = complete(world.context, "saml", answer(world, ANN, to=start(world, Browser())), world.now)
    other = Browser(kept={handle.partition(".")[0]: Browser().keep("/")})
    for browser in (Browser(), other):
        with pytest.raises(refused.OtherBrowser):
            fetch_result(world.context, handle, browser, world.now)
    assert count(world, sessions) == 0


def test_a_handle_works_once_and_for_a_minute(world: World) -> None:
    browser = Browser()
    handle = complete(world.context, "saml", answer(world, ANN, to=start(world, browser)), world.now)
    with pytest.raises(refused.UnknownRequest):
        fetch_result(world.context, handle, browser, world.now + timedelta(seconds=61))
    fetch_result(world.context, handle, browser, world.now + timedelta(seconds=59))
    with pytest.raises(refused.UnknownRequest):
        fetch_result(world.context, handle, browser, world.now)


def test_two_tabs_of_one_browser_both_arrive_where_they_were_going(world: World) -> None:
    browser = Browser()
    tabs = {path: start(world, browser, return_to=path) for path in ("/w/acme/users", "/w/acme/tokens")}
    for path, request_id in reversed(tabs.items()):
        handle = complete(world.context, "saml", answer(world, ANN, to=request_id), world.now)
        outcome = fetch_result(world.context, handle, browser, world.now, old=browser.session)
        assert isinstance(outcome, SignedIn)
        assert outcome.return_to == path
        browser.session = outcome.cookie


@pytest.mark.parametrize("moment", ["begin", "complete", "resume"])
def test_a_disabled_connection_is_closed_at_every_step(world: World, moment: str) -> None:
    browser = Browser()

    def disable(at: str) -> None:
        if at == moment:
            set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)

    def login() -> None:
        disable("begin")
        request_id = start(world, browser)
        disable("complete")
        handle = complete(world.context, "saml", answer(world, ANN, to=request_id), world.now)
        disable("resume")
        fetch_result(world.context, handle, browser, world.now)

    with pytest.raises(refused.ConnectionOff):
        login()
    assert count(world, sessions) == 0


def test_who_is_deactivated_between_answer_and_session_gets_none(world: World) -> None:
    pushed, browser = world.push(ANN), Browser()
    handle = complete(world.context, "saml", answer(world, ANN, to=start(world, browser)), world.now)
    suspend(world, pushed.id)
    with pytest.raises(refused.HeldOut):
        fetch_result(world.context, handle, browser, world.now)


# -- What is kept of it ------------------------------------------------------------------------------


def test_each_change_is_one_event_under_one_cause(world: World) -> None:
    complete(world.context, "saml", answer(world, ANN, to=start(world, Browser()), groups=("eng",)), world.now)
    events = read(world, audit.c.type, audit.c.cause, audit.c.actor)
    assert [kind for kind, _, _ in events] == [
        "user.created",
        "identity.linked",
        "membership.created",
        "idp_group.asserted",
        "idp_groups.named_at_login",
    ]
    assert len({cause for _, cause, _ in events}) == 1
    assert {actor for _, _, actor in events} == {f"connection:{world.connection.id}"}


def test_a_second_login_that_changes_nothing_is_one_event(world: World) -> None:
    sign_in(world, ANN, groups=("eng",))
    before = count(world, audit)
    sign_in(world, ANN, groups=("eng",))
    assert [kind for (kind,) in read(world, audit.c.type)][before:] == ["session.created"]


def test_a_login_is_in_the_sign_in_log(world: World) -> None:
    sign_in(world, ANN)
    columns = sign_in_attempts.c
    assert read(world, columns.outcome, columns.email, columns.connection_id, columns.address) == [
        ("signed_in", ANN, world.connection.key, CLIENT.address)
    ]


def test_a_session_keeps_what_the_idp_said(world: World) -> None:
    sign_in(world, ANN, subject="s1", name_id="s1", session_index="_i1", groups=("eng",))
    columns = authentications.c
    kept = read(world, columns.kind, columns.subject, columns.name_id, columns.session_index, columns.groups)
    assert kept == [("saml", "s1", "s1", "_i1", ["eng"])]
