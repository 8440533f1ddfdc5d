"""Settings of an OpenID Connect connection: changed by owners, audited with what was and what is."""

from dataclasses import replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from bridge.domain.errors import Conflict, DomainError, Forbidden, Invalid, NotFound, NotInPlan, Stale
from bridge.domain.workspace import Connection
from bridge.flows.administer import NewWorkspace, WorkspaceDraft, create_workspace, set_plan
from bridge.flows.connect_oidc import PRIVATE_KEY, OidcDraft, create_oidc, load_oidc, public_keys
from bridge.flows.connection_settings import change_settings
from bridge.flows.context import OPERATOR, Context
from bridge.flows.oidc_settings import OidcSettings, change_oidc_settings, oidc_settings_of, read_oidc_settings
from bridge.storage.tables import PAST, audit, connections
from oidc.authorization_request import build, is_scope
from oidc.client import Client
from oidc.provider import Provider
from tests.flows.audit import audit_events
from tests.world import World

PROVIDER = Provider(
    "https://login.kicks.example",
    "https://l.example/a",
    "https://l.example/t",
    "https://l.example/k",
    scopes=("openid", "groups"),
)
USUAL = OidcSettings("By OIDC", "our-id", "client_secret_basic", ("openid", "email", "profile", "groups"))


@pytest.fixture
def kicks_login(context: Context, made: NewWorkspace, now: datetime) -> Connection:
    draft = OidcDraft(PROVIDER.issuer, "our-id", "first-secret", name="By OIDC")
    return create_oidc(context, OPERATOR, "kicks", draft, PROVIDER, now)


def test_without_a_name_it_takes_the_presets_with_the_next_number(
    context: Context, made: NewWorkspace, now: datetime
) -> None:
    draft = OidcDraft(PROVIDER.issuer, "our-id", "first-secret")
    names = [create_oidc(context, OPERATOR, "kicks", draft, PROVIDER, now).name for _ in range(2)]
    assert names == ["OpenID Connect", "OpenID Connect 2"]


def put(
    context: Context, found: Connection, now: datetime, client_secret: str | None = None, **wanted: Any
) -> Connection:
    return change_oidc_settings(
        context, OPERATOR, "kicks", found.id, lambda one: replace(one, **wanted), now, client_secret=client_secret
    )


def events(context: Context, after: int) -> list[tuple[str, Any, Any]]:
    """What is told since there were so many events."""
    with context.database.reading() as rows:
        chosen = select(audit.c.type, audit.c.before, audit.c.after).order_by(audit.c.seq)
        return [tuple(row) for row in rows.execute(chosen)][after:]


def past_secrets(context: Context) -> set[bytes | None]:
    with context.database.reading() as rows:
        return set(rows.execute(select(PAST[connections].c.secrets_enc)).scalars())


def test_settings_of_a_new_connection_are_the_usual_ones(context: Context, kicks_login: Connection) -> None:
    assert read_oidc_settings(context, "kicks", kicks_login.id) == (kicks_login, USUAL)


