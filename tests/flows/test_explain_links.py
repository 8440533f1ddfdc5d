"""Of each link of a path: who made it, and when (product.md 5.4)."""

from datetime import timedelta

import pytest

from bridge.domain.directory import DirectoryUser
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.origins import Origin
from bridge.flows.context import OPERATOR
from bridge.flows.explain import ask
from bridge.flows.explain_links import explain_access, explain_check
from bridge.flows.give_roles import give_to_member, give_to_user_group
from bridge.flows.import_directory import ImportOptions, import_directory
from bridge.flows.map_groups import MappingDraft, add_mapping, link_group, set_enabled
from bridge.flows.members import find_member_id
from bridge.flows.resources import ResourceDraft, add_resource
from bridge.flows.roles_given import parse_role_in_scope
from bridge.flows.user_groups import add_members, create_user_group
from bridge.storage import people
from bridge.storage.asserted_groups import LoginRecord, record_of_login, replace_asserted
from bridge.storage.changes import changing
from bridge.storage.mappings import refresh_group_matches
from scim.file_forms import parse_directory_file
from tests.world import World

INES = "ines@kicks.example"
DAY = timedelta(days=1)


@pytest.fixture
def ines(kicks: World) -> DirectoryUser:
    """Ines, whom Okta pushed."""
    return kicks.push(INES, name="Ines")


@pytest.fixture
def shop(kicks: World, marcus: str, ines: DirectoryUser) -> World:
    """The source Web, and Ines in eng-web."""
    add_resource(kicks.context, marcus, "kicks", ResourceDraft("source", "Web", "web"), kicks.now)
    kicks.push_group("eng-web", ines)
    return kicks


def links(shop: World, role: str = "Source Admin") -> list[list[Origin]]:
    """The links of each path by which Ines has a role."""
    every = explain_access(shop.context, "kicks", INES, shop.now + 9 * DAY)
    return [list(path.origins) for one in every if one.permission.role.name == role for path in one.paths]


def source_admin_for_guild(shop: World, actor: str) -> str:
    guild = create_user_group(shop.context, actor, "kicks", "Guild", shop.now)
    given = parse_role_in_scope("Source Admin", [])
    give_to_user_group(shop.context, actor, "kicks", guild.id, given, shop.now + DAY)
    return guild.id


def rule(shop: World, actor: str, *user_groups: str, match: GroupMatch | None = None) -> str:
    draft = MappingDraft(shop.connection.id, match or GroupMatch("glob", "eng-*"), user_groups)
    return add_mapping(shop.context, actor, "kicks", draft, shop.now + 2 * DAY).id


def test_a_grant_by_hand_says_who_gave_it(shop: World, marcus: str) -> None:
    member = find_member_id(shop.context, "kicks", INES)
    give_to_member(shop.context, marcus, "kicks", member, parse_role_in_scope("Source Admin", []), shop.now + DAY)
    [[grant]] = links(shop)
    assert (grant.link, grant.text) == ("grant", "Marcus gave them Source Admin")
    assert (grant.made.by, grant.made.name, grant.made.at) == (marcus, "Marcus", shop.now + DAY)


def test_a_user_group_by_hand_says_who_put_them_in(shop: World, marcus: str) -> None:
    guild = source_admin_for_guild(shop, OPERATOR)
    add_members(shop.context, marcus, "kicks", guild, [INES], shop.now + 3 * DAY)
    [[grant, put_in]] = links(shop)
    assert grant.text == "The operator gave the User Group Guild Source Admin"
    assert (put_in.link, put_in.text, put_in.made.at) == ("put_in", "Marcus put them into Guild", shop.now + 3 * DAY)


def test_a_rule_says_who_made_it_and_which_idp_put_them_into_its_group(shop: World, marcus: str) -> None:
    source_admin_for_guild(shop, OPERATOR)
    rule(shop, marcus, "Guild")
    [path] = links(shop)
    assert [(one.link, one.text, one.made.at - shop.now) for one in path] == [
        ("grant", "The operator gave the User Group Guild Source Admin", DAY),
        ("rule_gives", "Marcus tied the rule to the User Group Guild", 2 * DAY),
        ("rule", "Marcus made the rule for Okta groups that are called eng-*", 2 * DAY),
        ("idp_group", "Okta put them into eng-web, by SCIM", timedelta(0)),
    ]
    assert [one.changed for one in path] == [None] * 4


