"""`/access`: applications ask who may do what (product.md 6.2), and how long they may keep the answer."""

import gzip
import json
import re
import threading
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
import requests
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update
from werkzeug.serving import make_server
from werkzeug.test import TestResponse

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import parse_label
from bridge.domain.roles import OWNER, get_role
from bridge.flows.administer import set_plan
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_member
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_api_token, revoke_token
from bridge.storage.changes import changing
from bridge.storage.tables import directory_users, grants, workspaces
from bridge.web.unread import render_unread
from tests.overheard import statements
from tests.world import World, make_world

Ask = Callable[..., TestResponse]
GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "ask-about-access.md"
NOBODY = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def sources(world: World) -> None:
    """Two sources and a warehouse; Ann is in an IdP group that edits production."""
    drafts = [
        ("source", "web", ("environment:prod",)),
        ("source", "ios", ("environment:dev",)),
        ("warehouse", "snow", ()),
    ]
    for kind, uid, labels in drafts:
        carried = frozenset(map(parse_label, labels))
        add_resource(world.context, OPERATOR, "acme", ResourceDraft(kind, uid.title(), uid, carried), world.now)
    world.push_group("eng", world.push("ann@acme.example"))
    gives = (parse_role_in_scope("Source Admin", ["label:environment:prod"]),)
    draft = MappingDraft(world.connection.id, GroupMatch("name", "eng"), (), gives)
    add_mapping(world.context, OPERATOR, "acme", draft, world.now)


def token_of(world: World, *gives: RoleInScope) -> str:
    roles = gives or (RoleInScope(OWNER, EVERYWHERE),)
    return create_api_token(
        world.context, OPERATOR, world.workspace.slug, roles, None, "an application", world.now
    ).token


@pytest.fixture
def ask(world: World, client: FlaskClient, sources: None) -> Ask:
    """An application that asks with an owner's token, unless with another."""
    own = token_of(world)

    def call(body: Any, path: str = "check", *, token: str = own, method: str = "POST", **headers: str) -> TestResponse:
        sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
        sent |= {name.replace("_", "-"): value for name, value in headers.items()}
        said = body if isinstance(body, bytes) else json.dumps(body).encode()
        return client.open(f"/access/{path}", method=method, data=said, headers=sent)

    return call


def check(subject: Any = "ann@acme.example", action: Any = "edit", resource: Any = "source:web") -> dict[str, Any]:
    return {"subject": subject, "action": action, "resource": resource}


def allowed(answer: TestResponse) -> bool:
    assert answer.status_code == 200, answer.data
    return bool(answer.json["allowed"])  # type: ignore[index]


# -- What is answered ----------------------------------------------------------------------------------------------


def test_one_check_is_answered_yes_or_no(ask: Ask) -> None:
    assert allowed(ask(check()))
    assert not allowed(ask(check(resource="source:ios")))
    assert not allowed(ask(check(action="create", resource="source")))
    assert not allowed(ask(check(resource="warehouse:snow")))


def test_a_check_is_written_in_short_or_as_authzen_writes_it(ask: Ask) -> None:
    long = check({"type": "user", "id": "ANN@acme.example"}, {"name": "edit"}, {"type": "source", "id": "web"})
    assert allowed(ask(long))
    created = check("olga@acme.example", {"name": "create"}, {"type": "source"})
    assert allowed(ask(created))


@pytest.mark.parametrize("spelled", ["pii", {"type": "pii"}, {"type": "PII", "id": None}])
def test_an_area_without_resources_is_asked_about_by_its_name(ask: Ask, world: World, spelled: Any) -> None:
    shown = check(action="read", resource=spelled)
    why_not = ask(shown, "explain").json
    assert why_not is not None
    assert (why_not["allowed"], why_not["what_would_give"]) == (
        False,
        [{"kind": "role", "role": "PII Access", "scope": ["all"]}],
    )
    ann = find_member_id(world.context, "acme", "ann@acme.example")
    give_to_member(world.context, OPERATOR, "acme", ann, parse_role_in_scope("PII Access", ["all"]), world.now)
    assert allowed(ask(shown))
    assert not allowed(ask({**shown, "action": "edit"})), "it is read only"
    assert not allowed(ask(check(action="read", resource="warehouse:snow"))), "it widens what is shown, not the reach"
    batch = ask(
        {"checks": [shown, check(action="edit", resource="identity"), check("olga@acme.example", "edit", "pii")]}
    )
    assert [one["allowed"] for one in batch.json["checks"]] == [True, False, True]  # type: ignore[index]
    why = ask(shown, "explain").json
    assert why is not None
    assert [path["role"] for path in why["because"]] == ["PII Access"]


