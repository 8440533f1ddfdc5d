"""Where the picture of access has its boxes and ribbons: nodes and ribbons in, coordinates out.

Heights are people, by one scale for the whole picture, but never less than can be seen. A ribbon is as thick at its end
as at its beginning. Those of one side of a box lie one below the other where there is room; where several hold the same
people, as all roles of one User Group do, they overlap, since a box is as high as it has people and no higher.

Columns are put into the order of the least crossings found by going from side to side and ordering each column by the
middle of its neighbours; what is as good stays in the order given. The same input gives the same picture.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bridge.domain.picture import Edge, NodeId

#: Of each column: where its boxes stand, and how wide the picture is.
LEFT = (4.0, 232.0, 420.0, 668.0, 930.0)
WIDTH = 1180.0
TOP = 32.0
BOX = 10.0
_LABEL = 7.0
#: Height that the fullest column has for its people, one person's share of it at most, and the least of a box.
_FOR_PEOPLE, _FOR_ONE, _LEAST = 440.0, 12.0, 3.0
#: Height that a label needs, and the least distance between two boxes' places.
_LINE, _GAP = 15.0, 11.0
_SWEEPS = 12
_LETTER = 6.5

_COLUMN = {"idp": 0, "rule": 1, "group": 2, "pass": 2, "role": 3, "resource": 4}


@dataclass(frozen=True, slots=True)
class Box:
    """One node: its upper left corner and its height; `letters`: so many have room beside it."""

    node: NodeId
    x: float
    y: float
    height: float
    letters: int

    @property
    def right(self) -> float:
        """Where ribbons leave it; what only passes a column has no width."""
        return self.x + (0.0 if self.node.kind == "pass" else BOX)

    @property
    def middle(self) -> float:
        """Its middle, from above."""
        return self.y + self.height / 2


@dataclass(frozen=True, slots=True)
class Ribbon:
    """One ribbon between the upper corners of its two ends; `lit`: so much of its thickness is followed."""

    edge: Edge
    x: float
    y: float
    to_x: float
    to_y: float
    thickness: float
    lit: float = 0.0

    def outline(self, thickness: float) -> str:
        """Its path in SVG, so thick."""
        bend = (self.x + self.to_x) / 2
        there = f"M{self.x:.0f} {self.y:.1f}C{bend:.0f} {self.y:.1f} {bend:.0f} {self.to_y:.1f} {self.to_x:.0f} "
        low, to_low = self.y + thickness, self.to_y + thickness
        back = f"{self.to_y:.1f}V{to_low:.1f}C{bend:.0f} {to_low:.1f} {bend:.0f} {low:.1f} {self.x:.0f} {low:.1f}Z"
        return there + back


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture; boxes from left to right and from above, ribbons as they are painted."""

    boxes: tuple[Box, ...]
    ribbons: tuple[Ribbon, ...]
    width: float
    height: float


def lay_out(people: Mapping[NodeId, int], edges: Mapping[Edge, int], lit: Mapping[Edge, int]) -> Layout:
    """Nodes and ribbons with their numbers of people, and how many of each ribbon's are followed.

    The nodes of a column come in the order in which they stand where nothing speaks for another one.
    """
    columns = _ordered(people, edges)
    scale = _scale(people, columns)
    heights = {node: _thick(count, scale) for node, count in people.items()}
    tops, bottom = _placed(columns, heights, edges)
    boxes = {node: _box(node, tops[node], heights[node]) for column in columns for node in column}
    ribbons = _ribbons(boxes, edges, lit, scale)
    return Layout(tuple(boxes.values()), ribbons, WIDTH, bottom + 12.0)


def _box(node: NodeId, y: float, height: float) -> Box:
    at = _COLUMN[node.kind]
    end = (*LEFT, WIDTH)[at + 1]
    return Box(node, LEFT[at], y, height, int((end - LEFT[at] - BOX - 2 * _LABEL) / _LETTER))


def _scale(people: Mapping[NodeId, int], columns: Sequence[Sequence[NodeId]]) -> float:
    most = max((sum(people[node] for node in column) for column in columns), default=0)
    return min(_FOR_PEOPLE / most, _FOR_ONE) if most else _FOR_ONE


def _thick(people: int, scale: float) -> float:
    return max(people * scale, _LEAST)


# -- The order in each column ----------------------------------------------------------------------------------------


def _ordered(people: Mapping[NodeId, int], edges: Mapping[Edge, int]) -> list[list[NodeId]]:
    columns: list[list[NodeId]] = [[] for _ in LEFT]
    for node in people:
        columns[_COLUMN[node.kind]].append(node)
    best, least = columns, crossings(columns, edges)
    for sweep in range(_SWEEPS):
        columns = _swept(columns, edges, to_right=sweep % 2 == 0)
        found = crossings(columns, edges)
        if found < least:
            best, least = columns, found
    return best


def _swept(columns: list[list[NodeId]], edges: Mapping[Edge, int], *, to_right: bool) -> list[list[NodeId]]:
    swept = list(columns)
    steps = list(pairwise(range(len(columns))))
    for left, right in steps if to_right else reversed(steps):
        fixed, moved = (left, right) if to_right else (right, left)
        places = {node: place for place, node in enumerate(swept[fixed])}
        swept[moved] = _by_middle(swept[moved], places, edges, to_right=to_right)
    return swept


