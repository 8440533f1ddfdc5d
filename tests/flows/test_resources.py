"""Resources and labels (product.md 1.3, 1.5)."""

import pytest

from bridge.domain.access import ResourceRef
from bridge.domain.errors import Conflict, Invalid, NotFound
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.labels import Label, LabelFacts, parse_label
from bridge.domain.resources import Resource, ResourceQuery, ResourceUse, browse
from bridge.flows.explain import access_of
from bridge.flows.give_roles import give_to_member
from bridge.flows.invite import InviteDraft, invite, list_invites, revoke
from bridge.flows.map_groups import MappingDraft, add_mapping
from bridge.flows.members import find_member_id
from bridge.flows.resources import (
    ResourceDraft,
    add_label,
    add_resource,
    browse_resources,
    delete_label,
    delete_resource,
    describe_label,
    list_label_facts,
    list_labels,
    list_resources,
    look_at_deletion,
    look_at_label,
    set_labels,
)
from bridge.flows.roles_given import parse_role_in_scope
from tests.world import World

PROD, WEB = parse_label("environment:prod"), parse_label("team:web")


def add(kicks: World, actor: str, name: str = "Orders", *labels: Label, kind: str = "source") -> Resource:
    draft = ResourceDraft(kind, name, name.lower(), frozenset(labels))
    return add_resource(kicks.context, actor, "kicks", draft, kicks.now)


def give(kicks: World, actor: str, role: str, *scope: str) -> None:
    member = find_member_id(kicks.context, "kicks", "marcus@kicks.example")
    give_to_member(kicks.context, actor, "kicks", member, parse_role_in_scope(role, scope), kicks.now)


def test_a_new_label_is_made_with_the_resource(kicks: World, marcus: str) -> None:
    made = add(kicks, marcus, "Orders", PROD, WEB)
    assert list_resources(kicks.context, "kicks") == (made,)
    assert list_labels(kicks.context, "kicks") == {parse_label("environment:dev"): 0, PROD: 1, WEB: 1}


def test_without_an_id_it_gets_one(kicks: World, marcus: str) -> None:
    made = add_resource(kicks.context, marcus, "kicks", ResourceDraft("tracking plan", "Mobile Events"), kicks.now)
    assert made.ref.type == "tracking_plan"
    assert len(made.ref.id) == 36
    assert made.slug == "mobile-events"


def test_an_id_is_used_once_for_its_type(kicks: World, marcus: str) -> None:
    add(kicks, marcus)
    add(kicks, marcus, kind="warehouse")
    with pytest.raises(Conflict):
        add(kicks, marcus)


@pytest.mark.parametrize(
    "draft",
    [
        ResourceDraft("spaceship", "Orders"),
        ResourceDraft("source", ""),
        ResourceDraft("source", "Orders", "with space"),
        ResourceDraft("source", "Orders", "x" * 201),
        ResourceDraft("source", "Orders", labels=frozenset({Label("a", "b"), Label("a", "c")})),
    ],
)
def test_what_makes_no_sense_is_refused(kicks: World, marcus: str, draft: ResourceDraft) -> None:
    with pytest.raises(Invalid):
        add_resource(kicks.context, marcus, "kicks", draft, kicks.now)
    assert list_resources(kicks.context, "kicks") == ()


@pytest.mark.parametrize("text", ["", "a", "a:", ":b", "1a:b", "a:b:c", "a b:c", "a:-b", "ä:b", "a" * 65 + ":b"])
def test_a_label_is_key_and_value(text: str) -> None:
    with pytest.raises(Invalid):
        parse_label(text)


def test_labels_are_replaced_whole(kicks: World, marcus: str) -> None:
    made = add(kicks, marcus, "Orders", PROD)
    assert set_labels(kicks.context, marcus, "kicks", made.ref, [WEB], kicks.now).labels == {WEB}
    with pytest.raises(NotFound):
        set_labels(kicks.context, marcus, "kicks", ResourceRef("source", "nowhere"), [WEB], kicks.now)


def test_a_label_in_use_stays(kicks: World, marcus: str) -> None:
    made = add(kicks, marcus, "Orders", WEB)
    with pytest.raises(Conflict, match="Orders carries it"):
        delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    delete_resource(kicks.context, marcus, "kicks", made.ref, kicks.now)
    give(kicks, marcus, "Source Admin", "label:team:web")
    with pytest.raises(Conflict, match="Source Admin of the member Marcus names it"):
        delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)


def test_a_label_that_nothing_uses_goes(kicks: World, marcus: str) -> None:
    add_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    with pytest.raises(Conflict):
        add_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    with pytest.raises(NotFound):
        delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)


def test_the_built_in_labels_stay(kicks: World, marcus: str) -> None:
    with pytest.raises(Conflict):
        delete_label(kicks.context, marcus, "kicks", PROD, kicks.now)


def test_a_deleted_resource_leaves_lists_and_ends_grants_that_listed_only_it(kicks: World, marcus: str) -> None:
    orders = add(kicks, marcus, "Orders")
    add(kicks, marcus, "Checkout")
    give(kicks, marcus, "Source Admin", "source:orders", "source:checkout")
    give(kicks, marcus, "Source Read-only", "source:orders")
    ended = delete_resource(kicks.context, marcus, "kicks", orders.ref, kicks.now)
    assert (ended.ended, ended.narrowed) == (1, 1)
    held = {
        one.role.name: one.scope.render()
        for one in access_of(kicks.context, "kicks", "marcus@kicks.example", kicks.now)
    }
    assert held == {"Workspace Owner": ["all"], "Source Admin": ["source:checkout"]}
    with pytest.raises(NotFound):
        delete_resource(kicks.context, marcus, "kicks", orders.ref, kicks.now)


