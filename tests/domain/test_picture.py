"""The picture of access: which people pass what, and boxes and ribbons that say so without overlapping."""

from collections.abc import Mapping
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.picture import (
    COLUMNS,
    EVERY_PATH,
    MOST_DRAWN,
    REST,
    Edge,
    Masks,
    NodeId,
    Only,
    PicturedGroup,
    PicturedRule,
    PicturedUserGroup,
    PictureFacts,
    bits,
    count_people,
    draw,
    masks_of,
    masks_of_nodes,
    matching,
    passing,
    routes_of,
    united,
)
from bridge.domain.picture_layout import LEFT, TOP, Box, Layout, lay_out
from bridge.domain.roles import get_role
from bridge.domain.sentences import Inventory

ROLES = [RoleInScope(get_role(name), EVERYWHERE) for name in ("Source Admin", "Source Read-only", "PII Access")]
GIVES = st.lists(st.sampled_from(ROLES), unique=True, max_size=3).map(tuple)


@st.composite
def worlds(draw: st.DrawFn, most: int = 5) -> PictureFacts:
    """Groups, rules over some of them, and User Groups that these give; each rule gives something."""
    groups = draw(st.integers(1, most))
    user_groups = {
        f"u{n}": PicturedUserGroup(f"u{n}", f"Guild {n}", draw(GIVES.filter(bool)))
        for n in range(draw(st.integers(0, 3)))
    }
    rules = []
    for n in range(draw(st.integers(1, most))):
        named = tuple(draw(st.lists(st.sampled_from(sorted(user_groups)), unique=True))) if user_groups else ()
        gives = draw(GIVES if named else GIVES.filter(bool))
        mask = draw(st.integers(1, 2**groups - 1))
        rules.append(PicturedRule(f"r{n}", "glob", f"p{n}-*", "admin", "Okta", mask, named, gives))
    return PictureFacts(
        tuple(PicturedGroup(f"g{n}", f"eng-{n}", "Okta", "c", False, n * 7 % 5) for n in range(groups)),
        tuple(rules),
        {each: user_groups[each] for rule in rules for each in rule.user_groups},
        Inventory(),
        {},
    )


PEOPLE = st.lists(st.tuples(st.frozensets(st.integers(0, 4), min_size=1), st.integers(1, 40)), max_size=12)


def edges_of(facts: PictureFacts, only: Only = EVERY_PATH) -> Masks:
    """What `masks_of` says, found by walking each path."""
    masks: Masks = {}
    for route in routes_of(facts, [only]):
        through = NodeId("pass", route.rule.id)
        nodes = list(route.nodes())
        nodes[2:3] = nodes[2:3] if route.user_group else [through, *nodes[2:3]]
        for edge in pairwise(nodes):
            masks[edge] = masks.get(edge, 0) | 1 << route.bit
    return masks


# -- Who passes what -------------------------------------------------------------------------------------------------


@given(worlds())
def test_a_ribbon_carries_the_groups_of_the_paths_through_it(facts: PictureFacts) -> None:
    assert masks_of(facts) == edges_of(facts)


@given(worlds())
def test_what_follows_a_node_is_the_paths_through_it_and_no_other(facts: PictureFacts) -> None:
    for node in masks_of_nodes(masks_of(facts)):
        if node.kind != "pass":
            found = masks_of(facts, passing(node))
            assert found == edges_of(facts, passing(node))
            assert found
            assert all(node in route.nodes() for route in routes_of(facts, [passing(node)]))


@given(worlds())
def test_a_search_finds_the_paths_through_what_holds_its_text(facts: PictureFacts) -> None:
    choices = matching(facts, "ENG-1")
    names = [route.group.name for route in routes_of(facts, choices)]
    assert names == [route.group.name for route in routes_of(facts, [EVERY_PATH]) if route.group.name == "eng-1"]
    assert united(masks_of(facts, only) for only in choices) == united(edges_of(facts, only) for only in choices)
    assert matching(facts, "eng-1", "role") == []


@given(st.dictionaries(st.text(max_size=2), st.integers(0, 31), max_size=6), PEOPLE)
def test_people_are_counted_once_however_many_groups_they_are_in(
    masks: Mapping[str, int], people: list[tuple[frozenset[int], int]]
) -> None:
    expected = {key: sum(n for own, n in people if own & set(bits(mask))) for key, mask in masks.items()}
    assert count_people(masks, people) == expected


