"""`/login/forgotten` and `/reset/…` (product.md 2.8)."""

import re

import pytest
from flask import Flask

from bridge.app import create_web
from bridge.flows.deliver import deliver_due
from tests.databases import sqlite_alone
from tests.flows.logins import PASSWORD, account, join
from tests.flows.mailer import KeptMail
from tests.web.browsing import Surfer
from tests.world import World

ANN = "ann@acme.example"
NEW = "nine quiet dogs walk"
engine = sqlite_alone


@pytest.fixture
def ann(world: World) -> None:
    """Ann has an account."""
    join(world, account(world, ANN, password=PASSWORD))


def link(world: World, surfer: Surfer) -> str:
    """Ask for a link. Returns its path."""
    surfer.submit("/login/forgotten", surfer.get("/login/forgotten"), email=ANN)
    mailer = KeptMail()
    deliver_due(world.context, mailer, world.now.replace(year=world.now.year + 1))
    found = re.search(r"(/reset/\S+)", mailer.sent[-1].text)
    assert found
    return found[1]


def test_the_password_page_leads_there(surfer: Surfer) -> None:
    shown = surfer.submit("/login", surfer.get("/login"), email=ANN)
    assert f'href="/login/forgotten?email={ANN}"' in shown.text
    assert ANN in surfer.get("/login/forgotten", email=ANN).text


def test_from_forgotten_to_signed_in(world: World, ann: None, surfer: Surfer) -> None:
    path = link(world, surfer)
    done = surfer.submit(path, surfer.get(path), password=NEW)
    assert done.status_code == 200
    assert "Your password is changed" in done.text
    assert surfer.session() is None, "the link alone signs nobody in"
    assert surfer.enter_password(ANN, NEW).status_code == 303


@pytest.mark.usefixtures("ann")
def test_whoever_is_named_the_answer_is_the_same(surfer: Surfer) -> None:
    told = {}
    for email in (ANN, "nobody@acme.example"):
        shown = surfer.submit("/login/forgotten", surfer.get("/login/forgotten"), email=email)
        told[email] = (shown.status_code, shown.text.replace(email, ""), sorted(shown.headers.keys()))
    assert told[ANN] == told["nobody@acme.example"]


@pytest.mark.parametrize("email", ["", "x", "\x00", "a" * 5000, "@"])
def test_what_is_no_address_is_told_beside_the_field(surfer: Surfer, email: str) -> None:
    told = surfer.submit("/login/forgotten", surfer.get("/login/forgotten"), email=email)
    assert told.status_code == 422
    assert 'aria-invalid="true"' in told.text


def test_of_two_tabs_the_second_is_told_that_the_link_is_used(world: World, ann: None, app: Flask) -> None:
    one, other = Surfer(app), Surfer(create_web(world.context))
    path = link(world, one)
    first, second = one.get(path), other.get(path)
    assert one.submit(path, first, password=NEW).status_code == 200
    late = other.submit(path, second, password="another quiet sentence")
    assert late.status_code == 410
    assert "Ask for a new link" in late.text
    assert Surfer(app).enter_password(ANN, NEW).status_code == 303


def test_a_bad_password_is_told_beside_the_field_and_the_link_stays(world: World, ann: None, surfer: Surfer) -> None:
    path = link(world, surfer)
    told = surfer.submit(path, surfer.get(path), password="qwerty123456")
    assert told.status_code == 422
    assert 'aria-invalid="true"' in told.text
    assert surfer.submit(path, told, password=NEW).status_code == 200


@pytest.mark.parametrize("path", ["/reset/x", "/reset/%00", f"/reset/{'x' * 4000}"])
def test_no_link_of_ours(surfer: Surfer, path: str) -> None:
    assert surfer.get(path).status_code == 410


def test_too_many_are_told_to_wait_whoever_they_name(surfer: Surfer) -> None:
    page = surfer.get("/login/forgotten")
    answers = [surfer.submit("/login/forgotten", page, email=f"n{n}@acme.example") for n in range(51)]
    assert [one.status_code for one in answers] == [200] * 50 + [429]
    assert int(answers[-1].headers["Retry-After"]) > 0
