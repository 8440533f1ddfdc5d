"""Connections (product.md 2.1, 2.2; properties 4 and 5)."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import orjson
import pytest
from lxml import etree
from sqlalchemy import update

from bridge.domain.errors import Conflict, Expired, Forbidden, Invalid, NotFound, NotInPlan
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace
from bridge.flows.connect import SamlDraft, create_saml, reserve_id, reserved_id
from bridge.flows.context import OPERATOR, Context
from bridge.flows.own_connections import delete_connection, list_connections, set_enabled
from bridge.flows.saml_connection import addresses, load_saml
from bridge.flows.trusted_idp import IdpFields, hold_metadata_to, parse_signers, replace_fields, replace_metadata
from bridge.storage.tables import connections
from saml.certificates import certificate_facts
from tests.flows.audit import audit_events, everything_kept
from tests.flows.conftest import METADATA
from tests.flows.logins import sign_in
from tests.saml.idp import keys, sign
from tests.world import World

KICKS_CERTIFICATE = keys("kicks").certificate


def test_a_connection_is_made_from_metadata(context: Context, okta: Connection) -> None:
    loaded = load_saml(context, okta.id)
    assert okta.enabled
    assert (okta.kind, okta.name) == ("saml", "Okta")
    assert loaded.connection == okta
    assert loaded.idp.entity_id == "http://www.okta.com/exk1kicks"
    assert loaded.idp.sso_redirect_url == "https://kicks.okta.example/app/exk1kicks/sso/saml"
    assert len(loaded.idp.certificates) == 1


def test_its_addresses_begin_with_the_public_url(context: Context, okta: Connection) -> None:
    ours = addresses(context, okta.id)
    base = f"http://localhost:8000/saml/{okta.id}"
    assert ours.login_url == f"{base}/login"
    assert ours.acs_url == f"{base}/acs"
    assert ours.slo_url == f"{base}/slo"
    assert ours.sp_entity_id == ours.sp_metadata_url == f"{base}/metadata"


def test_each_connection_has_a_key_pair_of_its_own(context: Context, okta: Connection, now: datetime) -> None:
    second = create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name="Second"), now)
    one, other = load_saml(context, okta.id).sp, load_saml(context, second.id).sp
    assert one.private_key_pem != other.private_key_pem
    assert one.certificates != other.certificates
    assert one.acs_url == addresses(context, okta.id).acs_url


def test_the_private_key_is_encrypted(context: Context, okta: Connection) -> None:
    lines = load_saml(context, okta.id).sp.private_key_pem.splitlines()
    kept = everything_kept(context)
    assert "PRIVATE KEY" not in kept
    assert lines[1] not in kept


def test_during_a_rotation_both_certificates_and_both_keys_are_there(context: Context, okta: Connection) -> None:
    ours = load_saml(context, okta.id).sp
    following = keys("bridge next")
    kept: dict[str, Any] = {"private_key": ours.private_key_pem, "certificates": list(ours.certificates)}
    kept["next"] = {"private_key": following.private, "certificate": following.certificate}
    sealed = context.secrets.encrypt(orjson.dumps(kept), purpose="connections.secrets_enc")
    with context.database.writing() as connection:
        connection.execute(update(connections).where(connections.c.id == okta.key).values(secrets_enc=sealed))
    rotating = load_saml(context, okta.id).sp
    assert rotating.private_key_pem == ours.private_key_pem
    assert rotating.certificates == (*ours.certificates, following.certificate)
    assert rotating.private_keys == (ours.private_key_pem, following.private)


def test_who_chose_no_preset_gets_the_usual_attribute_names(context: Context, okta: Connection, now: datetime) -> None:
    plain = create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA), now)
    assert plain.name == "SAML"
    assert "groups" in load_saml(context, plain.id).attributes.groups
    assert load_saml(context, okta.id).attributes.email[0] == "email"


def test_unsolicited_sign_in_is_off_unless_asked_for(context: Context, okta: Connection, now: datetime) -> None:
    asked = create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name="Tiles", allow_idp_initiated=True), now)
    assert not load_saml(context, okta.id).allow_idp_initiated
    assert load_saml(context, asked.id).allow_idp_initiated


@pytest.mark.parametrize("metadata", [b"", b"<html></html>", b"<a", b"<!DOCTYPE a><a/>", b"\xff\xfe\x00"])
def test_bad_metadata_is_refused_with_a_reason(
    context: Context, made: NewWorkspace, metadata: bytes, now: datetime
) -> None:
    with pytest.raises(Invalid) as refusal:
        create_saml(context, OPERATOR, "kicks", SamlDraft(metadata), now)
    assert refusal.value.field == "idp_metadata"
    assert list_connections(context, "kicks") == ()


def _valid_until(ends: datetime) -> bytes:
    return METADATA.replace(
        b"<md:EntityDescriptor", f'<md:EntityDescriptor validUntil="{ends:%Y-%m-%dT%H:%M:%SZ}"'.encode()
    )


def test_metadata_whose_validity_is_over_is_refused(context: Context, okta: Connection, now: datetime) -> None:
    over, good = _valid_until(now - timedelta(seconds=1)), _valid_until(now + timedelta(days=1))
    with pytest.raises(Invalid, match="was valid until"):
        create_saml(context, OPERATOR, "kicks", SamlDraft(over, name="Another"), now)
    with pytest.raises(Invalid, match="was valid until"):
        replace_metadata(context, OPERATOR, "kicks", okta.id, over, now)
    assert create_saml(context, OPERATOR, "kicks", SamlDraft(good, name="Another"), now).enabled


@pytest.mark.parametrize("url", ["http://idp.kicks.example/metadata", "http://[", "ftp://idp.kicks.example/metadata"])
def test_metadata_from_where_anybody_could_answer_is_refused(
    context: Context, made: NewWorkspace, okta: Connection, now: datetime, url: str
) -> None:
    draft = SamlDraft(METADATA, name="By an address", metadata_url=url)
    with pytest.raises(Invalid, match="https") as caught:
        create_saml(context, OPERATOR, "kicks", draft, now)
    assert caught.value.field == "metadata_url"
    with pytest.raises(Invalid, match="https"):
        replace_metadata(context, OPERATOR, "kicks", okta.id, METADATA, now, url=url)
    assert list_connections(context, "kicks") == (okta,)


def test_metadata_without_a_certificate_is_refused(context: Context, made: NewWorkspace, now: datetime) -> None:
    start, end = METADATA.index(b"<md:KeyDescriptor"), METADATA.index(b"<md:NameIDFormat")
    with pytest.raises(Invalid, match="certificate"):
        create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA[:start] + METADATA[end:]), now)


def test_a_name_is_used_once_in_a_workspace(context: Context, okta: Connection, now: datetime) -> None:
    with pytest.raises(Conflict):
        create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name="OKTA"), now)


def test_without_a_name_it_takes_the_presets_with_the_next_number(
    context: Context, okta: Connection, now: datetime
) -> None:
    draft = SamlDraft(METADATA, preset="okta")
    made = [create_saml(context, OPERATOR, "kicks", draft, now).name for _ in range(3)]
    assert made == ["Okta 2", "Okta 3", "Okta 4"]
    delete_connection(context, OPERATOR, "kicks", okta.id, now)
    assert create_saml(context, OPERATOR, "kicks", draft, now).name == "Okta"


def test_an_unknown_preset_is_refused(context: Context, made: NewWorkspace, now: datetime) -> None:
    with pytest.raises(Invalid, match="Presets are"):
        create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, preset="acme"), now)


def test_a_small_plan_has_no_sso(context: Context, now: datetime) -> None:
    create_workspace(context, OPERATOR, WorkspaceDraft("kicks", "Kicks", "x@kicks.example", plan="team"), now)
    with pytest.raises(NotInPlan):
        create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA), now)


def test_switching_is_seen_at_once_and_audited_once(context: Context, okta: Connection, now: datetime) -> None:
    before = len(audit_events(context))
    assert not set_enabled(context, OPERATOR, "kicks", okta.id, False, now).enabled
    assert not set_enabled(context, OPERATOR, "kicks", okta.id, False, now).enabled
    assert not load_saml(context, okta.id).connection.enabled
    assert set_enabled(context, OPERATOR, "kicks", okta.id, True, now).enabled
    assert [kind for _, kind, _ in audit_events(context)[before:]] == ["connection.disabled", "connection.enabled"]


def test_another_workspace_cannot_switch_it(context: Context, okta: Connection, now: datetime) -> None:
    other = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    with pytest.raises(NotFound):
        set_enabled(context, OPERATOR, "other", okta.id, False, now)
    with pytest.raises(Forbidden):
        set_enabled(context, f"user:{other.owner.id}", "kicks", okta.id, False, now)


def test_an_unknown_connection_is_not_found(context: Context, okta: Connection) -> None:
    with pytest.raises(NotFound):
        load_saml(context, "no-such-id")


def test_new_metadata_replaces_what_was_trusted(context: Context, okta: Connection, now: datetime) -> None:
    moved = METADATA.replace(b"kicks.okta.example", b"kicks-new.okta.example")
    replace_metadata(context, OPERATOR, "kicks", okta.id, moved, now)
    assert "kicks-new" in (load_saml(context, okta.id).idp.sso_redirect_url or "")
    assert audit_events(context)[-1][1] == "connection.metadata_replaced"


ANOTHER = METADATA.replace(b"http://www.okta.com/exk1kicks", b"http://www.okta.com/exk2boots")


def _replaced(context: Context, okta: Connection, way: str, now: datetime) -> str:
    """The entity ID that is trusted after another IdP was given, in that way."""
    if way == "metadata":
        replace_metadata(context, OPERATOR, "kicks", okta.id, ANOTHER, now)
    else:
        other = fields_of(okta, entity_id="http://www.okta.com/exk2boots")
        replace_fields(context, OPERATOR, "kicks", okta.id, other, now)
    return load_saml(context, okta.id).idp.entity_id


@pytest.mark.parametrize("way", ["metadata", "fields"])
@pytest.mark.parametrize("known", ["signed in", "pushed"])
def test_another_idp_is_another_connection_once_this_one_named_people(kicks: World, known: str, way: str) -> None:
    """Else its people would be found by names that the first gave to others."""
    if known == "pushed":
        kicks.push("mei@k.example")
    else:
        sign_in(kicks, "mei@k.example")
    before = load_saml(kicks.context, kicks.connection.id)
    with pytest.raises(Invalid, match=r"another identity provider.*make a new connection") as refusal:
        _replaced(kicks.context, kicks.connection, way, kicks.now)
    assert refusal.value.field == ("idp_metadata" if way == "metadata" else "entity_id")
    assert load_saml(kicks.context, kicks.connection.id) == before


@pytest.mark.parametrize("way", ["metadata", "fields"])
def test_until_then_another_idp_may_be_given(context: Context, okta: Connection, now: datetime, way: str) -> None:
    assert _replaced(context, okta, way, now) == "http://www.okta.com/exk2boots"


def test_the_same_metadata_changes_nothing(context: Context, okta: Connection, now: datetime) -> None:
    before = audit_events(context)
    assert replace_metadata(context, OPERATOR, "kicks", okta.id, METADATA, now).version == okta.version
    assert audit_events(context) == before


def test_bad_metadata_leaves_the_last_good_one(context: Context, okta: Connection, now: datetime) -> None:
    with pytest.raises(Invalid):
        replace_metadata(context, OPERATOR, "kicks", okta.id, b"<html></html>", now)
    assert load_saml(context, okta.id).connection == okta


def fields_of(okta: Connection, **other: str) -> IdpFields:
    idp = okta.config["idp"]
    given = {"entity_id": idp["entity_id"], "sso_url": idp["sso_redirect_url"], "certificates": idp["certificates"][0]}
    return IdpFields(**{**given, **other})


def test_a_connection_is_made_from_fields(context: Context, okta: Connection, now: datetime) -> None:
    both = 2 * okta.config["idp"]["certificates"][0] + KICKS_CERTIFICATE
    draft = SamlDraft(idp=fields_of(okta, certificates=both), name="By hand")
    loaded = load_saml(context, create_saml(context, OPERATOR, "kicks", draft, now).id)
    assert loaded.idp.entity_id == "http://www.okta.com/exk1kicks"
    assert (loaded.idp.sso_redirect_url, loaded.idp.sso_post_url) == (okta.config["idp"]["sso_redirect_url"], None)
    assert loaded.idp.certificates == (okta.config["idp"]["certificates"][0], KICKS_CERTIFICATE)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("entity_id", " "),
        ("entity_id", "x" * 1025),
        ("sso_url", "javascript:alert(1)"),
        ("sso_url", "/relative"),
        ("slo_url", "ftp://idp.example"),
        ("certificates", ""),
        ("certificates", "no certificate"),
    ],
)
def test_a_bad_field_is_refused_by_its_name(
    context: Context, okta: Connection, now: datetime, field: str, value: str
) -> None:
    draft = SamlDraft(idp=fields_of(okta, **{field: value}), name="By hand")
    with pytest.raises(Invalid) as refusal:
        create_saml(context, OPERATOR, "kicks", draft, now)
    assert refusal.value.field == field
    assert len(list_connections(context, "kicks")) == 1


def test_nothing_of_the_idp_is_refused(context: Context, made: NewWorkspace, now: datetime) -> None:
    with pytest.raises(Invalid):
        create_saml(context, OPERATOR, "kicks", SamlDraft(), now)


def test_replaced_fields_are_trusted_and_audited_by_fingerprint(
    context: Context, okta: Connection, now: datetime
) -> None:
    replace_fields(context, OPERATOR, "kicks", okta.id, fields_of(okta, certificates=KICKS_CERTIFICATE), now)
    assert load_saml(context, okta.id).idp.certificates == (KICKS_CERTIFICATE,)
    _, kind, after = audit_events(context)[-1]
    assert kind == "connection.metadata_replaced"
    assert after["certificates"] == [certificate_facts(KICKS_CERTIFICATE).sha256]


def test_where_metadata_came_from_is_kept_until_it_comes_otherwise(
    context: Context, okta: Connection, now: datetime
) -> None:
    url = "https://kicks.okta.example/metadata"
    read = replace_metadata(context, OPERATOR, "kicks", okta.id, METADATA, now, url=url)
    assert read.config["metadata_url"] == url
    by_hand = replace_fields(context, OPERATOR, "kicks", okta.id, fields_of(okta), now)
    assert "metadata_url" not in by_hand.config


def test_an_id_can_be_had_before_the_connection(context: Context, made: NewWorkspace, now: datetime) -> None:
    reserved = reserve_id(context, "kicks", now)
    promised = reserved_id(context, made.workspace, reserved, now)
    draft = SamlDraft(METADATA, reserved=reserved, enabled=False)
    connection = create_saml(context, OPERATOR, "kicks", draft, now + timedelta(days=6))
    assert (connection.id, connection.enabled) == (promised, False)


def test_a_promised_id_is_good_once_even_after_the_connection_went(
    context: Context, made: NewWorkspace, now: datetime
) -> None:
    reserved = reserve_id(context, "kicks", now)
    connection = create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, reserved=reserved), now)
    for name in ("Twice", "Again"):
        with pytest.raises(Conflict, match="already"):
            create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name=name, reserved=reserved), now)
        with suppress(NotFound):
            delete_connection(context, OPERATOR, "kicks", connection.id, now)


def test_a_promised_id_is_of_its_workspace_and_time(context: Context, made: NewWorkspace, now: datetime) -> None:
    create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    mine, theirs = reserve_id(context, "kicks", now), reserve_id(context, "other", now)
    changed = f"{mine[:-2]}{(int(mine[-2:], 16) ^ 1):02x}"
    for reserved, at in ((theirs, now), (mine, now + timedelta(days=8)), (changed, now), ("zz", now), ("ab", now)):
        with pytest.raises(Expired):
            create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, reserved=reserved), at)
    assert list_connections(context, "kicks") == ()


def test_deleting_may_ask_for_the_name(context: Context, okta: Connection, now: datetime) -> None:
    with pytest.raises(Invalid) as refusal:
        delete_connection(context, OPERATOR, "kicks", okta.id, now, typed_name="okta")
    assert refusal.value.field == "typed_name"
    assert list_connections(context, "kicks") == (okta,)
    delete_connection(context, OPERATOR, "kicks", okta.id, now, typed_name=" Okta ")
    assert list_connections(context, "kicks") == ()


# -- Signed metadata ---------------------------------------------------------------------------------

FEDERATION = keys("federation").certificate


def by_the_federation(metadata: bytes = METADATA) -> bytes:
    """The same, signed."""
    root = etree.fromstring(metadata)
    root.set("ID", "_kicks")
    sign(root, "federation")
    return etree.tostring(root)


@pytest.fixture
def held(context: Context, made: NewWorkspace, now: datetime) -> Connection:
    """A connection whose metadata is held to the federation's certificate."""
    draft = SamlDraft(by_the_federation(), name="Held", signed_by=(FEDERATION,))
    return create_saml(context, OPERATOR, "kicks", draft, now)


