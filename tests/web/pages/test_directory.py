"""What a connection's IdP pushed: who has no account, and groups that are linked to User Groups."""

import pytest
from werkzeug.test import TestResponse

from bridge.domain.directory import MembersAdded
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.provision_groups import change_group
from bridge.flows.provision_users import create_user
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tie_groups import get_tie
from bridge.flows.user_groups import create_user_group
from tests.web.browsing import Surfer
from tests.web.pages.conftest import PRIYA, Acme, Send, carried_by
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


def confirm(olga: Surfer, path: str) -> TestResponse:
    """Open a page that asks, and press its button."""
    shown = olga.get(path)
    return olga.submit(path.partition("?")[0], shown, **carried_by(shown))


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


def test_a_group_is_linked_after_what_follows_was_shown(acme: Acme, olga: Surfer, base: str, guild: str) -> None:
    path = f"{base}/groups/{acme.eng.id}/link"
    assert "Data Guild" in olga.get(path).text
    seen = olga.get(path, user_group="Data Guild").text
    assert f"1 person comes into Data Guild by the group {acme.eng.name}" in seen
    assert "1 person gains Function Admin" in seen
    assert "which mirrors it, goes" in seen
    assert confirm(olga, f"{path}?user_group=Data+Guild").status_code == 303
    assert user_group_of(acme) == "Data Guild"
    assert "linked" in olga.get(f"{base}/groups").text
    assert acme.told()[-1] == "mapping.linked"


def test_a_link_is_ended_after_who_loses_what_was_shown(acme: Acme, olga: Surfer, base: str, guild: str) -> None:
    path = f"{base}/groups/{acme.eng.id}"
    confirm(olga, f"{path}/link?user_group=Data+Guild")
    assert "1 person loses Function Admin" in olga.get(f"{path}/unlink").text
    assert confirm(olga, f"{path}/unlink").status_code == 303
    assert user_group_of(acme) is None
    assert "tied to none" in olga.get(f"{base}/groups").text


def test_what_was_not_shown_or_is_not_so_any_more_is_shown_first(
    acme: Acme, olga: Surfer, send: Send, base: str, guild: str
) -> None:
    path = f"{base}/groups/{acme.eng.id}"
    unseen = send(f"{path}/link", f"{path}/link", user_group="Data Guild")
    assert "Look first at what it does." in unseen.text
    shown = olga.get(f"{path}/link?user_group=Data+Guild")
    more(acme, 1)
    moved = olga.submit(f"{path}/link", shown, **carried_by(shown))
    assert "Not saved yet" in moved.text
    assert "2 people gain Function Admin" in moved.text
    assert user_group_of(acme) == "eng-mobile", "still its mirror"
    assert olga.submit(f"{path}/link", moved, **carried_by(moved)).status_code == 303
    more(acme, 53)
    assert "All 55" in olga.get(f"{path}/unlink").text
    assert "p47-53@acme.example" in olga.get(f"{path}/unlink?side=loses").text


def more(acme: Acme, count: int) -> None:
    """So many more people are in the group."""
    ids = tuple(acme.world.push(f"p{n:02}-{count}@acme.example").id for n in range(count))
    change_group(acme.world.context, acme.world.connection, acme.eng.id, [MembersAdded(ids)], acme.world.now)


def test_without_user_groups_one_is_to_be_made_first(acme: Acme, olga: Surfer, base: str) -> None:
    assert "No User Group to link to" in olga.get(f"{base}/groups/{acme.eng.id}/link").text


def test_what_is_wrong_is_told(acme: Acme, olga: Surfer, send: Send, base: str, guild: str) -> None:
    path = f"{base}/groups/{acme.eng.id}/link"
    assert send(path, path, user_group="No Such Group").status_code == 404
    assert olga.get(f"{base}/groups/{acme.eng.id}/unlink").status_code == 409
    assert olga.get(f"{base}/groups/00000000-0000-4000-8000-000000000000/link").status_code == 404