def test_profiles_of_all_spaces_take_a_role_on_all_of_them(ask: Ask, world: World) -> None:
    add_resource(world.context, OPERATOR, "acme", ResourceDraft("space", "Shop", "shop"), world.now)
    ann = find_member_id(world.context, "acme", "ann@acme.example")
    for scope, yes in ((["space:shop"], False), (["all"], True)):
        gives = parse_role_in_scope("Unify and Engage Read-only", scope)
        give_to_member(world.context, OPERATOR, "acme", ann, gives, world.now)
        said = ask(check(action="read", resource="unify"), "explain").json
        assert said is not None
        assert said["allowed"] == yes
        if not yes:
            (near,) = said["why_not"]["nearly"]["paths"]
            (obstacle,) = near["obstacles"]
            assert obstacle["text"] == "To read profiles takes the role on all spaces, not on some."


def test_a_person_is_named_by_the_id_of_their_account_too(ask: Ask, world: World) -> None:
    assert allowed(ask(check(world.owner.id, "read", "warehouse:snow")))


def test_a_batch_is_answered_in_order_and_at_one_revision(ask: Ask) -> None:
    resources = ["source:web", "source:ios", "source:nowhere", "warehouse:snow"]
    checks = [check(resource=each) for each in resources] + [check("nobody@acme.example"), check("olga@acme.example")]
    said = ask({"checks": checks}).json
    assert said is not None
    assert said["checks"] == [
        {"allowed": True},
        {"allowed": False},
        {"allowed": False, "unknown": "resource"},
        {"allowed": False},
        {"allowed": False, "unknown": "subject"},
        {"allowed": True},
    ]
    assert said["revision"] == ask(check()).json["revision"]  # type: ignore[index]


def test_what_checks_have_in_common_stands_once(ask: Ask) -> None:
    body = {
        "subject": "ann@acme.example",
        "action": "edit",
        "checks": [{"resource": "source:web"}, {"action": "read", "resource": "source:ios"}],
    }
    assert [one["allowed"] for one in ask(body).json["checks"]] == [True, False]  # type: ignore[index]


def test_a_thousand_checks_are_one_call_and_one_more_is_refused(ask: Ask) -> None:
    body = {
        "subject": "ann@acme.example",
        "action": "edit",
        "checks": [{"resource": f"source:{n}"} for n in range(999)],
    }
    body["checks"].append({"resource": "source:web"})  # type: ignore[attr-defined]
    answers = ask(body).json["checks"]  # type: ignore[index]
    assert [one["allowed"] for one in answers] == [False] * 999 + [True]
    body["checks"].append({"resource": "source:web"})  # type: ignore[attr-defined]
    refused = ask(body)
    assert (refused.status_code, refused.json["error"]["field"]) == (400, "checks")  # type: ignore[index]


def test_a_removed_person_may_nothing(ask: Ask, world: World) -> None:
    membership = find_member_id(world.context, "acme", "ann@acme.example")
    remove_member(world.context, OPERATOR, "acme", membership, world.now)
    assert not allowed(ask(check()))


def test_why_names_the_path_and_why_not_what_would_give_it(ask: Ask) -> None:
    why = ask(check(), "explain").json
    assert why is not None
    assert (why["allowed"], [path["idp_group"]["name"] for path in why["because"]]) == (True, ["eng"])
    assert "what_would_give" not in why
    why_not = ask(check(resource="source:ios"), "explain").json
    assert why_not is not None
    assert (why_not["allowed"], why_not["because"]) == (False, [])
    assert [way["kind"] for way in why_not["what_would_give"]] == ["role"]
    unknown = ask(check("nobody@acme.example", resource="source:nowhere"), "explain").json
    assert unknown is not None
    assert unknown == {"allowed": False, "unknown": "resource", "because": [], "revision": why["revision"]}


