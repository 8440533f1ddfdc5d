"""OAuth client credentials as the second way to push by SCIM (product.md 4.2; RFC 6749 4.4)."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from bridge.domain.errors import Conflict, Forbidden, Invalid, NotFound, NotInPlan, TooManyTries
from bridge.domain.sign_in import Client
from bridge.domain.tokens import NewScimClient
from bridge.domain.workspace import Connection
from bridge.flows.administer import WorkspaceDraft, create_workspace, set_plan
from bridge.flows.bearer_secrets import new_secret
from bridge.flows.context import OPERATOR, Context
from bridge.flows.own_connections import delete_connection, set_enabled
from bridge.flows.scim_clients import (
    ACCESS_LASTS,
    OVERLAP,
    TRIES_BY_ADDRESS,
    TRIES_BY_CLIENT,
    create_scim_client,
    exchange_secret,
    rotate_scim_client,
)
from bridge.flows.sessions import sweep_expired
from bridge.flows.tokens import (
    ACCESS_PREFIX,
    create_scim_token,
    find_scim_caller,
    find_scim_token,
    list_tokens,
    revoke_token,
)
from bridge.flows.tries import WINDOW
from bridge.storage import people
from bridge.storage.scim_clients import MOST_AT_A_TIME
from bridge.storage.tables import access_tokens, counters
from tests.flows.audit import audit_events, everything_kept
from tests.overheard import statements
from tests.world import World

IDP = Client("192.0.2.7", "Okta SCIM")
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def oauth(context: Context, okta: Connection, now: datetime) -> NewScimClient:
    """A client made by the operator."""
    return create_scim_client(context, OPERATOR, "kicks", okta.id, None, "", now)


def access(context: Context, oauth: NewScimClient, now: datetime, secret: str = "") -> str | None:
    given = exchange_secret(context, oauth.client_id, secret or oauth.client_secret, IDP, now)
    return None if given is None else given.token


def count(context: Context, table: Any) -> int:
    with context.database.reading() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())


def test_its_access_token_opens_its_connection(
    context: Context, okta: Connection, oauth: NewScimClient, now: datetime
) -> None:
    token = access(context, oauth, now)
    assert token is not None
    caller = find_scim_token(context, token, now)
    assert caller is not None
    assert (caller.token_id, caller.connection.id) == (oauth.client_id, okta.id)
    assert oauth.token_url == "http://localhost:8000/scim/oauth2/token"
    assert oauth.base_url == "http://localhost:8000/scim/v2"


def test_looking_an_access_token_up_takes_one_statement(context: Context, oauth: NewScimClient, now: datetime) -> None:
    token = access(context, oauth, now) or ""
    find_scim_token(context, token, now)
    with statements(context.database) as said:
        find_scim_token(context, token, now + timedelta(seconds=59))
    assert len(said) == 1


def test_an_access_token_lasts_an_hour(context: Context, oauth: NewScimClient, now: datetime) -> None:
    token = access(context, oauth, now) or ""
    assert find_scim_token(context, token, now + ACCESS_LASTS - MICROSECOND) is not None
    assert find_scim_token(context, token, now + ACCESS_LASTS) is None


def test_its_secret_is_no_token(context: Context, oauth: NewScimClient, now: datetime) -> None:
    for secret in (oauth.client_secret, f"bscim_{oauth.client_secret[5:]}", f"bscat_{oauth.client_secret[5:]}"):
        assert find_scim_caller(context, secret, now) is None


def test_a_token_is_no_clients_secret(context: Context, okta: Connection, now: datetime) -> None:
    token = create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now)
    assert exchange_secret(context, token.id, token.token, IDP, now) is None


def test_no_secret_is_kept(context: Context, oauth: NewScimClient, now: datetime) -> None:
    token = access(context, oauth, now) or ""
    kept = everything_kept(context)
    for secret in (oauth.client_secret.removeprefix("bscs_"), token.removeprefix("bscat_")):
        assert secret not in kept
        assert secret not in repr(oauth)


@pytest.mark.parametrize("secret", ["bscs_wrong", "\ud800", "x" * 10_000], ids=["wrong", "surrogate", "long"])
def test_a_wrong_secret_gives_nothing(context: Context, oauth: NewScimClient, secret: str, now: datetime) -> None:
    assert access(context, oauth, now, secret) is None
    assert exchange_secret(context, secret, oauth.client_secret, IDP, now) is None


def test_a_client_works_until_it_runs_out_and_takes_its_access_tokens_along(
    context: Context, okta: Connection, now: datetime
) -> None:
    oauth = create_scim_client(context, OPERATOR, "kicks", okta.id, 1, "", now)
    end = now + timedelta(days=1)
    token = access(context, oauth, end - timedelta(minutes=1)) or ""
    assert find_scim_token(context, token, end - MICROSECOND) is not None
    assert find_scim_token(context, token, end) is None
    assert access(context, oauth, end) is None


def test_who_made_it_takes_it_along(kicks: World, marcus: str, now: datetime) -> None:
    oauth = create_scim_client(kicks.context, marcus, "kicks", kicks.connection.id, None, "", now)
    token = access(kicks.context, oauth, now) or ""
    with kicks.context.changing(OPERATOR, now) as change:
        member = people.find_member(change.connection, kicks.workspace.key, kicks.owner.key)
        assert member is not None
        people.end_membership(change, member.key)
    assert find_scim_token(kicks.context, token, now) is None
    assert access(kicks.context, oauth, now) is None
    assert [one.works for one in list_tokens(kicks.context, "kicks", now)] == [False]


def test_a_revoked_client_is_closed_at_once(context: Context, marcus: str, oauth: NewScimClient, now: datetime) -> None:
    token = access(context, oauth, now) or ""
    revoke_token(context, marcus, "kicks", oauth.client_id, now)
    assert find_scim_token(context, token, now) is None
    assert access(context, oauth, now) is None
    assert audit_events(context)[-1][:2] == (marcus, "token.revoked")
    assert count(context, access_tokens) == 0


def test_a_deleted_connection_takes_its_clients_along(
    context: Context, okta: Connection, oauth: NewScimClient, now: datetime
) -> None:
    token = access(context, oauth, now) or ""
    delete_connection(context, OPERATOR, "kicks", okta.id, now)
    assert find_scim_token(context, token, now) is None
    assert access(context, oauth, now) is None


def test_a_closed_door_says_why_to_whoever_has_the_key(
    context: Context, okta: Connection, oauth: NewScimClient, now: datetime
) -> None:
    set_enabled(context, OPERATOR, "kicks", okta.id, False, now)
    token = access(context, oauth, now) or ""
    with pytest.raises(Forbidden, match="switched off"):
        find_scim_token(context, token, now)
    set_plan(context, OPERATOR, "kicks", "team", now)
    with pytest.raises(NotInPlan):
        find_scim_token(context, token, now)
    with pytest.raises(NotInPlan):
        create_scim_client(context, OPERATOR, "kicks", okta.id, None, "", now)


# -- Another secret --------------------------------------------------------------------------------------------------


def test_the_former_secret_works_on_for_a_day(
    context: Context, marcus: str, oauth: NewScimClient, now: datetime
) -> None:
    token = access(context, oauth, now) or ""
    again = rotate_scim_client(context, marcus, "kicks", oauth.client_id, at_once=False, now=now)
    assert (again.client_id, again.former_until) == (oauth.client_id, now + OVERLAP)
    assert again.client_secret != oauth.client_secret
    assert find_scim_token(context, token, now) is not None
    assert access(context, again, now)
    assert access(context, oauth, now + OVERLAP - MICROSECOND)
    assert access(context, oauth, now + OVERLAP) is None
    assert access(context, again, now + OVERLAP)
    assert audit_events(context)[-1][:2] == (marcus, "token.rotated")


def test_only_the_last_two_secrets_work(context: Context, oauth: NewScimClient, now: datetime) -> None:
    second = rotate_scim_client(context, OPERATOR, "kicks", oauth.client_id, at_once=False, now=now)
    third = rotate_scim_client(context, OPERATOR, "kicks", oauth.client_id, at_once=False, now=now)
    assert [bool(access(context, one, now)) for one in (oauth, second, third)] == [False, True, True]


def test_a_leaked_secret_ends_now_with_all_it_was_given(context: Context, oauth: NewScimClient, now: datetime) -> None:
    token = access(context, oauth, now) or ""
    again = rotate_scim_client(context, OPERATOR, "kicks", oauth.client_id, at_once=True, now=now)
    assert again.former_until is None
    assert find_scim_token(context, token, now) is None
    assert access(context, oauth, now) is None
    assert access(context, again, now)


@pytest.mark.parametrize("ends", ["another secret", "revoked"])
def test_what_ends_a_secret_while_it_is_looked_at_ends_what_it_is_given_too(
    context: Context, oauth: NewScimClient, ends: str, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever is asked of the database comes before a statement of it, or after."""

    def end_first(prefix: str) -> str:
        if prefix == ACCESS_PREFIX and ends == "revoked":
            revoke_token(context, OPERATOR, "kicks", oauth.client_id, now)
        elif prefix == ACCESS_PREFIX:
            rotate_scim_client(context, OPERATOR, "kicks", oauth.client_id, at_once=True, now=now)
        return new_secret(prefix)

    monkeypatch.setattr("bridge.flows.scim_clients.new_secret", end_first)
    assert access(context, oauth, now) is None
    assert count(context, access_tokens) == 0


