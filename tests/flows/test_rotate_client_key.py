"""Our key for private_key_jwt is replaced in two steps, in which nobody is locked out."""

from typing import Any

import pytest
from joserfc.jwk import KeySet
from sqlalchemy import select

from bridge.domain.errors import Conflict, DomainError, Forbidden, Stale
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import PRIVATE_KEY, OidcDraft, create_oidc, load_oidc, public_keys
from bridge.flows.context import OPERATOR
from bridge.flows.rotate_client_key import ClientKeys, begin_rotation, cancel_rotation, find_keys, finish_rotation
from bridge.storage.tables import PAST, connections
from oidc.provider import Provider
from tests.flows.audit import audit_events
from tests.world import World

_PROVIDER = Provider(
    issuer="https://login.kicks.example",
    authorization_endpoint="https://login.kicks.example/authorize",
    token_endpoint="https://login.kicks.example/token",
    jwks_uri="https://login.kicks.example/keys",
)


def make(kicks: World, token_auth: str = PRIVATE_KEY, secret: str | None = None) -> Connection:
    draft = OidcDraft(_PROVIDER.issuer, "bridge", secret, token_auth=token_auth)
    return create_oidc(kicks.context, OPERATOR, "kicks", draft, _PROVIDER, kicks.now)


@pytest.fixture
def oidc(kicks: World) -> Connection:
    """A connection that proves itself by a key of ours."""
    return make(kicks)


def published(kicks: World, oidc: Connection) -> list[str]:
    """The names of the keys at our JWKS address; each is a key in itself."""
    found: Any = public_keys(load_oidc(kicks.context, oidc.id))
    assert len({key["n"] for key in found["keys"]}) == len(KeySet.import_key_set(found).keys)
    assert not any(key.keys() & {"d", "p", "q"} for key in found["keys"])
    return [key["kid"] for key in found["keys"]]


def present(kicks: World, oidc: Connection) -> tuple[str | None, str | None]:
    client = load_oidc(kicks.context, oidc.id).client
    return client.key_id, client.private_key


def test_both_keys_are_published_while_tokens_are_asked_for_with_the_present_one(
    kicks: World, oidc: Connection
) -> None:
    before = present(kicks, oidc)
    keys = begin_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    assert published(kicks, oidc) == [keys.current, keys.next]
    assert present(kicks, oidc) == before
    assert find_keys(kicks.context, "kicks", oidc.id) == keys


def test_then_the_next_is_the_present_one_and_the_old_is_nowhere_any_more(kicks: World, oidc: Connection) -> None:
    old = present(kicks, oidc)
    begun = begin_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    done = finish_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now, shown=begun.next)
    assert done == ClientKeys(begun.next or "")
    assert published(kicks, oidc) == [begun.next]
    assert present(kicks, oidc)[0] == begun.next
    assert present(kicks, oidc)[1] != old[1]
    with kicks.context.database.reading() as rows:
        past = PAST[connections].c
        assert not list(rows.execute(select(past.id).where(past.id == oidc.key, past.secrets_enc.is_not(None))))


def test_or_it_is_forgotten(kicks: World, oidc: Connection) -> None:
    before = present(kicks, oidc)
    begin_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    assert cancel_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now).next is None
    assert published(kicks, oidc) == [before[0]]
    assert present(kicks, oidc) == before


def test_a_step_out_of_turn_changes_nothing(kicks: World, oidc: Connection) -> None:
    its = (kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    for end in (finish_rotation, cancel_rotation):
        with pytest.raises(Conflict, match="no next key"):
            end(*its)
    keys = begin_rotation(*its)
    with pytest.raises(Conflict, match="already"):
        begin_rotation(*its)
    for end in (finish_rotation, cancel_rotation):
        with pytest.raises(Stale):
            end(*its, shown="another")
    assert find_keys(kicks.context, "kicks", oidc.id) == keys


def test_a_connection_without_such_a_key_has_none_to_replace(kicks: World) -> None:
    shown = make(kicks, "client_secret_basic", "secret")
    for uid in (shown.id, kicks.connection.id):
        with pytest.raises(DomainError, match="no key of ours"):
            begin_rotation(kicks.context, OPERATOR, "kicks", uid, kicks.now)


def test_only_owners_replace_it_and_it_is_audited_by_names(kicks: World, oidc: Connection) -> None:
    with pytest.raises(Forbidden):
        begin_rotation(kicks.context, "user:00000000-0000-4000-8000-000000000000", "kicks", oidc.id, kicks.now)
    begun = begin_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    finish_rotation(kicks.context, OPERATOR, "kicks", oidc.id, kicks.now)
    told = [(kind, after) for _, kind, after in audit_events(kicks.context)][-2:]
    assert told == [
        ("connection.key_rotation_begun", {"current": begun.current, "next": begun.next}),
        ("connection.key_rotated", {"current": begun.next, "next": None}),
    ]
