"""14. What can't be applied is refused, and a refused request changes nothing. Never a 200 for an operation that was
dropped.

Beside: tests/scim/test_patch.py, test_patch_generated.py, test_patch_groups.py; tests/web/test_scim_api.py.
"""

from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings

from bridge.flows.context import OPERATOR
from bridge.flows.tokens import create_scim_token
from bridge.storage.tables import tokens
from tests.properties.rows import Rows, everything
from tests.scim.generated import PATCHES, bodies
from tests.world import World

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
#: Operations on a Group that cannot be applied, each for another reason.
BAD = (
    {"op": "add", "path": "members", "value": [{"value": "nobody"}]},
    {"op": "replace", "path": "members", "value": [{"value": "nobody"}]},
    {"op": "add", "path": "members", "value": "nobody"},
    {"op": "add", "path": "members", "value": [{"value": "x", "type": "Group"}]},
    {"op": "remove", "path": 'members[nonsense eq "x"]'},
    {"op": "remove"},
    {"op": "remove", "path": "displayName"},
    {"op": "replace", "path": "displayName", "value": ""},
    {"op": "replace", "path": "nonsense", "value": "x"},
    {"op": "replace", "path": "id", "value": "x"},
    {"op": "destroy", "path": "members"},
    {"op": "replace", "path": "displayName"},
)


class Idp:
    """What calls `/scim/v2`, and what is kept after."""

    def __init__(self, client: FlaskClient, world: World) -> None:
        self.client, self.world = client, world
        self.token = create_scim_token(
            world.context, OPERATOR, "acme", world.connection.id, None, "pushes", world.now
        ).token

    def call(self, method: str, path: str, body: Any) -> tuple[int, Any]:
        """Status and answer."""
        headers = {"Authorization": f"Bearer {self.token}"}
        answer = self.client.open(f"/scim/v2{path}", method=method, json=body, headers=headers)
        return answer.status_code, answer.get_json(force=True, silent=True)

    def kept(self) -> Rows:
        """All rows, but for the tokens with their last use."""
        return {name: rows for name, rows in everything(self.world).items() if name != tokens.name}


@pytest.fixture
def idp(client: FlaskClient, live: World) -> Idp:
    return Idp(client, live)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(patch=PATCHES)
def test_a_patch_of_a_user_changes_what_it_says_or_nothing(live: World, idp: Idp, patch: dict[str, Any]) -> None:
    made = idp.call("GET", "/Users?count=1", None)[1]["Resources"] or [{"id": live.push("ann@acme.example").id}]
    before = idp.kept()
    status, _ = idp.call("PATCH", f"/Users/{made[0]['id']}", {"schemas": [PATCH], **patch})
    assert status in (200, 204, 400, 403, 409), status
    if status >= 400:
        assert idp.kept() == before


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies())
def test_a_user_is_made_whole_or_not_at_all(idp: Idp, body: dict[str, Any]) -> None:
    before = idp.kept()
    status, said = idp.call("POST", "/Users", body)
    assert status in (201, 400, 409)
    if status == 201:
        assert idp.call("GET", f"/Users/{said['id']}", None) == (200, said)
    else:
        assert idp.kept() == before


@pytest.mark.parametrize("bad", BAD, ids=str)
@pytest.mark.parametrize("place", ["first", "last", "alone"])
def test_one_bad_operation_on_a_group_undoes_all_of_the_request(
    live: World, idp: Idp, bad: dict[str, Any], place: str
) -> None:
    ann, ben = live.push("ann@acme.example"), live.push("ben@acme.example")
    group = live.push_group("Engineering", ann)
    good: list[dict[str, Any]] = [
        {"op": "replace", "path": "displayName", "value": "Platform"},
        {"op": "add", "path": "members", "value": [{"value": ben.id}]},
        {"op": "remove", "path": f'members[value eq "{ann.id}"]'},
    ]
    operations = {"first": [bad, *good], "last": [*good, bad], "alone": [bad]}[place]
    before = idp.kept()
    status, said = idp.call("PATCH", f"/Groups/{group.id}", {"schemas": [PATCH], "Operations": operations})
    assert status == 400, said
    assert idp.kept() == before


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", "/Groups/{group}", {"displayName": "Platform", "members": [{"value": "{ben}"}, {"value": "nobody"}]}),
        ("POST", "/Groups", {"displayName": "Platform", "members": [{"value": "{ben}"}, {"value": "nobody"}]}),
        ("POST", "/Users", {"userName": "ANN@acme.example"}),
        ("PUT", "/Users/{ben}", {"userName": "ann@ACME.example"}),
        ("PUT", "/Users/{ben}", {"userName": "carl", "emails": "x", "name": {"givenName": 5}}),
    ],
)
def test_a_refused_request_changes_nothing(live: World, idp: Idp, method: str, path: str, body: dict[str, Any]) -> None:
    ann, ben = live.push("ann@acme.example"), live.push("ben@acme.example")
    ids = {"ben": ben.id, "group": live.push_group("Engineering", ann).id}
    if "members" in body:
        body = {**body, "members": [{"value": ids["ben"]}, {"value": "nobody"}]}
    before = idp.kept()
    status, _ = idp.call(method, path.format(**ids), body)
    assert status in (400, 409)
    assert idp.kept() == before


def test_an_answer_of_success_is_true(live: World, idp: Idp) -> None:
    """Polis dropped a replace of members, and answered 200."""
    ann, ben = live.push("ann@acme.example"), live.push("ben@acme.example")
    group = live.push_group("Engineering", ann)

    def after(*operations: dict[str, Any]) -> set[str]:
        said = idp.call(
            "PATCH", f"/Groups/{group.id}?attributes=members", {"schemas": [PATCH], "Operations": operations}
        )
        assert said[0] == 200, said
        shown = idp.call("GET", f"/Groups/{group.id}", None)[1]
        assert shown.get("members", []) == said[1].get("members", [])
        return {member["value"] for member in shown.get("members", [])}

    assert after({"op": "replace", "path": "members", "value": [{"value": ben.id}]}) == {ben.id}
    assert after({"op": "Add", "path": "members", "value": [{"value": ann.id}]}) == {ann.id, ben.id}
    assert after({"op": "replace", "value": {"members": [{"value": ann.id}]}}) == {ann.id}
    assert after({"op": "Remove", "path": "members", "value": [{"value": ann.id}]}) == set()