def test_a_rule_that_takes_a_group_by_its_id_is_called_by_the_groups_name(ask: Ask, world: World) -> None:
    group = world.push_group("ops", world.push("ben@acme.example"))
    draft = MappingDraft(world.connection.id, GroupMatch("id", group.id), (), (RoleInScope(OWNER, EVERYWHERE),))
    add_mapping(world.context, OPERATOR, "acme", draft, world.now)
    why = ask(check("ben@acme.example"), "explain").json
    why_not = ask(check(action="create", resource="warehouse"), "explain").json
    assert why is not None
    assert why_not is not None
    assert [path["mapping"]["name"] for path in why["because"]] == ["ops"]
    assert [way["mapping"]["name"] for way in why_not["what_would_give"] if "mapping" in way] == ["ops"]


# -- Who may ask ---------------------------------------------------------------------------------------------------


def test_a_token_sees_its_own_workspace_alone(ask: Ask, world: World) -> None:
    other = make_world(world.context.database, world.now, slug="other", owner="otto@other.example")
    theirs = token_of(other)
    answer = ask(check("olga@acme.example", "read", "source:web"), token=theirs).json
    nothing_there = ask(check("olga@acme.example", "read", "source:nowhere"), token=theirs).json
    assert answer == nothing_there
    assert answer is not None
    assert answer["unknown"] == "resource"
    for path in ("check", "explain"):
        asked = [ask(check(subject, "create", "source"), path, token=theirs) for subject in (world.owner.id, NOBODY)]
        assert asked[0].data == asked[1].data
        assert b'"unknown":"subject"' in asked[0].data


@pytest.mark.parametrize(
    ("role", "scope", "seen"),
    [
        pytest.param("Source Read-only", ["all"], {"source:web": True, "source:ios": False}, id="a role on all"),
        pytest.param("Source Read-only", ["source:web"], {"source:web": True, "source:ios": None}, id="a listed one"),
        pytest.param(
            "Source Admin", ["label:environment:dev"], {"source:web": None, "source:ios": False}, id="a labelled one"
        ),
    ],
)
def test_a_token_asks_about_what_its_own_role_sees(
    ask: Ask, world: World, role: str, scope: list[str], seen: dict[str, bool | None]
) -> None:
    token = token_of(world, parse_role_in_scope(role, scope))
    body = {"checks": [check(resource=each) for each in seen]}
    answers = ask(body, token=token).json["checks"]  # type: ignore[index]
    assert [None if "unknown" in one else one["allowed"] for one in answers] == list(seen.values())
    assert ask(check(resource="warehouse:snow"), token=token).status_code == 403
    assert ask(check(action="read", resource="pii"), token=token).status_code == 403
    assert ask(check(), "explain", token=token).status_code == 403


def test_a_token_whose_role_sees_no_resource_may_not_ask(ask: Ask, world: World) -> None:
    token = token_of(world, RoleInScope(get_role("Minimal Workspace Access"), EVERYWHERE))
    refused = ask(check(), token=token)
    assert (refused.status_code, refused.json["error"]["code"]) == (403, "forbidden")  # type: ignore[index]


def test_a_token_that_was_revoked_asks_nothing(ask: Ask, world: World) -> None:
    made = create_api_token(world.context, OPERATOR, "acme", [RoleInScope(OWNER, EVERYWHERE)], None, "x", world.now)
    assert allowed(ask(check(), token=made.token))
    revoke_token(world.context, OPERATOR, "acme", made.id, world.now)
    refused = ask(check(), token=made.token)
    assert refused.status_code == 401
    assert 'error="invalid_token"' in refused.headers["WWW-Authenticate"]


def test_without_a_token_one_hears_nothing_but_that(client: FlaskClient, ask: Ask) -> None:
    for path in ("check", "explain", "anything/else"):
        refused = client.post(f"/access/{path}", json=check())
        assert refused.status_code == 401
        assert refused.json == {
            "error": {"code": "unauthorized", "message": "Send an API token that works as `Authorization: Bearer …`."}
        }
        assert refused.headers["WWW-Authenticate"] == 'Bearer realm="access"'


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        pytest.param(b"{", "application/json", id="what is no JSON"),
        pytest.param(b'{"subject": "a@b.c"}', "application/json", id="what is no check"),
        pytest.param(b"[" * 5_000, "application/json", id="what is long"),
        pytest.param(b"{}", "text/plain", id="what isn't said to be JSON"),
        pytest.param(b" " * (2**20 + 1), "application/json", id="too much"),
    ],
)
def test_a_stranger_doesnt_hear_what_is_wrong(ask: Ask, body: bytes, kind: str) -> None:
    for token in ("", "bapi_wrong", "x" * 10_000):
        assert ask(body, token=token, Content_Type=kind).status_code == 401


