"""Signing in by SAML as browsers and IdPs do it: properties.md 1–5, 7a, 12, 18, 20 over HTTP."""

import base64
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from sqlalchemy import func, select, update
from werkzeug.test import TestResponse

from bridge.app import create_web
from bridge.flows.context import OPERATOR, Context
from bridge.flows.own_connections import set_enabled
from bridge.flows.provision_users import change_user, create_user
from bridge.flows.saml_connection import load_saml
from bridge.storage.connections import find_by_uid
from bridge.storage.database import open_database
from bridge.storage.tables import connections, metadata, outbox, sessions, sign_in_attempts, users
from saml.markup import PERSISTENT
from tests.flows.logins import account, join, set_workspace
from tests.saml import idp
from tests.saml.idp import KICKS, NS, TestIdp
from tests.web.browsing import Company, Surfer, at, authn_request_in, connect, reference_in, request_id_in
from tests.world import World, make_world, pushed

MEI = "mei@kicks.example"
ANN, PASSWORD = "ann@kicks.example", "correct horse battery"


def count(world: World, table: Any) -> int:
    with world.context.database.reading() as rows:
        counted: int = rows.execute(select(func.count()).select_from(table)).scalar_one()
        return counted


def attempts(world: World) -> list[tuple[str, str]]:
    """(reference, code) of the attempts in the sign-in log."""
    with world.context.database.reading() as rows:
        chosen = select(sign_in_attempts.c.ref, sign_in_attempts.c.code).order_by(sign_in_attempts.c.id)
        return [(row.ref, row.code) for row in rows.execute(chosen)]


def world_rows(world: World) -> dict[str, int]:
    """How many rows each table has."""
    return {table.name: count(world, table) for table in metadata.sorted_tables}


def is_refused(world: World, told: TestResponse, code: str) -> bool:
    """Whether a 4xx page shows the reference under which the sign-in log has this code; nobody is signed in."""
    reference = reference_in(told)
    return 400 <= told.status_code < 500 and (reference, code) in attempts(world) and count(world, sessions) == 0


# -- The way there -----------------------------------------------------------------------------------


def test_login_sends_the_browser_to_the_idp_with_a_signed_request(company: Company, surfer: Surfer) -> None:
    told = surfer.get(company.path("login"))
    assert told.status_code == 302
    location = told.headers["Location"]
    assert location.startswith("https://idp.kicks.example/sso/redirect?SAMLRequest=")
    assert "&Signature=" in location
    asked = authn_request_in(location)
    assert asked.get("AssertionConsumerServiceURL") == company.sp.acs_url
    assert asked.findtext("saml:Issuer", namespaces=NS) == company.sp.entity_id


def test_each_request_has_an_id_of_its_own(company: Company, surfer: Surfer) -> None:
    assert surfer.start(company) != surfer.start(company)


def test_an_idp_that_takes_posts_only_gets_a_form(world: World, app: Flask, surfer: Surfer, company: Company) -> None:
    _set_idp(world, company, sso_redirect_url=None)
    shown = surfer.get(company.path("login"))
    assert shown.status_code == 200
    (form,) = etree.HTML(shown.text).iter("form")
    assert form.get("action") == "https://idp.kicks.example/sso/post"
    (field,) = form.iter("input")
    assert field.get("name") == "SAMLRequest"
    sent = base64.b64decode(field.get("value", ""))
    assert b"SignatureValue" in sent
    told = surfer.bring(app, company, company.answer(in_response_to=etree.fromstring(sent).get("ID")))
    assert told.status_code == 303
    assert surfer.workspaces() == ["acme"]


def test_a_policy_lets_that_form_leave(world: World, surfer: Surfer, company: Company) -> None:
    _set_idp(world, company, sso_redirect_url=None)
    policy = surfer.get(company.path("login")).headers["Content-Security-Policy"]
    assert "form-action 'self' https: http:;" in policy


def _set_idp(world: World, company: Company, **values: Any) -> None:
    with world.context.database.writing() as connection:
        found = find_by_uid(connection, company.connection_id)
        assert found is not None
        config = {**found.config, "idp": {**found.config["idp"], **values}}
        connection.execute(update(connections).where(connections.c.id == found.key).values(config=config))


# -- A sign-in anew ----------------------------------------------------------------------------------