@given(worlds(most=40))
def test_a_column_draws_its_largest_and_one_node_for_the_rest(facts: PictureFacts) -> None:
    masks = masks_of(facts)
    drawing = draw(facts, masks)
    for kind in COLUMNS:
        every = [node for node in masks_of_nodes(masks) if node.kind == kind]
        drawn = [node for node in drawing.nodes if node.kind == kind]
        folded = drawing.folded.get(NodeId(kind, REST), 0)
        assert len(drawn) == min(len(every), MOST_DRAWN + 1)
        assert len(drawn) + max(folded - 1, 0) == len(every)
    assert drawing.fold(masks) == drawing.edges


# -- Where it is drawn -----------------------------------------------------------------------------------------------


def drawn(facts: PictureFacts, people: list[tuple[frozenset[int], int]]) -> tuple[Layout, Mapping[Edge, int]]:
    drawing = draw(facts, masks_of(facts))
    nodes, edges = count_people(drawing.nodes, people), count_people(drawing.edges, people)
    return lay_out(nodes, edges, {edge: count // 2 for edge, count in edges.items()}), edges


@given(worlds(), PEOPLE)
def test_boxes_stand_in_their_columns_and_none_touches_another(
    facts: PictureFacts, people: list[tuple[frozenset[int], int]]
) -> None:
    layout, _ = drawn(facts, people)
    for x in LEFT:
        column = sorted((box for box in layout.boxes if box.x == x), key=lambda box: box.y)
        labelled = [box for box in column if box.node.kind != "pass"]
        assert all(upper.y + upper.height < lower.y for upper, lower in pairwise(column))
        assert all(lower.middle - upper.middle >= 15 for upper, lower in pairwise(labelled)), "labels touch"
        assert all(box.y >= TOP - 0.01 and box.y + box.height <= layout.height for box in column)


@given(worlds(), PEOPLE)
def test_a_ribbon_is_as_thick_at_its_end_as_its_people_and_stays_on_its_boxes(
    facts: PictureFacts, people: list[tuple[frozenset[int], int]]
) -> None:
    layout, edges = drawn(facts, people)
    boxes = {box.node: box for box in layout.boxes}
    scales = {
        round(ribbon.thickness / edges[ribbon.edge], 6) for ribbon in layout.ribbons if ribbon.thickness > 3.000001
    }
    assert len(scales) <= 1, "one scale for all"
    for ribbon in layout.ribbons:
        source, target = (boxes[node] for node in ribbon.edge)
        assert inside(source, ribbon.y, ribbon.thickness)
        assert inside(target, ribbon.to_y, ribbon.thickness)
        assert 0 <= ribbon.lit <= ribbon.thickness
        assert (ribbon.x, ribbon.to_x) == (source.right, target.x)


def inside(box: Box, y: float, thickness: float) -> bool:
    return y >= box.y - 0.01 and y + thickness <= box.y + box.height + 0.01


@given(worlds(), PEOPLE)
def test_ribbons_leave_no_part_of_a_box_uncovered(
    facts: PictureFacts, people: list[tuple[frozenset[int], int]]
) -> None:
    layout, _ = drawn(facts, people)
    for box in layout.boxes:
        sides = (
            [(one.y, one.thickness) for one in layout.ribbons if one.edge[0] == box.node],
            [(one.to_y, one.thickness) for one in layout.ribbons if one.edge[1] == box.node],
        )
        for side in sides:
            reached = box.y
            for y, thickness in sorted(side):
                assert y <= reached + 0.01
                reached = max(reached, y + thickness)
            assert not side or reached >= box.y + box.height - 0.01


def test_the_same_facts_give_the_same_picture_and_ribbons_do_not_cross_where_they_need_not() -> None:
    people = {NodeId("idp", each): 10 for each in "abc"} | {NodeId("rule", each): 10 for each in "abc"}
    edges = {(NodeId("idp", one), NodeId("rule", other)): 10 for one, other in zip("abc", "cba", strict=True)}
    layout = lay_out(people, edges, {})
    assert layout == lay_out(people, edges, {})
    ends = sorted((ribbon.y, ribbon.to_y) for ribbon in layout.ribbons)
    assert [to for _, to in ends] == sorted(to for _, to in ends)


def test_an_empty_picture_is_no_fault() -> None:
    assert lay_out({}, {}, {}).boxes == ()
