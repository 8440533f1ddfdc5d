"""Product.md 2.6 and 2.7 as rules: whose account a login opens, and what an authentication reaches, for any facts."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from bridge.domain.reach import ACCOUNT_KINDS, Authentication, Seat, holds, reaches
from bridge.domain.sign_in import Found, Step, decide, keepable_groups, network_of
from bridge.domain.sign_in_refusals import AnotherConnectionsPerson, HeldOut, MembershipEnded, NotAMember, SignInRefused
from bridge.domain.workspace import Membership, User, Workspace

NOW = datetime(2026, 11, 21, 10, 58, tzinfo=UTC)
ACME = Workspace(1, "w1", "acme", "Acme", "business", False, False, 0)
ANN = User(1, "u1", "ann@acme.example", "Ann", True, False)
MEMBER = Membership(1, "m1", 1, 1, "active", True, False, False, NOW)
FOUND = Found("email", ANN, MEMBER, domain_proved=False)

flags = st.booleans()
memberships = st.none() | st.builds(
    replace, st.just(MEMBER), status=st.sampled_from(["active", "removed"]), held_out=flags, accepted=flags
)
founds = st.builds(
    Found,
    by=st.sampled_from(["identity", "push", "email"]),
    user=st.builds(replace, st.just(ANN), email_proved=flags),
    membership=memberships,
    domain_proved=flags,
    pushed_here=flags,
    pushed_elsewhere=flags,
    signed_in_elsewhere=flags,
    owner=flags,
    has_credentials=flags,
    vouched=flags,
)


def outcome(found: Found | None, *, jit: bool = True) -> Step | type[SignInRefused]:
    """What is decided, or the class of the refusal."""
    try:
        return decide(found, ACME, jit=jit)
    except SignInRefused as refusal:
        return type(refusal)


# -- Whose account -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (None, "create"),
        (replace(FOUND, by="identity"), "enter"),
        (replace(FOUND, by="push", pushed_here=True), "link"),
        (FOUND, "link"),
        (replace(FOUND, signed_in_elsewhere=True), "prove"),
        (replace(FOUND, owner=True), "prove"),
        (replace(FOUND, owner=True, domain_proved=True), "link"),
        (replace(FOUND, membership=None), "prove"),
        (replace(FOUND, membership=None, domain_proved=True), "link"),
        (replace(FOUND, user=replace(ANN, email_proved=False)), "link"),
        (replace(FOUND, user=replace(ANN, email_proved=False), has_credentials=True), "prove"),
        (replace(FOUND, user=replace(ANN, email_proved=False), domain_proved=True), "adopt"),
        (replace(FOUND, membership=replace(MEMBER, status="removed")), MembershipEnded),
        (replace(FOUND, membership=replace(MEMBER, held_out=True)), HeldOut),
        (replace(FOUND, vouched=False), "prove"),
        (replace(FOUND, vouched=False, domain_proved=True), "prove"),
        (replace(FOUND, vouched=False, by="push", pushed_here=True), "prove"),
        (replace(FOUND, vouched=False, by="identity"), "prove"),
        (replace(FOUND, pushed_elsewhere=True), AnotherConnectionsPerson),
        (replace(FOUND, pushed_elsewhere=True, pushed_here=True, by="push"), "link"),
    ],
)
def test_the_order_of_2_6(found: Found | None, expected: Step | type[SignInRefused]) -> None:
    assert outcome(found) == expected


@given(found=founds, jit=flags)
def test_nothing_revives_a_dead_membership(found: Found, jit: bool) -> None:
    assume(found.membership is not None and not found.membership.alive)
    assert outcome(found, jit=jit) in (MembershipEnded, HeldOut)


@given(found=founds, jit=flags)
def test_a_person_whom_only_others_push_never_signs_in(found: Found, jit: bool) -> None:
    said = outcome(replace(found, pushed_elsewhere=True, pushed_here=False), jit=jit)
    assert said in (AnotherConnectionsPerson, MembershipEnded, HeldOut, NotAMember)


@given(found=founds)
def test_without_just_in_time_only_members_sign_in(found: Found) -> None:
    assert outcome(replace(found, membership=None), jit=False) is NotAMember
    assert outcome(None, jit=False) is NotAMember


@given(found=founds)
def test_an_address_that_nobody_vouches_for_opens_no_account(found: Found) -> None:
    assert outcome(replace(found, vouched=False)) not in ("enter", "link", "adopt")


@given(found=founds)
def test_credentials_are_cleared_only_where_the_domain_is_proved(found: Found) -> None:
    if outcome(found) == "adopt":
        assert found.domain_proved
        assert not found.user.email_proved


@given(found=founds)
def test_an_unproved_account_with_credentials_is_never_just_linked(found: Found) -> None:
    assume(found.has_credentials and not found.user.email_proved)
    assert outcome(found) != "link"


@given(found=founds)
def test_an_owner_met_by_email_alone_proves_the_account(found: Found) -> None:
    met = replace(found, by="email", owner=True, domain_proved=False)
    assert outcome(met) not in ("link", "adopt", "enter", "create")


# -- What it reaches ---------------------------------------------------------------------------------

SEAT = Seat(ACME, 1, "m1", True, True, False, False, False, False, False)
PASSWORD = Authentication("password", NOW, NOW + timedelta(days=7))
SSO = Authentication("saml", NOW, NOW + timedelta(days=7), "c1", 1, True)
workspaces = st.builds(
    replace, st.just(ACME), key=st.sampled_from([1, 2]), plan=st.sampled_from(["free", "business"]),
    require_sso=flags, hipaa=flags,
)  # fmt: skip
seats = st.builds(
    Seat,
    workspace=workspaces,
    membership_key=st.just(1),
    membership_id=st.just("m1"),
    alive=flags,
    accepted=flags,
    sso_exempt=flags,
    require_mfa=flags,
    owner=flags,
    named_owner=flags,
    domain_proved=flags,
    out_since=st.sampled_from([None, NOW - timedelta(1), NOW + timedelta(1)]),
    opened_until=st.sampled_from([None, NOW + timedelta(hours=1)]),
)
proofs = st.sampled_from([PASSWORD, SSO, replace(PASSWORD, kind="twilio"), replace(SSO, kind="oidc")])
moments = st.timedeltas(timedelta(0), timedelta(days=8)).map(lambda later: NOW + later)


@given(seat=seats, proof=proofs, now=moments)
def test_nothing_reaches_through_a_dead_membership(seat: Seat, proof: Authentication, now: datetime) -> None:
    assert not reaches(proof, replace(seat, alive=False), now)
    assert not reaches(proof, replace(seat, out_since=proof.at), now)


@given(seat=seats, now=moments)
def test_sso_reaches_its_own_workspace_only(seat: Seat, now: datetime) -> None:
    assume(seat.workspace.key == 2)
    assert not reaches(SSO, seat, now)


@given(seat=seats, proof=proofs, now=moments)
def test_hipaa_closes_after_fifteen_minutes(seat: Seat, proof: Authentication, now: datetime) -> None:
    assume(seat.workspace.hipaa and now >= NOW + timedelta(minutes=15))
    assert not reaches(proof, seat, now)


def opened_by_code(seat: Seat, now: datetime) -> bool:
    return seat.named_owner and seat.opened_until is not None and now < seat.opened_until


@given(seat=seats, now=moments)
def test_a_password_needs_acceptance_and_no_second_factor_but_a_code(seat: Seat, now: datetime) -> None:
    if reaches(PASSWORD, seat, now):
        assert seat.accepted
        assert not seat.require_mfa or opened_by_code(seat, now)


@given(seat=seats, now=moments)
def test_where_a_second_factor_is_required_one_that_was_shown_opens(seat: Seat, now: datetime) -> None:
    shown = replace(PASSWORD, factor="totp")
    assert reaches(shown, replace(seat, require_mfa=True), now) == reaches(shown, replace(seat, require_mfa=False), now)


@given(seat=seats, now=moments)
def test_required_sso_lets_a_password_in_by_exemption_by_code_or_to_hand_named_owners_after_a_downgrade(
    seat: Seat, now: datetime
) -> None:
    if seat.workspace.require_sso and reaches(PASSWORD, seat, now) and not opened_by_code(seat, now):
        assert seat.sso_exempt or (seat.named_owner and seat.workspace.plan == "free")


@given(seat=seats, proof=proofs, now=moments)
def test_an_authentication_ends(seat: Seat, proof: Authentication, now: datetime) -> None:
    assert not holds(replace(proof, ends_at=now), {seat.workspace.key: seat}, now)


@given(seat=seats, now=moments)
def test_sso_holds_only_where_it_could_open_its_workspace(seat: Seat, now: datetime) -> None:
    held = {seat.workspace.key: seat}
    assert not holds(replace(SSO, connection_enabled=False), held, now)
    assert not holds(SSO, {}, now)
    if holds(SSO, held, now):
        assert seat.workspace.plan == "business"
        assert seat.alive


def test_the_accounts_own_ways_hold_without_any_workspace() -> None:
    assert {kind for kind in ACCOUNT_KINDS if holds(replace(PASSWORD, kind=kind), {}, NOW)} == ACCOUNT_KINDS


@given(names=st.lists(st.text(max_size=300), max_size=10))
def test_kept_group_names_are_printable_short_and_each_once(names: list[str]) -> None:
    kept = keepable_groups(tuple(names))
    assert len(set(kept)) == len(kept)
    assert all(name.isprintable() and 0 < len(name) <= 255 for name in kept)


def test_a_whole_ipv6_network_counts_as_one_address() -> None:
    assert network_of("2001:db8:1:2:3::4") == network_of("2001:db8:1:2:ffff::1")
    assert network_of("2001:db8:1:3::4") != network_of("2001:db8:1:2::4")
    assert network_of("") == "unknown"


def test_an_ipv4_address_is_itself_however_a_socket_calls_it() -> None:
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") == "192.0.2.7"
    assert network_of("::ffff:192.0.2.8") != network_of("192.0.2.7")
