"""Signing out by OpenID Connect: at the provider (RP-Initiated Logout 1.0), and from it (Back-Channel Logout 1.0)."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.flows.context import OPERATOR
from bridge.flows.oidc_settings import change_oidc_settings
from bridge.flows.outside import NOWHERE
from bridge.storage.tables import authentications, sessions
from bridge.web.current import OUTSIDE
from tests.web.browsing import Surfer
from tests.web.provider import Answer, OidcCompany, Provider, connect_oidc, impatient, json_answer, running_provider
from tests.web.test_saml_login import count, is_refused
from tests.world import World


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def kicks(world: World, app: Flask, provider: Provider) -> OidcCompany:
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, name="Kicks Login")


# -- At the provider ---------------------------------------------------------------------------------


def sign_out(surfer: Surfer) -> TestResponse:
    return surfer.submit("/logout", surfer.get("/logout"))


def test_signing_out_leads_to_the_provider(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer, groups=["eng"])
    told = sign_out(surfer)
    assert told.status_code == 303
    location = told.headers["Location"]
    assert location.startswith(f"{kicks.provider.url}/end?")
    asked = parse_qs(urlsplit(location).query)
    assert asked["id_token_hint"][0].count(".") == 2
    assert "post_logout_redirect_uri" not in asked
    assert surfer.session() is None


def test_the_token_is_kept_sealed(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    with world.context.database.reading() as rows:
        kept = rows.execute(select(authentications.c.logout_hint_enc)).scalar_one()
    assert kept is not None
    hint = parse_qs(urlsplit(sign_out(surfer).headers["Location"]).query)["id_token_hint"][0]
    assert hint.encode() not in kept


def test_a_token_with_many_groups_is_not_kept(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer, groups=[f"group {n}" for n in range(600)])
    with world.context.database.reading() as rows:
        assert rows.execute(select(authentications.c.logout_hint_enc)).scalar_one() is None
    assert "id_token_hint" not in sign_out(surfer).headers["Location"]


def test_a_provider_without_that_is_left_alone(world: World, app: Flask, provider: Provider, surfer: Surfer) -> None:
    provider.discovered = {"end_session_endpoint": None}
    impatient(app, 5)
    connect_oidc(world.context, "acme", provider).sign_in(surfer)
    assert sign_out(surfer).headers["Location"] == "/login"
    assert surfer.session() is None


def test_a_provider_that_knows_the_address_sends_people_back(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    known = partial(replace, logout_return=True)
    change_oidc_settings(world.context, OPERATOR, "acme", kicks.connection_id, known, world.now)
    kicks.sign_in(surfer, groups=["eng"])
    asked = parse_qs(urlsplit(sign_out(surfer).headers["Location"]).query)
    (back,) = asked["post_logout_redirect_uri"]
    assert back == f"http://localhost:8000{kicks.path('signed-out')}"
    assert "state" not in asked
    for state in ("", "?state=another"):
        told = surfer.get(f"{urlsplit(back).path}{state}")
        assert (told.status_code, told.headers["Location"]) == (303, "/logout")
    assert surfer.get("/logout").status_code == 200


def test_the_form_may_lead_there(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    assert "form-action 'self' https: http:" in surfer.get("/logout").headers["Content-Security-Policy"]


# -- From the provider -------------------------------------------------------------------------------


def post(client: FlaskClient, company: OidcCompany, token: Any) -> TestResponse:
    return client.post(company.path("backchannel-logout"), data={"logout_token": token})


def check_refused(told: TestResponse, *, status: int = 400) -> None:
    """Fails unless it is a refusal in the standard's form (2.8)."""
    assert told.status_code == status, told.text
    assert told.headers["Cache-Control"] == "no-store"
    assert told.json is not None
    assert set(told.json) == {"error", "error_description"}


