"""15. Absent is not false.

Whatever doesn't say `active` says nothing about `active`, and who was let in by hand in spite of their IdP stays in
until the IdP changes its mind.

Beside: tests/scim/test_patch.py, test_resources.py; tests/web/test_scim_api.py.
"""

from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bridge.domain.directory import pushed_user
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.members import find_member_id, lift_hold
from bridge.flows.provision_users import change_user, create_user, get_user
from scim.errors import ScimError
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_user, replace_user
from scim.schemas import USER
from tests.scim.generated import OPERATIONS, bodies
from tests.world import World

PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"
ANN = {"userName": "ann@acme.example", "emails": [{"value": "ann@acme.example", "primary": True}]}


def says_active(value: Any) -> bool:
    return "active" in repr(value).lower()


def put(world: World, user_id: str, body: dict[str, Any]) -> None:
    change_user(
        world.context,
        world.connection,
        user_id,
        lambda user: pushed_user(replace_user(user.pushed.document, body)),
        world.now,
    )


def patch(world: World, user_id: str, *operations: dict[str, Any]) -> None:
    parsed = parse_patch({"schemas": [PATCH], "Operations": list(operations)}, USER, user_id)
    change_user(
        world.context,
        world.connection,
        user_id,
        lambda user: pushed_user(apply_to_user(user.pushed.document, parsed)),
        world.now,
    )


@pytest.fixture(params=[True, False, "let in by hand"])
def ann(request: pytest.FixtureRequest, acme: World) -> tuple[str, bool, bool]:
    """Ann's record, whether it is active, and whether she is in."""
    record = create_user(
        acme.context, acme.connection, pushed_user(parse_user({**ANN, "active": request.param is True})), acme.now
    )
    if request.param == "let in by hand":
        lift_hold(acme.context, OPERATOR, "acme", find_member_id(acme.context, "acme", "ann@acme.example"), acme.now)
    return record.id, request.param is True, request.param is not False


def standing(world: World, user_id: str) -> tuple[bool, bool]:
    pushed = get_user(world.context, world.connection, user_id).pushed
    return pushed.active, bool(access_of(world.context, "acme", "ann@acme.example", world.now))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies().filter(lambda body: not says_active(body)))
def test_a_put_without_active_neither_suspends_nor_brings_back(
    acme: World, ann: tuple[str, bool, bool], body: dict[str, Any]
) -> None:
    put(acme, ann[0], body)
    assert standing(acme, ann[0]) == ann[1:]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(body=bodies().filter(lambda body: not says_active(body)), op=st.sampled_from(["add", "replace", "Replace"]))
def test_a_pathless_patch_without_active_neither(
    acme: World, ann: tuple[str, bool, bool], body: dict[str, Any], op: str
) -> None:
    patch(acme, ann[0], {"op": op, "value": body})
    assert standing(acme, ann[0]) == ann[1:]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(operations=st.lists(OPERATIONS.filter(lambda operation: not says_active(operation)), min_size=1, max_size=4))
def test_no_patch_that_does_not_say_active_does(
    acme: World, ann: tuple[str, bool, bool], operations: list[dict[str, Any]]
) -> None:
    with suppress(ScimError):
        patch(acme, ann[0], *operations)
    assert standing(acme, ann[0]) == ann[1:]


def test_saying_the_same_again_is_no_change_of_mind(acme: World, ann: tuple[str, bool, bool]) -> None:
    patch(acme, ann[0], {"op": "replace", "path": "active", "value": ann[1]})
    put(acme, ann[0], {**ANN, "displayName": "Ann", "active": ann[1]})
    assert standing(acme, ann[0]) == ann[1:]


def test_a_new_person_who_is_not_said_to_be_inactive_is_active(acme: World) -> None:
    made = create_user(acme.context, acme.connection, pushed_user(parse_user(ANN)), acme.now)
    assert standing(acme, made.id) == (True, True)
