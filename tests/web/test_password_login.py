"""`/login`: email first, then the company's IdP or the password (product.md 2.4, 2.8)."""

import html
import re
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.storage.tables import sign_in_attempts
from tests.flows.logins import PASSWORD, account, join, prove_domain
from tests.saml.idp import TestIdp
from tests.web.browsing import Company, Surfer, at, connect
from tests.world import World, add_connection

ANN = "ann@acme.example"


@pytest.fixture(autouse=True)
def only_one_way(world: World) -> None:
    """The world's first connection is of no IdP; these tests bring their own."""
    with world.context.database.writing() as connection:
        connection.exec_driver_sql("UPDATE connections SET enabled = false")


def give_email(surfer: Surfer, email: str, **query: str) -> TestResponse:
    """The first page, filled in."""
    return surfer.submit("/login", surfer.get("/login", **query), email=email, **query)


# -- Email first -------------------------------------------------------------------------------------


def test_the_first_page_asks_for_the_email_only(surfer: Surfer) -> None:
    shown = surfer.get("/login")
    assert shown.status_code == 200
    assert 'name="email"' in shown.text
    assert 'name="password"' not in shown.text


def test_a_proved_domain_goes_to_its_idp_at_once(world: World, company: Company, surfer: Surfer) -> None:
    prove_domain(world, "acme.example")
    told = give_email(surfer, "Whoever@ACME.example", return_to="/w/acme/users")
    assert told.status_code == 303
    assert told.headers["Location"] == f"{company.path('login')}?return_to=/w/acme/users"


def test_several_connections_are_a_choice(world: World, company: Company, surfer: Surfer) -> None:
    prove_domain(world, "acme.example")
    other = connect(world.context, "acme", TestIdp(entity_id="https://e.example"), name="Entra")
    shown = give_email(surfer, ANN)
    for one, name in ((company, "Kicks IdP"), (other, "Entra")):
        assert f'href="{one.path("login")}"' in shown.text
        assert f"Continue with {name}" in shown.text
    assert 'href="/login?way=password">Sign in with a password instead' in shown.text


def test_other_domains_are_asked_for_the_password(company: Company, surfer: Surfer) -> None:
    shown = give_email(surfer, ANN)
    assert 'name="password"' in shown.text
    assert ANN in shown.text


def test_who_asks_for_the_password_gets_the_password(world: World, company: Company, surfer: Surfer) -> None:
    prove_domain(world, "acme.example")
    assert 'name="password"' in give_email(surfer, ANN, way="password").text


def test_first_page_links_to_the_password_and_keeps_where_to_return(
    world: World, company: Company, surfer: Surfer
) -> None:
    prove_domain(world, "acme.example")
    join(world, account(world, ANN, password=PASSWORD))
    first = surfer.get("/login", return_to="/w/acme/users")
    found = re.search(r'<a href="([^"]+)">Sign in with a password instead</a>', first.text)
    assert found
    by_password = surfer.get(html.unescape(found[1]))
    assert "Sign in with a password instead" not in by_password.text
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', by_password.text))
    assert (kept["way"], kept["return_to"]) == ("password", "/w/acme/users")
    asked = surfer.submit("/login", by_password, email=ANN, **{name: kept[name] for name in ("way", "return_to")})
    assert 'name="password"' in asked.text


