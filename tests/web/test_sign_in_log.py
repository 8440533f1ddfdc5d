"""What is kept of attempts to sign in, and what is not: product.md 2.10, properties.md 20, over HTTP."""

import base64
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from bridge.domain.sign_in import Client
from bridge.domain.sign_in_log import AttemptKind, AttemptsQuery, SignInAttempt
from bridge.flows import sign_in_log
from bridge.flows.context import OPERATOR
from bridge.flows.own_connections import set_enabled
from bridge.flows.read_sign_in_log import get_attempt, list_attempts
from bridge.flows.sign_in_log import Refusal, forget_old_attempts, log_refused
from bridge.storage.tables import counters, pending_requests, sign_in_attempts
from tests.flows.logins import account, give_password, join, keep_attempt, prove_domain
from tests.web.browsing import Company, Surfer, connect, reference_in
from tests.world import World, make_world

SCRIPT = "<script>alert(1)</script>"


def kept(world: World, slug: str = "acme", **query: Any) -> list[SignInAttempt]:
    """All attempts of a workspace in full, newest first."""
    page = list_attempts(world.context, slug, AttemptsQuery(**query), 100)
    return [get_attempt(world.context, slug, one.ref) for one in page.attempts]


def names(attempt: SignInAttempt) -> list[str]:
    return [step.name for step in attempt.steps]


def everything(world: World) -> str:
    """All that the log and what waits for a browser hold, as text."""
    with world.context.database.reading() as rows:
        logged = rows.execute(select(sign_in_attempts)).all()
        return f"{logged} {rows.execute(select(pending_requests)).all()}"


# -- Good ones ---------------------------------------------------------------------------------------