def test_the_person_it_names_is_signed_out(app: Flask, kicks: OidcCompany, surfer: Surfer, client: FlaskClient) -> None:
    kicks.sign_in(surfer)
    other = Surfer(app)
    kicks.sign_in(other, sub="olga", email="olga@kicks.example")
    told = post(client, kicks, kicks.provider.logout_token())
    assert (told.status_code, told.headers["Cache-Control"], told.data) == (200, "no-store", b"")
    assert surfer.session() is None
    assert other.workspaces() == ["acme"]


def test_of_a_person_only_the_session_that_it_names(app: Flask, kicks: OidcCompany, client: FlaskClient) -> None:
    laptop, phone, old = Surfer(app), Surfer(app), Surfer(app)
    kicks.sign_in(laptop, sid="laptop")
    kicks.sign_in(phone, sid="phone")
    kicks.sign_in(old)  # whose session it was, nobody said
    post(client, kicks, kicks.provider.logout_token(sid="laptop", sub=None))
    assert [one.session() is None for one in (laptop, phone, old)] == [True, False, False]
    post(client, kicks, kicks.provider.logout_token(sid="elsewhere"))
    assert [one.session() is None for one in (laptop, phone, old)] == [True, False, True]
    post(client, kicks, kicks.provider.logout_token())
    assert phone.session() is None


def test_what_the_session_holds_beside_it_stays(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer, client: FlaskClient
) -> None:
    other = connect_oidc(world.context, "acme", kicks.provider, name="Other")
    kicks.sign_in(surfer)
    with_both = other.sign_in(surfer, email_verified=True)
    assert with_both.status_code == 303
    post(client, kicks, kicks.provider.logout_token())
    said = surfer.session()
    assert said is None or [one["connection"] for one in said["authenticated_by"]] == [other.connection_id]


def test_another_connections_people_stay(world: World, app: Flask, kicks: OidcCompany, client: FlaskClient) -> None:
    other, theirs = connect_oidc(world.context, "acme", kicks.provider, name="Other"), Surfer(app)
    other.sign_in(theirs)
    assert post(client, kicks, kicks.provider.logout_token()).status_code == 200
    assert theirs.workspaces() == ["acme"]


def test_nobody_there_is_fine(kicks: OidcCompany, client: FlaskClient) -> None:
    assert post(client, kicks, kicks.provider.logout_token(sub="nobody")).status_code == 200


def test_a_token_works_once(kicks: OidcCompany, surfer: Surfer, client: FlaskClient) -> None:
    token = kicks.provider.logout_token()
    assert post(client, kicks, token).status_code == 200
    kicks.sign_in(surfer)
    check_refused(post(client, kicks, token))
    check_refused(post(client, kicks, kicks.provider.logout_token(jti=None)))
    assert surfer.workspaces() == ["acme"]


NOW = int(datetime.now(UTC).timestamp())
WRONG: dict[str, dict[str, Any]] = {
    "another issuer": {"iss": "https://evil.example"},
    "another audience": {"aud": "other"},
    "nobody": {"sub": None},
    "a nonce": {"nonce": "n"},
    "no event": {"events": None},
    "another event": {"events": {"urn:other": {}}},
    "no time": {"iat": None},
    "no end": {"exp": None},
    "an end in the past": {"exp": NOW - 600, "iat": NOW - 700},
    "a list for a subject": {"sub": ["mei"]},
}


@pytest.mark.parametrize("wrong", WRONG)
def test_a_token_that_is_not_good_ends_nothing(
    kicks: OidcCompany, surfer: Surfer, client: FlaskClient, wrong: str
) -> None:
    kicks.sign_in(surfer)
    check_refused(post(client, kicks, kicks.provider.logout_token(**WRONG[wrong])))
    assert surfer.workspaces() == ["acme"]


def test_an_id_token_is_no_logout_token(kicks: OidcCompany, surfer: Surfer, client: FlaskClient) -> None:
    kicks.sign_in(surfer)
    usual = {"iss": kicks.provider.url, "aud": "bridge-client", "sub": "mei", "iat": NOW, "exp": NOW + 300}
    check_refused(post(client, kicks, kicks.provider.sign(usual | {"nonce": "n"})))
    assert surfer.workspaces() == ["acme"]


