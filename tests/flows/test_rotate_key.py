"""Our key is replaced in two steps, and the old one is gone after the second (product.md 2.2)."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from sqlalchemy import select

from bridge.domain.errors import Conflict, Forbidden
from bridge.domain.workspace import Connection
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.connection_settings import change_settings
from bridge.flows.context import OPERATOR, Context
from bridge.flows.rotate_key import OwnKeys, begin_rotation, cancel_rotation, find_keys, finish_rotation
from bridge.flows.saml_connection import load_saml
from bridge.storage.tables import PAST, connections
from saml.service_provider import render_metadata
from tests.flows.audit import audit_events, everything_kept


def begin(context: Context, found: Connection, now: datetime) -> OwnKeys:
    return begin_rotation(context, OPERATOR, "kicks", found.id, now)


def finish(context: Context, found: Connection, now: datetime) -> OwnKeys:
    return finish_rotation(context, OPERATOR, "kicks", found.id, now)


def sealed_anywhere(context: Context) -> Iterator[Any]:
    """Every secret of any connection that can still be opened, of the past too."""
    with context.database.reading() as rows:
        for table in (connections, PAST[connections]):
            for sealed in rows.execute(select(table.c.secrets_enc)).scalars():
                if sealed is not None:
                    yield orjson.loads(context.secrets.decrypt(sealed, "connections.secrets_enc"))


def private_keys_kept(context: Context) -> set[str]:
    """The private keys among them."""
    kept = list(sealed_anywhere(context))
    return {one["private_key"] for one in kept} | {one["next"]["private_key"] for one in kept if one.get("next")}


def test_begun_it_publishes_both_and_signs_with_the_present_one(
    context: Context, okta: Connection, now: datetime
) -> None:
    before = load_saml(context, okta.id).sp
    keys = begin(context, okta, now)
    during = load_saml(context, okta.id).sp
    assert keys.next is not None
    assert during.certificates == (keys.current.pem, keys.next.pem)
    assert during.private_key_pem == before.private_key_pem
    assert render_metadata(during).count(b"<ds:X509Certificate>") == 4  # each for signing and for encryption
    assert find_keys(context, "kicks", okta.id) == keys


def test_finished_the_next_is_the_present_one(context: Context, okta: Connection, now: datetime) -> None:
    begun = begin(context, okta, now)
    coming = load_saml(context, okta.id).sp.private_keys[1]
    ended = finish(context, okta, now)
    after = load_saml(context, okta.id).sp
    assert (ended.current, ended.next) == (begun.next, None)
    assert after.private_keys == (coming,)
    assert after.certificates == (ended.current.pem,)


def test_after_it_the_old_key_is_nowhere(context: Context, okta: Connection, now: datetime) -> None:
    old = load_saml(context, okta.id).sp.private_key_pem
    change_settings(context, OPERATOR, "kicks", okta.id, lambda one: one.__class__("Renamed"), now)
    begin(context, okta, now)
    assert old in private_keys_kept(context)
    finish(context, okta, now)
    assert private_keys_kept(context) == {load_saml(context, okta.id).sp.private_key_pem}


def test_cancelled_the_next_one_is_nowhere(context: Context, okta: Connection, now: datetime) -> None:
    present = load_saml(context, okta.id).sp
    begin(context, okta, now)
    cancel_rotation(context, OPERATOR, "kicks", okta.id, now)
    assert load_saml(context, okta.id).sp == present
    assert private_keys_kept(context) == {present.private_key_pem}


def test_there_is_one_next_key_at_a_time_and_none_without_a_beginning(
    context: Context, okta: Connection, now: datetime
) -> None:
    for step in (finish_rotation, cancel_rotation):
        with pytest.raises(Conflict, match="Begin"):
            step(context, OPERATOR, "kicks", okta.id, now)
    begin(context, okta, now)
    with pytest.raises(Conflict, match="already"):
        begin(context, okta, now)


def test_each_step_is_audited_by_fingerprints_and_no_key(context: Context, okta: Connection, now: datetime) -> None:
    begun = begin(context, okta, now)
    finish(context, okta, now)
    begin(context, okta, now + timedelta(days=1))
    cancel_rotation(context, OPERATOR, "kicks", okta.id, now)
    kinds = [kind for _, kind, _ in audit_events(context)][-4:]
    assert kinds == [
        "connection.key_rotation_begun",
        "connection.key_rotated",
        "connection.key_rotation_begun",
        "connection.key_rotation_cancelled",
    ]
    assert begun.next is not None
    assert audit_events(context)[-3][2] == {"current": begun.next.facts.sha256, "next": None}
    assert "PRIVATE KEY" not in everything_kept(context)


def test_only_owners_may(context: Context, okta: Connection, now: datetime) -> None:
    stranger = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now).owner
    for step in (begin_rotation, finish_rotation, cancel_rotation):
        with pytest.raises(Forbidden):
            step(context, f"user:{stranger.id}", "kicks", okta.id, now)