# -- How much is asked ---------------------------------------------------------------------------------------------


def test_one_check_is_one_statement_and_so_is_that_it_stands(ask: Ask, world: World) -> None:
    database = world.context.database

    def heard(body: dict[str, Any], status: int, tag: str = "") -> int:
        with statements(database) as said:
            assert ask(body, If_None_Match=tag).status_code == status
        with database.reading() as rows:
            for one in said if database.is_sqlite else ():  # of PostgreSQL: test_scim_statements
                plan = rows.exec_driver_sql(f"EXPLAIN QUERY PLAN {one.sql}", one.values).all()
                assert [step.detail for step in plan if re.match(r"SCAN (?!\(|way|CONSTANT)", step.detail)] == []
        return len(said)

    tag = ask(check()).headers["ETag"]  # notes when the token was used
    for body in (check(), check(world.owner.id), check(action="create", resource="source"), check(resource="source:x")):
        assert heard(body, 200) == 1
    assert heard(check(), 304, tag) == 1
    assert heard(check(), 200, '"r1-0-0000000000000000"') == 2


def test_a_role_outside_the_plan_gives_nothing(ask: Ask, world: World) -> None:
    gives = parse_role_in_scope("Source Read-only", ["all"])
    ann = find_member_id(world.context, "acme", "ann@acme.example")
    give_to_member(world.context, OPERATOR, "acme", ann, gives, world.now)
    reads = check(action="read", resource="source:ios")
    assert (allowed(ask(reads)), allowed(ask(check()))) == (True, True)
    set_plan(world.context, OPERATOR, "acme", "team", world.now)
    with statements(world.context.database) as said:
        assert not allowed(ask(reads))
    assert len(said) == 2, "it is asked again with the roles of the plan"
    assert allowed(ask(check())), "Source Admin is in every plan"
    batch = ask({"checks": [reads, check()]}).json
    assert batch is not None
    assert [one["allowed"] for one in batch["checks"]] == [False, True]


# -- How long an answer is kept ------------------------------------------------------------------------------------


def max_age(answer: TestResponse) -> int:
    said = answer.headers["Cache-Control"]
    assert said.startswith("private, max-age=")
    return int(said.partition("=")[2])


def test_an_answer_stands_until_anything_changes(ask: Ask, world: World) -> None:
    first = ask(check())
    assert max_age(first) == 60
    again = ask(check(), If_None_Match=first.headers["ETag"])
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    assert max_age(again) == 60
    gives = parse_role_in_scope("Source Read-only", ["all"])
    ann = find_member_id(world.context, "acme", "ann@acme.example")
    give_to_member(world.context, OPERATOR, "acme", ann, gives, world.now)
    changed = ask(check(), If_None_Match=first.headers["ETag"])
    assert (changed.status_code, changed.headers["ETag"] != first.headers["ETag"]) == (200, True)


def test_another_question_or_token_has_another_tag(ask: Ask, world: World) -> None:
    tag = ask(check()).headers["ETag"]
    assert ask(check(resource="source:ios"), If_None_Match=tag).status_code == 200
    assert ask(check(), token=token_of(world), If_None_Match=tag).status_code == 200


@pytest.mark.parametrize(
    ("named", "status"),
    [
        pytest.param("{}", 304, id="as it is"),
        pytest.param("W/{}", 304, id="weak"),
        pytest.param('"another", {}', 304, id="among others"),
        pytest.param("*", 200, id="any: nobody has what they were never given"),
        pytest.param('"r1-0-0000000000000000"', 200, id="another"),
        pytest.param('"r99999999999999999999999-0-0000000000000000"', 200, id="no tag"),
    ],
)
def test_a_tag_is_matched_as_http_says(ask: Ask, named: str, status: int) -> None:
    tag = ask(check()).headers["ETag"]
    assert ask(check(), If_None_Match=named.replace("{}", tag)).status_code == status


def test_an_answer_is_kept_no_longer_than_the_grant_that_gives_it(ask: Ask, world: World) -> None:
    answer = ask(check())
    ends = datetime.now(UTC) + timedelta(seconds=30)
    with changing(world.context.database, OPERATOR, world.now) as made:
        made.connection.execute(update(grants).where(grants.c.role == "source_admin").values(expires_at=ends))
        made.connection.execute(update(workspaces).values(rev=workspaces.c.rev + 1))
    answer = ask(check())
    assert 25 <= max_age(answer) <= 30
    assert ask(check(), If_None_Match=answer.headers["ETag"]).status_code == 304