def _by_middle(
    column: list[NodeId], places: Mapping[NodeId, int], edges: Mapping[Edge, int], *, to_right: bool
) -> list[NodeId]:
    pulls: dict[NodeId, list[tuple[int, int]]] = {}
    for (source, target), count in edges.items():
        fixed, moved = (source, target) if to_right else (target, source)
        if fixed in places:
            pulls.setdefault(moved, []).append((places[fixed], count))
    middles = {
        node: sum(place * count for place, count in pulled) / max(sum(count for _, count in pulled), 1)
        for node, pulled in pulls.items()
    }
    return sorted(column, key=lambda node: middles.get(node, float(column.index(node))))


def crossings(columns: Sequence[Sequence[NodeId]], edges: Mapping[Edge, int]) -> int:
    """How many pairs of ribbons cross."""
    places = {node: place for column in columns for place, node in enumerate(column)}
    between: dict[int, list[tuple[int, int]]] = {}
    for source, target in edges:
        between.setdefault(_COLUMN[source.kind], []).append((places[source], places[target]))
    return sum(_inversions([target for _, target in sorted(pairs)]) for pairs in between.values())


def _inversions(row: list[int]) -> int:
    return sum(earlier > later for place, earlier in enumerate(row) for later in row[place + 1 :])


# -- The height of each box ------------------------------------------------------------------------------------------


def _placed(
    columns: Sequence[Sequence[NodeId]], heights: Mapping[NodeId, float], edges: Mapping[Edge, int]
) -> tuple[dict[NodeId, float], float]:
    """The top of each box, and the bottom of the lowest: near the middle of its neighbours, and clear of the others."""
    rooms = {node: height if node.kind == "pass" else max(height, _LINE) for node, height in heights.items()}
    bottom = TOP + max((sum(rooms[node] + _GAP for node in column) - _GAP for column in columns if column), default=0.0)
    middles: dict[NodeId, float] = {}
    for column in columns:
        middles |= _spread(column, rooms, bottom)
    for sweep in range(_SWEEPS):
        order = columns if sweep % 2 == 0 else list(reversed(columns))
        for column in order[1:]:
            wanted = {node: _pulled(node, middles, edges, forward=sweep % 2 == 0) for node in column}
            middles |= _cleared(column, wanted, rooms, bottom)
    return {node: middles[node] - heights[node] / 2 for node in middles}, bottom


def _spread(column: Sequence[NodeId], rooms: Mapping[NodeId, float], bottom: float) -> dict[NodeId, float]:
    free = bottom - TOP - sum(rooms[node] for node in column)
    gap = free / (len(column) - 1) if len(column) > 1 else 0.0
    top, middles = TOP, {}
    for node in column:
        middles[node] = top + rooms[node] / 2
        top += rooms[node] + gap
    return middles


def _pulled(node: NodeId, middles: Mapping[NodeId, float], edges: Mapping[Edge, int], *, forward: bool) -> float:
    near = [
        (middles[source] if forward else middles[target], count)
        for (source, target), count in edges.items()
        if node == (target if forward else source)
    ]
    weight = sum(count for _, count in near)
    return sum(middle * count for middle, count in near) / weight if weight else middles[node]


def _cleared(
    column: Sequence[NodeId], wanted: Mapping[NodeId, float], rooms: Mapping[NodeId, float], bottom: float
) -> dict[NodeId, float]:
    """The middles wanted, moved down and then up until no two places touch and all are in the picture."""
    tops, low = [], TOP
    for node in column:
        tops.append(max(wanted[node] - rooms[node] / 2, low))
        low = tops[-1] + rooms[node] + _GAP
    high = bottom
    for place in range(len(column) - 1, -1, -1):
        tops[place] = min(tops[place], high - rooms[column[place]])
        high = tops[place] - _GAP
    return {node: top + rooms[node] / 2 for node, top in zip(column, tops, strict=True)}


# -- Ribbons ---------------------------------------------------------------------------------------------------------


def _ribbons(
    boxes: Mapping[NodeId, Box], edges: Mapping[Edge, int], lit: Mapping[Edge, int], scale: float
) -> tuple[Ribbon, ...]:
    starts: dict[Edge, float] = {}
    ends: dict[Edge, float] = {}
    thick = {edge: _thick(count, scale) for edge, count in edges.items()}
    for node, box in boxes.items():
        leaving = sorted((edge for edge in edges if edge[0] == node), key=lambda edge: boxes[edge[1]].middle)
        coming = sorted((edge for edge in edges if edge[1] == node), key=lambda edge: boxes[edge[0]].middle)
        starts |= _attached(box, leaving, thick)
        ends |= _attached(box, coming, thick)
    return tuple(
        Ribbon(
            edge,
            boxes[edge[0]].right,
            starts[edge],
            boxes[edge[1]].x,
            ends[edge],
            thick[edge],
            min(_thick(lit[edge], scale), thick[edge]) if lit.get(edge) else 0.0,
        )
        for edge in edges
    )


def _attached(box: Box, edges: Sequence[Edge], thick: Mapping[Edge, float]) -> dict[Edge, float]:
    """Where on the side of a box each ribbon begins, or ends: one below the other, closer where they need more room."""
    if not edges:
        return {}
    last = thick[edges[-1]]
    before = sum(thick[edge] for edge in edges) - last
    share = min(1.0, (box.height - last) / before) if before else 1.0
    places, passed = {}, 0.0
    for edge in edges:
        places[edge] = box.y + min(passed * share, box.height - thick[edge])
        passed += thick[edge]
    return places
