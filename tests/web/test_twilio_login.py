"""Log in with Twilio (product.md 3): there and back, the first arrival, and what a link is."""

import re
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pyotp
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import func, insert, select, update
from werkzeug.test import TestResponse

from bridge.flows.context import OPERATOR
from bridge.flows.invite import InviteDraft, invite
from bridge.flows.outside import NO_TURNS
from bridge.flows.own_connections import set_enabled
from bridge.storage.tables import second_factors, users, workspaces
from bridge.web.current import OUTSIDE
from tests.databases import sqlite_alone
from tests.flows.logins import PASSWORD, account, give_app, join, prove_domain, set_workspace
from tests.flows.mailer import link_of
from tests.overheard import statements
from tests.web.browsing import Surfer, at, connect
from tests.web.provider import (
    CLIENT_ID,
    FULL,
    Answer,
    Provider,
    after,
    connect_oidc,
    impatient,
    json_answer,
    running_provider,
)
from tests.web.test_saml_login import world_rows
from tests.web.twilio import TwilioSide, path_in, set_up
from tests.world import World, make_world

MEI, ANN = "mei@kicks.example", "ann@acme.example"
engine = sqlite_alone  # one engine will do for pages; the races are held on both (test_twilio_at_once)


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def twilio(world: World, app: Flask, provider: Provider) -> TwilioSide:
    impatient(app, 5)
    provider.answers.clear()
    return TwilioSide(provider, set_up(world, app, provider))


def ann(world: World) -> int:
    """A member of the workspace, with a password."""
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    return key


def user_of(world: World, email: str) -> dict[str, object] | None:
    with world.context.database.reading() as rows:
        row = rows.execute(select(users).where(users.c.email_ci == email)).mappings().first()
    return dict(row) if row else None


def count_users(world: World) -> int:
    with world.context.database.reading() as rows:
        return int(rows.execute(select(func.count()).select_from(users)).scalar_one())


# -- There -------------------------------------------------------------------------------------------


def test_the_login_page_offers_it_only_where_it_is_set_up(world: World, app: Flask, provider: Provider) -> None:
    assert "Log in with Twilio" not in Surfer(app).get("/login").text
    assert Surfer(app).get("/twilio/login").status_code == 404
    set_up(world, app, provider)
    shown = Surfer(app).get("/login", return_to="/w/acme/users")
    assert 'href="/twilio/login?return_to=/w/acme/users"' in shown.text


def test_it_asks_as_any_relying_party_does(twilio: TwilioSide, surfer: Surfer) -> None:
    asked = {name: values[0] for name, values in parse_qs(urlsplit(twilio.start(surfer)).query).items()}
    assert asked["redirect_uri"] == "http://localhost:8000/twilio/callback"
    assert asked["code_challenge_method"] == "S256"
    assert asked["scope"] == "openid email profile"
    assert {"state", "nonce", "code_challenge"} <= asked.keys()
    assert "prompt" not in asked


def test_whoever_opens_it_again_and_again_fills_nothing(world: World, app: Flask, twilio: TwilioSide) -> None:
    twilio.start(Surfer(app))  # what Twilio says of itself is kept
    before = world_rows(world)
    for _ in range(100):
        twilio.start(Surfer(app))
    assert world_rows(world) == before


def test_the_product_switcher_begins_it_for_a_path_of_ours(twilio: TwilioSide, surfer: Surfer) -> None:
    twilio.create(surfer)
    begun = {"iss": twilio.provider.url, "target_link_uri": "http://localhost:8000/w/acme/users"}
    told = twilio.log_in(surfer, query=begun)
    assert told.headers["Location"] == "/w/acme/users"
    posted = surfer.client.post("/twilio/login", data=begun)
    assert posted.headers["Location"].startswith("/twilio/login?iss=")


@pytest.mark.parametrize(
    "begun",
    [
        pytest.param({"iss": "https://evil.example"}, id="another issuer"),
        pytest.param({"target_link_uri": "http://localhost:8000/"}, id="no issuer"),
        pytest.param({"iss": "", "target_link_uri": "https://evil.example/"}, id="another site"),
        pytest.param({"iss": "", "target_link_uri": "http://localhost:8000.evil.example/"}, id="like ours"),
        pytest.param({"iss": "", "target_link_uri": "http://localhost:8000\\@evil.example/"}, id="backslash"),
    ],
)
def test_nobody_else_begins_it_and_it_leads_nowhere_else(
    twilio: TwilioSide, surfer: Surfer, begun: dict[str, str]
) -> None:
    asked = begun | ({"iss": twilio.provider.url} if begun.get("iss") == "" else {})
    assert surfer.get("/twilio/login", **asked).status_code == 403


