"""“Test this connection”: the very same flow, which signs nobody in and changes nothing (product.md 2.10)."""

from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from werkzeug.test import TestResponse

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.roles import get_role
from bridge.flows import sign_in_log
from bridge.flows.context import OPERATOR
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.own_connections import set_enabled
from bridge.flows.try_connection import allow_test
from bridge.storage.tables import metadata
from tests.flows.logins import account, set_workspace
from tests.web.browsing import Company, Surfer, reference_in, request_id_in
from tests.web.provider import SECRET, OidcCompany, Provider, connect_oidc, impatient, running_provider
from tests.web.test_sign_in_log import kept, names
from tests.world import World

#: What a test may leave: its line, what it used up, what is counted, and keys that any call may read anew.
_LEFT = {"sign_in_attempts", "pending_requests", "seen", "counters", "provider_keys"}
_ENG = GroupMatch("glob", "eng-*")


def begin(world: World, surfer: Surfer, company: Company) -> str:
    """Begin a test as the operator does. Returns the id of the request that arrives at the IdP."""
    url = allow_test(world.context, OPERATOR, "acme", company.connection_id, world.now)
    told = surfer.get(url)
    assert told.status_code == 302, told.text
    return request_id_in(told.headers["Location"])


def run(world: World, app: Flask, surfer: Surfer, company: Company, **said: Any) -> TestResponse:
    """A whole test, to the page of its result."""
    told = surfer.bring(app, company, company.answer(in_response_to=begin(world, surfer, company), **said))
    while told.status_code == 303:
        told = surfer.get(told.headers["Location"])
    return told


def tables(world: World) -> dict[str, list[str]]:
    """All rows of all tables but those that a test may write."""
    with world.context.database.reading() as rows:
        return {
            name: sorted(map(repr, rows.execute(select(table)).all()))
            for name, table in metadata.tables.items()
            if name not in _LEFT
        }