def test_what_works_no_more_is_given_no_other_secret(context: Context, okta: Connection, now: datetime) -> None:
    """It would be shown once, and never work."""
    made, then = create_scim_client(context, OPERATOR, "kicks", okta.id, 1, "", now), now + timedelta(days=1)
    before = everything_kept(context)
    with pytest.raises(Conflict):
        rotate_scim_client(context, OPERATOR, "kicks", made.client_id, at_once=False, now=then)
    assert everything_kept(context) == before
    rotate_scim_client(context, OPERATOR, "kicks", made.client_id, at_once=False, now=then - MICROSECOND)


def test_another_workspaces_client_is_not_there(context: Context, oauth: NewScimClient, now: datetime) -> None:
    create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(NotFound):
        rotate_scim_client(context, OPERATOR, "other", oauth.client_id, at_once=True, now=now)
    assert access(context, oauth, now)


def test_a_token_has_no_other_secret(context: Context, okta: Connection, now: datetime) -> None:
    token = create_scim_token(context, OPERATOR, "kicks", okta.id, None, "", now)
    with pytest.raises(NotFound):
        rotate_scim_client(context, OPERATOR, "kicks", token.id, at_once=True, now=now)
    assert find_scim_token(context, token.token, now) is not None


def test_owners_only(kicks: World, now: datetime) -> None:
    pushed = kicks.push("ann@kicks.example")
    actor = f"user:{pushed.id}"
    with pytest.raises(Forbidden):
        create_scim_client(kicks.context, actor, "kicks", kicks.connection.id, None, "", now)
    with pytest.raises(Forbidden):
        rotate_scim_client(kicks.context, actor, "kicks", "any", at_once=True, now=now)
    with pytest.raises(Invalid):
        create_scim_client(kicks.context, OPERATOR, "kicks", kicks.connection.id, 0, "", now)