def test_a_good_login_is_told_from_the_request_to_the_session(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    surfer.sign_in(app, company, groups=("eng", "ops"))
    (one,) = kept(world)
    assert (one.outcome, one.kind, one.connection, one.email) == ("signed_in", "saml", "Kicks IdP", "mei@kicks.example")
    before = ["asked", "received", "shape", "signature", "addressee", "subject", "request", "times", "attributes"]
    assert names(one) == [*before, "our_request", "person", "groups", "browser", "session"]
    assert all(step.at is not None for step in one.steps)
    told = {step.name: step.detail for step in one.steps}
    assert told["person"] == "Nobody had this email: the account is made (just in time)."
    assert told["groups"].endswith("eng, ops.")
    assert "<saml:Assertion" in one.message


def test_who_was_found_is_told_by_the_way_in_which_they_were(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    surfer.sign_in(app, company)
    surfer.sign_in(app, company)
    again = kept(world)[0]
    assert "whom this identity opened before" in {step.name: step.detail for step in again.steps}["person"]


def test_a_password_is_told_where_its_person_is_a_member(world: World, app: Flask, surfer: Surfer) -> None:
    other = make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    give_password(world, world.owner.key, "correct horse battery")
    assert surfer.enter_password("olga@acme.example", "wrong").status_code == 403
    assert surfer.enter_password("olga@acme.example", "correct horse battery").status_code == 303
    good, wrong = kept(world)
    assert (good.outcome, wrong.outcome, wrong.code) == ("signed_in", "refused", "wrong_credentials")
    assert names(good) == ["typed", "session"]
    assert kept(other, "boots") == []
    assert "correct horse" not in everything(world)
    assert "wrong'" not in everything(world)


def test_a_password_is_told_where_the_domain_is_proved_and_nowhere_else(
    world: World, app: Flask, surfer: Surfer
) -> None:
    boots = make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    join(boots, account(world, "mei@kicks.example", password="correct horse battery"))
    prove_domain(world, "kicks.example")
    surfer.enter_password("mei@kicks.example", "wrong")
    surfer.enter_password("nobody@kicks.example", "wrong")
    assert sorted(one.email for one in kept(world)) == ["mei@kicks.example", "nobody@kicks.example"]
    assert kept(boots, "boots") == []


def test_who_never_accepted_a_membership_is_told_of_to_nobody_there(world: World, app: Flask, surfer: Surfer) -> None:
    boots = make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    join(boots, account(world, "mei@kicks.example", password="correct horse battery"), accepted=False)
    surfer.enter_password("mei@kicks.example", "wrong")
    surfer.enter_password("mei@kicks.example", "correct horse battery")
    assert kept(boots, "boots") == []


# -- Refused ones ------------------------------------------------------------------------------------


def test_a_refused_answer_says_where_it_stopped_and_shows_what_was_said(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    form = company.answer(in_response_to=surfer.start(company), audiences=(("https://other.example",),))
    told = surfer.bring(app, company, form)
    (one,) = kept(world)
    assert (one.ref, one.code, one.check) == (reference_in(told), "wrong-audience", "audience-is-ours")
    assert names(one) == ["asked", "received", "shape", "signature"]
    assert "https://other.example" in one.message
    assert "https://other.example" in one.text


def test_a_refusal_by_the_flow_tells_all_that_came_before(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    request_id = surfer.start(company)
    set_enabled(world.context, OPERATOR, "acme", company.connection_id, False, world.now)
    surfer.bring(app, company, company.answer(in_response_to=request_id))
    (one,) = kept(world)
    assert one.code == "connection_off"
    assert names(one)[-1] == "attributes"
    assert "mei@kicks.example" in one.message


def test_another_browser_at_the_end_tells_all_that_came_before(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    stranger = Surfer(app)
    surfer.bring(app, company, company.answer(in_response_to=stranger.start(company)))
    (one,) = kept(world)
    assert one.code == "other_browser"
    assert names(one)[-1] == "groups"


def test_a_login_is_told_to_no_other_connection(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    boots = make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    other = connect(world.context, "boots", name="Theirs")
    form = company.answer(in_response_to=surfer.start(company))
    arrived = app.test_client().post(company.path("acs"), data=form).headers["Location"]
    for visitor in (Surfer(app), surfer):
        assert visitor.get(arrived.replace(company.connection_id, other.connection_id)).status_code == 403
    assert {(one.code, one.message) for one in kept(boots, "boots")} == {("unknown_request", "")}
    assert surfer.get(arrived).status_code == 303


def test_what_the_idp_says_itself_is_for_the_log_alone(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    form = company.answer(
        in_response_to=surfer.start(company),
        status="urn:oasis:names:tc:SAML:2.0:status:Responder",
        status_message=f"Mei isn't assigned {SCRIPT}",
    )
    told = surfer.bring(app, company, form)
    assert "assigned" not in told.text
    assert "Mei isn't assigned" in kept(world)[0].text


@pytest.mark.parametrize("sent", ["no base64 <b>", base64.b64encode(b"<not xml").decode(), "A" * 3000, "\0", "%%%"])
def test_what_cant_be_read_is_kept_as_a_short_excerpt(world: World, app: Flask, company: Company, sent: str) -> None:
    told = app.test_client().post(company.path("acs"), data={"SAMLResponse": sent})
    (one,) = kept(world)
    assert one.ref == reference_in(told)
    assert len(one.message) < 4_200
    assert "AAAAAAAAAA" not in one.message


def test_no_secret_is_in_any_row(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    planted = "hunter2-planted-secret"
    request_id = surfer.start(company)
    form = company.answer(in_response_to=request_id, signed="both", attributes={
        "email": ("mei@kicks.example",), "password": (planted,), "accessToken": (planted,)
    })  # fmt: skip
    refused = {**form, "RelayState": planted}
    app.test_client().post(company.path("acs"), data={"SAMLResponse": form["SAMLResponse"][:-8], "password": planted})
    surfer.client.set_cookie("other", planted)
    surfer.bring(app, company, refused)
    assert len(kept(world)) == 2
    held = everything(world)
    assert planted not in held
    for name in ("bridge_session", "bridge_browser"):
        cookie = surfer.client.get_cookie(name)
        assert cookie is not None
        assert cookie.value not in held
    octets = base64.b64decode(form["SAMLResponse"])
    value = octets.split(b"SignatureValue>")[1].split(b"<")[0].strip()
    assert len(value) > 300
    assert value[:64].decode() not in held


def test_a_huge_message_is_cut(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    groups = tuple(f"group-{n:04}-{'x' * 150}" for n in range(600))
    surfer.sign_in(app, company, groups=groups)
    assert 60_000 < len(kept(world)[0].message) < 64_100
    assert len({step.name: step.detail for step in kept(world)[0].steps}["groups"]) <= 500


# -- Bounds ------------------------------------------------------------------------------------------


def rows(world: World) -> int:
    with world.context.database.reading() as connection:
        counted: int = connection.execute(select(func.count()).select_from(sign_in_attempts)).scalar_one()
        return counted


def test_junk_is_counted_past_the_limit_and_every_reference_leads_somewhere(
    world: World, app: Flask, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_ADDRESS", 3)
    client = app.test_client()
    told = [client.post(company.path("acs"), data={"SAMLResponse": "junk"}) for _ in range(8)]
    assert rows(world) == 3
    references = [reference_in(page) for page in told]
    assert references[3:] == [references[2]] * 5
    assert kept(world)[0].times == 6
    client.post(company.path("acs"), data={})
    assert rows(world) == 4  # another reason is told once


def test_junk_from_many_addresses_is_counted_for_the_connection(
    world: World, app: Flask, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_CONNECTION", 4)
    client = app.test_client()
    for n in range(9):
        where = {"REMOTE_ADDR": f"192.0.2.{n}" if n % 2 else f"2001:db8::{n}"}
        client.post(company.path("acs"), data={"SAMLResponse": "junk"}, environ_base=where)
    assert rows(world) == 4


@pytest.mark.parametrize(
    ("limit", "many"),
    [
        pytest.param("KEPT_BY_CONNECTION", 60, id="in an hour"),
        pytest.param("KEPT_IN_A_DAY", 60, id="in a day"),
        pytest.param("KEPT_BY_CONNECTION", 3_000, id="thousands", marks=pytest.mark.long),
    ],
)
def test_thousands_of_junk_answers_from_thousands_of_networks_are_a_few_lines(
    world: World, company: Company, monkeypatch: pytest.MonkeyPatch, limit: str, many: int
) -> None:
    monkeypatch.setattr(sign_in_log, limit, 20)
    kept_lines = rows(world)
    for n in range(many):
        refusal = Refusal("saml", "malformed", "No XML.", connection_id=company.connection_id)
        log_refused(world.context, refusal, Client(f"2001:db8:{n:x}::1", "curl"), world.now + timedelta(seconds=n))
    assert rows(world) - kept_lines == 20
    assert sum(one.times for one in kept(world)) == many
    with world.context.database.reading() as connection:
        counted = connection.execute(select(func.count()).select_from(counters)).scalar_one()
    assert counted <= 22  # nor does each network fill the table of counters


@pytest.mark.parametrize("kind", ["password", "twilio"])
def test_so_are_those_of_strangers_without_a_connection(
    world: World, monkeypatch: pytest.MonkeyPatch, kind: AttemptKind
) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_CONNECTION", 10)
    prove_domain(world, "acme.example")
    for n in range(30):
        client = Client(f"2001:db8:{n:x}::1", "curl")
        for email in (f"guess{n}@acme.example", f"guess{n}@elsewhere.example"):
            log_refused(world.context, Refusal(kind, "wrong", "No.", email=email), client, world.now)
    assert rows(world) == 20
    assert sum(one.times for one in kept(world)) == 30  # of the workspace's domain


def test_a_flood_takes_no_line_from_an_account_of_its_own(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_CONNECTION", 3)
    join(world, account(world, "ann@mail.example"))
    client, emails = Client("192.0.2.1", "curl"), [f"guess{n}@elsewhere.example" for n in range(20)]
    for email in (*emails, "ann@mail.example"):
        log_refused(world.context, Refusal("password", "wrong", "No.", email=email), client, world.now)
    assert [one.email for one in kept(world)] == ["ann@mail.example"]


def test_good_logins_are_kept_past_the_limit(
    world: World, app: Flask, company: Company, surfer: Surfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_ADDRESS", 0)
    surfer.sign_in(app, company)
    surfer.sign_in(app, company)
    assert rows(world) == 2


def test_old_attempts_are_forgotten_a_part_at_a_time(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in_log, "SWEPT_AT_ONCE", 2)
    for n in range(5):
        keep_attempt(world, f"OLD-{n}", "refused", world.now - timedelta(days=91))
    keep_attempt(world, "NEW-1", "refused", world.now - timedelta(days=89))
    assert forget_old_attempts(world.context, world.now) == 5
    assert [one.ref for one in kept(world)] == ["NEW-1"]


# -- Reading -----------------------------------------------------------------------------------------


def test_attempts_are_found_by_person_outcome_connection_and_time(world: World) -> None:
    keep_attempt(world, "AAAA-2222", "refused", world.now - timedelta(hours=3), code="expired")
    keep_attempt(world, "BBBB-3333", "signed_in", world.now, email="Zoé@kicks.example", email_ci="zoé@kicks.example")
    keep_attempt(world, "CCCC-4444", "refused", world.now, test=True)
    found = {
        "all": kept(world),
        "person": kept(world, person="ZOÉ"),
        "reference": kept(world, person="aaaa-2222"),
        "refused": kept(world, outcome="refused"),
        "tests": kept(world, outcome="test"),
        "elsewhere": kept(world, connection_id="nothing"),
        "here": kept(world, connection_id=world.connection.id),
        "lately": kept(world, since=world.now - timedelta(hours=1)),
        "older": kept(world, before="BBBB-3333"),
    }
    assert {name: [one.ref[0] for one in each] for name, each in found.items()} == {
        "all": ["C", "B", "A"],
        "person": ["B"],
        "reference": ["A"],
        "refused": ["A"],
        "tests": ["C"],
        "elsewhere": [],
        "here": ["C", "B", "A"],
        "lately": ["C", "B"],
        "older": ["A"],
    }


def test_another_workspaces_attempt_is_not_there(world: World) -> None:
    boots = make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    keep_attempt(boots, "BBBB-3333", "refused", world.now)
    assert kept(world) == []
    with pytest.raises(Exception, match="no such attempt"):
        get_attempt(world.context, "acme", "BBBB-3333")
    assert kept(world, before="BBBB-3333") == []
