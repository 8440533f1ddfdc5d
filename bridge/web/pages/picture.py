"""`/w/<slug>/mapping/picture`: the picture of access, drawn here as SVG, and the same as a table.

Coordinates come from `domain.picture_layout`; colours are the stylesheet's, by class, so that it follows the theme and
needs no style of its own. A click on a node follows it: its paths are lit, or alone where there is too much beside.
"""

from collections.abc import Mapping
from typing import cast

from flask import Blueprint, Response

from bridge.domain.picture import COLUMNS, REST, Edge, NodeId
from bridge.domain.picture_layout import LEFT, Box, Layout, Ribbon, lay_out
from bridge.domain.sentences import counted
from bridge.flows.picture import PAGE_SIZE, AccessPicture, NodeSeen, PictureWish, RouteSeen, get_picture
from bridge.web.pages.forms import asked, typed, typed_page
from bridge.web.pages.frame import Visit, enter_as_owner, pager, show
from bridge.web.pages.mapping_parts import mapping_tabs
from bridge.web.pages.views import (
    Chip,
    Choice,
    Drawn,
    DrawnBox,
    DrawnRibbon,
    FollowedNode,
    Kind,
    Link,
    Note,
    NothingFound,
    Option,
    PicturePage,
    RouteRow,
)

blueprint = Blueprint("picture", __name__, url_prefix="/w/<slug>/mapping/picture")

_TITLES = ("IdP groups", "Rules", "User Groups", "Roles", "Resources")
_KIND_WORDS: dict[str, str] = {
    "idp": "IdP group",
    "rule": "Rule",
    "group": "User Group",
    "role": "Role",
    "resource": "Resource",
}
_LABEL_GAP, _BASELINE = 7.0, 4.0
_NUMBER_LETTERS = 6
_NODE_ID = 64


@blueprint.get("")
def index(slug: str) -> Response:
    """The whole of it, what a search finds, or what passes one node."""
    visit = enter_as_owner(slug)
    wish = _wish()
    seen = get_picture(visit.context, visit.slug, wish, visit.now)
    return show(visit, "picture.html", _page(visit, wish, seen))


def _wish() -> PictureWish:
    kind, follow = asked("kind"), asked("follow")
    known = next((one for one in COLUMNS if one == kind), None)
    return PictureWish(typed("q"), known, _node(follow), asked("alone") == "1", typed_page())


def _node(text: str) -> NodeId | None:
    kind, colon, node_id = text.partition(":")
    known = next((one for one in COLUMNS if one == kind), None)
    return NodeId(known, node_id) if known and colon and len(node_id) <= _NODE_ID else None


def _page(visit: Visit, wish: PictureWish, seen: AccessPicture) -> PicturePage:
    here, follow = visit.url("picture.index"), wish.follow if seen.followed else None
    where = {
        "q": "" if follow else wish.search,
        "kind": wish.kind or "",
        "follow": str(follow) if follow else "",
        "alone": "1" if wish.alone else "",
    }
    searched = bool(wish.search) and not seen.routes
    return PicturePage(
        tabs=mapping_tabs(visit, "Picture"),
        action=here,
        query="" if follow else wish.search,
        filters=(_kind_choice(wish.kind),),
        drawn=_drawn(visit, seen) if seen.nodes else None,
        people=seen.people,
        foot=_foot(seen),
        rows=tuple(_row(visit, one) for one in seen.routes),
        pager=pager(visit, "picture.index", where, wish.page, len(seen.routes), seen.total_routes, size=PAGE_SIZE),
        followed=_followed(visit, wish, seen),
        gone=Note("warn", "That is not in the picture", "It is gone, or gives nothing any more.")
        if seen.gone
        else None,
        empty=None if seen.nodes or searched else Link("Group mapping", visit.url("mapping.index")),
        nothing_found=NothingFound(f"Nothing called “{wish.search}”", here) if searched else None,
    )


def _kind_choice(chosen: str | None) -> Choice:
    kinds = tuple(Option(kind, _KIND_WORDS[kind], selected=kind == chosen) for kind in COLUMNS)
    return Choice("kind", "Look in", (Option("", "Any column", selected=chosen is None), *kinds))


def _foot(seen: AccessPicture) -> str:
    rules = seen.rules
    parts = [
        counted(count, *words)
        for count, words in (
            (rules.unmatched, ("matches no group", "match no group")),
            (rules.silent, ("gives nothing here", "give nothing here")),
            (rules.off, ("is off", "are off")),
        )
        if count
    ]
    return ", ".join((counted(rules.total, "rule"), *parts))


# -- The drawing -----------------------------------------------------------------------------------------------------


