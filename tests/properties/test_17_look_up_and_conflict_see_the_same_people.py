"""17. Look-up and conflict see the same people: who is not found by filter can be created, who conflicts can be found.

User names are drawn from texts that compare oddly: ß and ss, the Turkish i, ligatures, spaces, case, quotes.

Beside: tests/web/test_scim_api.py, tests/storage/test_directory_search.py.
"""

from collections.abc import Callable
from itertools import count
from typing import Any
from urllib.parse import quote

import orjson
import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from bridge.flows.context import OPERATOR
from bridge.flows.members import find_member_id, remove_member
from bridge.flows.provision_users import delete_user
from bridge.flows.tokens import create_scim_token
from tests.flows.logins import account, join, sign_in
from tests.properties.ways import set_active
from tests.world import World, another_connection

Call = Callable[..., tuple[int, Any]]
PIECES = ("ss", "ß", "ẞ", "SS", "ſ", "i", "I", "İ", "ı", "i̇", "k", "K", "ﬁ", "fi", "Σ", "ς", "σ", "é", "é", " ")
ODD = st.lists(st.sampled_from([*PIECES, '"', "\\", "%", "_", "*"]), max_size=3).map("".join)
SPACES = st.sampled_from(["", "", " ", "  ", "\t", "\u00a0", "\u2003"])
#: What stands before and after the middle of a user name.
ENDS = st.tuples(st.tuples(SPACES, ODD).map("".join), st.tuples(ODD, SPACES).map("".join))
_serial = count(1)


@pytest.fixture
def call(client: FlaskClient, live: World) -> Call:
    token = create_scim_token(live.context, OPERATOR, "acme", live.connection.id, None, "pushes", live.now).token

    def call(method: str, path: str, body: Any = None) -> tuple[int, Any]:
        answer = client.open(f"/scim/v2{path}", method=method, json=body, headers={"Authorization": f"Bearer {token}"})
        return answer.status_code, answer.get_json(force=True, silent=True)

    return call


def find(call: Call, attribute: str, value: str) -> list[str]:
    """The ids that the filter an IdP sends before it creates somebody finds."""
    status, said = call("GET", f"/Users?filter={quote(f'{attribute} eq {orjson.dumps(value).decode()}')}")
    assert status == 200, said
    return [each["id"] for each in said["Resources"]]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@example(ends=[("strauss", ""), ("strauß", ""), ("bob", ""), ("bob", " "), (" bob", ""), ("BOB", "\u00a0")])
@given(ends=st.lists(ENDS, min_size=2, max_size=6))
def test_a_user_name_is_free_exactly_if_no_filter_finds_it(call: Call, ends: list[tuple[str, str]]) -> None:
    middle = f"-{next(_serial)}-"
    for wanted in (middle.join(each) for each in ends):
        found = find(call, "userName", wanted)
        status, said = call("POST", "/Users", {"userName": wanted})
        if status == 400:
            continue
        assert (status, len(found)) in ((201, 0), (409, 1)), (wanted, said)
        assert find(call, "userName", wanted) == (found or [said["id"]])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(ends=st.lists(ENDS, min_size=2, max_size=2, unique=True))
def test_a_rename_conflicts_exactly_with_whom_the_filter_finds(call: Call, ends: list[tuple[str, str]]) -> None:
    middle = f"-{next(_serial)}-"
    first, second = (middle.join(each) for each in ends)
    mine, others = call("POST", "/Users", {"userName": f"me{middle}"}), call("POST", "/Users", {"userName": first})
    if others[0] == 400:
        return
    found = find(call, "userName", second)
    status, said = call("PUT", f"/Users/{mine[1]['id']}", {"userName": second})
    assert (status, found) in ((200, []), (409, [others[1]["id"]]), (400, [])), said


def suspended(world: World, email: str) -> None:
    set_active(world, world.push(email).id, email, False)


def deleted(world: World, email: str) -> None:
    delete_user(world.context, world.connection, world.push(email).id, world.now)


def removed_and_deleted(world: World, email: str) -> None:
    record = world.push(email)
    remove_member(world.context, OPERATOR, "acme", find_member_id(world.context, "acme", email), world.now)
    delete_user(world.context, world.connection, record.id, world.now)


def only_signed_in(world: World, email: str) -> None:
    sign_in(world, email)


def only_a_member(world: World, email: str) -> None:
    join(world, account(world, email))


def only_an_account(world: World, email: str) -> None:
    account(world, email, proved=False)


def of_another_connection(world: World, email: str) -> None:
    another_connection(world, f"Another {email}").push(email)


def pushed_there(world: World, email: str) -> None:
    world.push(email)


@pytest.mark.parametrize(
    "before",
    [
        suspended,
        deleted,
        removed_and_deleted,
        only_signed_in,
        only_a_member,
        only_an_account,
        of_another_connection,
        pushed_there,
    ],
    ids=lambda before: before.__name__,
)
def test_adoption_never_loops(live: World, call: Call, before: Callable[[World, str], None]) -> None:
    """What an IdP does each half hour: look up, create if not found; a second round finds whom the first one made."""
    email = "ann@mail.example"
    before(live, email)
    for _ in range(2):
        found = find(call, "userName", email)
        if not found:
            status, said = call("POST", "/Users", {"userName": email, "emails": [{"value": email}]})
            assert status == 201, said
            found = [said["id"]]
    assert find(call, "userName", email.upper()) == found
    assert call("GET", f"/Users/{found[0]}")[0] == 200
    assert call("POST", "/Users", {"userName": email.upper()})[0] == 409
