"""What a connection's IdP pushed: who has no account, and groups that are linked to User Groups."""

import pytest

from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.provision_users import create_user
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tie_groups import get_tie
from bridge.flows.user_groups import create_user_group
from tests.web.browsing import Surfer
from tests.web.pages.conftest import PRIYA, Acme, Send
from tests.world import pushed


@pytest.fixture
def base(acme: Acme) -> str:
    return f"/w/acme/connections/{acme.world.connection.id}/directory"


@pytest.fixture
def guild(acme: Acme) -> str:
    """A User Group that gives a role; its id."""
    world = acme.world
    made = create_user_group(world.context, OPERATOR, "acme", "Data Guild", world.now)
    role = parse_role_in_scope("Function Admin", [])
    give_to_user_group(world.context, OPERATOR, "acme", made.id, role, world.now)
    return made.id


def user_group_of(acme: Acme) -> str | None:
    return get_tie(acme.world.context, "acme", acme.world.connection.id, acme.eng.id).user_group


def test_who_has_no_account_is_listed_with_why_and_what_to_do(acme: Acme, olga: Surfer, base: str) -> None:
    assert "Everybody has an account" in olga.get(base).text
    acme.world.push("ghost", name="Gil Ghost")
    twin = pushed(PRIYA, name="Priya Two")
    world = acme.world
    create_user(
        world.context,
        world.connection,
        type(twin)("p2", None, True, "Priya Two", twin.emails, twin.document),
        world.now,
    )
    html = olga.get(base).text
    assert "Gil Ghost" in html
    assert "None of its addresses, nor its user name, could receive mail." in html
    assert f"The record {PRIYA} was pushed before it with the same address" in html
    assert "Give this person an email address in Okta" in html


def test_groups_are_listed_with_their_user_groups(acme: Acme, olga: Surfer, base: str) -> None:
    html = olga.get(f"{base}/groups").text
    assert acme.eng.name in html
    assert "mirrored" in html
    assert "No group called “zzz”" in olga.get(f"{base}/groups", q="zzz").text


def test_a_group_is_linked_after_what_follows_was_shown(
    acme: Acme, olga: Surfer, send: Send, base: str, guild: str
) -> None:
    path = f"{base}/groups/{acme.eng.id}/link"
    assert "Data Guild" in olga.get(path).text
    seen = olga.get(path, user_group="Data Guild").text
    assert f"1 person comes into Data Guild by the group {acme.eng.name}" in seen
    assert "gains Function Admin" in seen
    assert "which mirrors it, goes" in seen
    told = send(path, f"{path}?user_group=Data+Guild", user_group="Data Guild")
    assert told.status_code == 303
    assert user_group_of(acme) == "Data Guild"
    assert "linked" in olga.get(f"{base}/groups").text
    assert acme.told()[-1] == "mapping.linked"


def test_a_link_is_ended_after_who_loses_what_was_shown(
    acme: Acme, olga: Surfer, send: Send, base: str, guild: str
) -> None:
    path = f"{base}/groups/{acme.eng.id}"
    send(f"{path}/link", f"{path}/link?user_group=Data+Guild", user_group="Data Guild")
    assert "Function Admin" in olga.get(f"{path}/unlink").text
    assert send(f"{path}/unlink", f"{path}/unlink").status_code == 303
    assert user_group_of(acme) is None
    assert "tied to none" in olga.get(f"{base}/groups").text


def test_without_user_groups_one_is_to_be_made_first(acme: Acme, olga: Surfer, base: str) -> None:
    assert "No User Group to link to" in olga.get(f"{base}/groups/{acme.eng.id}/link").text


def test_what_is_wrong_is_told(acme: Acme, olga: Surfer, send: Send, base: str, guild: str) -> None:
    path = f"{base}/groups/{acme.eng.id}/link"
    assert send(path, path, user_group="No Such Group").status_code == 404
    assert olga.get(f"{base}/groups/{acme.eng.id}/unlink").status_code == 409
    assert olga.get(f"{base}/groups/00000000-0000-4000-8000-000000000000/link").status_code == 404
