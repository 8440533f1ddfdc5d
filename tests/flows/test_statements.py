"""A page costs as many statements for twenty rows as for five."""

from collections.abc import Callable

import pytest

from bridge.domain.access import RoleInScope
from bridge.domain.group_mapping import GroupMatch
from bridge.flows.context import OPERATOR
from bridge.flows.give_roles import give_to_user_group
from bridge.flows.invite import InviteDraft, invite, list_invites, search_invites
from bridge.flows.map_groups import MappingDraft, add_mapping, list_mappings
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.tokens import create_scim_token, revoke_token
from bridge.flows.user_groups import create_user_group, list_user_groups
from tests.flows.logins import sign_in
from tests.overheard import statements
from tests.world import World

#: Statements in the three transactions of a login: request, answer, session.
MOST_OF_A_LOGIN = 24


def heard(kicks: World, do: Callable[[], object]) -> list[str]:
    """What is said to the database meanwhile."""
    with statements(kicks.context.database) as said:
        do()
    return [each.sql for each in said]


def a_user_group(kicks: World, actor: str, n: int) -> None:
    made = create_user_group(kicks.context, actor, "kicks", f"Guild {n}", kicks.now)
    give_to_user_group(kicks.context, actor, "kicks", made.id, on_a_source(kicks, n), kicks.now)


def an_invitation(kicks: World, actor: str, n: int) -> None:
    guild = create_user_group(kicks.context, actor, "kicks", f"Guild {n}", kicks.now)
    draft = InviteDraft((f"person{n}@kicks.example",), (on_a_source(kicks, n),), (guild.id,))
    invite(kicks.context, actor, "kicks", draft, kicks.now)


def a_rule(kicks: World, actor: str, n: int) -> None:
    kicks.push_group(f"team-{n}")
    match = GroupMatch("name", f"team-{n}") if n % 2 else GroupMatch("glob", f"team-{n}*")
    draft = MappingDraft(kicks.connection.id, match, (), (on_a_source(kicks, n),))
    add_mapping(kicks.context, actor, "kicks", draft, kicks.now)


def on_a_source(kicks: World, n: int) -> RoleInScope:
    add_resource(kicks.context, OPERATOR, "kicks", ResourceDraft("source", f"Source {n}", f"source-{n}"), kicks.now)
    return parse_role_in_scope("Source Read-only", [f"source:source-{n}"])


@pytest.mark.parametrize(
    ("add", "read"),
    [
        (a_user_group, lambda kicks: list_user_groups(kicks.context, "kicks", kicks.now)),
        (an_invitation, lambda kicks: list_invites(kicks.context, "kicks")),
        (an_invitation, lambda kicks: search_invites(kicks.context, "kicks", "person", limit=50)),
        (a_rule, lambda kicks: list_mappings(kicks.context, "kicks", mirrors_too=True)),
    ],
    ids=["User Groups", "invitations", "invitations, searched", "rules"],
)
def test_twenty_cost_what_five_do(
    kicks: World, marcus: str, add: Callable[[World, str, int], None], read: Callable[[World], object]
) -> None:
    for n in range(5):
        add(kicks, marcus, n)
    five = len(heard(kicks, lambda: read(kicks)))
    for n in range(5, 20):
        add(kicks, marcus, n)
    assert len(heard(kicks, lambda: read(kicks))) == five


def test_to_invite_one_more_costs_the_same_however_many_are_invited(kicks: World, marcus: str) -> None:
    def one_more(n: int) -> int:
        draft = InviteDraft((f"late{n}@kicks.example",))
        return len(heard(kicks, lambda: invite(kicks.context, marcus, "kicks", draft, kicks.now)))

    early = one_more(1)
    for n in range(10):
        an_invitation(kicks, marcus, n)
    assert one_more(2) == early


def test_to_revoke_a_token_reads_no_other(kicks: World, marcus: str) -> None:
    made = create_scim_token(kicks.context, marcus, "kicks", kicks.connection.id, None, "", kicks.now)
    said = heard(kicks, lambda: revoke_token(kicks.context, marcus, "kicks", made.id, kicks.now))
    assert [one.split()[0] for one in said if "tokens" in one] == ["DELETE"]


def test_a_rule_counts_the_groups_that_it_takes(kicks: World, marcus: str) -> None:
    for name, outside in (("Team A", "0a"), ("team a", None), ("team-b", "0b")):
        kicks.push_group(name, external_id=outside)
    reading = (parse_role_in_scope("Source Read-only", []),)
    matches = {GroupMatch("name", "TEAM A"): 2, GroupMatch("external_id", "0a"): 1, GroupMatch("glob", "team*"): 3}
    matches |= {GroupMatch("external_id", "0A"): 0, GroupMatch("id", "team-b"): 0}
    for match in matches:
        add_mapping(kicks.context, marcus, "kicks", MappingDraft(kicks.connection.id, match, (), reading), kicks.now)
    assert {one.match: one.matched_groups for one in list_mappings(kicks.context, "kicks")} == matches


def test_who_comes_back_costs_the_same_however_many_groups_they_are_in(kicks: World) -> None:
    """Nothing is looked for that only a first login needs, and no group that they are in already."""

    def come_back(email: str, groups: int) -> int:
        named = tuple(f"team-{n}" for n in range(groups))
        sign_in(kicks, email, groups=named)
        said = heard(kicks, lambda: sign_in(kicks, email, groups=named))
        return len([one for one in said if not one.startswith(("BEGIN", "SET LOCAL synchronous_commit"))])

    held = 0 if kicks.context.database.is_sqlite else 1  # the account, where others write meanwhile
    assert come_back("mei@kicks.example", 2) == come_back("ann@kicks.example", 200) <= MOST_OF_A_LOGIN + held
