"""Signing in by OpenID Connect as browsers and providers do it: properties.md 1–5, 9, 12, 18–20 over HTTP."""

import logging
import threading
import time
from base64 import b64decode
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html import escape
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from flask import Flask
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.domain.directory import PushedEmail, PushedUser
from bridge.domain.sign_in_log import AttemptsQuery
from bridge.domain.workspace import Connection
from bridge.flows.connect_oidc import replace_client_secret
from bridge.flows.context import OPERATOR
from bridge.flows.deliver import deliver_due
from bridge.flows.import_directory import ImportOptions, import_directory
from bridge.flows.own_connections import set_enabled
from bridge.flows.provision_users import change_user, create_user
from bridge.flows.read_sign_in_log import list_attempts
from bridge.storage.changes import changing
from bridge.storage.connections import find_by_uid, set_connection
from bridge.storage.tables import pending_requests, sessions, sign_in_attempts, users
from bridge.web.current import OUTSIDE
from scim.file_forms import parse_directory_file
from tests.flows.audit import audit_events
from tests.flows.logins import account, join, prove_domain
from tests.flows.mailer import KeptMail
from tests.web.browsing import Surfer, at, reference_in
from tests.web.provider import (
    CLIENT_ID,
    FULL,
    SECRET,
    Answer,
    OidcCompany,
    Provider,
    after,
    connect_oidc,
    impatient,
    json_answer,
    running_provider,
)
from tests.web.test_saml_login import attempts, count, is_refused, world_rows
from tests.world import World, make_world

MEI = "mei@kicks.example"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running_provider() as provider:
        yield provider


@pytest.fixture
def kicks(world: World, app: Flask, provider: Provider) -> OidcCompany:
    """The company's provider, connected."""
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, name="Kicks Login")


def query_of(location: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}


# -- The way there -----------------------------------------------------------------------------------


def test_login_asks_for_a_code_with_pkce_state_and_nonce(kicks: OidcCompany, surfer: Surfer) -> None:
    location = kicks.start(surfer)
    assert location.startswith(f"{kicks.provider.url}/authorize?")
    asked = query_of(location)
    assert asked["response_type"] == "code"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"http://localhost:8000{kicks.path('callback')}"
    assert asked["scope"] == "openid email profile"
    assert asked["code_challenge_method"] == "S256"
    again = query_of(kicks.start(surfer))
    assert all(asked[name] != again[name] for name in ("state", "nonce", "code_challenge"))


def test_groups_are_asked_for_where_the_provider_knows_that_scope(
    world: World, kicks: OidcCompany, surfer: Surfer
) -> None:
    kicks.provider.discovered = {"scopes_supported": ["openid", "groups"]}
    other = connect_oidc(world.context, "acme", kicks.provider, name="Other")
    assert query_of(other.start(surfer))["scope"] == "openid email profile groups"


def test_of_a_request_the_browser_alone_keeps_something_and_it_is_sealed(
    world: World, kicks: OidcCompany, surfer: Surfer
) -> None:
    asked = query_of(kicks.start(surfer))
    assert count(world, pending_requests) == 0
    (cookie,) = surfer.logins_begun().values()
    assert asked["nonce"].encode() not in b64decode(cookie.partition(".")[0] + "==", altchars=b"-_")
    assert asked["nonce"] not in cookie


def test_whoever_opens_it_again_and_again_fills_nothing(world: World, app: Flask, kicks: OidcCompany) -> None:
    before = world_rows(world)
    assert len({query_of(kicks.start(Surfer(app)))["state"] for _ in range(100)}) == 100
    assert world_rows(world) == before


def test_the_typed_address_is_a_hint(kicks: OidcCompany, surfer: Surfer) -> None:
    assert query_of(kicks.start(surfer, login_hint=MEI))["login_hint"] == MEI
    assert "login_hint" not in query_of(kicks.start(surfer, login_hint="a\r\nb"))


@pytest.mark.parametrize("what", ["login", "callback", "jwks", "callback?code=c&state=s"])
def test_a_connection_that_is_not_there_is_not_found(world: World, surfer: Surfer, company: Any, what: str) -> None:
    assert surfer.get(f"/oidc/00000000-0000-4000-8000-000000000000/{what}").status_code == 404
    assert surfer.get(f"/oidc/{company.connection_id}/{what}").status_code == 404  # a SAML connection
    assert surfer.get(f"/oidc/%00/{what}").status_code == 404


