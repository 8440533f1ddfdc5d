"""7. A SCIM token sees one connection's directory.

Anything else is 404, in bodies, filters, counts and Location alike; the token is checked before anything is answered.
Every request is made twice: naming what another connection has, and naming what nobody has. The answers are the same.

Beside: tests/web/test_scim_api.py (without a good token everything is 401).
"""

import re
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from tests.flows.logins import sign_in
from tests.properties.rows import rows_of
from tests.world import World, another_connection, make_world

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
Call = Callable[..., tuple[int, Any]]


def caller(client: FlaskClient, world: World) -> Call:
    """What the world's IdP calls `/scim/v2` with."""
    slug = world.workspace.slug
    token = create_scim_token(world.context, OPERATOR, slug, world.connection.id, None, "pushes", world.now).token

    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.open(f"/scim/v2{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_json(force=True, silent=True)

    return call


@pytest.fixture(params=["another workspace", "the same workspace"])
def theirs(request: pytest.FixtureRequest, live: World) -> World:
    """A connection beside Okta, with people and groups of its own."""
    if request.param == "the same workspace":
        world = another_connection(live, "Entra")
    else:
        world = make_world(live.context.database, live.now, slug="other", owner="otto@other.example")
    ann = world.push("ann@other.example", external_id="x-1")
    world.push_group("Secret", ann, world.push("ben@other.example"), external_id="g-1")
    sign_in(world, "jit@other.example", groups=("Asserted",))
    return world


def ids_of(call: Call) -> list[str]:
    """Every id that the other connection's IdP sees."""
    return [each["id"] for kind in ("Users", "Groups") for each in call("GET", f"/{kind}")[1]["Resources"]]


def requests(kind: str, uid: str, own_user: str, own_group: str) -> list[tuple[str, str, Any]]:
    """Every request that could name somebody else's resource."""
    named = {"value": uid}
    return [
        ("GET", f"/{kind}/{uid}", None),
        ("PUT", f"/{kind}/{uid}", {"userName": "x", "displayName": "x"}),
        (
            "PATCH",
            f"/{kind}/{uid}",
            {"schemas": [PATCH], "Operations": [{"op": "replace", "value": {"displayName": "x"}}]},
        ),
        ("DELETE", f"/{kind}/{uid}", None),
        ("POST", "/Groups", {"displayName": "x", "members": [named]}),
        ("PUT", f"/Groups/{own_group}", {"displayName": "Own", "members": [named]}),
        *[
            ("PATCH", f"/Groups/{own_group}", {"schemas": [PATCH], "Operations": [operation]})
            for operation in (
                {"op": "add", "path": "members", "value": [named]},
                {"op": "remove", "path": f'members[value eq "{uid}"]'},
                {"op": "remove", "path": "members", "value": [named]},
            )
        ],
        *[
            ("GET", f"/{listed}?filter={text}", None)
            for listed, text in (
                ("Users", f'id eq "{uid}"'),
                ("Users", f'groups.value eq "{uid}"'),
                ("Groups", f'id eq "{uid}"'),
                ("Groups", f'members.value eq "{uid}"'),
                ("Groups", f'members[value eq "{uid}"]'),
            )
        ],
        (
            "PATCH",
            f"/Users/{own_user}",
            {"schemas": [PATCH], "Operations": [{"op": "add", "path": "groups", "value": [named]}]},
        ),
    ]


def blind(answer: tuple[int, Any], uid: str) -> tuple[int, str]:
    """An answer without the id that was asked for, and without times and versions."""
    text = re.sub(r"\d{4}-\d\d-\d\dT[^\"']*|W/\\?\"\d+\\?\"", "…", repr(answer[1]).replace(uid, "ID"))
    return answer[0], re.sub(r"[0-9a-f-]{36}", "UUID", text)


def test_what_another_connection_has_is_what_nobody_has(client: FlaskClient, live: World, theirs: World) -> None:
    ours, other = caller(client, live), caller(client, theirs)
    own_user, own_group = live.push("own@acme.example").id, live.push_group("Own").id
    seen = [other("GET", "/Users"), other("GET", "/Groups")]
    before = rows_of(theirs) if theirs.workspace != live.workspace else None
    for uid in ids_of(other):
        for kind in ("Users", "Groups"):
            for n, (method, path, body) in enumerate(requests(kind, uid, own_user, own_group)):
                nobody = str(uuid4())
                method_, path_, body_ = requests(kind, nobody, own_user, own_group)[n]
                assert blind(ours(method, path, body), uid) == blind(ours(method_, path_, body_), nobody), (
                    method,
                    path,
                )
    assert before is None or rows_of(theirs) == before
    assert [other("GET", "/Users"), other("GET", "/Groups")] == seen


@pytest.mark.parametrize("path", ["/Users", "/Groups"])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
def test_no_filter_finds_or_counts_what_another_connection_has(
    client: FlaskClient, live: World, theirs: World, path: str, data: st.DataObject
) -> None:
    attribute = data.draw(
        st.sampled_from(["id", "externalId", "meta.created", "meta.resourceType"])
        | st.sampled_from(
            ["userName", "emails.value", "active"] if path == "/Users" else ["displayName", "members.value"]
        )
    )
    test = data.draw(st.sampled_from(["pr", 'ne "nobody"', 'co ""', 'sw ""', 'gt ""', 'co "e"', "eq true"]))
    text = f"{attribute} {test}"
    text = data.draw(st.sampled_from([text, f"not ({text})", f"{text} or not ({text})", f"{text} or id pr"]))
    status, said = caller(client, live)("GET", f"{path}?filter={text}&count=1000")
    assert status in (200, 400)
    if status == 200:
        assert (said["totalResults"], said["Resources"]) == (0, [])


def test_the_names_of_another_connection_are_free(client: FlaskClient, live: World, theirs: World) -> None:
    ours = caller(client, live)
    status, said = ours("POST", "/Users", {"userName": "ann@other.example", "externalId": "x-1"})
    assert status == 201
    assert ours("GET", "/Users")[1]["totalResults"] == 1
    assert ours("POST", "/Groups", {"displayName": "Secret", "externalId": "g-1"})[0] == 201
    assert said["id"] not in ids_of(caller(client, theirs))


def test_who_is_known_by_a_login_only_is_nobody_to_scim(client: FlaskClient, live: World) -> None:
    ours = caller(client, live)
    sign_in(live, "jit@acme.example", groups=("Asserted",))
    for path in ("/Users", "/Groups", "/Users?filter=userName pr", "/Groups?filter=displayName pr"):
        assert ours("GET", path)[1]["totalResults"] == 0


def test_an_answer_shows_what_was_pushed_never_what_the_account_says(client: FlaskClient, live: World) -> None:
    said = caller(client, live)("POST", "/Users", {"userName": "olga@acme.example", "displayName": "O."})[1]
    assert "Olga" not in repr(said)