# -- Guessing --------------------------------------------------------------------------------------------------------


def test_guessing_is_slowed_down(context: Context, oauth: NewScimClient, now: datetime) -> None:
    for _ in range(TRIES_BY_CLIENT):
        assert access(context, oauth, now, "bscs_wrong") is None
    with pytest.raises(TooManyTries) as told:
        access(context, oauth, now, "bscs_wrong")
    assert told.value.retry_after == 901
    assert access(context, oauth, now + WINDOW, "bscs_wrong") is None


def test_who_guesses_from_elsewhere_keeps_nobody_out(context: Context, oauth: NewScimClient, now: datetime) -> None:
    stranger = Client("198.51.100.9", "")
    for _ in range(TRIES_BY_CLIENT):
        exchange_secret(context, oauth.client_id, "bscs_wrong", stranger, now)
    assert access(context, oauth, now)


def test_a_right_secret_is_never_one_too_many(context: Context, oauth: NewScimClient, now: datetime) -> None:
    """Nobody guesses 256 bits: who sends wrong ones from where the IdP comes from, too, keeps it out no moment."""
    for _ in range(TRIES_BY_CLIENT):
        access(context, oauth, now, "bscs_wrong")
    for number in range(TRIES_BY_ADDRESS):
        with suppress(TooManyTries):
            exchange_secret(context, f"made-up-{number}", "x", IDP, now)
    with pytest.raises(TooManyTries):
        access(context, oauth, now, "bscs_wrong")
    assert access(context, oauth, now)
    with pytest.raises(TooManyTries):  # nor does it make room for more wrong ones
        access(context, oauth, now, "bscs_wrong")


def test_right_secrets_count_for_nothing(context: Context, oauth: NewScimClient, now: datetime) -> None:
    before = count(context, counters)
    for _ in range(TRIES_BY_CLIENT + 1):
        assert access(context, oauth, now)
    assert count(context, counters) == before


def test_made_up_ids_are_counted_by_address_and_leave_no_more_rows_than_tries(
    context: Context, oauth: NewScimClient, now: datetime
) -> None:
    for number in range(TRIES_BY_ADDRESS):
        exchange_secret(context, f"made-up-{number}", "x", IDP, now)
    before = count(context, counters)
    for number in range(3):
        with pytest.raises(TooManyTries):
            exchange_secret(context, f"another-{number}", "x", IDP, now)
    assert count(context, counters) == before


def test_access_tokens_fill_no_disk(
    context: Context, oauth: NewScimClient, now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert MOST_AT_A_TIME == 100
    monkeypatch.setattr("bridge.storage.scim_clients.MOST_AT_A_TIME", 3)
    given = [access(context, oauth, now + timedelta(seconds=n)) or "" for n in range(5)]
    later = now + timedelta(seconds=5)
    assert [find_scim_token(context, token, later) is not None for token in given] == [False, False, True, True, True]
    assert count(context, access_tokens) == 3
    sweep_expired(context, now + 2 * ACCESS_LASTS)
    assert count(context, access_tokens) == 0
