"""Pages and actions of "Signing in": for owners, of their own workspace, by a form of ours. Whatever route is added is
asked about here by itself.
"""

from collections.abc import Iterator
from dataclasses import replace
from uuid import uuid4

import pytest
from flask import Flask
from werkzeug.routing import Rule

from bridge.domain.workspace import Connection
from bridge.flows.connect import SamlDraft, create_saml
from bridge.flows.context import OPERATOR
from bridge.flows.domains import add_domain
from bridge.flows.members import find_member_id
from bridge.flows.outside import NOWHERE
from bridge.outside.calls import Calls
from bridge.web.current import OUTSIDE
from tests.flows.audit import audit_events
from tests.flows.logins import keep_attempt
from tests.saml import idp
from tests.web.browsing import Surfer
from tests.web.pages.conftest import KIM, Acme
from tests.world import World

FAMILIES = (
    "mapping",
    "idp_directory",
    "picture",
    "rule_form",
    "rule_change",
    "labels",
    "plan",
    "resource_changes",
    "connections",
    "connection_new",
    "connection_settings",
    "connection_keys",
    "connection_test",
    "domains",
    "security",
    "security_switches",
    "break_glass",
    "sign_in_log",
)
#: Pages of one's own session, which ask other questions: their own tests hold them.
ELSEWHERE = {"connection_test.result", "break_glass.ask", "break_glass.use", "sign_in_log.find"}


def rules(app: Flask, method: str) -> list[Rule]:
    """The routes of these families that take this method."""
    return [
        rule
        for rule in app.url_map.iter_rules()
        if rule.endpoint.partition(".")[0] in FAMILIES
        and rule.endpoint not in ELSEWHERE
        and method in (rule.methods or ())
    ]


def path(app: Flask, rule: Rule, **ids: object) -> str:
    """The address of a route in acme, with these ids where it names any."""
    usual: dict[str, object] = {"slug": "acme", "kind": "saml", "preset": "okta", "connection": uuid4()}
    usual |= dict.fromkeys(("member", "rule", "group", "record"), uuid4())
    usual |= {"name": "nobody.example", "ref": "AAAA-2222", "label": "team:web", "plan": "team"} | ids
    with app.test_request_context():
        return app.url_map.bind("localhost").build(rule.endpoint, {name: usual[name] for name in rule.arguments})


@pytest.fixture
def ours(acme: Acme) -> dict[str, object]:
    """What acme's own addresses name: all of it is there."""
    made = create_saml(acme.world.context, OPERATOR, "acme", SamlDraft(idp.KICKS.metadata, name="Ours"), acme.world.now)
    add_domain(acme.world.context, OPERATOR, "acme", "ours.example", None, acme.world.now)
    keep_attempt(acme.world, "AAAA-2222", "refused", acme.world.now)
    return {"connection": made.id, "member": acme.member_id(KIM), "name": "ours.example", "ref": "AAAA-2222"}


@pytest.fixture(autouse=True)
def outside(app: Flask) -> Iterator[None]:
    """There are ways out, and nothing at their ends."""
    app.extensions[OUTSIDE] = replace(NOWHERE, errands=Calls())
    yield
    app.extensions[OUTSIDE] = NOWHERE


@pytest.fixture
def theirs(other: World) -> dict[str, object]:
    """The same of another workspace."""
    made: Connection = create_saml(
        other.context, OPERATOR, "other", SamlDraft(idp.KICKS.metadata, name="Theirs"), other.now
    )
    add_domain(other.context, OPERATOR, "other", "theirs.example", None, other.now)
    keep_attempt(other, "BBBB-2222", "refused", other.now)
    member = find_member_id(other.context, "other", "o@other.example")
    return {"connection": made.id, "member": member, "name": "theirs.example", "ref": "BBBB-2222"}


def test_there_is_something_to_ask_about(app: Flask) -> None:
    assert len(rules(app, "GET")) > 20
    assert len(rules(app, "POST")) > 20


def test_who_is_signed_out_signs_in_first(app: Flask, ours: dict[str, object]) -> None:
    for rule in rules(app, "GET"):
        told = Surfer(app).get(path(app, rule, **ours))
        assert told.headers.get("Location", "").startswith("/login?return_to="), rule
    anybody = Surfer(app)
    for rule in rules(app, "POST"):
        told = anybody.submit(path(app, rule, **ours), anybody.get("/login"))
        assert told.headers.get("Location", "").startswith("/login"), rule


def test_a_member_who_is_no_owner_sees_and_changes_nothing(acme: Acme, kim: Surfer, ours: dict[str, object]) -> None:
    before = audit_events(acme.world.context)
    for rule in rules(acme.app, "GET"):
        assert kim.get(path(acme.app, rule, **ours)).status_code == 403, rule
    shown = kim.get(acme.page_of(KIM))
    for rule in rules(acme.app, "POST"):
        assert kim.submit(path(acme.app, rule, **ours), shown).status_code == 403, rule
    assert audit_events(acme.world.context) == before


def test_a_form_that_is_not_ours_changes_nothing(acme: Acme, olga: Surfer, ours: dict[str, object]) -> None:
    before = audit_events(acme.world.context)
    for rule in rules(acme.app, "POST"):
        told = olga.client.post(path(acme.app, rule, **ours), data={"csrf_token": "guessed"})
        assert told.status_code == 400, rule
    assert audit_events(acme.world.context) == before


def test_another_workspace_is_not_there(acme: Acme, olga: Surfer, theirs: dict[str, object]) -> None:
    before = audit_events(acme.world.context)
    shown = olga.get("/w/acme/domains")
    for rule in rules(acme.app, "GET"):
        assert olga.get(path(acme.app, rule, slug="other", **theirs)).status_code == 404, rule
    for rule in rules(acme.app, "POST"):
        assert olga.submit(path(acme.app, rule, slug="other", **theirs), shown).status_code == 404, rule
    assert audit_events(acme.world.context) == before


def test_what_another_workspace_has_is_not_in_ours(acme: Acme, olga: Surfer, theirs: dict[str, object]) -> None:
    """Its ids under our own address: there is nothing here by that name."""
    before = audit_events(acme.world.context)
    shown = olga.get("/w/acme/domains")
    for rule in rules(acme.app, "GET"):
        if rule.arguments & theirs.keys():
            assert olga.get(path(acme.app, rule, **theirs)).status_code == 404, rule
    for rule in rules(acme.app, "POST"):
        if rule.arguments & theirs.keys():
            told = olga.submit(path(acme.app, rule, **theirs), shown, typed_name="Theirs", client_secret="x")
            assert told.status_code == 404, rule
    assert audit_events(acme.world.context) == before