def _set_config(world: World, company: Company, **values: Any) -> None:
    with world.context.database.writing() as connection:
        found = find_by_uid(connection, company.connection_id)
        assert found is not None
        config = {**found.config, **values}
        connection.execute(update(connections).where(connections.c.id == found.key).values(config=config))


def _ago(**time: float) -> datetime:
    return datetime.now(UTC).replace(microsecond=0) - timedelta(**time)


@pytest.mark.parametrize("by", ["the connection", "the address"])
def test_a_sign_in_anew_is_asked_for_and_checked(
    world: World, app: Flask, company: Company, surfer: Surfer, by: str
) -> None:
    query = {"fresh": "1"} if by == "the address" else {}
    if by == "the connection":
        _set_config(world, company, force_authn=True)
    request = authn_request_in(surfer.get(company.path("login"), **query).headers["Location"])
    assert request.get("ForceAuthn") == "true"
    stale = company.answer(in_response_to=request.get("ID"), authenticated=_ago(hours=3))
    assert is_refused(world, surfer.bring(app, company, stale), "not_fresh")
    again = company.answer(in_response_to=request.get("ID"), authenticated=_ago(seconds=0))
    assert is_refused(world, surfer.bring(app, company, again), "unknown_request")  # a refused answer is spent
    request_id = surfer.start(company, **query)
    surfer.bring(app, company, company.answer(in_response_to=request_id, authenticated=_ago(seconds=30)))
    assert surfer.workspaces() == ["acme"]


def test_elsewhere_an_older_sign_in_is_good_enough(app: Flask, company: Company, surfer: Surfer) -> None:
    request = authn_request_in(surfer.get(company.path("login")).headers["Location"])
    assert request.get("ForceAuthn") is None
    surfer.bring(app, company, company.answer(in_response_to=request.get("ID"), authenticated=_ago(hours=3)))
    assert surfer.workspaces() == ["acme"]


def test_an_answer_that_nobody_asked_for_is_no_sign_in_anew(world: World, app: Flask) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    _set_config(world, company, force_authn=True)
    unasked = company.answer(in_response_to=None, authenticated=_ago(seconds=0))
    assert is_refused(world, Surfer(app).bring(app, company, unasked), "unsolicited")


