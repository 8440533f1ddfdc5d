"""`/login/factor` and `/account/factors`: the second factor over HTTP (product.md 2.8)."""

import re
from datetime import UTC, datetime
from urllib.parse import unquote

import pyotp
import pytest
from flask import Flask

from tests.flows.logins import PASSWORD, account, give_app, join
from tests.web.browsing import Surfer, at
from tests.world import World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ANN = "ann@acme.example"


@pytest.fixture
def ann(world: World) -> int:
    key = account(world, ANN, password=PASSWORD)
    join(world, key)
    return key


def code(secret: str) -> str:
    return pyotp.TOTP(secret).at(datetime.now(UTC))


def test_after_the_password_the_code_then_where_one_wanted_to_go(world: World, ann: int, surfer: Surfer) -> None:
    secret = give_app(world, ann)
    told = surfer.enter_password(ANN, PASSWORD, return_to="/w/acme/roles")
    assert told.status_code == 303
    assert told.headers["Location"] == "/login/factor?return_to=/w/acme/roles"
    assert surfer.session() is None
    page = surfer.get(told.headers["Location"])
    assert 'autocomplete="one-time-code"' in page.text
    wrong = surfer.submit("/login/factor", page, by="totp", code="000000", return_to="/w/acme/roles")
    assert wrong.status_code == 403
    assert "That isn’t right" in wrong.text
    done = surfer.submit("/login/factor", page, by="totp", code=code(secret), return_to="/w/acme/roles")
    assert (done.status_code, done.headers["Location"]) == (303, "/w/acme/roles")
    assert surfer.workspaces() == ["acme"]
    assert surfer.get("/login/factor").status_code == 303  # nothing waits any more


def test_the_step_is_the_browsers_own(world: World, ann: int, surfer: Surfer, app: Flask) -> None:
    secret = give_app(world, ann)
    page = surfer.get(surfer.enter_password(ANN, PASSWORD).headers["Location"])
    other = Surfer(app)
    other.get("/login")
    refused = other.submit("/login/factor", other.get("/login"), by="totp", code=code(secret))
    assert refused.status_code == 403
    assert "Please sign in again" in refused.text
    assert surfer.submit("/login/factor", page, by="totp", code=code(secret)).status_code == 303


@pytest.mark.parametrize("by", ["totp", "recovery_code", "provider", "mailed_code", "passkey", "", "x" * 9000])
@pytest.mark.parametrize("typed", ["", "1" * 9000, "\x00", "１２３４５６", "{}"])
def test_nothing_that_is_sent_is_an_error_of_ours(world: World, ann: int, surfer: Surfer, by: str, typed: str) -> None:
    give_app(world, ann)
    page = surfer.get(surfer.enter_password(ANN, PASSWORD).headers["Location"])
    assert surfer.submit("/login/factor", page, by=by, code=typed).status_code in (403, 429)
    assert surfer.session() is None


def test_return_to_leads_to_no_other_site(world: World, ann: int, surfer: Surfer) -> None:
    secret = give_app(world, ann)
    page = surfer.get(surfer.enter_password(ANN, PASSWORD).headers["Location"])
    done = surfer.submit("/login/factor", page, by="totp", code=code(secret), return_to="https://evil.example/")
    assert done.headers["Location"] == "/"


def test_an_app_is_set_up_used_and_taken_away(world: World, ann: int, surfer: Surfer, app: Flask) -> None:
    surfer.enter_password(ANN, PASSWORD)
    page = surfer.get("/account/factors/app")
    assert "<svg" in page.text
    found = re.search(r'id="secret"[^>]*>([A-Z2-7 ]+)<', page.text)
    token = re.search(r'name="setup" value="([^"]+)"', page.text)
    assert found
    assert token
    secret = found[1].replace(" ", "")
    assert surfer.submit("/account/factors/app", page, setup=token[1], code="000000").status_code == 422
    shown = surfer.submit("/account/factors/app", page, setup=token[1], code=code(secret), name="My phone")
    codes = re.findall(r"[2-9a-z]{4}(?:-[2-9a-z]{4}){3}", unquote(shown.text))
    assert len(set(codes)) == 10
    listed = surfer.get("/account/factors")
    assert "My phone" in listed.text
    other = Surfer(app)
    step = other.get(other.enter_password(ANN, PASSWORD).headers["Location"], by="recovery_code")
    assert "Use your authenticator app" in step.text
    assert other.submit("/login/factor", step, by="recovery_code", code=codes[3]).status_code == 303
    assert other.workspaces() == ["acme"]
    rename = re.search(r'href="(/account/factors/[0-9a-f-]+/name)"', listed.text)
    assert rename
    asked = surfer.get(rename[1])
    assert 'value="My phone"' in asked.text
    assert surfer.submit(rename[1], asked, name="").status_code == 422
    assert surfer.submit(rename[1], asked, name="Old phone").headers["Location"] == "/account/factors"
    listed = surfer.get("/account/factors")
    assert ("Old phone" in listed.text, "My phone" in listed.text) == (True, False)
    remove = re.search(r'href="(/account/factors/[0-9a-f-]+/remove)"', listed.text)
    assert remove
    assert "your last second factor" in surfer.get(remove[1]).text
    assert surfer.submit(remove[1], surfer.get(remove[1])).status_code == 303
    assert Surfer(app).enter_password(ANN, PASSWORD).headers["Location"] == "/"


def test_signed_out_one_signs_in_first(world: World, surfer: Surfer) -> None:
    told = surfer.get("/account/factors")
    assert (told.status_code, told.headers["Location"]) == (303, "/login?return_to=/account/factors")


def test_guessing_is_told_to_wait(world: World, ann: int, surfer: Surfer, app: Flask) -> None:
    give_app(world, ann)
    with at(app, datetime.now(UTC)):
        page = surfer.get(surfer.enter_password(ANN, PASSWORD).headers["Location"])
        for _ in range(10):
            surfer.submit("/login/factor", page, by="totp", code="000000")
        told = surfer.submit("/login/factor", page, by="totp", code="000000")
    assert told.status_code == 429
    assert int(told.headers["Retry-After"]) > 60


def test_a_code_by_mail_is_asked_for_by_a_button(world: World, ann: int, surfer: Surfer) -> None:
    give_app(world, ann)
    page = surfer.get(surfer.enter_password(ANN, PASSWORD, return_to="/w/acme/roles").headers["Location"])
    assert "Get a code by mail" in page.text
    asked = surfer.get("/login/factor", by="mailed_code", return_to="/w/acme/roles")
    assert 'name="code"' not in asked.text
    told = surfer.submit("/login/factor/mail", asked, return_to="/w/acme/roles")
    assert told.headers["Location"] == "/login/factor?return_to=%2Fw%2Facme%2Froles&by=mailed_code&sent=1"
    shown = surfer.get(told.headers["Location"])
    assert 'name="code"' in shown.text
    assert surfer.submit("/login/factor", shown, by="mailed_code", code="12").status_code == 403
