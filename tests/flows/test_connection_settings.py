"""Settings of a SAML connection (product.md 2.1, 2.2): changed by owners, audited with what was and what is."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, NotInPlan, Stale
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace, set_plan
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.connect_oidc import OidcDraft, create_oidc, load_oidc, replace_client_secret
from bridge.flows.connection_settings import (
    NAME_ID_FORMATS,
    SamlSettings,
    change_settings,
    parse_name_id_format,
    read_settings,
    settings_of,
)
from bridge.flows.context import OPERATOR, Context
from bridge.flows.saml_connection import load_saml
from bridge.storage.tables import PAST, audit, connections
from oidc.provider import Provider
from tests.flows.audit import audit_events
from tests.flows.conftest import METADATA
from tests.world import World

MFA = "urn:oasis:names:tc:SAML:2.0:ac:classes:TimeSyncToken"


def put(context: Context, found: Connection, now: datetime, **wanted: Any) -> Connection:
    return change_settings(context, OPERATOR, "kicks", found.id, lambda one: replace(one, **wanted), now)


def last_event(context: Context) -> tuple[str, Any, Any]:
    with context.database.reading() as rows:
        chosen = select(audit.c.type, audit.c.before, audit.c.after).order_by(audit.c.seq.desc()).limit(1)
        return tuple(rows.execute(chosen).one())


def test_settings_of_a_new_connection_are_the_usual_ones(context: Context, okta: Connection) -> None:
    _, settings = read_settings(context, "kicks", okta.id)
    assert settings == SamlSettings(name="Okta")


def test_each_setting_is_kept_and_used_at_the_next_sign_in(context: Context, okta: Connection, now: datetime) -> None:
    wanted: dict[str, Any] = {
        "name": "Okta at Kicks",
        "allow_idp_initiated": True,
        "jit": False,
        "mirror_groups": False,
        "sign_requests": False,
        "requests_by_post": True,
        "authn_context": (MFA,),
        "name_id_format": NAME_ID_FORMATS["persistent"],
        "email": ("mail",),
        "display_name": ("cn",),
        "groups": ("roles", "memberOf"),
        "clock_skew": 120,
        "asserted_days": 30,
    }
    changed = put(context, okta, now, **wanted)
    assert read_settings(context, "kicks", okta.id) == (changed, SamlSettings(**wanted))
    loaded = load_saml(context, okta.id)
    assert loaded.allow_idp_initiated
    assert (loaded.sp.clock_skew, loaded.sp.sign_requests, loaded.sp.authn_contexts) == (120, False, (MFA,))
    assert loaded.requests_by_post
    assert loaded.idp.name_id_format == NAME_ID_FORMATS["persistent"]
    assert (loaded.attributes.email, loaded.attributes.groups) == (("mail",), ("roles", "memberOf"))
    assert (loaded.attributes.display_name, loaded.attributes.given_name) == (("cn",), ())


def test_what_was_chosen_can_be_taken_back(context: Context, okta: Connection, now: datetime) -> None:
    put(context, okta, now, email=("mail",), name_id_format=NAME_ID_FORMATS["transient"])
    put(context, okta, now, email=(), name_id_format=None)
    assert read_settings(context, "kicks", okta.id)[1] == SamlSettings(name="Okta")
    assert load_saml(context, okta.id).attributes == load_saml(context, okta.id).attributes
    assert load_saml(context, okta.id).attributes.email[0] == "email"


def test_an_admin_who_names_one_attribute_keeps_the_presets_names_of_the_others(
    context: Context, okta: Connection, now: datetime
) -> None:
    before = load_saml(context, okta.id).attributes
    put(context, okta, now, groups=("roles",))
    after = load_saml(context, okta.id).attributes
    assert (after.email, after.given_name, after.groups) == (before.email, before.given_name, ("roles",))


def test_the_audit_trail_tells_what_was_and_what_is_and_nothing_else(
    context: Context, okta: Connection, now: datetime
) -> None:
    put(context, okta, now, clock_skew=90, jit=False)
    assert last_event(context) == (
        "connection.changed",
        {"clock_skew": 60, "jit": True},
        {"clock_skew": 90, "jit": False},
    )


def test_the_same_settings_change_nothing(context: Context, okta: Connection, now: datetime) -> None:
    before = audit_events(context)
    assert put(context, okta, now).version == okta.version
    assert audit_events(context) == before


def test_what_the_form_showed_must_still_stand(context: Context, okta: Connection, now: datetime) -> None:
    put(context, okta, now, clock_skew=90)
    with pytest.raises(Stale):
        change_settings(
            context, OPERATOR, "kicks", okta.id, lambda one: replace(one, jit=False), now, read_at=okta.version
        )
    assert read_settings(context, "kicks", okta.id)[1].jit


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("clock_skew", -1),
        ("clock_skew", 301),
        ("asserted_days", 0),
        ("asserted_days", 31),
        ("name_id_format", "urn:my:own"),
        ("authn_context", ("mfa",)),
        ("authn_context", ("",)),
        ("email", ("a\0b",)),
        ("groups", ("x" * 256,)),
        ("display_name", tuple(map(str, range(11)))),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_field(
    context: Context, okta: Connection, now: datetime, field: str, value: Any
) -> None:
    with pytest.raises(Invalid) as refusal:
        put(context, okta, now, **{field: value})
    assert refusal.value.field == field
    assert read_settings(context, "kicks", okta.id)[0] == okta


def test_a_name_in_use_is_refused_but_its_own_in_other_letters_is_not(
    context: Context, okta: Connection, now: datetime
) -> None:
    create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name="Second"), now)
    with pytest.raises(Conflict) as refusal:
        put(context, okta, now, name="second")
    assert refusal.value.field == "name"
    assert put(context, okta, now, name="OKTA").name == "OKTA"


def test_only_owners_of_its_own_workspace_may(context: Context, kicks: World, okta: Connection, now: datetime) -> None:
    other = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    for actor, slug, refusal in (
        (f"user:{other.owner.id}", "kicks", Forbidden),
        (f"user:{other.owner.id}", "other", NotFound),
        ("user:nobody", "kicks", Forbidden),
    ):
        with pytest.raises(refusal):
            change_settings(context, actor, slug, okta.id, lambda one: replace(one, jit=False), now)


def test_a_small_plan_cannot_change_what_it_does_not_have(context: Context, okta: Connection, now: datetime) -> None:
    set_plan(context, OPERATOR, "kicks", "team", now)
    with pytest.raises(NotInPlan):
        put(context, okta, now, jit=False)


def test_an_older_row_without_the_newer_settings_reads_as_their_defaults(okta: Connection) -> None:
    older = replace(okta, config={"preset": "okta", "idp": okta.config["idp"]})
    assert settings_of(older) == SamlSettings(name="Okta")


@given(st.text(max_size=200))
def test_a_name_id_format_is_one_of_four_by_either_name(written: str) -> None:
    if written in NAME_ID_FORMATS or written in NAME_ID_FORMATS.values():
        assert parse_name_id_format(written) in NAME_ID_FORMATS.values()
    elif written:
        with pytest.raises(Invalid):
            parse_name_id_format(written)
    else:
        assert parse_name_id_format(written) is None


PROVIDER = Provider("https://login.kicks.example", "https://l.example/a", "https://l.example/t", "https://l.example/k")


def test_a_client_secret_is_replaced_and_the_old_one_forgotten(
    context: Context, made: NewWorkspace, now: datetime
) -> None:
    draft = OidcDraft(PROVIDER.issuer, "our-id", "old-secret", name="By OIDC")
    found = create_oidc(context, OPERATOR, "kicks", draft, PROVIDER, now)
    replace_client_secret(context, OPERATOR, "kicks", found.id, " new-secret\n", now)
    assert load_oidc(context, found.id).client.client_secret == "new-secret"
    assert last_event(context) == ("connection.client_secret_replaced", None, {"name": "By OIDC"})
    with context.database.reading() as rows:
        assert rows.execute(select(PAST[connections].c.secrets_enc)).scalars().all() == [None]
    with pytest.raises(Invalid):
        replace_client_secret(context, OPERATOR, "kicks", found.id, "two\nlines", now)


def test_a_saml_connection_has_no_client_secret(context: Context, okta: Connection, now: datetime) -> None:
    with pytest.raises(DomainError):
        replace_client_secret(context, OPERATOR, "kicks", okta.id, "secret", now)