def test_the_connection_says_what_a_request_asks_for(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    _set_config(world, company, authn_context=[idp.PASSWORD], name_id_format=PERSISTENT, sign_requests=False)
    location = surfer.get(company.path("login")).headers["Location"]
    assert "Signature" not in location
    request = authn_request_in(location)
    assert request.xpath("string(//saml:AuthnContextClassRef)", namespaces=NS) == idp.PASSWORD
    assert request.xpath("string(//samlp:NameIDPolicy/@Format)", namespaces=NS) == PERSISTENT
    other = company.answer(in_response_to=request.get("ID"), authn_context="urn:other")
    assert is_refused(world, surfer.bring(app, company, other), "wrong-authn-context")
    assert b'AuthnRequestsSigned="false"' in surfer.get(company.path("metadata")).data


@pytest.mark.parametrize(
    ("redirect", "post", "chosen", "asked"),
    [
        ("https://idp.example/r", "https://idp.example/p", False, "/r"),
        ("https://idp.example/r", "https://idp.example/p", True, "/p"),
        ("https://idp.example/r", None, True, "/r"),
        (None, "https://idp.example/p", False, "/p"),
    ],
    ids=["both", "both, chosen", "Redirect alone", "POST alone"],
)
def test_the_idp_is_asked_by_the_binding_that_it_has_and_of_two_by_the_one_that_was_chosen(
    world: World,
    app: Flask,
    company: Company,
    surfer: Surfer,
    redirect: str | None,
    post: str | None,
    chosen: bool,
    asked: str,
) -> None:
    found = load_saml(world.context, company.connection_id).connection.config["idp"]
    addresses = {"sso_redirect_url": redirect, "sso_post_url": post}
    _set_config(world, company, requests_by_post=chosen, idp={**found, **addresses})
    told = surfer.get(company.path("login"))
    if asked == "/r":
        assert told.headers["Location"].startswith("https://idp.example/r?SAMLRequest=")
        request = authn_request_in(told.headers["Location"])
    else:
        assert 'action="https://idp.example/p"' in told.text
        (form,) = re.findall(r'name="SAMLRequest" value="([^"]+)"', told.text)
        request = etree.fromstring(base64.b64decode(form))
    assert request.get("Destination") == f"https://idp.example{asked}"
    surfer.bring(app, company, company.answer(in_response_to=request.get("ID")))
    assert surfer.workspaces() == ["acme"]


@pytest.mark.parametrize(
    "path",
    ["/saml/no-uuid/login", "/saml/00000000-0000-4000-8000-000000000000/login", "/saml/%00/login", "/saml//login"],
)
def test_a_connection_that_is_not_there_is_not_found(company: Company, surfer: Surfer, path: str) -> None:
    assert surfer.get(path).status_code == 404


def test_metadata_says_what_an_idp_needs(company: Company, surfer: Surfer) -> None:
    told = surfer.get(company.path("metadata"))
    assert told.mimetype == "application/samlmetadata+xml"
    assert etree.fromstring(told.data).get("entityID") == f"http://localhost:8000{company.path('metadata')}"


# -- The way back ------------------------------------------------------------------------------------


@pytest.mark.parametrize("signed", ["assertion", "response", "both"])
def test_a_signed_answer_signs_in(app: Flask, company: Company, surfer: Surfer, signed: str) -> None:
    told = surfer.sign_in(app, company, signed=signed, groups=("eng", "ops"))
    assert told.status_code == 303
    assert told.headers["Location"] == "/"
    said = surfer.session()
    assert said["user"]["email"] == MEI
    assert [workspace["slug"] for workspace in said["workspaces"]] == ["acme"]
    (by,) = said["authenticated_by"]
    assert (by["kind"], by["connection"], by["groups"]) == ("saml", company.connection_id, ["eng", "ops"])


def test_an_encrypted_answer_signs_in(app: Flask, company: Company, surfer: Surfer) -> None:
    request_id = surfer.start(company)
    moment = datetime.now(UTC).replace(microsecond=0)
    said = idp.answer(company.sp, moment, in_response_to=request_id, confirmation_in_response_to=request_id)
    root = idp.respond(KICKS, said, encrypted="AES256_GCM", sp=company.sp)
    assert surfer.bring(app, company, idp.post(root)).status_code == 303
    assert surfer.workspaces() == ["acme"]


def test_after_the_login_one_is_where_one_was_going(app: Flask, company: Company, surfer: Surfer) -> None:
    told = surfer.sign_in(app, company, return_to="/w/acme/users?q=Ines%20D")
    assert told.headers["Location"] == "/w/acme/users?q=Ines%20D"


@pytest.mark.parametrize(
    "asked",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example",
        "javascript:alert(1)",
        "w/acme",
        "http:/w/acme",
        "/%09/evil.example/\r\nSet-Cookie: a=b",
        "/" + "x" * 3000,
    ],
)
def test_a_return_address_is_a_path_of_this_site_or_the_start_page(
    app: Flask, company: Company, surfer: Surfer, asked: str
) -> None:
    assert surfer.sign_in(app, company, return_to=asked).headers["Location"] == "/"


def test_the_posted_relay_state_is_never_followed(app: Flask, company: Company, surfer: Surfer) -> None:
    told = surfer.sign_in(app, company, return_to="/w/acme", relay_state="https://evil.example/")
    assert told.headers["Location"] == "/w/acme"


def test_the_idps_post_alone_signs_nobody_in(app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=surfer.start(company))
    told = app.test_client().post(company.path("acs"), data=form)
    assert told.status_code == 303
    assert "bridge_session" not in str(told.headers)