def _drawn(visit: Visit, seen: AccessPicture) -> Drawn:
    nodes = {node.id: node for node in seen.nodes}
    layout = lay_out({node.id: node.people for node in seen.nodes}, seen.ribbons, seen.lit)
    return Drawn(
        width=f"{layout.width:.0f}",
        height=f"{layout.height:.0f}",
        columns=tuple((f"{x:.0f}", title) for x, title in zip(LEFT, _TITLES, strict=True)),
        boxes=tuple(_box(visit, box, nodes[box.node], seen) for box in layout.boxes if box.node.kind != "pass"),
        ribbons=_ribbons(layout, nodes, seen.ribbons),
        says=_says(layout, seen),
    )


def _says(layout: Layout, seen: AccessPicture) -> str:
    first = sum(node.folded or 1 for node in seen.nodes if node.id.kind == "idp")
    people = counted(seen.people, "person", "people")
    return f"Flow of access from {counted(first, 'IdP group')}, {people}. The table below has the same numbers."


def _box(visit: Visit, box: Box, node: NodeSeen, seen: AccessPicture) -> DrawnBox:
    rest = node.id.id == REST
    people = counted(node.people, "person", "people")
    kinds = f"{_KIND_WORDS[node.id.kind]}s" if rest else _KIND_WORDS[node.id.kind]
    return DrawnBox(
        kind=node.id.kind,
        x=f"{box.x:.0f}",
        y=f"{box.y:.1f}",
        height=f"{box.height:.1f}",
        label_x=f"{box.right + _LABEL_GAP:.0f}",
        label_y=f"{box.middle + _BASELINE:.1f}",
        label=_fit(node.name, box.letters - _NUMBER_LETTERS),
        people=node.people,
        says=f"{node.folded:,} more {kinds}, {people}" if rest else f"{_sentence(node)}, {people}",
        href=None if rest else visit.url("picture.index", follow=str(node.id)),
        dim=seen.followed is not None and bool(seen.lit) and not node.lit,
    )


def _sentence(node: NodeSeen) -> str:
    return f"Resource {node.name}" if node.id.kind == "resource" else node.text


def _fit(text: str, letters: int) -> str:
    return text if len(text) <= letters else f"{text[: letters - 1].rstrip()}…"


def _ribbons(layout: Layout, nodes: Mapping[NodeId, NodeSeen], people: Mapping[Edge, int]) -> tuple[DrawnRibbon, ...]:
    return tuple(
        DrawnRibbon(
            outline=one.outline(one.thickness),
            says=_ribbon_says(one, nodes, people),
            lit=one.outline(one.lit) if one.lit else None,
        )
        for one in layout.ribbons
    )


def _ribbon_says(ribbon: Ribbon, nodes: Mapping[NodeId, NodeSeen], people: Mapping[Edge, int]) -> str:
    source, target = (nodes[node].name or "the rule itself" for node in ribbon.edge)
    return f"{source} → {target}: {counted(people[ribbon.edge], 'person', 'people')}"


# -- What is followed, and the table ---------------------------------------------------------------------------------


def _followed(visit: Visit, wish: PictureWish, seen: AccessPicture) -> FollowedNode | None:
    node = seen.followed
    if node is None:
        return None
    following = {"follow": str(node.id)}
    alone = Link("Only these paths", visit.url("picture.index", **following, alone=1))
    beside = Link("Everything beside", visit.url("picture.index", **following))
    return FollowedNode(
        chip=Chip(cast("Kind", node.id.kind), node.name, _page_of(visit, node.id)),
        text=_passing(seen, node),
        people=node.people,
        clear_href=visit.url("picture.index"),
        switch=beside if wish.alone else alone,
    )


def _passing(seen: AccessPicture, node: NodeSeen) -> str:
    routes = counted(seen.total_routes, "path")
    people = counted(node.people, "person", "people")
    return f"{people} on {routes}."


def _page_of(visit: Visit, node: NodeId) -> str | None:
    if node.kind == "group":
        return visit.url("user_groups.show_roles", group=node.id)
    if node.kind == "role":
        return visit.url("roles.index")
    if node.kind == "idp":
        return visit.url("idp_directory.show_group", group=node.id)
    if node.kind == "rule":
        return visit.url("mapping.show_one", rule=node.id)
    return None


def _row(visit: Visit, seen: RouteSeen) -> RouteRow:
    route, follow = seen.route, "picture.index"
    group, rule, user_group = route.group, route.rule, route.user_group
    return RouteRow(
        group=Chip(
            "idp", group.name, visit.url(follow, follow=f"idp:{group.id}"), title=f"Pushed by {group.connection}"
        ),
        rule=Chip("rule", seen.rule, _page_of(visit, NodeId("rule", rule.id)) if rule.origin != "mirror" else None),
        user_group=Chip("group", user_group.name, _page_of(visit, NodeId("group", user_group.id)))
        if user_group
        else None,
        role=route.given.role.name,
        opens=seen.opens,
        people=seen.people,
    )
