"""SCIM and API tokens (product.md 4.2, 2.9; properties 7, 10, 20)."""

from datetime import datetime, timedelta

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound, NotInPlan
from bridge.domain.roles import OWNER, get_role
from bridge.domain.sign_in import UNKNOWN_CLIENT
from bridge.domain.tokens import NewScimClient, NewToken
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace, set_plan
from bridge.flows.context import OPERATOR, Context
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.named import get_workspace
from bridge.flows.own_connections import set_enabled
from bridge.flows.scim_clients import create_scim_client, exchange_secret, rotate_scim_client
from bridge.flows.take_over_token import take_over_token
from bridge.flows.tokens import create_api_token, create_scim_token, find_scim_token, list_tokens, revoke_token
from bridge.storage import people
from bridge.storage.changes import changing
from bridge.storage.grants import insert_grant
from tests.flows.audit import audit_events, everything_kept
from tests.overheard import statements

OWNING = RoleInScope(OWNER, EVERYWHERE)


@pytest.fixture
def token(context: Context, okta: Connection, now: datetime) -> NewToken:
    """A SCIM token made by the operator."""
    return create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now)


def test_a_token_says_which_connection_and_workspace(
    context: Context, okta: Connection, token: NewToken, now: datetime
) -> None:
    caller = find_scim_token(context, token.token, now)
    assert caller is not None
    assert (caller.token_id, caller.connection.id, caller.workspace_key) == (token.id, okta.id, okta.workspace_key)
    assert token.base_url == "http://localhost:8000/scim/v2"


@pytest.mark.parametrize("secret", ["", "bscim_", "bscim_wrong", "bapi_wrong", "bscim_" + "x" * 500, "bscim_\ud800"])
def test_an_unknown_secret_finds_nobody(context: Context, token: NewToken, secret: str, now: datetime) -> None:
    assert find_scim_token(context, secret, now) is None


def test_the_secret_is_kept_nowhere(context: Context, token: NewToken) -> None:
    secret = token.token.removeprefix("bscim_")
    assert secret not in everything_kept(context)
    assert secret not in repr(token)


def test_looking_a_token_up_takes_one_statement(context: Context, token: NewToken, now: datetime) -> None:
    find_scim_token(context, token.token, now)
    later = now + timedelta(seconds=59)
    with statements(context.database) as said:
        find_scim_token(context, token.token, later)
    assert len(said) == 1


def test_a_token_works_until_it_runs_out(context: Context, okta: Connection, now: datetime) -> None:
    token = create_scim_token(context, OPERATOR, "kicks", okta.id, 30, "", now)
    assert token.expires_at == now + timedelta(days=30)
    assert find_scim_token(context, token.token, now + timedelta(days=30) - timedelta(seconds=1)) is not None
    assert find_scim_token(context, token.token, now + timedelta(days=30)) is None


@pytest.mark.parametrize("days", [0, -1, 100_000])
def test_a_lifetime_must_make_sense(context: Context, okta: Connection, days: int, now: datetime) -> None:
    with pytest.raises(Invalid):
        create_scim_token(context, OPERATOR, "kicks", okta.id, days, "", now)


def test_two_tokens_of_one_connection_work_at_once(
    context: Context, okta: Connection, token: NewToken, now: datetime
) -> None:
    second = create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now)
    assert find_scim_token(context, token.token, now) is not None
    assert find_scim_token(context, second.token, now) is not None


def test_a_revoked_token_finds_nobody(context: Context, marcus: str, token: NewToken, now: datetime) -> None:
    revoke_token(context, marcus, "kicks", token.id, now)
    assert find_scim_token(context, token.token, now) is None
    assert audit_events(context)[-1][:2] == (marcus, "token.revoked")


def test_a_token_of_another_workspace_is_not_there_to_revoke(context: Context, token: NewToken, now: datetime) -> None:
    create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(NotFound):
        revoke_token(context, OPERATOR, "other", token.id, now)