@pytest.mark.parametrize("form", [{}, {"logout_token": ""}, {"logout_token": ["a", "b"]}, {"logout_token": "a.b.c"}])
def test_a_post_without_one_token_is_refused(kicks: OidcCompany, client: FlaskClient, form: dict[str, Any]) -> None:
    check_refused(client.post(kicks.path("backchannel-logout"), data=form))


def test_other_requests_are_refused_in_the_same_form(kicks: OidcCompany, client: FlaskClient) -> None:
    check_refused(client.post(kicks.path("backchannel-logout"), json={"logout_token": "a"}))
    check_refused(post(client, kicks, "a" * 1_000_000), status=413)
    nowhere = OidcCompany(kicks.provider, "00000000-0000-4000-8000-000000000000")
    check_refused(post(client, nowhere, "a.b.c"), status=404)


def test_a_token_takes_nobodys_turn_while_the_keys_are_known(
    app: Flask, kicks: OidcCompany, surfer: Surfer, client: FlaskClient
) -> None:
    kicks.sign_in(surfer)
    app.extensions[OUTSIDE] = NOWHERE
    check_refused(post(client, kicks, "a.b.c"))
    check_refused(post(client, kicks, kicks.provider.logout_token(aud="other")))
    assert post(client, kicks, kicks.provider.logout_token()).status_code == 200
    assert surfer.session() is None


def test_nothing_is_fetched_for_what_could_not_be_a_logout_token(kicks: OidcCompany, client: FlaskClient) -> None:
    unsigned = "eyJhbGciOiJub25lIn0.e30."
    for token in ("a.b.c", unsigned, kicks.provider.sign({}, typ="at+jwt")):
        for _ in range(3):
            check_refused(post(client, kicks, token))
    assert kicks.provider.seen["/keys"] == 0
    assert post(client, kicks, kicks.provider.logout_token()).status_code == 200


def test_who_was_signed_out_while_being_signed_in_stays_out(
    world: World, kicks: OidcCompany, surfer: Surfer, client: FlaskClient
) -> None:
    answer = kicks.provider.token_answer

    def leave_meanwhile(form: Any) -> Answer:
        told = answer(form)
        assert post(client, kicks, kicks.provider.logout_token(sid="session-1", sub=None)).status_code == 200
        return told

    kicks.provider.token_answer = leave_meanwhile  # type: ignore[method-assign]
    told = kicks.sign_in(surfer, sid="session-1")
    assert is_refused(world, told, "ended_at_idp")
    kicks.provider.token_answer = answer  # type: ignore[method-assign]
    assert kicks.sign_in(surfer, sid="session-2").status_code == 303


def test_strangers_cannot_make_us_hammer_the_provider(kicks: OidcCompany, surfer: Surfer, client: FlaskClient) -> None:
    kicks.sign_in(surfer)
    read = kicks.provider.seen["/keys"]
    for _ in range(20):
        token = kicks.provider.sign({"iss": kicks.provider.url}, kid="not published", typ="logout+jwt")
        check_refused(post(client, kicks, token))
    assert kicks.provider.seen["/keys"] - read == 6
    assert kicks.sign_in(surfer).status_code == 303
    assert post(client, kicks, kicks.provider.logout_token()).status_code == 200
    assert surfer.session() is None


def test_keys_that_cannot_be_read_are_a_refusal_too(kicks: OidcCompany, client: FlaskClient) -> None:
    kicks.provider.answers["/keys"] = lambda: json_answer({}, 500)
    token = kicks.provider.logout_token()
    check_refused(post(client, kicks, token), status=429)
    kicks.provider.answers.clear()
    assert post(client, kicks, token).status_code == 200


def test_an_ended_session_is_gone_from_the_table(
    world: World, kicks: OidcCompany, surfer: Surfer, client: FlaskClient
) -> None:
    kicks.sign_in(surfer)
    post(client, kicks, kicks.provider.logout_token())
    assert count(world, sessions) == 0