def test_a_label_in_use_stays_and_says_what_uses_it(kicks: World, marcus: str) -> None:
    for name in ("Orders", "Refunds", "Returns", "Stock"):
        add(kicks, marcus, name, WEB)
    give(kicks, marcus, "Source Admin", f"label:{WEB}")
    with pytest.raises(Conflict) as refused:
        delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    carried = "Orders, Refunds, Returns and 1 other carry it"
    assert refused.value.text == (f"team:web is in use: {carried}, and Source Admin of the member Marcus names it.")


def test_a_label_is_described_and_counted(kicks: World, marcus: str) -> None:
    add_label(kicks.context, marcus, "kicks", WEB, kicks.now, description="  The web\tteam ")
    add(kicks, marcus, "Orders", WEB)
    give(kicks, marcus, "Source Admin", f"label:{WEB}")
    facts = {one.label: one for one in list_label_facts(kicks.context, "kicks")}
    assert facts[WEB] == LabelFacts(WEB, "The web team", 1, 1)
    assert not facts[WEB].built_in
    assert facts[PROD] == LabelFacts(PROD, "", 0, 0)
    assert facts[PROD].built_in
    describe_label(kicks.context, marcus, "kicks", WEB, "", kicks.now)
    assert not [one for one in list_label_facts(kicks.context, "kicks") if one.description]


@pytest.mark.parametrize("text", ["x" * 251, "a\u202eb"], ids=["too long", "unprintable"])
def test_a_description_is_a_line_of_text(kicks: World, marcus: str, text: str) -> None:
    with pytest.raises(Invalid):
        add_label(kicks.context, marcus, "kicks", WEB, kicks.now, description=text)
    assert WEB not in list_labels(kicks.context, "kicks")


def test_what_names_a_label_comes_by_pages_and_a_rule_by_its_groups_name(
    kicks: World, marcus: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bridge.flows.resources.USES", 1)
    add(kicks, marcus, "Orders", WEB)
    add(kicks, marcus, "Carts", WEB)
    give(kicks, marcus, "Source Admin", f"label:{WEB}")
    group = kicks.push_group("eng-web")
    roles = (parse_role_in_scope("Source Read-only", [f"label:{WEB}", f"label:{PROD}"]),)
    draft = MappingDraft(kicks.connection.id, GroupMatch("id", group.id), (), roles)
    add_mapping(kicks.context, marcus, "kicks", draft, kicks.now)
    first = look_at_label(kicks.context, "kicks", WEB)
    assert ([one.name for one in first.resources], first.facts.resources) == (["Carts"], 2)
    assert [(one.kind, one.holder, one.given.role.name) for one in first.grants] == [
        ("membership", "Marcus", "Source Admin")
    ]
    rest = look_at_label(kicks.context, "kicks", WEB, after=first.after or 0)
    assert [(one.kind, one.holder, one.given) for one in rest.grants] == [("mapping", "eng-web", roles[0])]
    assert rest.after is None


def test_what_ends_with_a_resource_is_told_before(kicks: World, marcus: str) -> None:
    orders = add(kicks, marcus, "Orders")
    add(kicks, marcus, "Checkout")
    give(kicks, marcus, "Source Admin", "source:orders", "source:checkout")
    give(kicks, marcus, "Source Read-only", "source:orders")
    assert look_at_deletion(kicks.context, "kicks", orders.ref) == ResourceUse(alone=1, among=1, requests=0)
    delete_resource(kicks.context, marcus, "kicks", orders.ref, kicks.now)
    with pytest.raises(NotFound):
        look_at_deletion(kicks.context, "kicks", orders.ref)


def test_a_page_is_the_same_whether_it_is_read_or_all_is(kicks: World, marcus: str) -> None:
    for name, kind, *labels in (("B", "source", PROD), ("A", "source"), ("A", "warehouse", PROD, WEB), ("Z", "space")):
        add(kicks, marcus, name, *labels, kind=kind)
    every = list_resources(kicks.context, "kicks")
    queries = [
        ResourceQuery(type=kind, label=label, unlabelled=bare, page=page, size=2)
        for kind in ("", "source", "function")
        for label in (None, PROD, parse_label("team:nobody"))
        for bare in (False, True)
        for page in (1, 2)
    ]
    for query in queries:
        assert browse_resources(kicks.context, "kicks", query) == browse(every, query), query
    searched = browse_resources(kicks.context, "kicks", ResourceQuery(search="TEAM:w"))
    assert [one.ref.type for one in searched.resources] == ["warehouse"]


def test_a_label_that_an_invitation_promises_a_role_on_stays(kicks: World, marcus: str) -> None:
    add_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    roles = (parse_role_in_scope("Source Admin", [f"label:{WEB}"]),)
    invite(kicks.context, marcus, "kicks", InviteDraft(("ines@kicks.example",), roles), kicks.now)
    assert look_at_label(kicks.context, "kicks", WEB).promised == ("ines@kicks.example",)
    with pytest.raises(Conflict) as refused:
        delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)
    assert refused.value.text == "team:web is in use: the invitation of ines@kicks.example promises a role on it."
    [sent] = list_invites(kicks.context, "kicks")
    revoke(kicks.context, marcus, "kicks", sent.id, kicks.now)
    delete_label(kicks.context, marcus, "kicks", WEB, kicks.now)