def test_metadata_that_should_be_signed_is_refused_unsigned(context: Context, held: Connection, now: datetime) -> None:
    with pytest.raises(Invalid, match="isn't signed"):
        create_saml(context, OPERATOR, "kicks", SamlDraft(METADATA, name="Other", signed_by=(FEDERATION,)), now)
    moved = METADATA.replace(b"kicks.okta.example", b"kicks-new.okta.example")
    with pytest.raises(Invalid, match="isn't signed"):
        replace_metadata(context, OPERATOR, "kicks", held.id, moved, now)
    assert load_saml(context, held.id).connection == held
    replace_metadata(context, OPERATOR, "kicks", held.id, by_the_federation(moved), now)
    assert "kicks-new" in (load_saml(context, held.id).idp.sso_redirect_url or "")
    assert load_saml(context, held.id).connection.config["metadata_certificates"] == [FEDERATION]


def test_what_metadata_is_held_to_is_set_and_taken_back(context: Context, okta: Connection, now: datetime) -> None:
    named = (context, OPERATOR, "kicks", okta.id)
    hold_metadata_to(*named, [FEDERATION], now)
    _, kind, after = audit_events(context)[-1]
    assert (kind, after) == ("connection.changed", {"metadata_certificates": [certificate_facts(FEDERATION).sha256]})
    with pytest.raises(Invalid):
        replace_metadata(*named, METADATA, now)
    count = len(audit_events(context))
    hold_metadata_to(*named, [FEDERATION], now)
    assert len(audit_events(context)) == count
    hold_metadata_to(*named, [], now)
    replace_metadata(*named, METADATA, now)


def test_another_certificate_may_come_with_its_metadata(context: Context, held: Connection, now: datetime) -> None:
    named = (context, OPERATOR, "kicks", held.id, METADATA, now)
    with pytest.raises(Invalid):
        replace_metadata(*named, signed_by=[KICKS_CERTIFICATE])
    assert replace_metadata(*named, signed_by=[]).config.get("metadata_certificates") is None


def test_fields_given_by_hand_need_no_signature(context: Context, held: Connection, now: datetime) -> None:
    by_hand = replace_fields(context, OPERATOR, "kicks", held.id, fields_of(held), now)
    assert "metadata_certificates" not in by_hand.config


@pytest.mark.parametrize("written", ["no certificate", "-----BEGIN CERTIFICATE-----"])
def test_what_is_no_certificate_holds_nothing(written: str) -> None:
    with pytest.raises(Invalid) as refusal:
        parse_signers(written)
    assert refusal.value.field == "metadata_certificate"
    assert parse_signers(" ") == []
