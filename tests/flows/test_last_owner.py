"""A workspace keeps an owner who can sign in on their own, whoever asks, also at once (product.md 1.1)."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier

import pytest

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.directory import DirectoryUser
from bridge.domain.errors import DomainError, LastOwner
from bridge.domain.roles import OWNER
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.context import OPERATOR
from bridge.flows.explain import access_of
from bridge.flows.give_roles import end_grant, give_to_member
from bridge.flows.members import find_member_id, get_person, remove_member
from bridge.flows.provision_users import change_user, delete_user, get_user, search_users
from bridge.storage.workspaces import count_keeping_owners
from scim.filters import parse_filter
from scim.schemas import USER
from tests.flows.test_give_roles import owning_grant, second_owner
from tests.world import World

Leave = Callable[[World, str], object]


def by_removal(kicks: World, member: str) -> object:
    return remove_member(kicks.context, OPERATOR, "kicks", member, kicks.now)


def by_ending_the_grant(kicks: World, member: str) -> object:
    return end_grant(kicks.context, OPERATOR, "kicks", owning_grant(kicks, member), kicks.now)


def by_deactivation(kicks: World, member: str) -> object:
    user = record_of(kicks, member)
    gone = replace(user.pushed, active=False, document={**user.pushed.document, "active": False})
    return change_user(kicks.context, kicks.connection, user.id, lambda _: gone, kicks.now)


def by_deletion(kicks: World, member: str) -> None:
    delete_user(kicks.context, kicks.connection, record_of(kicks, member).id, kicks.now)


def record_of(kicks: World, member: str) -> DirectoryUser:
    """What Okta says of a member; it pushes whom it hasn't yet."""
    email = get_person(kicks.context, "kicks", member, kicks.now).member.email
    named = parse_filter(f'userName eq "{email}"', USER)
    found, _ = search_users(kicks.context, kicks.connection, named, offset=0, count=1)
    return get_user(kicks.context, kicks.connection, found[0].id) if found else kicks.push(email)


WAYS = (by_removal, by_ending_the_grant, by_deactivation, by_deletion)


def keeping(kicks: World) -> int:
    with kicks.context.database.reading() as rows:
        return count_keeping_owners(rows, kicks.workspace.key)


@pytest.mark.parametrize("leave", WAYS)
def test_the_last_one_stays_by_every_path(kicks: World, marcus: str, leave: Leave) -> None:
    member = find_member_id(kicks.context, "kicks", "marcus@kicks.example")
    with pytest.raises(LastOwner):
        leave(kicks, member)
    [permission] = access_of(kicks.context, "kicks", "marcus@kicks.example", kicks.now)
    assert permission.role is OWNER
    assert get_person(kicks.context, "kicks", member, kicks.now).is_last_owner


@pytest.mark.parametrize("one_way", WAYS)
@pytest.mark.parametrize("other_way", WAYS)
def test_two_owners_who_leave_at_once_leave_one(kicks: World, marcus: str, one_way: Leave, other_way: Leave) -> None:
    members = [find_member_id(kicks.context, "kicks", "marcus@kicks.example"), second_owner(kicks)]
    start = Barrier(2)

    def leave(way: Leave, member: str) -> str:
        start.wait()
        try:
            way(kicks, member)
        except DomainError as refusal:
            return refusal.code
        return "gone"

    with ThreadPoolExecutor(2) as pool:
        answers = sorted(pool.map(leave, (one_way, other_way), members))
    assert answers == ["gone", "last_owner"]
    assert keeping(kicks) == 1


def test_an_owner_who_never_accepted_is_nobody_to_rely_on(kicks: World, marcus: str) -> None:
    """Only this workspace's IdP lets them in, whatever password they have (product.md 4.4)."""
    draft = WorkspaceDraft("boots", "Boots", "mei@kicks.example", owner_password="a password of Mei")
    create_workspace(kicks.context, OPERATOR, draft, kicks.now)
    kicks.push("mei@kicks.example")
    mei = find_member_id(kicks.context, "kicks", "mei@kicks.example")
    give_to_member(kicks.context, marcus, "kicks", mei, RoleInScope(OWNER, EVERYWHERE), kicks.now)
    assert keeping(kicks) == 1
    for leave in WAYS:
        with pytest.raises(LastOwner):
            leave(kicks, find_member_id(kicks.context, "kicks", "marcus@kicks.example"))