def test_a_login_page_sends_a_proved_domain_there(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    set_enabled(world.context, OPERATOR, "acme", world.connection.id, False, world.now)
    told = surfer.submit("/login", surfer.get("/login"), email=MEI)
    assert told.status_code == 303
    assert urlsplit(told.headers["Location"]).path == kicks.path("login")
    assert query_of(told.headers["Location"]) == {"login_hint": MEI}


# -- The way back ------------------------------------------------------------------------------------


def test_a_person_signs_in(kicks: OidcCompany, surfer: Surfer) -> None:
    told = kicks.sign_in(surfer, groups=["eng", "ops"], return_to="/w/acme/users?q=Ines%20D")
    assert told.status_code == 303, told.text
    assert told.headers["Location"] == "/w/acme/users?q=Ines%20D"
    said = surfer.session()
    assert said["user"]["email"] == MEI
    assert [workspace["slug"] for workspace in said["workspaces"]] == ["acme"]
    (by,) = said["authenticated_by"]
    assert (by["kind"], by["connection"], by["groups"]) == ("oidc", kicks.connection_id, ["eng", "ops"])


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example"])
def test_nobody_is_sent_elsewhere_after_it(kicks: OidcCompany, surfer: Surfer, elsewhere: str) -> None:
    assert kicks.sign_in(surfer, return_to=elsewhere).headers["Location"] == "/"


def test_two_tabs(kicks: OidcCompany, surfer: Surfer) -> None:
    one, two = kicks.start(surfer, return_to="/one"), kicks.start(surfer, return_to="/two")
    assert kicks.bring(surfer, kicks.provider.consent(one)).headers["Location"] == "/one"
    assert kicks.bring(surfer, kicks.provider.consent(two)).headers["Location"] == "/two"


def test_a_login_gives_a_new_session_id(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    before = surfer.client.get_cookie("bridge_session")
    kicks.sign_in(surfer)
    after_it = surfer.client.get_cookie("bridge_session")
    assert before is not None
    assert after_it is not None
    assert before.value != after_it.value


def test_six_hundred_groups(kicks: OidcCompany, surfer: Surfer) -> None:
    groups = [f"group with a rather long name, number {n}" for n in range(600)]
    assert kicks.sign_in(surfer, groups=groups).status_code == 303
    assert surfer.session()["authenticated_by"][0]["groups"] == groups


def test_an_account_is_proved_first_where_the_provider_cannot_vouch(
    world: World, kicks: OidcCompany, surfer: Surfer
) -> None:
    account(world, MEI)
    told = kicks.sign_in(surfer)
    assert told.status_code == 303
    assert told.headers["Location"].startswith("/prove/")
    assert surfer.session() is None


def test_a_proof_that_is_refused_is_logged_with_the_connection_that_asked_for_it(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    account(world, MEI)
    asked = kicks.sign_in(surfer).headers["Location"]
    surfer.submit(f"{asked}/mail", surfer.get(asked))
    mailer = KeptMail()
    deliver_due(world.context, mailer, datetime.now(UTC) + timedelta(seconds=1))
    link = mailer.sent[0].text.partition("/prove/link/")[2].split()[0]
    stranger = Surfer(app)
    for tries, path in enumerate((asked, f"/prove/link/{link}"), start=1):
        assert is_refused(world, stranger.get(path), "other_browser")
        logged = list_attempts(world.context, "acme", AttemptsQuery(outcome="refused"), 10).attempts
        assert [(one.kind, one.connection, one.email) for one in logged] == [("oidc", "Kicks Login", MEI)] * tries


def test_to_open_the_mailed_link_does_nothing_yet(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    """What reads mail opens links, too, and may do so with the browser's own cookies."""
    account(world, MEI)
    asked = kicks.sign_in(surfer).headers["Location"]
    surfer.submit(f"{asked}/mail", surfer.get(asked))
    mailer = KeptMail()
    deliver_due(world.context, mailer, datetime.now(UTC) + timedelta(seconds=1))
    link = f"/prove/link/{mailer.sent[0].text.partition('/prove/link/')[2].split()[0]}"
    for _ in range(2):
        shown = surfer.get(link)
        assert (shown.status_code, surfer.session()) == (200, None)
        assert "Kicks Login signs in" in shown.text
    assert surfer.submit(link, shown).status_code == 303
    assert surfer.workspaces() == ["acme"]
    assert surfer.get(link).status_code == surfer.submit(link, shown).status_code == 403


def test_a_member_with_that_address_is_linked(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    join(world, account(world, MEI))
    assert kicks.sign_in(surfer).headers["Location"] == "/"
    assert surfer.workspaces() == ["acme"]


# -- An address that the provider doesn't vouch for (nOAuth) ----------------------------------------------------------

SILENT: dict[str, Any] = {"email_verified": None}


def push(world: World, company: OidcCompany, email: str, external_id: str) -> None:
    """The company's IdP provisions somebody through the same connection."""
    pushed = PushedUser(email, external_id, True, "Mei", (PushedEmail(email),), {})
    create_user(world.context, connection_of(world, company), pushed, world.now)


def proves_first(surfer: Surfer, told: TestResponse) -> bool:
    """Whether nobody is signed in, but asked to prove the account."""
    return told.headers["Location"].startswith("/prove/") and surfer.session() is None


@pytest.mark.parametrize("preset", ["generic", "okta", "entra", "onelogin", "ping", "jumpcloud"])
def test_an_address_without_a_word_about_it_opens_no_members_account(
    world: World, app: Flask, provider: Provider, surfer: Surfer, preset: str
) -> None:
    impatient(app, 5)
    company = connect_oidc(world.context, "acme", provider, preset=preset, name="Kicks Login")
    join(world, account(world, MEI))
    assert proves_first(surfer, company.sign_in(surfer, sub="mallory", **SILENT))


def test_nor_one_of_a_proved_domain(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    account(world, MEI)
    assert proves_first(surfer, kicks.sign_in(surfer, sub="mallory", **SILENT))
    assert kicks.sign_in(surfer, sub="mei").headers["Location"] == "/"


def test_nor_one_that_is_pushed(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    push(world, kicks, MEI, "00u1")
    assert proves_first(surfer, kicks.sign_in(surfer, sub="mallory", **SILENT))
    assert kicks.sign_in(surfer, sub="00u1", **SILENT).headers["Location"] == "/"


def test_nor_does_it_prove_a_new_account(world: World, app: Flask, kicks: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    kicks.sign_in(surfer, sub="mallory", **SILENT)
    with world.context.database.reading() as rows:
        assert rows.execute(select(users.c.email_proved_at).where(users.c.email == MEI)).scalar_one() is None
    holder = Surfer(app)
    assert kicks.sign_in(holder, sub="mei").headers["Location"] == "/"
    assert surfer.session() is None
    assert holder.workspaces() == ["acme"]


def test_who_came_first_under_an_address_is_not_who_is_pushed_with_it_later(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    mallory = Surfer(app)
    assert kicks.sign_in(mallory, sub="mallory", **SILENT).headers["Location"] == "/"
    assert kicks.sign_in(mallory, sub="mallory", **SILENT).headers["Location"] == "/"
    push(world, kicks, MEI, "00u1")
    assert kicks.sign_in(mallory, sub="mallory", **SILENT).headers["Location"].startswith("/prove/")
    assert kicks.sign_in(surfer, sub="00u1", **SILENT).headers["Location"] == "/"
    assert kicks.sign_in(surfer, sub="00u1", **SILENT).headers["Location"] == "/"


@pytest.mark.parametrize("by", ["push", "import", "a record that gets the address later"])
def test_and_what_they_signed_in_to_ends_with_the_push(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer, by: str
) -> None:
    mallory, other = Surfer(app), connect_oidc(world.context, "acme", kicks.provider, name="Other")
    # A record that is changed takes no account that a login by its own connection has made.
    (other if "later" in by else kicks).sign_in(mallory, sub="mallory", **SILENT)
    kicks.sign_in(surfer, sub="eve", email="eve@kicks.example", **SILENT)
    other.sign_in(Surfer(app), sub="bob", email="bob@kicks.example", **SILENT)
    ways = {"push": push, "import": import_one, "a record that gets the address later": push_late}
    ways[by](world, kicks, MEI, "00u1")
    assert mallory.session() is None
    assert surfer.workspaces() == ["acme"]  # another's login stays
    ended = [after for _, kind, after in audit_events(world.context) if kind == "session.ended"]
    assert ended == [{"by": "push", "connection": kicks.connection_id}]


def test_a_login_by_another_connection_ends_too_and_one_under_the_records_name_stays(
    world: World, app: Flask, kicks: OidcCompany
) -> None:
    other = connect_oidc(world.context, "acme", kicks.provider, name="Other")
    stranger, mei = Surfer(app), Surfer(app)
    other.sign_in(stranger, sub="mallory", **SILENT)
    push(world, kicks, MEI, "00u1")
    assert stranger.session() is None
    kicks.sign_in(mei, sub="00u2", email="ann@kicks.example", **SILENT)
    push(world, kicks, "ann@kicks.example", "00u2")
    assert mei.workspaces() == ["acme"]


def test_a_login_of_who_proved_the_address_stays(world: World, app: Flask, kicks: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    kicks.sign_in(surfer, sub="mei")
    push(world, kicks, MEI, "00u1")
    assert surfer.workspaces() == ["acme"]


def import_one(world: World, company: OidcCompany, email: str, external_id: str) -> None:
    """The same from a file."""
    line = f"userName,externalId,email\n{email},{external_id},{email}\n".encode()
    file, options = parse_directory_file(line), ImportOptions()
    import_directory(world.context, "acme", company.connection_id, file, options, world.now)


def push_late(world: World, company: OidcCompany, email: str, external_id: str) -> None:
    """The same of a person that had no address until now."""
    found = connection_of(world, company)
    none = PushedUser("mei", external_id, True, "Mei", (), {})
    made = create_user(world.context, found, none, world.now)
    change_user(world.context, found, made.id, lambda _: replace(none, emails=(PushedEmail(email),)), world.now)


def connection_of(world: World, company: OidcCompany) -> Connection:
    with world.context.database.reading() as rows:
        found = find_by_uid(rows, company.connection_id)
    assert found is not None
    return found


def test_nor_does_it_change_an_account(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    kicks.sign_in(surfer)
    kicks.sign_in(surfer, email="ceo@kicks.example", **SILENT)
    assert surfer.session()["user"]["email"] == MEI


def test_an_owner_may_say_that_every_address_is_sound(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    with_config(world, kicks, trust_email=True)
    join(world, account(world, MEI))
    assert kicks.sign_in(surfer, **SILENT).headers["Location"] == "/"


def test_entra_is_believed_by_the_object_id_that_it_pushes(
    world: World, app: Flask, provider: Provider, surfer: Surfer
) -> None:
    impatient(app, 5)
    company = connect_oidc(world.context, "acme", provider, preset="entra")
    push(world, company, MEI, "object-1")
    assert proves_first(surfer, company.sign_in(surfer, sub="guest", oid="object-2", **SILENT))
    assert company.sign_in(surfer, sub="pairwise", oid="object-1", **SILENT).headers["Location"] == "/"
    assert surfer.session()["user"]["email"] == MEI


def test_without_an_account_and_just_in_time_nobody_comes_in(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    with_config(world, kicks, jit=False)
    assert is_refused(world, kicks.sign_in(surfer), "not_a_member")


def with_config(world: World, company: OidcCompany, **changes: Any) -> None:
    """The connection is set up otherwise."""
    with changing(world.context.database, OPERATOR, world.now) as change:
        found = find_by_uid(change.connection, company.connection_id)
        assert found is not None
        set_connection(change, found.key, config={**found.config, **changes})


# -- Whose answer it is ------------------------------------------------------------------------------


def test_another_browsers_state_signs_nobody_in_and_stays_good(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    location = kicks.provider.consent(kicks.start(surfer))
    other, (name,) = Surfer(app), surfer.logins_begun()
    kicks.start(other)
    (kept,) = other.logins_begun().values()
    other.client.set_cookie(name, kept)  # a login of its own, under the name of this one
    for stranger in (other, Surfer(app)):
        assert is_refused(world, kicks.bring(stranger, location), "other_browser")
    assert kicks.provider.seen["/token"] == 0
    assert kicks.bring(surfer, location).status_code == 303
    assert surfer.workspaces() == ["acme"]


def test_an_answer_is_taken_once(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    location = kicks.provider.consent(kicks.start(surfer))
    assert kicks.bring(surfer, location).status_code == 303
    again = kicks.bring(surfer, location)
    assert (again.status_code, attempts(world)[-1][1]) == (403, "unknown_request")
    assert kicks.provider.seen["/token"] == 1


def test_of_two_answers_at_once_one_is_taken(world: World, app: Flask, kicks: OidcCompany, surfer: Surfer) -> None:
    location = kicks.provider.consent(kicks.start(surfer))
    ((name, cookie),) = surfer.logins_begun().items()
    answer = kicks.provider.token_answer
    kicks.provider.token_answer = lambda form: after(0.2, answer(form))()  # type: ignore[method-assign]
    told: list[TestResponse] = []

    def bring() -> None:
        one = Surfer(app)
        one.client.set_cookie(name, cookie)
        told.append(kicks.bring(one, location))

    threads = [threading.Thread(target=bring) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = sorted(one.status_code for one in told)
    assert statuses[0] == 303
    assert set(statuses[1:]) <= {403, 429}, "used up, or to come again, where two ask and one waits already"
    assert kicks.provider.seen["/token"] == 1
    assert count(world, sessions) == 1


def test_another_connections_state_is_no_state(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    other = connect_oidc(world.context, "acme", kicks.provider, name="Other")
    asked = query_of(kicks.provider.consent(other.start(surfer)))
    told = surfer.get(kicks.path("callback"), **asked)
    assert is_refused(world, told, "unknown_request")
    assert kicks.provider.seen["/token"] == 0


def test_another_workspaces_connection_opens_its_own_alone(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    make_world(world.context.database, world.now, slug="boots", owner="bo@boots.example")
    boots = connect_oidc(world.context, "boots", kicks.provider)
    kicks.sign_in(surfer, sub="olga", email="olga@acme.example")
    assert boots.sign_in(surfer, sub="olga", email="nobody@boots.example").status_code == 303
    assert surfer.workspaces() == ["boots"]


def test_a_code_of_another_login_is_refused(world: World, app: Flask, kicks: OidcCompany, surfer: Surfer) -> None:
    stolen = query_of(kicks.provider.consent(kicks.start(Surfer(app))))["code"]
    state = query_of(kicks.start(surfer))["state"]
    assert is_refused(world, surfer.get(kicks.path("callback"), code=stolen, state=state), "provider-said-no")


def test_a_token_of_another_login_is_refused(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    assert is_refused(world, kicks.sign_in(surfer, nonce="of another login"), "wrong-nonce")
    assert is_refused(world, kicks.sign_in(surfer, nonce=None), "wrong-nonce")


def test_a_connection_that_is_off_is_closed_at_once(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    location = kicks.provider.consent(kicks.start(surfer))
    set_enabled(world.context, OPERATOR, "acme", kicks.connection_id, False, world.now)
    assert is_refused(world, kicks.bring(surfer, location), "connection_off")
    assert is_refused(world, surfer.get(kicks.path("login")), "connection_off")
    assert kicks.provider.seen["/token"] == 0


def test_also_while_the_provider_is_being_asked(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    answer = kicks.provider.token_answer

    def switch_off(form: Any) -> Answer:
        set_enabled(world.context, OPERATOR, "acme", kicks.connection_id, False, world.now)
        return answer(form)

    kicks.provider.token_answer = switch_off  # type: ignore[method-assign]
    assert is_refused(world, kicks.sign_in(surfer), "connection_off")


def test_what_a_disabled_connection_vouched_for_ends(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    set_enabled(world.context, OPERATOR, "acme", kicks.connection_id, False, world.now)
    assert surfer.session() is None


# -- A sign-in anew (Core 3.1.2.1) -------------------------------------------------------------------


def ago(**time: float) -> int:
    """A NumericDate before now."""
    return int((datetime.now(UTC) - timedelta(**time)).timestamp())


def fresh(company: OidcCompany, surfer: Surfer, **said: Any) -> TestResponse:
    """A login that was to be one anew."""
    return company.bring(surfer, company.provider.consent(company.start(surfer, fresh="1"), **said))


def test_a_sign_in_anew_is_asked_for(kicks: OidcCompany, surfer: Surfer) -> None:
    asked = query_of(kicks.start(surfer, fresh="1"))
    assert (asked["max_age"], asked["prompt"]) == ("0", "login")
    assert not {"max_age", "prompt"} & query_of(kicks.start(surfer)).keys()


def test_and_the_answer_held_to_it(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    assert is_refused(world, fresh(kicks, surfer), "not-fresh")
    assert is_refused(world, fresh(kicks, surfer, auth_time=ago(hours=1)), "not-fresh")
    assert is_refused(world, fresh(kicks, surfer, auth_time="now"), "malformed-claim")
    assert surfer.session() is None
    assert fresh(kicks, surfer, auth_time=ago()).status_code == 303
    assert kicks.sign_in(surfer, auth_time=ago(hours=1)).status_code == 303


def test_who_takes_long_at_the_provider_signed_in_anew_all_the_same(
    app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    with at(app, datetime.now(UTC) - timedelta(minutes=20)):
        location = kicks.start(surfer, fresh="1")
    assert kicks.bring(surfer, kicks.provider.consent(location, auth_time=ago(minutes=19))).status_code == 303


def test_a_connection_may_ask_for_it_always(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    with_config(world, kicks, force_authn=True)
    assert query_of(kicks.start(surfer))["prompt"] == "login"
    assert is_refused(world, kicks.sign_in(surfer), "not-fresh")
    assert kicks.sign_in(surfer, auth_time=ago()).status_code == 303


def test_google_is_asked_by_no_prompt_that_it_does_not_know(
    world: World, app: Flask, provider: Provider, surfer: Surfer
) -> None:
    impatient(app, 5)
    google = connect_oidc(world.context, "acme", provider, preset="google")
    asked = query_of(google.start(surfer, fresh="1"))
    assert asked["max_age"] == "0"
    assert "prompt" not in asked


# -- What comes instead of a code --------------------------------------------------------------------

SCRIPT = "<script>alert(1)</script>"


def test_an_error_of_the_provider_is_told_and_logged_and_escaped(
    world: World, kicks: OidcCompany, surfer: Surfer
) -> None:
    state = query_of(kicks.start(surfer))["state"]
    told = surfer.get(kicks.path("callback"), error="access_denied", error_description=SCRIPT, state=state)
    assert is_refused(world, told, "provider-said-no")
    assert SCRIPT not in told.text
    with world.context.database.reading() as rows:
        assert SCRIPT in rows.execute(select(sign_in_attempts.c.text)).scalar_one()
    told = surfer.get(kicks.path("callback"), error=SCRIPT, state=query_of(kicks.start(surfer))["state"])
    assert (told.status_code, "alert" in told.text) == (403, False)


@pytest.mark.parametrize("said", ["%00", "%ff%fe", "%ed%a0%80", "%e2%80%ae%0d%0a<b>", "x" * 9_000])
def test_whatever_the_provider_adds_to_its_error_is_logged(
    world: World, kicks: OidcCompany, surfer: Surfer, said: str
) -> None:
    state = query_of(kicks.start(surfer))["state"]
    told = surfer.get(f"{kicks.path('callback')}?error=access_denied&state={state}&error_description={said}")
    assert is_refused(world, told, "provider-said-no")


def test_a_strangers_link_shows_no_text_of_theirs(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    told = surfer.get(kicks.path("callback"), error="call 0800 EVIL", state="a" * 43)
    assert is_refused(world, told, "unknown_request")
    assert "EVIL" not in told.text


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("", "missing-state"),
        ("code=c", "missing-state"),
        ("state={state}", "missing-code"),
        ("code=&state={state}", "missing-code"),
        ("code=a&code=b&state={state}", "malformed-answer"),
        ("code=a&state=x&state={state}", "malformed-answer"),
        ("code=a%00&state={state}", "malformed-answer"),
        ("code=a&state={state}&iss=https://evil.example", "mixed-up"),
        ("code=a&state=" + "s" * 600, "malformed-answer"),
        ("code=a&state=%ff", "unknown_request"),
        ("code=" + "c" * 9000 + "&state={state}", "malformed-answer"),
    ],
)
def test_an_answer_that_is_none_is_refused_and_asks_nobody(
    world: World, kicks: OidcCompany, surfer: Surfer, query: str, code: str
) -> None:
    location = kicks.start(surfer)
    told = surfer.get(f"{kicks.path('callback')}?{query.replace('{state}', query_of(location)['state'])}")
    assert is_refused(world, told, code)
    assert kicks.provider.seen["/token"] == 0
    assert kicks.bring(surfer, kicks.provider.consent(location)).status_code == 303


def test_a_provider_that_promises_its_name_gives_it(
    world: World, provider: Provider, app: Flask, surfer: Surfer
) -> None:
    provider.discovered = {"authorization_response_iss_parameter_supported": True}
    impatient(app, 5)
    company = connect_oidc(world.context, "acme", provider)
    location = provider.consent(company.start(surfer))
    assert is_refused(world, company.bring(surfer, location), "mixed-up")
    assert company.bring(surfer, f"{location}&iss={provider.url}").status_code == 303


# -- A provider that is dead, slow or lying costs that one login -------------------------------------

ENDPOINTS = ("/token", "/keys", "/userinfo")
NONSENSE: dict[str, Callable[[], Answer]] = {
    "a server's error": lambda: (500, "text/html", b"<h1>oops</h1>"),
    "a web page": lambda: (200, "text/html", b"<h1>hello</h1>"),
    "a redirect": lambda: (302, "text/plain", b"/elsewhere"),
    "no JSON": lambda: (200, "application/json", b"{"),
    "a list": lambda: (200, "application/json", b"[]"),
    "nothing": lambda: (200, "application/json", b""),
    "two megabytes": lambda: (200, "application/json", b'{"a": "' + b"a" * 2_000_000 + b'"}'),
    "deep JSON": lambda: (200, "application/json", b'{"a":' * 50_000),
    "silence": after(2, json_answer({})),
}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("nonsense", NONSENSE)
def test_a_provider_that_talks_nonsense_costs_that_login(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer, endpoint: str, nonsense: str
) -> None:
    impatient(app, 0.5)
    kicks.provider.answers[endpoint] = NONSENSE[nonsense]
    told = kicks.sign_in(surfer)
    assert 400 <= told.status_code < 500
    assert is_refused(world, told, attempts(world)[-1][1])
    assert kicks.provider.seen["/elsewhere"] == 0
    impatient(app, 5)
    kicks.provider.answers.clear()
    assert kicks.sign_in(surfer).status_code == 303


def test_a_dead_provider_costs_that_login(world: World, app: Flask, surfer: Surfer) -> None:
    impatient(app, 5)
    with running_provider() as provider:
        company = connect_oidc(world.context, "acme", provider, name="Kicks Login")
        location = provider.consent(company.start(surfer))
    told = company.bring(surfer, location)
    assert is_refused(world, told, "provider_failed")
    assert "Kicks Login" in told.text
    with world.context.database.reading() as rows:
        assert "refused" in rows.execute(select(sign_in_attempts.c.text)).scalar_one()


def test_what_the_token_endpoint_refuses_is_said(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.provider.answers["/token"] = lambda: json_answer({"error": "invalid_client"}, 401)
    told = kicks.sign_in(surfer)
    assert is_refused(world, told, "provider-said-no")
    assert "client secret" in told.text


def test_who_finds_all_turns_taken_is_told_to_come_again(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    impatient(app, 5, slow=0.2, patience=0.5)
    kicks.provider.answers["/token"] = after(0.6, json_answer({}))
    waiting = [(one := Surfer(app), kicks.provider.consent(kicks.start(one))) for _ in range(2)]
    threads = [threading.Thread(target=kicks.bring, args=each) for each in waiting]
    for thread in threads:
        thread.start()
    while kicks.provider.seen["/token"] < 2:
        time.sleep(0.01)
    told = kicks.sign_in(surfer)
    assert told.status_code == 429
    assert told.headers["Retry-After"] == "5"
    assert reference_in(told) is not None
    for thread in threads:
        thread.join()
    kicks.provider.answers.clear()
    assert kicks.sign_in(surfer).status_code == 303


def test_who_finds_others_waiting_comes_again_by_itself_and_nothing_is_lost(
    world: World, app: Flask, kicks: OidcCompany, surfer: Surfer
) -> None:
    location, outside = kicks.provider.consent(kicks.start(surfer)), app.extensions[OUTSIDE]
    app.extensions[OUTSIDE] = replace(outside, calls=FULL)
    told = kicks.bring(surfer, location)
    assert (told.status_code, told.headers["Refresh"] in ("1", "2", "3")) == (429, True)
    assert f'href="{escape(location.partition("8000")[2])}"' in told.text
    with world.context.database.reading() as rows:
        assert rows.execute(select(sign_in_attempts.c.text)).all() == []
    assert is_refused(world, kicks.bring(Surfer(app), location), "other_browser")  # who waits in nobody's way
    app.extensions[OUTSIDE] = outside
    assert kicks.bring(surfer, location).status_code == 303
    assert surfer.session() is not None


# -- Keys --------------------------------------------------------------------------------------------


def test_keys_are_read_once_for_many_logins(app: Flask, kicks: OidcCompany) -> None:
    for _ in range(3):
        assert kicks.sign_in(Surfer(app)).status_code == 303
    assert kicks.provider.seen["/keys"] == 1


def test_a_new_key_is_taken_at_once(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    kicks.provider.kid = "second"
    assert kicks.sign_in(surfer).status_code == 303
    assert kicks.provider.seen["/keys"] == 2


def test_also_one_under_the_old_name(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer)
    new = RSAKey.generate_key(2048, {"kid": "first", "use": "sig", "alg": "RS256"}, private=True)
    kicks.provider.answers["/keys"] = lambda: json_answer({"keys": [new.as_dict(private=False)]})
    kicks.provider.sign = lambda claims, **_: jwt.encode({"alg": "RS256", "kid": "first"}, claims, new)  # type: ignore[method-assign]
    assert kicks.sign_in(surfer).status_code == 303


def test_an_unknown_key_has_them_read_once_more_and_is_refused(
    world: World, kicks: OidcCompany, surfer: Surfer
) -> None:
    sign = kicks.provider.sign
    kicks.provider.sign = lambda claims, **_: sign(claims, kid="not published")  # type: ignore[method-assign]
    for n in range(1, 4):
        assert is_refused(world, kicks.sign_in(surfer), "unknown-key")
        assert kicks.provider.seen["/keys"] == n
    kicks.provider.sign = sign  # type: ignore[method-assign]
    assert kicks.sign_in(surfer).status_code == 303


# -- Userinfo ----------------------------------------------------------------------------------------


def test_userinfo_is_asked_where_the_token_is_silent(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.provider.userinfo = {"sub": "mei", "groups": ["eng"], "email": MEI}
    assert kicks.sign_in(surfer, email=None, email_verified=None).status_code == 303
    assert surfer.session()["authenticated_by"][0]["groups"] == ["eng"]
    assert kicks.provider.requests["/userinfo"]["Authorization"] == "Bearer access"


def test_userinfo_is_not_asked_otherwise(kicks: OidcCompany, surfer: Surfer) -> None:
    assert kicks.sign_in(surfer, groups=["eng"]).status_code == 303
    assert kicks.provider.seen["/userinfo"] == 0


def test_userinfo_about_somebody_else_is_refused(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.provider.userinfo = {"sub": "olga", "email": "olga@acme.example"}
    assert is_refused(world, kicks.sign_in(surfer, email=None), "wrong-userinfo-subject")


# -- Google: anybody has an account there ------------------------------------------------------------


@pytest.fixture
def google(world: World, app: Flask, provider: Provider) -> OidcCompany:
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, preset="google")


@pytest.mark.parametrize("hd", [None, "other.example", "kicks.example", "KICKS.example ", 7, "<b>"])
def test_without_a_proved_domain_nobody_comes_in_by_google(
    world: World, google: OidcCompany, surfer: Surfer, hd: object
) -> None:
    told = google.sign_in(surfer, hd=hd)
    assert is_refused(world, told, attempts(world)[-1][1])
    assert "<b>" not in told.text


def test_people_of_a_proved_domain_come_in_by_google(world: World, google: OidcCompany, surfer: Surfer) -> None:
    prove_domain(world, "kicks.example")
    assert is_refused(world, google.sign_in(surfer, hd="other.example"), "wrong-hosted-domain")
    assert is_refused(world, google.sign_in(surfer, hd=None), "wrong-hosted-domain")
    assert google.sign_in(surfer, hd="kicks.example").status_code == 303


def test_a_connection_may_name_its_hosted_domain(world: World, app: Flask, provider: Provider, surfer: Surfer) -> None:
    impatient(app, 5)
    given = {"preset": "google", "hosted_domain": "Kicks.example"}
    company = connect_oidc(world.context, "acme", provider, **given)
    assert query_of(company.start(surfer))["hd"] == "kicks.example"
    assert is_refused(world, company.sign_in(surfer, hd="other.example"), "wrong-hosted-domain")
    assert company.sign_in(surfer, hd="kicks.example").status_code == 303


# -- Who we are to the provider ----------------------------------------------------------------------


def test_the_secret_goes_in_the_header(kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer, groups=["eng"])
    assert kicks.provider.requests["/token"]["Authorization"].startswith("Basic ")
    assert "client_secret" not in kicks.provider.requests["/token"]


def test_or_in_the_form(world: World, app: Flask, provider: Provider, surfer: Surfer) -> None:
    provider.discovered = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    impatient(app, 5)
    connect_oidc(world.context, "acme", provider).sign_in(surfer, groups=["eng"])
    assert provider.requests["/token"]["client_secret"] == SECRET
    assert "Authorization" not in provider.requests["/token"]


def test_or_a_key_of_ours_proves_it(world: World, app: Flask, provider: Provider, surfer: Surfer) -> None:
    given = {"token_auth": "private_key_jwt", "client_secret": None}
    impatient(app, 5)
    company = connect_oidc(world.context, "acme", provider, **given)
    company.sign_in(surfer, groups=["eng"])
    published: Any = surfer.get(company.path("jwks")).json
    assert "d" not in published["keys"][0]
    proof = jwt.decode(provider.requests["/token"]["client_assertion"], KeySet.import_key_set(published)).claims
    assert (proof["iss"], proof["sub"], proof["aud"]) == (CLIENT_ID, CLIENT_ID, f"{provider.url}/token")


def test_no_secret_is_in_a_log(kicks: OidcCompany, surfer: Surfer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    location = kicks.provider.consent(kicks.start(surfer))
    kicks.bring(surfer, location)
    for secret in (SECRET, query_of(location)["code"], kicks.provider.requests["/token"]["code_verifier"]):
        assert secret not in caplog.text


# -- A login that begins elsewhere (Core 4) ----------------------------------------------------------


@pytest.fixture
def inviting(world: World, app: Flask, provider: Provider) -> OidcCompany:
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, allow_idp_initiated=True)


def test_a_provider_may_begin_where_it_is_allowed(inviting: OidcCompany, surfer: Surfer) -> None:
    target = "http://localhost:8000/w/acme/users?q=1"
    location = inviting.start(surfer, iss=inviting.provider.url, target_link_uri=target, login_hint=MEI)
    assert query_of(location)["login_hint"] == MEI
    assert inviting.bring(surfer, inviting.provider.consent(location)).headers["Location"] == "/w/acme/users?q=1"


def test_also_by_post(inviting: OidcCompany, surfer: Surfer) -> None:
    told = surfer.client.post(inviting.path("login"), data={"iss": inviting.provider.url, "x": "y"})
    assert told.status_code == 303
    assert surfer.get(told.headers["Location"]).headers["Location"].startswith(f"{inviting.provider.url}/authorize")
    assert surfer.client.post(inviting.path("login")).status_code == 400


@pytest.mark.parametrize(
    "target",
    [
        "https://evil.example/",
        "http://localhost:8000.evil.example/",
        "http://localhost:8000@evil.example/",
        "//evil.example",
        "http://localhost:8000/\\evil.example",
        "javascript:alert(1)",
        "http://[",
    ],
)
def test_but_leads_nowhere_else(world: World, inviting: OidcCompany, surfer: Surfer, target: str) -> None:
    told = surfer.get(inviting.path("login"), iss=inviting.provider.url, target_link_uri=target)
    assert is_refused(world, told, "not_from_here")


def test_nor_may_another_provider_begin(world: World, inviting: OidcCompany, surfer: Surfer) -> None:
    assert is_refused(world, surfer.get(inviting.path("login"), iss="https://evil.example"), "not_from_here")
    assert is_refused(world, surfer.get(inviting.path("login"), target_link_uri="/"), "not_from_here")


def test_nor_any_where_it_is_not_allowed(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    assert is_refused(world, surfer.get(kicks.path("login"), iss=kicks.provider.url), "not_from_here")


def test_a_new_secret_is_shown_at_once(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    kicks.sign_in(surfer, groups=["eng"])
    before = kicks.provider.requests["/token"]["Authorization"]
    replace_client_secret(world.context, OPERATOR, "acme", kicks.connection_id, "another one", world.now)
    kicks.sign_in(surfer, groups=["eng"])
    shown = kicks.provider.requests["/token"]["Authorization"]
    assert shown != before
    assert b64decode(shown.removeprefix("Basic ")) == b"bridge-client:another+one"