def test_a_tag_outlives_no_grant(ask: Ask, world: World) -> None:
    """The revision stays the same when a grant runs out; the answer doesn't."""
    ends = datetime.now(UTC) + timedelta(seconds=0.3)
    with changing(world.context.database, OPERATOR, world.now) as made:
        made.connection.execute(update(grants).where(grants.c.role == "source_admin").values(expires_at=ends))
    answer = ask(check())
    assert (allowed(answer), max_age(answer)) == (True, 0)
    while datetime.now(UTC) < ends:
        pass
    later = ask(check(), If_None_Match=answer.headers["ETag"])
    assert not allowed(later)


def test_an_answer_is_kept_no_longer_than_the_groups_of_a_login_count(ask: Ask, world: World) -> None:
    ends = datetime.now(UTC) + timedelta(seconds=20)
    with changing(world.context.database, OPERATOR, world.now) as made:
        made.connection.execute(update(directory_users).values(asserted_until=ends))
    assert max_age(ask(check())) == 60, "it is a pushed group that gives it"
    with changing(world.context.database, OPERATOR, world.now) as made:
        made.connection.exec_driver_sql("UPDATE mapping_matches SET asserted = (1 = 1)")
    assert 15 <= max_age(ask(check())) <= 20


# -- What is refused -----------------------------------------------------------------------------------------------

HOSTILE: dict[str, tuple[Any, str | None]] = {
    "nothing": (b"", None),
    "no JSON": (b"{", None),
    "not UTF-8": (b'{"subject": "\xff"}', None),
    "a lone surrogate": (b'{"subject": "\\ud800", "action": "edit", "resource": "source:web"}', None),
    "a list": ([], None),
    "a number": (7, None),
    "null": (None, None),
    "too deep": (b"[" * 100_000, None),
    "nothing said": ({}, "subject"),
    "no action": ({"subject": "a@b.c", "resource": "source:web"}, "action"),
    "a slip": ({**check(), "resouce": "source:ios"}, "resouce"),
    "another action": (check(action="delete"), "action"),
    "an action that is a list": (check(action=["edit"]), "action"),
    "another type": (check(resource="lake:web"), "resource"),
    "an area and an id": (check(resource="pii:web"), "resource"),
    "to create an area": (check(action="create", resource="pii"), "resource"),
    "the workspace itself": (check(resource="workspace"), "resource"),
    "no id": (check(resource="source:"), "resource"),
    "no colon": (check(resource="source"), "resource"),
    "to create one that has an id": (check(action="create", resource={"type": "source", "id": "web"}), "resource.id"),
    "a resource of nothing": (check(resource={}), "resource.type"),
    "an id that is a number": (check(resource={"type": "source", "id": 7}), "resource.id"),
    "a huge number": (b'{"subject": ' + b"9" * 5_000 + b"}", None),
    "a number that is none": (b'{"subject": NaN, "action": "edit", "resource": "source:web"}', None),
    "a mark of byte order": (b"\xef\xbb\xbf" + json.dumps(check()).encode(), None),
    "a subject that is true": (check(subject=True), "subject"),
    "properties": (check(subject={"id": "a@b.c", "properties": {}}), "subject.properties"),
    "no person": (check(subject={"type": "group", "id": "eng"}), "subject.type"),
    "an empty subject": (check(subject=" "), "subject"),
    "a NUL": (check(subject="ann\0@acme.example"), "subject"),
    "a very long name": (check(subject="a" * 1_000), "subject"),
    "no checks": ({"checks": []}, "checks"),
    "checks that are none": ({"checks": {"0": check()}}, "checks"),
    "a check that is none": ({"checks": [check(), "ann"]}, "checks[1]"),
    "a bad one among good": ({"checks": [check(), check(action="fly")]}, "checks[1].action"),
    "a batch and a slip": ({"checks": [check()], "chekcs": []}, "chekcs"),
}