def test_each_setting_is_kept_and_used_at_the_next_sign_in(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    wanted = OidcSettings(
        name="Kicks",
        client_id="another-id",
        token_auth="client_secret_post",
        scopes=("openid", "email", "roles"),
        allow_idp_initiated=True,
        jit=False,
        trust_email=True,
        force_authn=True,
        logout_return=True,
        mirror_groups=False,
        email=("mail",),
        display_name=("cn",),
        groups=("realm_access.roles", "memberOf"),
        hosted_domain="kicks.example",
        clock_skew=120,
        asserted_days=30,
    )
    changed = change_oidc_settings(context, OPERATOR, "kicks", kicks_login.id, lambda _: wanted, now)
    assert read_oidc_settings(context, "kicks", kicks_login.id) == (changed, wanted)
    ours = load_oidc(context, kicks_login.id)
    assert ours.allow_idp_initiated
    assert ours.scopes == ("openid", "email", "roles")
    assert (ours.client.client_id, ours.client.token_auth) == ("another-id", "client_secret_post")
    assert (ours.client.clock_skew, ours.client.hosted_domain) == (120, "kicks.example")
    assert ours.claims.trusted
    assert ours.force_authn
    assert ours.logout_return is not None
    assert (ours.claims.email, ours.claims.groups) == (("mail",), ("realm_access.roles", "memberOf"))
    assert (ours.claims.display_name, ours.claims.given_name) == (("cn",), ())
    assert ours.client.client_secret == "first-secret"
    kept = ("preset", "issuer", "provider")
    assert {name: changed.config[name] for name in kept} == {name: kicks_login.config[name] for name in kept}
    assert {name: changed.config[name] for name in ("jit", "mirror_groups", "asserted_days")} == {
        "jit": False,
        "mirror_groups": False,
        "asserted_days": 30,
    }


def test_what_was_chosen_can_be_taken_back(context: Context, kicks_login: Connection, now: datetime) -> None:
    put(context, kicks_login, now, email=("mail",), scopes=("email",), hosted_domain="kicks.example")
    back = put(context, kicks_login, now, email=(), scopes=(), hosted_domain="")
    assert oidc_settings_of(back) == USUAL
    assert back.config == kicks_login.config


def test_the_audit_trail_tells_what_was_and_what_is_and_nothing_else(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    seen = len(events(context, 0))
    put(context, kicks_login, now, clock_skew=90, client_id=" new-id ")
    was, became = {"client_id": "our-id", "clock_skew": 60}, {"client_id": "new-id", "clock_skew": 90}
    assert events(context, seen) == [("connection.changed", was, became)]


def test_the_same_settings_change_nothing(context: Context, kicks_login: Connection, now: datetime) -> None:
    before = audit_events(context)
    assert put(context, kicks_login, now) == kicks_login
    assert audit_events(context) == before


def test_from_a_secret_to_a_key_makes_one_and_forgets_the_secret(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    seen = len(events(context, 0))
    put(context, kicks_login, now, token_auth=PRIVATE_KEY)
    first = load_oidc(context, kicks_login.id)
    assert first.client.client_secret is None
    (key,) = public_keys(first)["keys"]
    assert past_secrets(context) == {None}
    told = ("connection.changed", {"token_auth": "client_secret_basic"}, {"token_auth": PRIVATE_KEY})
    assert events(context, seen) == [told]
    put(context, kicks_login, now, jit=False)
    assert public_keys(load_oidc(context, kicks_login.id))["keys"] == [key]


def test_back_to_a_secret_needs_it_and_forgets_the_key(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    put(context, kicks_login, now, token_auth=PRIVATE_KEY)
    (key,) = public_keys(load_oidc(context, kicks_login.id))["keys"]
    with pytest.raises(Invalid) as refusal:
        put(context, kicks_login, now, token_auth="client_secret_post")
    assert refusal.value.field == "client_secret"
    assert oidc_settings_of(read_oidc_settings(context, "kicks", kicks_login.id)[0]).token_auth == PRIVATE_KEY
    seen = len(events(context, 0))
    put(context, kicks_login, now, "second-secret", token_auth="client_secret_post")
    ours = load_oidc(context, kicks_login.id)
    assert (ours.client.client_secret, ours.client.private_key) == ("second-secret", None)
    assert past_secrets(context) == {None}
    assert [kind for kind, _, _ in events(context, seen)] == [
        "connection.changed",
        "connection.client_secret_replaced",
    ]
    assert "second-secret" not in str(events(context, 0))
    put(context, kicks_login, now, token_auth=PRIVATE_KEY)
    # Another key under the former name would be looked for in what the provider keeps, and not be found.
    assert public_keys(load_oidc(context, kicks_login.id))["keys"][0]["kid"] != key["kid"]


def test_a_secret_is_replaced_with_whatever_else_changes_or_alone(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    put(context, kicks_login, now, "second-secret", jit=False)
    put(context, kicks_login, now, " third-secret ")
    assert load_oidc(context, kicks_login.id).client.client_secret == "third-secret"
    for faulty in ("", "two\nlines"):
        with pytest.raises(Invalid):
            put(context, kicks_login, now, faulty)
    with pytest.raises(Invalid):
        put(context, kicks_login, now, "a-secret", token_auth=PRIVATE_KEY)


def test_what_the_form_showed_must_still_stand(context: Context, kicks_login: Connection, now: datetime) -> None:
    put(context, kicks_login, now, clock_skew=90)
    of = (context, OPERATOR, "kicks", kicks_login.id)
    with pytest.raises(Stale):
        change_oidc_settings(*of, lambda one: replace(one, jit=False), now, read_at=kicks_login.version)
    with pytest.raises(Stale):
        change_oidc_settings(*of, lambda one: one, now, read_at=kicks_login.version, client_secret="late")
    assert read_oidc_settings(context, "kicks", kicks_login.id)[1] == replace(USUAL, clock_skew=90)
    assert load_oidc(context, kicks_login.id).client.client_secret == "first-secret"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", " "),
        ("client_id", " "),
        ("client_id", "a\nb"),
        ("token_auth", "none"),
        ("token_auth", ""),
        ("scopes", ("two words",)),
        ("scopes", ('"',)),
        ("scopes", ("",)),
        ("scopes", tuple(map(str, range(31)))),
        ("hosted_domain", "no domain"),
        ("clock_skew", -1),
        ("clock_skew", 301),
        ("asserted_days", 0),
        ("asserted_days", 31),
        ("email", ("a\0b",)),
        ("groups", ("x" * 256,)),
        ("display_name", tuple(map(str, range(11)))),
    ],
)
def test_a_value_that_cannot_be_is_refused_at_its_field(
    context: Context, kicks_login: Connection, now: datetime, field: str, value: Any
) -> None:
    with pytest.raises(Invalid) as refusal:
        put(context, kicks_login, now, **{field: value})
    assert refusal.value.field == field
    assert read_oidc_settings(context, "kicks", kicks_login.id)[0] == kicks_login


def test_a_name_in_use_is_refused(context: Context, kicks_login: Connection, now: datetime) -> None:
    draft = OidcDraft(PROVIDER.issuer, "our-id", "secret", name="Second")
    create_oidc(context, OPERATOR, "kicks", draft, PROVIDER, now)
    with pytest.raises(Conflict) as refusal:
        put(context, kicks_login, now, name="second")
    assert refusal.value.field == "name"
    assert put(context, kicks_login, now, name="BY OIDC").name == "BY OIDC"


def test_only_owners_of_its_own_workspace_may(
    context: Context, kicks: World, kicks_login: Connection, now: datetime
) -> None:
    other = create_workspace(context, OPERATOR, WorkspaceDraft("other", "Other", "x@other.example"), now)
    for actor, slug, refusal in (
        (f"user:{other.owner.id}", "kicks", Forbidden),
        (f"user:{other.owner.id}", "other", NotFound),
        ("user:nobody", "kicks", Forbidden),
    ):
        with pytest.raises(refusal):
            change_oidc_settings(context, actor, slug, kicks_login.id, lambda one: replace(one, jit=False), now)


def test_a_small_plan_cannot_change_what_it_does_not_have(
    context: Context, kicks_login: Connection, now: datetime
) -> None:
    set_plan(context, OPERATOR, "kicks", "team", now)
    with pytest.raises(NotInPlan):
        put(context, kicks_login, now, jit=False)


def test_each_kind_has_its_own_settings(
    context: Context, okta: Connection, kicks_login: Connection, now: datetime
) -> None:
    with pytest.raises(DomainError, match="not an OpenID Connect connection"):
        put(context, okta, now, jit=False)
    with pytest.raises(DomainError, match="not an OpenID Connect connection"):
        read_oidc_settings(context, "kicks", okta.id)
    with pytest.raises(DomainError, match="not a SAML connection"):
        change_settings(context, OPERATOR, "kicks", kicks_login.id, lambda one: replace(one, jit=False), now)


def test_an_older_row_without_the_newer_settings_reads_as_their_defaults(kicks_login: Connection) -> None:
    needed = ("preset", "issuer", "client_id", "token_auth", "scopes", "provider")
    older = replace(kicks_login, config={name: kicks_login.config[name] for name in needed})
    assert oidc_settings_of(older) == USUAL


@given(st.text(max_size=20))
def test_a_scope_that_is_taken_arrives_as_one_word(written: str) -> None:
    if is_scope(written):
        random = "r" * 43
        client = Client(client_id="our-id", redirect_uri="https://b.example/callback", client_secret=random)
        asked = build(PROVIDER, client, state=random, nonce=random, code_verifier=random, scopes=(written,))
        assert parse_qs(urlsplit(asked).query)["scope"][0].split(" ") == list(dict.fromkeys(("openid", written)))
    else:
        assert not written.isascii() or not written.isprintable() or not written or set(written) & set(' "\\')