def test_last_use_is_noted_at_most_once_a_minute(context: Context, token: NewToken, now: datetime) -> None:
    uses = [now, now + timedelta(seconds=59), now + timedelta(seconds=61)]
    noted = []
    for use in uses:
        find_scim_token(context, token.token, use)
        noted.append(list_tokens(context, "kicks", use)[0].last_used_at)
    assert noted == [now, now, uses[2]]


def test_a_disabled_connection_is_a_clear_refusal(
    context: Context, okta: Connection, token: NewToken, now: datetime
) -> None:
    set_enabled(context, OPERATOR, "kicks", okta.id, False, now)
    with pytest.raises(Forbidden, match="switched off"):
        find_scim_token(context, token.token, now)
    set_enabled(context, OPERATOR, "kicks", okta.id, True, now)
    assert find_scim_token(context, token.token, now) is not None


def test_a_plan_without_scim_is_a_clear_refusal(
    context: Context, okta: Connection, token: NewToken, now: datetime
) -> None:
    set_plan(context, OPERATOR, "kicks", "team", now)
    for ask in (
        lambda: find_scim_token(context, token.token, now),
        lambda: create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now),
    ):
        with pytest.raises(NotInPlan) as refusal:
            ask()
        assert "not part of the team plan" in refusal.value.text
        assert refusal.value.text.endswith("business plan. Whoever runs this bridge can change the plan.")


def test_a_persons_token_stops_with_their_membership(
    context: Context, made: NewWorkspace, okta: Connection, marcus: str, now: datetime
) -> None:
    token = create_scim_token(context, marcus, "kicks", okta.id, None, "", now)
    assert find_scim_token(context, token.token, now) is not None
    with context.changing(OPERATOR, now) as change:
        member = people.find_member(change.connection, made.workspace.key, made.owner.key)
        assert member is not None
        people.end_membership(change, member.key)
    assert find_scim_token(context, token.token, now) is None
    assert [one.works for one in list_tokens(context, "kicks", now)] == [False]


def test_only_owners_make_and_revoke_tokens(context: Context, okta: Connection, token: NewToken, now: datetime) -> None:
    with context.changing(OPERATOR, now) as change:
        ines = people.insert_user(change, "ines@kicks.example", "Ines")
        people.insert_membership(change, okta.workspace_key, ines.key, accepted=True)
    actor = f"user:{ines.id}"
    with pytest.raises(Forbidden):
        create_scim_token(context, actor, "kicks", okta.id, None, "", now)
    with pytest.raises(Forbidden):
        create_api_token(context, actor, "kicks", [OWNING], None, "", now)
    with pytest.raises(Forbidden):
        revoke_token(context, actor, "kicks", token.id, now)


def test_an_owner_of_another_workspace_makes_no_token_here(context: Context, okta: Connection, now: datetime) -> None:
    other = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(Forbidden):
        create_scim_token(context, f"user:{other.owner.id}", "kicks", okta.id, None, "", now)


def test_both_kinds_are_one_list(context: Context, marcus: str, token: NewToken, now: datetime) -> None:
    gives = [OWNING, RoleInScope(get_role("Source Read-only"), EVERYWHERE)]
    made = create_api_token(context, marcus, "kicks", gives, 30, "Terraform CI", now)
    api, scim = list_tokens(context, "kicks", now)
    assert (api.id, api.kind, api.description, api.roles) == (made.id, "api", "Terraform CI", tuple(gives))
    assert (api.made_by, made.base_url, made.token[:5]) == (marcus, "http://localhost:8000/api", "bapi_")
    assert (scim.id, scim.kind, scim.connection, scim.description) == (token.id, "scim", "Okta", "Okta provisioning")


def test_an_api_token_is_no_scim_token(context: Context, made: NewWorkspace, now: datetime) -> None:
    api = create_api_token(context, OPERATOR, "kicks", [OWNING], None, "", now)
    assert find_scim_token(context, "bscim_" + api.token.removeprefix("bapi_"), now) is None