def test_nothing_shows_whether_an_account_exists(world: World, company: Company, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    known, unknown = give_email(surfer, ANN), give_email(surfer, "xyz@acme.example")
    assert _anonymous(known, ANN) == _anonymous(unknown, "xyz@acme.example")
    known, unknown = (surfer.enter_password(email, "wrong") for email in (ANN, "xyz@acme.example"))
    assert _anonymous(known, ANN) == _anonymous(unknown, "xyz@acme.example")


def _anonymous(told: TestResponse, email: str) -> tuple[int, list[str]]:
    lines = told.text.replace(email, "EMAIL").splitlines()
    return told.status_code, [line for line in lines if "csrf_token" not in line]


@pytest.mark.parametrize("email", ["", "ann", "ann@", "@acme.example", "a b@c.example", "\x00", "<b>@c.example"])
def test_what_is_no_address_is_asked_for_again(company: Company, surfer: Surfer, email: str) -> None:
    told = give_email(surfer, email)
    assert told.status_code == 422
    assert "aria-invalid" in told.text
    assert "<b>@" not in told.text


def test_who_was_signed_out_is_told_so(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    told = "You have been signed out"
    surfer.sign_in(app, company)
    assert surfer.session() is not None
    assert told not in surfer.get("/login").text
    with world.context.database.writing() as connection:
        connection.exec_driver_sql("UPDATE connections SET enabled = false")
    assert told in surfer.get("/login").text
    assert told not in Surfer(app).get("/login").text


def test_who_signs_out_is_not_told_that_they_are(world: World, surfer: Surfer) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    surfer.enter_password(ANN, PASSWORD)
    surfer.submit("/logout", surfer.get("/logout"))
    assert "You have been signed out" not in surfer.get("/login").text


# -- The password ------------------------------------------------------------------------------------


def test_the_password_signs_in_and_leads_on(world: World, surfer: Surfer) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    told = surfer.enter_password(ANN, PASSWORD, return_to="/w/acme/users")
    assert told.status_code == 303
    assert told.headers["Location"] == "/w/acme/users"
    assert surfer.workspaces() == ["acme"]
    assert surfer.session()["authenticated_by"][0] | {"at": ""} == {
        "kind": "password",
        "connection": None,
        "at": "",
        "groups": [],
    }


@pytest.mark.parametrize("asked", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:x"])
def test_never_to_another_site(world: World, surfer: Surfer, asked: str) -> None:
    account(world, ANN, password=PASSWORD)
    assert surfer.enter_password(ANN, PASSWORD, return_to=asked).headers["Location"] == "/"


def test_a_wrong_password_is_asked_for_again_and_logged(world: World, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    told = surfer.enter_password(ANN, "wrong horse battery")
    assert told.status_code == 403
    assert "The email or the password is wrong." in told.text
    assert "wrong horse" not in told.text
    assert surfer.session() is None
    with world.context.database.reading() as rows:
        assert rows.execute(select(sign_in_attempts.c.code, sign_in_attempts.c.email)).all() == [
            ("wrong_credentials", ANN)
        ]


def test_after_ten_tries_one_waits_and_is_told_how_long(world: World, app: Flask, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    moment = datetime.now(UTC)
    with at(app, moment):
        for _ in range(10):
            assert surfer.enter_password(ANN, "wrong").status_code == 403
        told = surfer.enter_password(ANN, PASSWORD)
    assert told.status_code == 429
    assert told.headers["Retry-After"] == "901"
    assert "Wait 16 minutes" in told.text
    with at(app, moment + timedelta(seconds=901)):
        assert surfer.enter_password(ANN, PASSWORD).status_code == 303


def test_a_form_without_its_token_changes_nothing(world: World, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    told = surfer.client.post("/login", data={"email": ANN, "password": PASSWORD})
    assert told.status_code == 400
    assert "open for too long" in told.text
    assert surfer.session() is None


def test_somebody_elses_token_does_not_help(world: World, app: Flask, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    stranger = Surfer(app)
    told = surfer.submit("/login", stranger.get("/login"), email=ANN, password=PASSWORD)
    assert told.status_code == 400


@pytest.mark.parametrize("password", ["", " ", "x" * 5000, "\x00", "ü" * 600])
def test_any_password_gets_an_answer(surfer: Surfer, password: str) -> None:
    assert surfer.enter_password(ANN, password).status_code == 403


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(email=st.text(max_size=80), way=st.text(max_size=10), prove=st.text(max_size=80), return_to=st.text(max_size=80))
def test_no_input_gives_a_5xx(surfer: Surfer, email: str, way: str, prove: str, return_to: str) -> None:
    query = {"email": email, "way": way, "return_to": return_to}
    shown = surfer.get("/login", **query)
    assert shown.status_code == 200
    assert surfer.submit("/login", shown, **query).status_code < 500
    assert surfer.get("/login", prove=prove).status_code < 500


def test_pages_have_one_heading_and_labels(world: World, company: Company, surfer: Surfer) -> None:
    add_connection(world.context, world.workspace, world.now, name="Third")
    for shown in (surfer.get("/login"), give_email(surfer, ANN), surfer.get("/prove/x")):
        assert shown.text.count("<h1>") == 1


def test_strangers_who_guess_keep_nobody_out_of_their_own_browser(world: World, app: Flask, surfer: Surfer) -> None:
    account(world, ANN, password=PASSWORD)
    surfer.enter_password(ANN, PASSWORD)
    surfer.submit("/logout", surfer.get("/logout"))
    stranger = Surfer(app)
    assert [stranger.enter_password(ANN, "wrong").status_code for _ in range(11)][-1] == 429
    assert surfer.enter_password(ANN, PASSWORD).status_code == 303
    assert surfer.session() is not None
    assert stranger.enter_password(ANN, PASSWORD).status_code == 429