def test_a_twilio_that_is_silent_is_told_and_a_kept_word_of_it_serves(twilio: TwilioSide, surfer: Surfer) -> None:
    twilio.provider.answers["/.well-known/openid-configuration"] = lambda: (500, "text/plain", b"")
    assert surfer.get("/twilio/login").status_code == 429
    twilio.provider.answers.clear()
    twilio.start(surfer)
    twilio.provider.answers["/.well-known/openid-configuration"] = lambda: (500, "text/plain", b"")
    with at(surfer.client.application, datetime.now(UTC) + timedelta(hours=2)):
        twilio.start(surfer)


# -- Back --------------------------------------------------------------------------------------------


def test_a_first_arrival_opens_nothing_and_may_make_an_account(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    path = twilio.arrive(surfer, query={"return_to": "/w"})
    assert surfer.session() is None
    shown = surfer.get(path)
    assert "Create an account" in shown.text
    told = surfer.submit(f"{path}/create", shown)
    assert told.headers["Location"] == "/w"
    session = surfer.session()
    assert (session["user"]["email"], session["user"]["name"]) == (MEI, "Mei")
    assert [one["kind"] for one in session["authenticated_by"]] == ["twilio"]
    made = user_of(world, MEI)
    assert made is not None
    assert (made["twilio_sub"], made["password_hash"]) == ("mei", None)
    assert made["email_proved_at"] is not None


def test_afterwards_one_click_is_enough(world: World, twilio: TwilioSide, surfer: Surfer, app: Flask) -> None:
    twilio.create(surfer)
    again = Surfer(app)
    assert twilio.log_in(again, query={"return_to": "/w"}).headers["Location"] == "/w"
    assert again.session()["user"] == surfer.session()["user"]


def test_an_answer_works_once_and_in_its_own_browser(twilio: TwilioSide, surfer: Surfer, app: Flask) -> None:
    location = twilio.provider.consent(twilio.start(surfer))
    assert twilio.come_back(Surfer(app), location).status_code == 403
    assert twilio.come_back(surfer, location).status_code == 303
    assert twilio.come_back(surfer, location).status_code == 403


@pytest.mark.parametrize(
    "said",
    [
        pytest.param({"nonce": "another"}, id="nonce"),
        pytest.param({"aud": "another-client"}, id="audience"),
        pytest.param({"iss": "https://evil.example"}, id="issuer"),
        pytest.param({"email_verified": False}, id="address not verified"),
        pytest.param({"email_verified": None}, id="nothing said of the address"),
        pytest.param({"exp": 1}, id="expired"),
    ],
)
def test_an_id_token_of_something_else_is_refused(
    world: World, twilio: TwilioSide, surfer: Surfer, said: dict[str, Any]
) -> None:
    told = twilio.log_in(surfer, **said)
    assert told.status_code == 403
    assert "/twilio/login" in told.text
    assert surfer.session() is None
    assert user_of(world, MEI) is None


def test_a_second_factor_at_twilio_counts_where_one_is_required(world: World, twilio: TwilioSide, app: Flask) -> None:
    ann(world)
    twilio.link(Surfer(app), ANN, PASSWORD, email=ANN)
    with world.context.database.writing() as connection:
        connection.execute(update(workspaces).values(require_mfa=True))
    without, shown = Surfer(app), Surfer(app)
    twilio.log_in(without, email=ANN, amr=["pwd"])
    twilio.log_in(shown, email=ANN)
    assert (without.workspaces(), shown.workspaces()) == ([], ["acme"])


def test_it_is_set_up_at_twilio_and_shown_anew(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    surfer.client.delete_cookie("bridge_session")
    twilio.log_in(surfer, email=ANN, amr=["pwd"])
    with world.context.database.writing() as connection:
        connection.execute(update(workspaces).values(require_mfa=True))
    told = surfer.get("/w/acme/roles")
    assert 'href="/account/factors?return_to=/w/acme/roles"' in told.text
    shown = surfer.get("/account/factors", return_to="/w/acme/roles")
    assert "Kept at Twilio" in shown.text
    assert "/account/factors/app" not in shown.text
    assert 'href="/twilio/login?fresh=1&amp;return_to=/w/acme/roles"' in shown.text
    now = int(datetime.now(UTC).timestamp())
    twilio.log_in(surfer, email=ANN, query={"fresh": "1"}, auth_time=now)
    assert surfer.workspaces() == ["acme"]


def test_where_single_sign_on_is_required_twilio_alone_opens_nothing(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    assert surfer.workspaces() == ["acme"]
    with world.context.database.writing() as connection:
        connection.execute(update(workspaces).values(require_sso=True))
    assert surfer.workspaces() == []
    shown = surfer.get("/w/acme/roles")
    assert shown.status_code == 403
    assert "return_to=/w/acme/roles" in shown.text


# -- Linking -----------------------------------------------------------------------------------------


def test_an_account_that_exists_is_never_taken_by_its_address(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    path = twilio.arrive(surfer, email=ANN)
    shown = surfer.get(path)
    assert "Create an account" not in shown.text
    told = surfer.submit(f"{path}/create", shown)
    assert told.status_code == 409
    assert surfer.session() is None
    found = user_of(world, ANN)
    assert found is not None
    assert found["twilio_sub"] is None


@pytest.mark.parametrize(
    ("email", "says"),
    [
        (ANN, None),
        ("bob@acme.example", "The account keeps its address: another account here has bob@acme.example."),
        (MEI, "The account’s address becomes mei@kicks.example when you follow a link"),
        ("ann@else.example", "The account’s address becomes ann@else.example."),
    ],
    ids=["same", "taken", "unconfirmed", "free"],
)
def test_before_it_is_linked_one_reads_what_becomes_of_the_address(
    world: World, twilio: TwilioSide, surfer: Surfer, email: str, says: str | None
) -> None:
    ann(world)
    account(world, "bob@acme.example", password=PASSWORD)
    prove_domain(world, "kicks.example")
    path = twilio.arrive(surfer, email=email).replace("/welcome/", "/link/")
    surfer.enter_password(ANN, PASSWORD)
    shown = surfer.get(path).text
    assert (says in shown) if says else ("address becomes" not in shown and "keeps its" not in shown)


def test_it_is_linked_after_a_login_as_usual(world: World, twilio: TwilioSide, surfer: Surfer, app: Flask) -> None:
    ann(world)
    path = twilio.arrive(surfer, query={"return_to": "/w/acme"}, email=ANN)
    link = path.replace("/welcome/", "/link/")
    sent = surfer.get(link)
    assert sent.headers["Location"] == f"/login?return_to={link}"
    assert surfer.enter_password(ANN, PASSWORD, return_to=link).headers["Location"] == link
    told = surfer.submit(link, surfer.get(link))
    assert told.headers["Location"] == "/w/acme"
    assert {one["kind"] for one in surfer.session()["authenticated_by"]} == {"password", "twilio"}
    again = Surfer(app)
    twilio.log_in(again, email=ANN)
    assert again.workspaces() == ["acme"]


def test_the_address_of_before_is_told_of_the_link_and_of_the_address_that_follows(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    """What the account had of its own opens nothing from then on, and mail goes elsewhere."""
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email="ann@home.example")
    told = [(mail.to, mail.subject, "ann@home.example" in mail.text) for mail in twilio.mails()]
    assert told == [(ANN, "Your account is linked to Twilio", True), (ANN, "Your email was changed", True)]
    twilio.log_in(surfer, email="ann@home.example")
    assert twilio.mails() == []


def test_a_login_of_long_ago_or_of_a_company_links_nothing(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    surfer.enter_password(ANN, PASSWORD)
    path = twilio.arrive(surfer, email=ANN).replace("/welcome/", "/link/")
    shown = surfer.get(path)
    with at(surfer.client.application, datetime.now(UTC) + timedelta(minutes=11)):
        told = surfer.submit(path, shown)
    assert told.headers["Location"] == path  # which asks for a login
    found = user_of(world, ANN)
    assert found is not None
    assert found["twilio_sub"] is None


def test_a_mailed_link_proves_it_in_the_browser_that_asked(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    ann(world)
    path = twilio.arrive(surfer)
    surfer.submit(f"{path}/mail", surfer.get(path), email=ANN.upper())
    (mail,) = twilio.mails()
    assert mail.to == ANN  # the stored address, not the typed one
    followed = path_in(mail, "linked")
    stranger = Surfer(app)
    assert stranger.get(followed).status_code == 403
    assert stranger.submit(followed, stranger.get("/login")).status_code == 403
    assert surfer.agree(followed).status_code == 303
    assert surfer.workspaces() == ["acme"]
    assert surfer.get(followed).status_code == 403


def test_to_open_the_mailed_link_does_nothing_yet(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    """What reads mail opens links, too, and may do so with the browser's own cookies."""
    ann(world)
    path = twilio.arrive(surfer)
    surfer.submit(f"{path}/mail", surfer.get(path), email=ANN)
    followed = path_in(twilio.mails()[-1], "linked")
    before = world_rows(world)
    for _ in range(2):
        shown = surfer.get(followed)
        assert (shown.status_code, shown.headers["Cache-Control"]) == (200, "no-store")
        assert ANN in shown.text
        assert MEI in shown.text
    assert (world_rows(world), surfer.session()) == (before, None)
    assert surfer.submit(followed, shown).status_code == 303


def test_whether_an_account_exists_only_its_mailbox_learns(twilio: TwilioSide, surfer: Surfer, world: World) -> None:
    ann(world)
    path = twilio.arrive(surfer)
    pages = [
        surfer.submit(f"{path}/mail", surfer.get(path), email=email).text.replace(email, "")
        for email in (ANN, "nobody@acme.example")
    ]
    assert pages[0] == pages[1]
    assert [mail.to for mail in twilio.mails()] == [ANN]


def test_and_what_is_done_for_nobody_takes_as_long(twilio: TwilioSide, surfer: Surfer, world: World) -> None:
    ann(world)

    def written(email: str) -> int:
        path = twilio.arrive(surfer)
        page = surfer.get(path)
        with statements(world.context.database) as said:
            assert surfer.submit(f"{path}/mail", page, email=email).status_code == 200
        return sum(one.sql.lstrip().upper().startswith("INSERT") for one in said)

    assert written(ANN) == written("nobody@acme.example")


def test_a_mailed_link_is_no_way_past_a_second_factor(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    key = ann(world)
    factor = {"uid": "f", "user_id": key, "kind": "totp", "data_enc": b"x", "created_at": datetime.now(UTC)}
    with world.context.database.writing() as connection:
        connection.execute(insert(second_factors).values(**factor))
    path = twilio.arrive(surfer)
    surfer.submit(f"{path}/mail", surfer.get(path), email=ANN)
    (mail,) = twilio.mails()
    assert "second factor" in mail.text
    assert "/twilio/" not in mail.text


def test_an_account_that_was_never_proved_is_cleared_before_it_is_linked(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    join(world, account(world, ANN, proved=False, password=PASSWORD))
    path = twilio.arrive(surfer, email=ANN)
    surfer.enter_password(ANN, PASSWORD)
    link = path.replace("/welcome/", "/link/")
    assert surfer.submit(link, surfer.get(link)).status_code == 403
    surfer.submit(f"{path}/mail", surfer.get(path), email=ANN)
    assert surfer.agree(path_in(twilio.mails()[-1], "linked")).status_code == 303
    found = user_of(world, ANN)
    assert found is not None
    assert (found["password_hash"], found["twilio_sub"]) == (None, "mei")


def test_two_never_link_to_one_nor_one_to_two(world: World, twilio: TwilioSide, app: Flask) -> None:
    ann(world)
    account(world, "bob@acme.example", password=PASSWORD)
    first, second = Surfer(app), Surfer(app)
    waiting = twilio.arrive(second, sub="mei").replace("/welcome/", "/link/")
    assert twilio.link(first, ANN, PASSWORD, sub="mei", email=ANN).status_code == 303
    second.enter_password("bob@acme.example", PASSWORD)
    assert second.submit(waiting, second.get(waiting)).status_code == 403
    another = twilio.arrive(first, sub="another", email="other@kicks.example").replace("/welcome/", "/link/")
    assert first.submit(another, first.get(another)).status_code == 403
    with world.context.database.reading() as rows:
        linked = rows.execute(select(users.c.email, users.c.twilio_sub).where(users.c.twilio_sub.is_not(None))).all()
    assert [tuple(row) for row in linked] == [(ANN, "mei")]


def test_where_a_company_proved_the_domain_its_mailbox_is_asked_first(
    world: World, twilio: TwilioSide, surfer: Surfer, client: FlaskClient
) -> None:
    prove_domain(world, "kicks.example")
    before = count_users(world)
    assert twilio.create(surfer).status_code == 200
    assert surfer.session() is None
    assert count_users(world) == before
    (mail,) = twilio.mails()
    assert mail.to == MEI
    assert surfer.agree(path_in(mail, "linked")).status_code == 303
    assert surfer.session()["user"]["email"] == MEI


def test_an_arrival_is_of_its_browser_and_ends(twilio: TwilioSide, surfer: Surfer, app: Flask) -> None:
    path = twilio.arrive(surfer)
    assert Surfer(app).get(path).status_code == 403
    with at(app, datetime.now(UTC) + timedelta(minutes=31)):
        assert surfer.get(path).status_code == 403


# -- Name and address follow -------------------------------------------------------------------------


def test_name_and_address_follow_at_the_next_login(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN, name="Ann")
    twilio.log_in(surfer, email="ann@home.example", name="Ann Marie")
    told = surfer.session()["user"]
    assert (told["email"], told["name"]) == ("ann@home.example", "Ann Marie")
    assert surfer.workspaces() == ["acme"]


def test_an_address_of_somebody_else_is_never_taken(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    account(world, "bob@acme.example", password=PASSWORD)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    twilio.log_in(surfer, email="Bob@acme.example")
    assert surfer.session()["user"]["email"] == ANN


def test_an_address_of_a_proved_domain_waits_for_its_mailbox(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    twilio.mails()
    prove_domain(
        make_world(world.context.database, world.now, slug="kicks", owner="olga@else.example"), "kicks.example"
    )
    twilio.log_in(surfer, email=MEI)
    twilio.log_in(surfer, email=MEI)
    assert surfer.session()["user"]["email"] == ANN
    (mail,) = twilio.mails()  # one a day
    path = path_in(mail, "email")
    shown = surfer.get(path)
    assert surfer.session()["user"]["email"] == ANN  # nothing by the look of it
    assert surfer.submit(path, shown).status_code == 200
    assert surfer.session()["user"]["email"] == MEI
    assert surfer.submit(path, shown).status_code == 410
    assert [(mail.to, mail.subject) for mail in twilio.mails()] == [(ANN, "Your email was changed")]


def test_a_link_to_confirm_is_over_when_twilio_says_another_address(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    prove_domain(
        make_world(world.context.database, world.now, slug="kicks", owner="olga@else.example"), "kicks.example"
    )
    twilio.log_in(surfer, email=MEI)
    path = path_in(twilio.mails()[-1], "email")
    shown = surfer.get(path)
    twilio.log_in(surfer, email=ANN)
    assert surfer.submit(path, shown).status_code == 410
    assert surfer.session()["user"]["email"] == ANN


# -- Unlinking, and between the products -------------------------------------------------------------


def test_it_is_unlinked_after_a_fresh_proof_while_another_way_in_remains(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    elsewhere = Surfer(app)
    twilio.log_in(elsewhere, email=ANN)
    assert elsewhere.get("/account/twilio").headers["Location"].startswith("/account/prove")
    assert 'href="/account/twilio"' in surfer.get("/account").text
    told = surfer.submit("/account/twilio", surfer.get("/account/twilio"))
    assert told.headers["Location"] == "/account?done=unlinked"
    assert elsewhere.session() is None
    assert [one["kind"] for one in surfer.session()["authenticated_by"]] == ["password"]
    assert twilio.log_in(elsewhere, email=ANN).headers["Location"].startswith("/twilio/welcome/")
    assert 'href="/twilio/login?return_to=/account"' in surfer.get("/account").text


def test_who_came_by_it_alone_is_told_so_where_they_sign_in_again(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    elsewhere = Surfer(app)
    twilio.log_in(elsewhere, email=ANN)
    prove_anew(elsewhere, twilio, email=ANN)
    told = elsewhere.submit("/account/twilio", elsewhere.get("/account/twilio"))
    assert told.headers["Location"] == "/login?done=unlinked&return_to=/account"
    shown = elsewhere.get(told.headers["Location"])
    assert "Twilio doesn’t open your account any more" in shown.text
    assert elsewhere.session() is None


def prove_anew(surfer: Surfer, twilio: TwilioSide, **said: Any) -> None:
    """Who is linked has nothing to show here: Twilio asks them again."""
    shown = surfer.get("/account/prove", return_to="/account/twilio")
    assert 'href="/twilio/login?fresh=1&amp;return_to=/account/twilio"' in shown.text
    query = {"fresh": "1", "return_to": "/account/twilio"}
    told = twilio.log_in(surfer, query=query, auth_time=int(datetime.now(UTC).timestamp()), **said)
    assert told.headers["Location"] == "/account/twilio"


def test_who_has_nothing_of_their_own_logs_in_anew_at_twilio(twilio: TwilioSide, surfer: Surfer) -> None:
    twilio.create(surfer)
    twilio.log_in(surfer)
    assert surfer.get("/account/twilio").headers["Location"] == "/account/prove?return_to=/account/twilio"
    asked = parse_qs(urlsplit(twilio.start(surfer, fresh="1")).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    prove_anew(surfer, twilio)
    assert surfer.get("/account/twilio").status_code == 200


@pytest.mark.parametrize("said", [{}, {"auth_time": 1_000_000_000}], ids=["silent", "old"])
def test_an_answer_from_an_older_session_there_proves_nothing(
    twilio: TwilioSide, surfer: Surfer, said: dict[str, int]
) -> None:
    twilio.create(surfer)
    assert twilio.log_in(surfer, query={"fresh": "1"}, **said).status_code == 403
    assert surfer.get("/account/twilio").headers["Location"].startswith("/account/prove")


def test_the_last_way_in_is_never_unlinked(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    twilio.create(surfer)
    prove_anew(surfer, twilio)
    told = surfer.submit("/account/twilio", surfer.get("/account/twilio"))
    assert (told.status_code, "Twilio stays linked" in told.text) == (409, True)
    shown = surfer.get("/account").text
    assert ("It is your only way in" in shown, "Unlink" in shown) == (True, False)
    found = user_of(world, MEI)
    assert found is not None
    assert found["twilio_sub"] == "mei"


def test_the_account_page_says_why_an_address_is_another_there(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    ann(world)
    account(world, "bob@acme.example", password=PASSWORD)
    twilio.link(surfer, ANN, PASSWORD, email="bob@acme.example")
    assert "here another account has that" in surfer.get("/account").text


def test_the_switcher_leads_back_to_who_came_from_there_alone(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    products = [{"name": "SendGrid", "url": f"{twilio.provider.url}/sendgrid"}, {"name": "Bad", "url": "javascript:x"}]
    twilio.provider.discovered = {"twilio_console": f"{twilio.provider.url}/console", "twilio_products": products}
    with world.context.database.writing() as connection:
        connection.exec_driver_sql("DELETE FROM twilio_documents")
    join(make_world(world.context.database, world.now, slug="kicks", owner="olga@else.example"), ann(world))
    by_password = Surfer(app)
    by_password.enter_password(ANN, PASSWORD)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    twilio.provider.discovered = {}
    for path in ("/w/acme/roles", "/account", "/w"):
        assert "Twilio products" not in by_password.get(path).text
        shown = surfer.get(path).text
        assert f'href="{twilio.provider.url}/console"' in shown
        assert f'href="{twilio.provider.url}/sendgrid">SendGrid' in shown
        assert "javascript:" not in shown


def test_the_start_page_leads_into_the_workspace_of_the_last_time(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    other = make_world(world.context.database, world.now, slug="kicks", owner="olga@else.example")
    join(other, ann(world))
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    assert surfer.get("/").headers["Location"] == "/w"
    surfer.get("/w/kicks/roles")
    assert surfer.get("/").headers["Location"] == "/w/kicks"
    surfer.client.set_cookie("bridge_workspace", "somebody-elses", domain="localhost")
    assert surfer.get("/").headers["Location"] == "/w"


def test_the_product_switcher_leads_to_the_sign_in_that_the_last_workspace_requires_and_into_it(
    world: World, app: Flask, twilio: TwilioSide, surfer: Surfer
) -> None:
    company = connect(world.context, "acme", name="Kicks")
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    prove_domain(world, "kicks.example")
    join(world, account(world, MEI, password=PASSWORD))
    twilio.link(surfer, MEI, PASSWORD, email=MEI)
    assert surfer.get("/w/acme/roles").status_code == 200
    surfer.client.delete_cookie("bridge_session")
    set_workspace(world, require_sso=True)

    switched = {"iss": twilio.provider.url, "target_link_uri": "http://localhost:8000/"}
    assert twilio.log_in(surfer, query=switched, email=MEI).headers["Location"] == "/"
    there = surfer.get("/").headers["Location"]
    assert there == f"/saml/{company.connection_id}/login?return_to=/w/acme"
    told = surfer.sign_in(app, company, return_to="/w/acme", email=MEI)
    assert told.headers["Location"] == "/w/acme"
    assert surfer.get("/w/acme/roles").status_code == 200
    assert {one["kind"] for one in surfer.session()["authenticated_by"]} == {"twilio", "saml"}


def test_whom_that_sign_in_lets_in_no_more_finds_the_choice_the_next_time(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    other = make_world(world.context.database, world.now, slug="kicks", owner="olga@else.example")
    join(other, ann(world))
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    surfer.get("/w/acme/roles")
    set_workspace(world, require_sso=True)
    places = [surfer.get("/").headers["Location"] for _ in range(2)]
    assert places == [f"/saml/{world.connection.id}/login?return_to=/w/acme", "/w"]


@pytest.mark.parametrize("prompts", [["none", "create"], ["none"], None, "create"], ids=str)
def test_a_sign_up_is_asked_for_only_where_it_can_be(twilio: TwilioSide, surfer: Surfer, prompts: Any) -> None:
    twilio.provider.discovered = {"prompt_values_supported": prompts} if prompts else {}
    asked = parse_qs(urlsplit(twilio.start(surfer, sign_up="1")).query)
    twilio.provider.discovered = {}
    assert asked.get("prompt", []) == (["create"] if prompts == ["none", "create"] else [])


def test_an_invitation_is_accepted_through_the_sign_up_there(world: World, twilio: TwilioSide, surfer: Surfer) -> None:
    draft = InviteDraft((MEI,), (), ())
    invite(world.context, f"user:{world.owner.id}", "acme", draft, world.now)
    secret = link_of(world.context, datetime.now(UTC))
    shown = surfer.get(f"/invitations/{secret}").text
    assert "Sign up with Twilio" in shown
    back = {"return_to": f"/invitations/{secret}", "sign_up": "1"}
    path = twilio.arrive(surfer, query=back)
    assert surfer.submit(f"{path}/create", surfer.get(path)).headers["Location"] == f"/invitations/{secret}"
    joined = surfer.submit(f"/invitations/{secret}", surfer.get(f"/invitations/{secret}"))
    assert joined.headers["Location"] == "/w/acme"
    assert surfer.workspaces() == ["acme"]


# -- Out again ---------------------------------------------------------------------------------------


def sign_out(surfer: Surfer) -> TestResponse:
    """Here, by the button; the page after it."""
    told = surfer.submit("/logout", surfer.get("/logout"))
    assert surfer.session() is None
    return surfer.get(told.headers["Location"])


def test_who_signs_out_here_is_asked_whether_there_too(twilio: TwilioSide, surfer: Surfer) -> None:
    twilio.create(surfer, email="new@else.example")
    shown = sign_out(surfer).text
    assert "still logged in at Twilio" in shown
    (there,) = [unescape(href) for href in re.findall(r'href="([^"]+)"', shown) if twilio.provider.url in href]
    parts = urlsplit(there)
    assert parts.path == "/end"
    asked = {name: values[0] for name, values in parse_qs(parts.query).items()}
    assert asked == {"client_id": CLIENT_ID, "post_logout_redirect_uri": "http://localhost:8000/login"}


def test_who_is_led_to_their_companys_logout_first_is_asked_when_they_come_back(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    company = connect_oidc(world.context, "acme", twilio.provider)
    company.sign_in(surfer, sub="ann at her company", email=ANN)
    assert {"oidc", "twilio"} <= {one["kind"] for one in surfer.session()["authenticated_by"]}
    told = surfer.submit("/logout", surfer.get("/logout"))
    assert "id_token_hint" in told.headers["Location"]
    assert surfer.session() is None
    assert "still logged in at Twilio" in surfer.get("/logout").text
    company.sign_in(surfer, sub="ann at her company", email=ANN)
    assert "still logged in at Twilio" not in surfer.get("/logout").text


# -- What is kept there ------------------------------------------------------------------------------


def test_the_password_of_before_opens_nothing_while_the_account_is_linked(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    """It can't be changed here, so whoever has it would have it for ever; and Twilio's is the one that is changed."""
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    elsewhere = Surfer(app)
    refused, wrong = elsewhere.enter_password(ANN, PASSWORD), elsewhere.enter_password(ANN, "not that one")
    assert (refused.status_code, elsewhere.session()) == (403, None)
    assert refused.text == wrong.text
    assert "Opens nothing until Twilio is unlinked" in surfer.get("/account").text
    assert "change your password at Twilio" in surfer.get("/account/sessions").text
    told = surfer.submit("/account/twilio", surfer.get("/account/twilio"))
    assert told.status_code == 303
    elsewhere.enter_password(ANN, PASSWORD)
    assert elsewhere.session()["user"]["email"] == ANN


def test_nor_does_it_after_a_login_that_was_at_its_second_factor(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    key = ann(world)
    app_secret = give_app(world, key)
    elsewhere = Surfer(app)
    elsewhere.enter_password(ANN, PASSWORD)
    asked = elsewhere.get("/login/factor")
    with world.context.database.writing() as connection:
        connection.execute(update(users).where(users.c.id == key).values(twilio_sub="mei"))
    code = pyotp.TOTP(app_secret).now()
    assert elsewhere.submit("/login/factor", asked, by="totp", code=code).status_code == 403
    assert elsewhere.session() is None


def test_where_the_operator_has_no_twilio_any_more_it_opens_the_account_again(
    world: World, twilio: TwilioSide, surfer: Surfer, app: Flask
) -> None:
    ann(world)
    twilio.link(surfer, ANN, PASSWORD, email=ANN)
    app.extensions["bridge"] = replace(app.extensions["bridge"], twilio=None)
    elsewhere = Surfer(app)
    elsewhere.enter_password(ANN, PASSWORD)
    assert elsewhere.session()["user"]["email"] == ANN


def test_nobody_else_is_asked_nor_where_twilio_has_no_place_for_it(
    world: World, twilio: TwilioSide, surfer: Surfer
) -> None:
    ann(world)
    surfer.enter_password(ANN, PASSWORD)
    assert "Twilio, too" not in sign_out(surfer).text
    twilio.provider.discovered = {"end_session_endpoint": None}
    twilio.create(surfer, email="new@else.example")
    twilio.provider.discovered = {}
    shown = sign_out(surfer).text
    assert "You are signed out" in shown
    assert "Twilio, too" not in shown


# -- Turns -------------------------------------------------------------------------------------------


def test_four_log_in_at_once_and_the_fifth_waits_for_a_moment_only(
    app: Flask, twilio: TwilioSide, surfer: Surfer
) -> None:
    impatient(app, 20, slow=20, patience=0.2)
    before, answered, go_on = twilio.provider.seen["/token"], [], threading.Event()

    def answer_in_the_end() -> Answer:
        go_on.wait(20)
        return json_answer({"error": "invalid_grant"}, 400)

    def come_back(one: Surfer, location: str) -> None:
        answered.append(twilio.come_back(one, location).status_code)

    twilio.provider.answers["/token"] = answer_in_the_end
    waiting = [(one := Surfer(app), twilio.provider.consent(twilio.start(one))) for _ in range(4)]
    threads = [threading.Thread(target=come_back, args=each) for each in waiting]
    for thread in threads:
        thread.start()
    while twilio.provider.seen["/token"] < before + 4:
        time.sleep(0.01)
    told = twilio.log_in(surfer)
    go_on.set()
    for thread in threads:
        thread.join()
    twilio.provider.answers.clear()
    assert (told.status_code, answered) == (429, [403] * 4)
    assert twilio.log_in(surfer).status_code == 303


def test_who_finds_others_waiting_comes_again_by_itself_and_nothing_is_lost(
    app: Flask, twilio: TwilioSide, surfer: Surfer
) -> None:
    location, outside = twilio.provider.consent(twilio.start(surfer)), app.extensions[OUTSIDE]
    app.extensions[OUTSIDE] = replace(outside, twilio=FULL)
    told = twilio.come_back(surfer, location)
    assert (told.status_code, told.headers["Refresh"] in ("1", "2", "3")) == (429, True)
    assert "One moment" in told.text
    assert twilio.come_back(Surfer(app), location).status_code == 403, "who waits in nobody's way"
    app.extensions[OUTSIDE] = outside
    assert twilio.come_back(surfer, location).headers["Location"].startswith("/twilio/welcome/")


def test_companies_whose_providers_hang_keep_nobody_from_twilio(app: Flask, twilio: TwilioSide, surfer: Surfer) -> None:
    app.extensions[OUTSIDE] = replace(app.extensions[OUTSIDE], calls=NO_TURNS)
    assert twilio.log_in(surfer).status_code == 303


def test_all_calls_of_one_login_share_one_time_limit(
    app: Flask, twilio: TwilioSide, surfer: Surfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    location, provider = twilio.provider.consent(twilio.start(surfer)), twilio.provider
    told = provider.token_answer

    def answer_late(form: Mapping[str, str]) -> Answer:
        time.sleep(0.5)
        return told(form)

    monkeypatch.setattr(provider, "token_answer", answer_late)
    provider.answers["/keys"] = after(0.5, provider.answer("/keys", {}))
    impatient(app, 0.8)
    assert twilio.come_back(surfer, location).status_code == 403