def test_a_token_for_another_workspaces_connection_is_refused(
    context: Context, okta: Connection, now: datetime
) -> None:
    create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(NotFound):
        create_scim_token(context, OPERATOR, "other", okta.id, None, "", now)


def test_making_a_token_is_one_audit_event(context: Context, marcus: str, okta: Connection, now: datetime) -> None:
    before = len(audit_events(context))
    create_scim_token(context, marcus, "kicks", okta.id, 30, "Okta 2026", now)
    [(actor, kind, after)] = audit_events(context)[before:]
    assert (actor, kind) == (marcus, "token.created")
    assert after["description"] == "Okta 2026"


# -- Taken over (product.md 2.9) ---------------------------------------------------------------------


def owner_named(context: Context, email: str, now: datetime) -> str:
    """One more owner of kicks, as flows name them."""
    with changing(context.database, OPERATOR, now) as change:
        workspace = get_workspace(change.connection, "kicks")
        user = people.insert_user(change, email, email.partition("@")[0], email_proved_at=now)
        member = people.insert_membership(change, workspace.key, user.key, accepted=True)
        insert_grant(change, workspace.key, member.key, OWNING, OPERATOR)
    return f"user:{user.id}"


def test_a_token_that_is_taken_over_has_another_secret_and_ends_with_its_new_owner(
    context: Context, okta: Connection, now: datetime
) -> None:
    ann, bob = owner_named(context, "ann@kicks.example", now), owner_named(context, "bob@kicks.example", now)
    owner_named(context, "eve@kicks.example", now)
    made = create_scim_token(context, ann, "kicks", okta.id, 30, "Okta", now)
    taken = take_over_token(context, bob, "kicks", made.id, now)
    assert isinstance(taken, NewToken)
    assert (taken.id, taken.expires_at) == (made.id, made.expires_at)
    assert find_scim_token(context, made.token, now) is None
    remove_member(context, OPERATOR, "kicks", find_member_id(context, "kicks", "ann@kicks.example"), now)
    assert find_scim_token(context, taken.token, now) is not None
    remove_member(context, OPERATOR, "kicks", find_member_id(context, "kicks", "bob@kicks.example"), now)
    assert find_scim_token(context, taken.token, now) is None


def test_an_oauth_clients_former_secret_and_access_end_when_it_is_taken_over(
    context: Context, okta: Connection, now: datetime
) -> None:
    ann, bob = owner_named(context, "ann@kicks.example", now), owner_named(context, "bob@kicks.example", now)
    made = create_scim_client(context, ann, "kicks", okta.id, None, "Okta", now)
    given = exchange_secret(context, made.client_id, made.client_secret, UNKNOWN_CLIENT, now)
    second = rotate_scim_client(context, ann, "kicks", made.client_id, at_once=False, now=now)
    assert given is not None
    taken = take_over_token(context, bob, "kicks", made.client_id, now)
    assert isinstance(taken, NewScimClient)
    assert find_scim_token(context, given.token, now) is None
    for secret, works in ((made.client_secret, False), (second.client_secret, False), (taken.client_secret, True)):
        assert (exchange_secret(context, made.client_id, secret, UNKNOWN_CLIENT, now) is not None) is works


def test_only_owners_take_tokens_over_and_only_what_is_theirs_to_take(
    context: Context, okta: Connection, token: NewToken, now: datetime
) -> None:
    ann, bob = owner_named(context, "ann@kicks.example", now), owner_named(context, "bob@kicks.example", now)
    made = create_scim_token(context, ann, "kicks", okta.id, 30, "Okta", now)
    for actor, token_id, later, why in (
        ("user:nobody", made.id, now, Forbidden),
        (bob, "no-such", now, NotFound),
        (bob, token.id, now, Conflict),
        (ann, made.id, now, Conflict),
        (bob, made.id, now + timedelta(days=31), Conflict),
    ):
        with pytest.raises(why):
            take_over_token(context, actor, "kicks", token_id, later)
    assert find_scim_token(context, made.token, now) is not None