def test_a_rule_that_was_switched_says_who_did_it_last(shop: World, marcus: str) -> None:
    source_admin_for_guild(shop, OPERATOR)
    made = rule(shop, OPERATOR, "Guild")
    for enabled, days in ((False, 4), (True, 5)):
        set_enabled(shop.context, marcus, "kicks", made, enabled, shop.now + days * DAY)
    [[_, _, of_rule, _]] = links(shop)
    assert (of_rule.made.by, of_rule.made.at) == (OPERATOR, shop.now + 2 * DAY)
    assert of_rule.changed
    assert (of_rule.changed.by, of_rule.changed.name, of_rule.changed.at) == (marcus, "Marcus", shop.now + 5 * DAY)


def test_a_mirror_says_that_the_bridge_made_it_and_a_link_who_tied_it(shop: World, marcus: str) -> None:
    [mirrored] = [path for path in links(shop, "Minimal Workspace Access") if len(path) == 3]
    assert mirrored[1].text == "The bridge mirrors eng-web, since Okta pushed it"
    guild = source_admin_for_guild(shop, OPERATOR)
    group = shop.push_group("eng-ios", shop.push("x@kicks.example"))
    link_group(shop.context, marcus, "kicks", shop.connection.id, group.id, "Guild", shop.now + 4 * DAY)
    add_members(shop.context, marcus, "kicks", guild, [INES], shop.now)
    every = explain_access(shop.context, "kicks", "x@kicks.example", shop.now + 9 * DAY)
    [linked] = [path.origins for one in every for path in one.paths if one.permission.role.name == "Source Admin"]
    assert [origin.text for origin in linked] == [
        "The operator gave the User Group Guild Source Admin",
        "Marcus linked eng-ios to the User Group Guild",
        "Okta put them into eng-ios, by SCIM",
    ]


def test_a_group_named_at_a_login_says_until_when_it_counts(shop: World, marcus: str) -> None:
    until = shop.now + 20 * DAY
    with changing(shop.context.database, OPERATOR, shop.now + DAY) as change:
        account = people.find_user_by_email(change.connection, "marcus@kicks.example")
        assert account
        member = people.find_member(change.connection, shop.workspace.key, account.key)
        assert member
        says = LoginRecord("marcus", "marcus@kicks.example", "Marcus")
        record = record_of_login(change, shop.connection.key, member.key, says)
        named = replace_asserted(change, shop.connection.key, record, ["eng-named"], until)
        refresh_group_matches(change, shop.connection.key, [key for key, _, _ in named.made])
    source_admin_for_guild(shop, OPERATOR)
    rule(shop, marcus, "Guild", match=GroupMatch("name", "eng-named"))
    every = explain_access(shop.context, "kicks", "marcus@kicks.example", shop.now + 9 * DAY)
    [path] = [path for one in every for path in one.paths if path.because.kind == "mapping"]
    assert path.origins[2].text == "Marcus made the rule for the Okta group eng-named"
    assert (path.origins[3].text, path.origins[3].counts_until) == ("Okta named eng-named at their login", until)


def test_a_group_that_a_file_put_them_into_says_so(shop: World, marcus: str) -> None:
    csv = f"userName,email,groups\n{INES},{INES},eng-web;eng-filed\n".encode()
    import_directory(shop.context, "kicks", shop.connection.id, parse_directory_file(csv), ImportOptions(), shop.now)
    texts = [path[2].text for path in links(shop, "Minimal Workspace Access") if len(path) == 3]
    assert texts == ["Okta put them into eng-web, by SCIM", "Okta put them into eng-filed, by an imported file"]


def test_a_membership_that_an_idp_brought_is_not_called_a_gift(shop: World) -> None:
    [brought] = [path for path in links(shop, "Minimal Workspace Access") if len(path) == 1]
    assert brought[0].text == "Okta brought them into the workspace, with Minimal Workspace Access"


def test_of_very_many_paths_a_part_is_traced_and_all_are_counted(shop: World, ines: DirectoryUser, marcus: str) -> None:
    for n in range(5):
        shop.push_group(f"eng-{n}", ines)
    source_admin_for_guild(shop, marcus)
    rule(shop, marcus, "Guild")
    ask_web = ask("edit", "source:web")
    [first] = explain_check(shop.context, "kicks", INES, ask_web, shop.now, most=2)
    [rest] = explain_check(shop.context, "kicks", INES, ask_web, shop.now, first=2, most=50)
    assert (len(first.paths), first.total, len(rest.paths)) == (2, 6, 4)
    whole = [path.because for path in (*first.paths, *rest.paths)]
    assert whole == list(first.permission.because)
    assert all(path.origins for path in (*first.paths, *rest.paths))


def test_who_may_not_has_nothing_traced(shop: World) -> None:
    assert explain_check(shop.context, "kicks", INES, ask("edit", "source:web"), shop.now) == ()
    assert explain_check(shop.context, "kicks", "no@kicks.example", ask("edit", "source:web"), shop.now) == ()