def test_a_test_goes_all_the_way_and_changes_nothing(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    before = tables(world)
    page = run(world, app, surfer, company, groups=("eng",))
    assert page.status_code == 200
    assert tables(world) == before
    assert surfer.session() is None
    assert surfer.client.get_cookie("bridge_session") is None
    (one,) = kept(world)
    assert (one.outcome, one.test) == ("test_passed", True)
    assert names(one)[-3:] == ["person", "groups", "test_over"]
    assert one.would is not None
    assert (one.would.email, one.would.groups) == ("mei@kicks.example", ("eng",))
    assert "just in time" in one.would.account
    assert "A new member of Acme" in one.would.membership
    for text in ("mei@kicks.example", "Nobody was signed in", one.ref, "The signature is good"):
        assert text in page.text


def test_a_login_of_who_was_tested_works_afterwards(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    run(world, app, surfer, company)
    assert surfer.sign_in(app, company).status_code == 303
    assert surfer.workspaces() == ["acme"]


def test_it_tells_which_rules_would_match_and_what_they_would_give(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    _rule(world, company)
    _rule(world, company, GroupMatch("name", "eng-prod"))
    run(world, app, surfer, company, groups=("eng-prod",))
    would = kept(world)[0].would
    assert would is not None
    assert set(would.rules) == {
        "IdP group eng-prod, which fits eng-*: gives a role itself",
        "IdP group eng-prod: gives a role itself",
    }
    assert "Source Admin: Edit all sources, none now and any future one" in would.access


def test_a_disabled_connection_is_tested_as_if_it_were_on_and_stays_off(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    _rule(world, company)
    set_enabled(world.context, OPERATOR, "acme", company.connection_id, False, world.now)
    before = tables(world)
    run(world, app, surfer, company, groups=("eng-prod",))
    would = kept(world)[0].would
    assert would is not None
    assert "Source Admin: Edit all sources, none now and any future one" in would.access
    assert tables(world) == before
    assert surfer.get(company.path("login")).status_code == 403


def _rule(world: World, company: Company, match: GroupMatch = _ENG) -> None:
    gives = (RoleInScope(get_role("Source Admin"), EVERYWHERE),)
    draft = MappingDraft(company.connection_id, match, roles=gives)
    add_mapping(world.context, OPERATOR, "acme", draft, world.now)


def test_a_refused_test_shows_its_reason_and_is_marked(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    page = run(world, app, surfer, company, audiences=(("https://other.example",),))
    assert page.status_code == 200
    (one,) = kept(world)
    assert (one.outcome, one.code, one.test) == ("refused", "wrong-audience", True)
    assert "https://other.example" in page.text
    assert "Applications › Applications › your application › General" in page.text
    assert company.sp.entity_id in page.text


def test_a_test_that_the_flow_refuses_shows_its_reason(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    request_id = begin(world, surfer, company)
    set_workspace(world, plan="free")
    told = surfer.bring(app, company, company.answer(in_response_to=request_id))
    page = surfer.get(told.headers["Location"]) if told.status_code == 303 else told
    assert kept(world)[0].code == "connection_off"
    assert "Single sign-on" in page.text or "connection is off" in page.text


def test_who_would_have_to_prove_their_account_is_told_so(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    account(world, "mei@kicks.example", password="correct horse battery")
    before = tables(world)
    run(world, app, surfer, company)
    would = kept(world)[0].would
    assert would is not None
    assert "have to prove" in would.account
    assert "None in Acme" in would.membership
    assert tables(world) == before


def test_a_ticket_works_once_and_for_its_connection_only(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    url = allow_test(world.context, OPERATOR, "acme", company.connection_id, world.now)
    other = url.replace(company.connection_id, world.connection.id)
    assert surfer.get(other).status_code in (403, 404)
    assert surfer.get(url).status_code == 302
    assert surfer.get(url).status_code == 403


def test_without_a_ticket_nothing_of_a_request_makes_it_a_test(
    world: World, app: Flask, company: Company, surfer: Surfer
) -> None:
    assert surfer.get(company.path("login"), test="1").status_code == 403
    request_id = surfer.start(company)
    posted = app.test_client().post(
        f"{company.path('acs')}?test=1", data={**company.answer(in_response_to=request_id), "test": "1"}
    )
    assert surfer.get(posted.headers["Location"]).status_code == 303
    assert kept(world)[0].outcome == "signed_in"


def test_an_answer_that_came_unasked_is_no_test(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    begin(world, surfer, company)
    told = surfer.bring(app, company, company.answer(in_response_to=None))
    assert told.status_code == 403
    assert not kept(world)[0].test


def test_a_tests_answer_comes_once(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    form = company.answer(in_response_to=begin(world, surfer, company))
    surfer.bring(app, company, form)
    again = surfer.bring(app, company, form)
    assert (again.status_code, reference_in(again)) == (403, kept(world)[0].ref)


def test_the_result_is_for_the_browser_that_began(world: World, app: Flask, company: Company, surfer: Surfer) -> None:
    posted = app.test_client().post(
        company.path("acs"), data=company.answer(in_response_to=begin(world, surfer, company))
    )
    stranger = Surfer(app).get(posted.headers["Location"])
    assert stranger.status_code == 403
    assert "mei@kicks.example" not in stranger.text
    assert surfer.get(posted.headers["Location"]).status_code == 303


# -- OpenID Connect ----------------------------------------------------------------------------------


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A company's provider."""
    with running_provider() as provider:
        yield provider


@pytest.fixture
def kicks(world: World, app: Flask, provider: Provider) -> OidcCompany:
    """The same, connected."""
    impatient(app, 5)
    return connect_oidc(world.context, "acme", provider, name="Kicks Login")


def test_an_oidc_connection_is_tested_in_the_same_way(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    set_enabled(world.context, OPERATOR, "acme", kicks.connection_id, False, world.now)
    before = tables(world)
    url = allow_test(world.context, OPERATOR, "acme", kicks.connection_id, world.now)
    back = kicks.provider.consent(surfer.get(url).headers["Location"], groups=["eng"], password="planted")
    told = surfer.get(back.removeprefix("http://localhost:8000"))
    assert told.status_code == 303, told.text
    page = surfer.get(told.headers["Location"])
    assert "Nobody was signed in" in page.text
    assert tables(world) == before
    assert surfer.session() is None
    (one,) = kept(world)
    steps = ["asked", "received", "code_exchanged", "id_token", "attributes", "our_request", "person", "groups"]
    assert [name for name in names(one) if name != "userinfo"] == [*steps, "test_over"]
    assert one.would is not None
    assert one.would.groups == ("eng",)
    assert '"email": "mei@kicks.example"' in one.message
    assert "planted" not in one.message
    assert "eyJ" not in one.message


def test_a_refused_oidc_answer_shows_what_the_token_said(world: World, kicks: OidcCompany, surfer: Surfer) -> None:
    told = kicks.sign_in(surfer, aud="somebody-else")
    (one,) = kept(world)
    assert (one.ref, one.code) == (reference_in(told), "wrong-audience")
    assert "somebody-else" in one.message
    assert names(one) == ["asked", "received", "code_exchanged"]
    assert SECRET not in one.message


def test_refused_answers_to_one_test_are_counted_past_the_limit(
    world: World, app: Flask, company: Company, surfer: Surfer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in_log, "KEPT_BY_ADDRESS", 2)
    request_id = begin(world, surfer, company)
    for _ in range(6):
        form = company.answer(in_response_to=request_id, audiences=(("https://other.example",),))
        app.test_client().post(company.path("acs"), data=form)
    assert sorted((one.test, one.times) for one in kept(world)) == [(False, 1), (False, 3), (True, 1), (True, 1)]