@pytest.mark.parametrize("path", ["check", "explain"])
@pytest.mark.parametrize(("body", "field"), HOSTILE.values(), ids=HOSTILE)
def test_what_is_no_check_is_refused_with_its_place(ask: Ask, path: str, body: Any, field: str | None) -> None:
    answer = ask(body, path)
    assert answer.status_code == 400
    error = answer.json["error"]  # type: ignore[index]
    assert error["code"] == "invalid"
    assert path == "explain" or error.get("field") == field
    assert answer.headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    "subject",
    ["'; DROP TABLE users; --", "ann@acme.example' OR '1'='1", "%", NOBODY, "ａｎｎ@acme.example", "a@" * 100],
)
def test_a_strange_name_is_nobodys(ask: Ask, subject: str) -> None:
    answer = ask(check(subject)).json
    assert answer is not None
    assert (answer["allowed"], answer["unknown"]) == (False, "subject")


def test_too_much_is_refused_unread(ask: Ask) -> None:
    refused = ask(b" " * (2**20 + 1))
    assert (refused.status_code, list(refused.json or {})) == (413, ["error"])


def test_a_body_that_is_packed_is_refused(ask: Ask) -> None:
    packed = gzip.compress(json.dumps(check()).encode())
    assert ask(packed, Content_Encoding="gzip").status_code == 415
    assert ask(packed).status_code == 400


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
def test_a_body_that_is_not_said_to_be_json_is_refused(ask: Ask, kind: str) -> None:
    refused = ask(check(), Content_Type=kind)
    assert (refused.status_code, refused.headers["Accept-Post"]) == (415, "application/json")


def test_another_method_or_address_is_told_in_json(ask: Ask) -> None:
    for method in ("GET", "HEAD", "PUT", "OPTIONS", "TRACE"):
        for path in ("check", "explain"):
            refused = ask(check(), path, method=method)
            assert (refused.status_code, refused.headers["Allow"]) == (405, "POST, QUERY"), method
            assert method == "HEAD" or refused.json["error"]["code"] == "method_not_allowed"  # type: ignore[index]
    missing = ask(check(), "checks")
    assert (missing.status_code, missing.json["error"]["code"]) == (404, "not_found")  # type: ignore[index]


def test_a_query_asks_as_a_post_does(ask: Ask) -> None:
    answer = ask(check(), method="QUERY")
    assert allowed(answer)
    assert ask(check(), method="QUERY", If_None_Match=answer.headers["ETag"]).status_code == 304


def test_what_is_no_http_is_refused_in_json() -> None:
    media_type, body = render_unread("/access/check", 400, "Bad request line")
    assert (media_type, json.loads(body)["error"]["message"]) == ("application/json", "Bad request line")


def test_a_browser_without_a_form_secret_is_no_matter(app: Flask, ask: Ask) -> None:
    """No cookie signs anybody in here, so there is nothing to forge."""
    app.config["WTF_CSRF_ENABLED"] = True
    assert allowed(ask(check(), Cookie="bridge_session=anything"))


# -- The guide -----------------------------------------------------------------------------------------------------


@pytest.fixture
def address(app: Flask) -> Iterator[tuple[str, list[int]]]:
    """The application on a port, and the status of each answer."""
    statuses: list[int] = []

    def counting(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        def noted(status: str, *rest: Any) -> Any:
            statuses.append(int(status[:3]))
            return start(status, *rest)

        return app.wsgi_app(environ, noted)

    server = make_server("127.0.0.1", 0, counting, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.port}", statuses
    server.shutdown()
    thread.join()
    server.server_close()


def test_the_guides_program_keeps_answers_as_long_as_it_may(
    world: World, sources: None, address: tuple[str, list[int]]
) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.DOTALL)
    names: dict[str, Any] = {}
    exec(program, names)
    clock = [0.0]
    names["time"] = SimpleNamespace(monotonic=lambda: clock[0])
    (url, statuses), asked = address, ("ann@acme.example", "edit", "source:web")
    access = names["Access"](url, token_of(world))
    assert [access.may(*asked), access.may(*asked), statuses] == [True, True, [200]]
    clock[0] = 61
    assert [access.may(*asked), access.may(*asked), statuses] == [True, True, [200, 304]]
    clock[0] = 122
    ann = find_member_id(world.context, "acme", "ann@acme.example")
    remove_member(world.context, OPERATOR, "acme", ann, world.now)
    assert [access.may(*asked), access.may(*asked), statuses] == [False, False, [200, 304, 200]]
    with pytest.raises(requests.HTTPError):
        names["Access"](url, "bapi_wrong").may(*asked)
    access.session.close()