def test_somebody_elses_answer_signs_nobody_in(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    attacker = Surfer(app)
    form = company.answer(in_response_to=attacker.start(company), email="mallory@kicks.example")
    told = surfer.bring(app, company, form)
    assert is_refused(world, told, "other_browser")
    assert surfer.session() is None


def test_two_tabs_both_arrive(app: Flask, company: Company, surfer: Surfer) -> None:
    first, second = (surfer.start(company, return_to=path) for path in ("/w/acme/users", "/w/acme/tokens"))
    told = [surfer.bring(app, company, company.answer(in_response_to=one)) for one in (second, first)]
    assert [one.headers["Location"] for one in told] == ["/w/acme/tokens", "/w/acme/users"]


def test_two_tabs_that_begin_at_the_very_same_moment_both_arrive(app: Flask, company: Company) -> None:
    """In a browser that was never here: neither request brings a cookie, and each answer sets one."""
    tabs, browser = (Surfer(app), Surfer(app)), Surfer(app)
    asked = [tab.start(company, return_to=f"/w/acme/{n}") for n, tab in enumerate(tabs)]
    for tab in tabs:
        for name, value in tab.get("/healthz").request.cookies.items():
            browser.client.set_cookie(name, value)
    told = [browser.bring(app, company, company.answer(in_response_to=one)) for one in asked]
    assert [one.headers.get("Location") for one in told] == ["/w/acme/0", "/w/acme/1"]
    assert browser.logins_begun() == {}


def test_a_browser_keeps_so_many_logins_and_gives_up_the_oldest(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    first, *rest = [surfer.start(company, return_to=f"/w/acme/{n}") for n in range(41)]
    assert len(surfer.logins_begun()) == 40
    assert is_refused(world, surfer.bring(app, company, company.answer(in_response_to=first)), "other_browser")
    told = [surfer.bring(app, company, company.answer(in_response_to=one)) for one in rest]
    assert [one.headers.get("Location") for one in told] == [f"/w/acme/{n}" for n in range(1, 41)]


def test_and_so_many_characters(app: Flask, company: Company, surfer: Surfer) -> None:
    for n in range(8):
        surfer.start(company, return_to=f"/w/acme/{n}{'x' * 1900}")
        assert len(surfer.get("/healthz").request.headers["Cookie"]) < 7_000
    told = surfer.sign_in(app, company, return_to="/w/acme/" + "y" * 1900)
    assert told.headers["Location"] == "/w/acme/" + "y" * 1900


@pytest.mark.parametrize("value", ["", ".", "x", "x.y", "x.%", "x.\u00e9", "x." + "A" * 3000])
def test_a_cookie_that_is_none_of_ours_signs_nobody_in(
    world: World, app: Flask, company: Company, surfer: Surfer, value: str
) -> None:
    form = company.answer(in_response_to=surfer.start(company))
    (name,) = surfer.logins_begun()
    surfer.client.set_cookie(name, value)
    assert is_refused(world, surfer.bring(app, company, form), "other_browser")


def test_where_a_login_leads_is_as_the_browser_began_it(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    form = company.answer(in_response_to=surfer.start(company, return_to="/w/acme/users"))
    ((name, value),) = surfer.logins_begun().items()
    secret, _, _ = value.partition(".")
    surfer.client.set_cookie(name, f"{secret}.{base64.urlsafe_b64encode(b'/logout').decode()}")
    assert is_refused(world, surfer.bring(app, company, form), "other_browser")


def test_the_cookies_are_out_of_reach(app: Flask, company: Company, surfer: Surfer) -> None:
    cookies = surfer.sign_in(app, company).headers.getlist("Set-Cookie")
    assert len(cookies) == 3  # the session, the browser, and the login's own, which is over
    for cookie in cookies:
        assert "HttpOnly" in cookie
        assert "SameSite=Lax" in cookie
        assert "Path=/" in cookie
        assert "Domain" not in cookie
        assert "Secure" not in cookie  # the public URL of these tests is http


def test_on_https_they_are_secure(world: World) -> None:
    context: Context = replace(world.context, public_url="https://bridge.example")
    app, company = create_web(context), connect(context, "acme", name="Secure")
    surfer = Surfer(app)
    surfer.client = app.test_client()
    told = app.test_client().get(company.path("login"), base_url="https://bridge.example")
    assert all("Secure" in cookie for cookie in told.headers.getlist("Set-Cookie"))
    assert all(cookie.startswith("__Host-bridge_") for cookie in told.headers.getlist("Set-Cookie"))


def test_who_is_signed_in_gets_a_new_id_at_the_next_login(app: Flask, company: Company, surfer: Surfer) -> None:
    surfer.sign_in(app, company)
    before = surfer.client.get_cookie("bridge_session")
    surfer.sign_in(app, company)
    after = surfer.client.get_cookie("bridge_session")
    assert before is not None
    assert after is not None
    assert before.value != after.value


def test_whoever_opens_it_again_and_again_fills_nothing(world: World, app: Flask, company: Company) -> None:
    before = world_rows(world)
    for _ in range(300):
        assert Surfer(app).get(company.path("login"), return_to="/w/acme").status_code == 302
    assert world_rows(world) == before


# -- IdP-initiated -----------------------------------------------------------------------------------


def test_a_login_may_begin_at_the_idp_where_the_connection_allows_it(world: World, app: Flask) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer = Surfer(app)
    told = surfer.bring(app, company, company.answer(in_response_to=None))
    assert told.headers["Location"] == "/"
    assert surfer.workspaces() == ["acme"]
    assert surfer.logins_begun() == {}


def test_its_result_is_for_the_browser_that_brought_it(world: World, app: Flask) -> None:
    """Else the address of a stranger's result, sent as a link, would sign its reader in as the stranger."""
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer, stranger = Surfer(app), Surfer(app)
    posted = surfer.post_cross_site(app, company, company.answer(in_response_to=None))
    assert is_refused(world, stranger.get(posted.headers["Location"]), "other_browser")
    assert stranger.session() is None
    assert surfer.get(posted.headers["Location"]).status_code == 303
    assert surfer.workspaces() == ["acme"]


def ann_enters(world: World, surfer: Surfer) -> None:
    join(world, account(world, ANN, password=PASSWORD))
    surfer.enter_password(ANN, PASSWORD)


def test_it_asks_before_it_signs_somebody_else_out(world: World, app: Flask) -> None:
    """Whoever can have the browser bring an answer of theirs would else sit there, unseen, in the other's place."""
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer = Surfer(app)
    ann_enters(world, surfer)
    handed = surfer.post_cross_site(app, company, company.answer(in_response_to=None)).headers["Location"]
    before = world_rows(world)
    asked = surfer.get(handed)
    assert asked.status_code == 200
    assert "Continue as mei@kicks.example?" in asked.text
    assert ANN in asked.text
    assert world_rows(world) == before
    assert surfer.session()["user"]["email"] == ANN
    path, _, handle = handed.partition("?handle=")
    stranger = Surfer(app)
    refused = stranger.submit(path, stranger.get("/login"), handle=handle)
    assert (reference_in(refused), "other_browser") in attempts(world)
    assert surfer.client.post(path, data={"handle": handle}).status_code == 400  # no token of ours
    told = surfer.submit(path, asked, handle=handle)
    assert told.headers["Location"] == "/"
    assert surfer.session()["user"]["email"] == "mei@kicks.example"
    assert surfer.submit(path, asked, handle=handle).status_code == 403


def test_one_may_think_about_it_for_ten_minutes(world: World, app: Flask) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer = Surfer(app)
    ann_enters(world, surfer)
    handed = surfer.post_cross_site(app, company, company.answer(in_response_to=None)).headers["Location"]
    asked, began = surfer.get(handed), datetime.now(UTC)
    path, _, handle = handed.partition("?handle=")
    with at(app, began + timedelta(minutes=11)):
        assert surfer.submit(path, asked, handle=handle).status_code == 403
    with at(app, began + timedelta(minutes=9)):
        assert surfer.submit(path, asked, handle=handle).status_code == 303


@pytest.mark.parametrize("who", ["oneself", "nobody"])
def test_where_nobody_else_is_signed_in_it_asks_nothing(world: World, app: Flask, who: str) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer = Surfer(app)
    if who == "oneself":
        surfer.bring(app, company, company.answer(in_response_to=None))
    assert surfer.bring(app, company, company.answer(in_response_to=None)).status_code == 303
    assert surfer.session()["user"]["email"] == "mei@kicks.example"


def test_what_was_asked_for_here_asks_nothing_more(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    ann_enters(world, surfer)
    assert surfer.sign_in(app, company).status_code == 303
    assert surfer.session()["user"]["email"] == "mei@kicks.example"


@pytest.mark.parametrize(
    ("relay_state", "leads_to"),
    [
        ("/w/acme/users?page=2", "/w/acme/users?page=2"),
        ("http://localhost:8000/w/acme", "/w/acme"),
        ("/w/other/users", "/"),
        ("/w/acme/../../logout", "/"),
        ("/w/acme/%2e%2E/other", "/"),
        ("/logout", "/"),
        ("//evil.example/w/acme", "/"),
        ("https://evil.example/w/acme", "/"),
        ("http://localhost:8000.evil.example/w/acme", "/"),
        ("http://localhost:8000@evil.example/w/acme", "/"),
        ("/w/acme/\\evil.example", "/"),
        ("token of the IdP's", "/"),
    ],
)
def test_where_it_leads_is_a_page_of_the_workspace(world: World, app: Flask, relay_state: str, leads_to: str) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    told = Surfer(app).bring(app, company, company.answer(in_response_to=None, relay_state=relay_state))
    assert told.headers["Location"] == leads_to


def test_relay_state_leads_nowhere_where_we_asked(app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=surfer.start(company, return_to="/w/acme"), relay_state="/w/acme/users")
    assert surfer.bring(app, company, form).headers["Location"] == "/w/acme"


def test_elsewhere_an_unasked_answer_is_refused(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    assert is_refused(world, surfer.bring(app, company, company.answer(in_response_to=None)), "unsolicited")


# -- Refused, with a reason and a reference ----------------------------------------------------------

PAST, FUTURE = datetime(2020, 1, 1, tzinfo=UTC), datetime(2050, 1, 1, tzinfo=UTC)
WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "not signed": ({"signed": "nothing"}, "not-signed"),
    "another issuer": ({"issuer": "https://other.example"}, "wrong-issuer"),
    "no issuer": ({"issuer": None, "signed": "response"}, "malformed-message"),
    "no audience": ({"audiences": ()}, "wrong-audience"),
    "another audience": ({"audiences": (("https://other.example",),)}, "wrong-audience"),
    "no recipient": ({"recipient": None}, "wrong-recipient"),
    "another recipient": ({"recipient": "https://other.example/acs"}, "wrong-recipient"),
    "another destination": ({"destination": "https://other.example/acs"}, "wrong-destination"),
    "no expiry": ({"not_on_or_after": None}, "missing-expiry"),
    "no expiry of the confirmation": ({"confirmation_not_on_or_after": None}, "missing-expiry"),
    "expired": ({"not_on_or_after": PAST, "confirmation_not_on_or_after": PAST}, "expired"),
    "not yet": ({"not_before": FUTURE}, "not-yet-valid"),
    "no request": ({"confirmation_in_response_to": None, "in_response_to": None}, "unsolicited"),
    "another request": ({"confirmation_in_response_to": "_x", "in_response_to": "_x"}, "unknown_request"),
    "no email": ({"attributes": {}, "name_id": "opaque"}, "missing-email"),
    "an email that is none": ({"attributes": {"email": ("mei",)}, "name_id": "opaque"}, "malformed-email"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_or_missing_claim_is_refused(
    world: World, app: Flask, company: Company, surfer: Surfer, case: str
) -> None:
    changes, code = WRONG[case]
    said = {"in_response_to": surfer.start(company)} | changes
    request_id = said.pop("in_response_to")
    told = surfer.bring(app, company, company.answer(in_response_to=request_id, **said))
    assert is_refused(world, told, code), (told.status_code, attempts(world))
    assert count(world, users) == 1  # the owner


def test_a_key_inside_the_message_is_not_trusted(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    stranger = replace(company, idp=TestIdp(key="mallory"))
    told = surfer.bring(app, company, stranger.answer(in_response_to=surfer.start(company)))
    assert is_refused(world, told, "bad-signature")


def test_a_connection_without_a_certificate_refuses_everybody(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    _set_idp(world, company, certificates=[])
    told = surfer.bring(app, company, company.answer(in_response_to=surfer.start(company)))
    assert is_refused(world, told, "no-certificate")


def test_another_connections_answer_is_refused(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    entra = connect(world.context, "acme", TestIdp(entity_id="https://entra.example", key="entra"), name="Entra")
    told = surfer.bring(app, company, entra.answer(in_response_to=surfer.start(company)))
    assert told.status_code == 403
    assert surfer.session() is None


def test_a_good_login_works_right_after_a_refused_one(app: Flask, company: Company, surfer: Surfer) -> None:
    request_id = surfer.start(company)
    assert surfer.bring(app, company, company.answer(in_response_to=request_id, signed="nothing")).status_code == 403
    assert surfer.bring(app, company, company.answer(in_response_to=request_id)).status_code == 303


def test_a_refusal_names_no_more_than_its_reason(app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=surfer.start(company), issuer="https://<script>.example")
    told = surfer.bring(app, company, form)
    assert "<script>." not in told.text
    assert "Start again" in told.text
    assert f'href="{company.path("login")}"' in told.text


@pytest.mark.parametrize("moment", ["login", "acs", "continue"])
def test_a_disabled_connection_is_closed_now(
    world: World, app: Flask, company: Company, surfer: Surfer, moment: str
) -> None:
    def disable(at_moment: str) -> None:
        if at_moment == moment:
            set_enabled(world.context, OPERATOR, "acme", company.connection_id, False, datetime.now(UTC))

    disable("login")
    told = surfer.get(company.path("login"))
    if told.status_code == 302:
        disable("acs")
        form = company.answer(in_response_to=request_id_in(told.headers["Location"]))
        told = app.test_client().post(company.path("acs"), data=form)
        disable("continue")
        told = surfer.get(told.headers["Location"]) if told.status_code == 303 else told
    assert is_refused(world, told, "connection_off")


def test_a_plan_without_sso_says_so(world: World, company: Company, surfer: Surfer) -> None:
    set_workspace(world, plan="team")
    assert is_refused(world, surfer.get(company.path("login")), "connection_off")


def test_a_deactivated_person_is_told_whose_turn_it_is(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    _push(world, company, MEI, active=False)
    told = surfer.sign_in(app, company)
    assert is_refused(world, told, "held_out")
    assert "IT admin" in told.text


def test_deactivation_signs_out_at_the_next_request(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    user_id = _push(world, company, MEI)
    surfer.sign_in(app, company)
    with world.context.database.reading() as rows:
        connection = find_by_uid(rows, company.connection_id)
    assert connection is not None
    change_user(
        world.context, connection, user_id, lambda stored: replace(stored.pushed, active=False), datetime.now(UTC)
    )
    assert surfer.get("/session").status_code == 401


def _push(world: World, company: Company, email: str, *, active: bool = True) -> str:
    with world.context.database.reading() as rows:
        connection = find_by_uid(rows, company.connection_id)
    assert connection is not None
    return create_user(world.context, connection, pushed(email, active=active), datetime.now(UTC)).id


# -- Twice -------------------------------------------------------------------------------------------


@contextmanager
def restarted(world: World) -> Iterator[Flask]:
    """Another process over the same database."""
    url = world.context.database.write_engine.url.render_as_string(hide_password=False)
    database = open_database(url)
    yield create_web(replace(world.context, database=database))
    database.close()


@pytest.mark.parametrize("initiated", ["here", "at the IdP"])
def test_an_answer_signs_in_once_also_after_a_restart(world: World, app: Flask, initiated: str) -> None:
    company = connect(world.context, "acme", name="Open", idp_initiated=True)
    surfer = Surfer(app)
    form = company.answer(in_response_to=surfer.start(company) if initiated == "here" else None)
    assert surfer.bring(app, company, form).status_code == 303
    with restarted(world) as another:
        for process in (app, another):
            told = process.test_client().post(company.path("acs"), data=form)
            assert told.status_code == 403
            assert (reference_in(told), "replayed") in attempts(world)
    assert count(world, sessions) == 1


def test_a_handle_is_fetched_once(app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=surfer.start(company))
    there = app.test_client().post(company.path("acs"), data=form).headers["Location"]
    assert surfer.get(there).status_code == 303
    assert surfer.get(there).status_code == 403


def test_a_handle_lasts_a_minute(app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=surfer.start(company))
    there = app.test_client().post(company.path("acs"), data=form).headers["Location"]
    with at(app, datetime.now(UTC) + timedelta(seconds=61)):
        assert surfer.get(there).status_code == 403


# -- Whose account: proof first ----------------------------------------------------------------------


def test_an_account_from_elsewhere_is_proved_by_a_mailed_link(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    account(world, MEI)
    asked = surfer.get(surfer.sign_in(app, company, return_to="/w/acme/users").headers["Location"])
    assert "Is this account yours?" in asked.text
    assert surfer.session() is None
    form = etree.HTML(asked.text).find(".//main//form")
    assert form is not None
    sent = surfer.submit(form.get("action", ""), asked)
    assert "A link is on its way" in sent.text
    assert count(world, outbox) == 1


def test_or_by_signing_in_as_usual(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    join(make_world(world.context.database, world.now, slug="other", owner="o@other.example"), _with_password(world))
    asked = surfer.get(surfer.sign_in(app, company, return_to="/w/acme/users").headers["Location"])
    (way,) = (link for link in etree.HTML(asked.text).iter("a") if link.get("href", "").startswith("/login?prove="))
    shown = surfer.get(way.get("href", ""))
    token = way.get("href", "").partition("prove=")[2]
    told = surfer.submit("/login", shown, email=MEI, password="correct horse battery", prove=token)
    assert told.headers["Location"] == "/w/acme/users"
    assert surfer.workspaces() == ["acme", "other"]


def _with_password(world: World) -> int:
    return account(world, MEI, password="correct horse battery")


@pytest.mark.parametrize("path", ["/prove/x", "/prove/link/x", "/login?prove=x", "/prove/%00", "/prove/" + "x" * 5000])
def test_a_proof_that_nobody_asked_for_is_over(company: Company, surfer: Surfer, path: str) -> None:
    told = surfer.get(path)
    assert told.status_code == 403
    assert "works no longer" in told.text


# -- Nothing falls over, nothing leaks ---------------------------------------------------------------

NOT_XML = [b"", b"\x00", b"<", b"<a/>", b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>", b"\xff\xfe<\x00a\x00/\x00>\x00"]


@pytest.mark.parametrize("octets", NOT_XML)
def test_what_is_no_response_is_refused(world: World, app: Flask, company: Company, octets: bytes) -> None:
    told = app.test_client().post(company.path("acs"), data={"SAMLResponse": base64.b64encode(octets).decode()})
    assert told.status_code in (400, 403)
    assert reference_in(told) is not None


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"data": {"SAMLResponse": ""}},
        {"data": {"SAMLResponse": "not base64 \x00"}},
        {"data": b"\xff\x00", "content_type": "application/x-www-form-urlencoded"},
        {"data": b"{}", "content_type": "application/json"},
        {"data": b"--x\r\n", "content_type": "multipart/form-data; boundary=x"},
        {"data": {"SAMLResponse": "A" * 1_100_000}},
        {"data": {"SAMLResponse": "A" * 3_000_000}},
    ],
    ids=["nothing", "empty", "no base64", "no form", "json", "cut off", "large", "too large"],
)
def test_whatever_is_posted_gets_a_4xx(world: World, app: Flask, company: Company, sent: dict[str, Any]) -> None:
    told = app.test_client().post(company.path("acs"), **sent)
    assert 400 <= told.status_code < 500
    assert reference_in(told) is not None


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(body=st.binary(max_size=200), handle=st.text(max_size=50), cookie=st.text(st.characters(codec="latin-1")))
def test_no_input_gives_a_5xx(app: Flask, company: Company, body: bytes, handle: str, cookie: str) -> None:
    client = app.test_client()
    client.set_cookie("bridge_browser", cookie)
    client.set_cookie("bridge_session", cookie)
    for told in (
        client.post(company.path("acs"), data={"SAMLResponse": base64.b64encode(body).decode()}),
        client.post(company.path("acs"), data=body, content_type="application/x-www-form-urlencoded"),
        client.get(company.path("continue"), query_string={"handle": handle}),
        client.get(company.path("login"), query_string={"return_to": handle}),
        client.get("/session"),
        client.get("/login", query_string={"return_to": handle, "prove": handle}),
    ):
        assert told.status_code < 500


def test_other_methods_are_not_allowed(company: Company, surfer: Surfer) -> None:
    assert surfer.get(company.path("acs")).status_code == 405
    assert surfer.client.post(company.path("login")).status_code == 405


def test_no_secret_is_kept_logged_or_shown(
    world: World, app: Flask, company: Company, surfer: Surfer, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    form = company.answer(in_response_to=surfer.start(company))
    handle = app.test_client().post(company.path("acs"), data=form).headers["Location"].partition("handle=")[2]
    surfer.get(company.path("continue"), handle=handle)
    cookie = surfer.client.get_cookie("bridge_session")
    browser = surfer.client.get_cookie("bridge_browser")
    assert cookie is not None
    assert browser is not None
    with world.context.database.reading() as rows:
        kept = str([rows.execute(select(table)).all() for table in metadata.sorted_tables])
    for secret in (cookie.value, browser.value, handle, form["SAMLResponse"][:200]):
        assert secret not in kept
        assert secret not in caplog.text


def test_every_answer_carries_the_policy(company: Company, surfer: Surfer) -> None:
    for path in (company.path("continue"), company.path("metadata"), "/session", "/nothing", "/prove/x"):
        headers = surfer.get(path).headers
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; style-src 'self'; script-src 'self';")
        assert "form-action 'self'; base-uri 'none'; frame-ancestors 'none'" in policy
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"
        assert headers["Cache-Control"] == "no-store"
