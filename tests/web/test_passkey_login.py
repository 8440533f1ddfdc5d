"""A passkey alone signs in, in the browser that was asked, once, and as nobody but its own person (product.md 2.8;
Web Authentication 7.2).
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from bridge.flows.context import TwilioClient
from bridge.storage.tables import pending_requests, users
from tests.flows.logins import PASSWORD, account, join
from tests.web.authenticator import PRESENT, VERIFIED, Passkey, encode, options_in
from tests.web.browsing import Surfer, at
from tests.world import World

pytestmark = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
ANN, BOB = "ann@acme.example", "bob@acme.example"


def add(world: World, app: Flask, email: str, passkey: Passkey | None = None, **said: Any) -> Passkey:
    """Somebody has a password, and adds a passkey."""
    join(world, account(world, email, password=PASSWORD))
    passkey, surfer = passkey or Passkey(), Surfer(app)
    surfer.enter_password(email, PASSWORD)
    page = surfer.get("/account/factors/passkey")
    surfer.submit("/account/factors/passkey", page, name="Laptop", code=passkey.make(options_in(page), **said))
    return passkey


def show(surfer: Surfer, passkey: Passkey, **said: Any) -> int:
    """The page asks, and the passkey answers."""
    page = surfer.get("/login/passkey")
    return send(surfer, page, passkey.answer(options_in(page), **said))


def send(surfer: Surfer, page: Any, answer: str) -> int:
    return surfer.submit("/login/passkey", page, code=answer, login=login_in(page)).status_code


def login_in(page: Any) -> str:
    return str(page.text.partition('name="login" value="')[2].partition('"')[0])


def test_it_signs_in_and_leads_to_where_one_wanted_to_go(world: World, app: Flask, surfer: Surfer) -> None:
    passkey = add(world, app, ANN)
    page = surfer.get("/login/passkey", return_to="/w/acme/roles")
    told = surfer.submit("/login/passkey", page, code=passkey.answer(options_in(page)), login=login_in(page))
    assert told.headers["Location"] == "/w/acme/roles"
    assert surfer.session()["user"]["email"] == ANN


@pytest.mark.parametrize(
    "said",
    [
        {"origin": "https://evil.example"},
        {"origin": "http://localhost:8000.evil.example"},
        {"party": "evil.example"},
        {"type": "webauthn.create"},
        {"crossOrigin": True},
        {"flags": PRESENT},
        {"flags": VERIFIED},
        {"counter": 0},
        {"challenge": encode(b"another question")},
        {"handle": ""},
        {"handle": None},
        {"handle": 5},
        {"handle": encode(b"somebody else")},
    ],
    ids=lambda said: "-".join(f"{name}={value}" for name, value in said.items()),
)
def test_what_isnt_right_signs_nobody_in(world: World, app: Flask, surfer: Surfer, said: dict[str, Any]) -> None:
    passkey = add(world, app, ANN)
    assert show(surfer, passkey, **said) == 403
    assert surfer.session() is None
    assert show(surfer, passkey) == 303


def test_of_an_account_that_is_linked_to_twilio_it_opens_nothing(world: World, app: Flask, surfer: Surfer) -> None:
    """There it can be seen and no more: who has lost it couldn't take it away."""
    passkey = add(world, app, ANN)
    app.extensions["bridge"] = replace(world.context, twilio=TwilioClient("https://twilio.example", "bridge", "secret"))

    def link(subject: str | None) -> None:
        with world.context.database.writing() as connection:
            connection.execute(update(users).where(users.c.email_ci == ANN).values(twilio_sub=subject))

    link("ann at twilio")
    assert show(surfer, passkey) == 403
    assert surfer.session() is None
    link(None)
    assert show(surfer, passkey) == 303


def test_with_it_goes_what_it_alone_opened_but_for_where_that_was_said(world: World, app: Flask) -> None:
    """Whoever has the device has its passkey and its session."""
    lost, kept, here, elsewhere, by_other = add(world, app, ANN), Passkey(), *(Surfer(app) for _ in range(3))
    show(here, lost)
    page = here.get("/account/factors/passkey")
    here.submit("/account/factors/passkey", page, name="Phone", code=kept.make(options_in(page)))
    show(elsewhere, lost)
    show(by_other, kept)
    removal = here.get("/account/factors").text.partition("/remove")[0].rpartition('"')[2] + "/remove"
    asked = here.get(removal)
    assert "for this browser" in asked.text
    assert here.submit(removal, asked).status_code == 303
    told = {name: one.session() is not None for name, one in (("here", here), ("lost", elsewhere), ("kept", by_other))}
    assert told == {"here": True, "lost": False, "kept": True}


def test_it_names_its_own_person(world: World, app: Flask, surfer: Surfer) -> None:
    passkey, other = add(world, app, ANN), add(world, app, BOB)
    assert show(surfer, passkey, handle=other.handle) == 403
    assert show(surfer, passkey) == 303


def test_a_question_is_its_browsers_own_good_once_and_for_five_minutes(
    world: World, app: Flask, surfer: Surfer
) -> None:
    passkey, other = add(world, app, ANN, counter=0), Surfer(app)  # many passkeys never count
    page, elsewhere = surfer.get("/login/passkey"), other.get("/login/passkey")
    answer = passkey.answer(options_in(page), counter=0)
    assert send(other, elsewhere, answer) == 403
    assert send(other, page, answer) in (400, 403)
    with at(app, datetime.now(UTC) + timedelta(minutes=5)):
        assert send(surfer, page, answer) == 403
    name = f"bridge_login_{login_in(page)}"
    kept = surfer.client.get_cookie(name)
    assert kept is not None
    assert send(surfer, page, answer) == 303
    surfer.client.set_cookie(name, kept.value)
    assert send(surfer, page, answer) == 403


def test_only_wrong_answers_of_an_address_are_too_many(
    world: World, app: Flask, surfer: Surfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole office comes from one address."""
    monkeypatch.setattr("bridge.flows.passkey_login.TRIES_BY_ADDRESS", 2)
    passkey = add(world, app, ANN)
    assert [show(surfer, passkey) for _ in range(3)] == [303, 303, 303]
    assert [show(surfer, passkey, handle=None) for _ in range(2)] == [403, 403]
    assert show(surfer, passkey) == 429


def test_asking_keeps_nothing_here(world: World, surfer: Surfer) -> None:
    for _ in range(3):
        assert surfer.get("/login/passkey").status_code == 200
    with world.context.database.reading() as rows:
        assert rows.execute(select(func.count()).select_from(pending_requests)).scalar_one() == 0


def test_a_passkey_of_somebody_is_nobody_elses(world: World, app: Flask, surfer: Surfer) -> None:
    passkey = add(world, app, ANN)
    copied = Passkey(credential=passkey.credential)
    add(world, app, BOB, copied)
    assert show(surfer, copied) == 403
    assert show(surfer, passkey) == 303
    assert surfer.session()["user"]["email"] == ANN


def test_a_question_to_add_one_signs_nobody_in_and_the_reverse(world: World, app: Flask, surfer: Surfer) -> None:
    passkey, ann = add(world, app, ANN), Surfer(app)
    show(ann, passkey)
    adding, asking = ann.get("/account/factors/passkey"), surfer.get("/login/passkey")
    assert send(surfer, asking, passkey.answer(options_in(adding))) == 403
    told = ann.submit(
        "/account/factors/passkey",
        adding,
        name="x",
        code=Passkey().make({"user": {"id": passkey.handle}, **options_in(asking)}),
    )
    assert told.status_code in (403, 409, 422)
