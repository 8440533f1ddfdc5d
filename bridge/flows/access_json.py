"""Why somebody may do something, as JSON: the command line and the access API say it alike."""

import re
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.obstacles import NearMiss, Obstacle
from bridge.domain.origins import Made, Origin
from bridge.flows.explain import WayToGet
from bridge.flows.explain_links import Explained, Traced
from bridge.flows.explain_not import WhyNot

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _rule_name(value: str | None, idp_groups: Iterable[str | None]) -> str | None:
    """What a rule is called: the name or pattern that it takes; where it takes a group by its id, that group's name."""
    by_id = value is not None and _UUID.fullmatch(value)
    return next(filter(None, idp_groups), value) if by_id else value


def wire_time(moment: datetime | None) -> str | None:
    """A moment as ISO 8601 in UTC."""
    return None if moment is None else moment.isoformat().replace("+00:00", "Z")


def wire_scope(given: RoleInScope | Permission) -> dict[str, Any]:
    """A role by its name, and its scope as the terms that `--on` takes."""
    return {"role": given.role.name, "scope": given.scope.render()}


def wire_because(because: Because) -> dict[str, Any]:
    """One path, as names and ids: only the links that it has."""
    told: dict[str, Any] = {"kind": because.kind, "grant": because.grant_id}
    told |= {"given_by": because.given_by, "since": wire_time(because.since)}
    links = {
        "user_group": (because.user_group_id, because.user_group),
        "mapping": (because.mapping_id, _rule_name(because.mapping, (because.idp_group,))),
        "idp_group": (because.idp_group_id, because.idp_group),
        "connection": (because.connection_id, because.connection),
    }
    told |= {link: {"id": uid, "name": name} for link, (uid, name) in links.items() if uid is not None}
    if because.idp_group_source is not None:
        told["idp_group"]["source"] = because.idp_group_source
        told["in_group_since"] = wire_time(because.in_group_since)
    return told


def wire_traced(traced: Traced) -> dict[str, Any]:
    """One path, and of each of its links who made it and when."""
    return {**wire_because(traced.because), "links": [_wire_origin(origin) for origin in traced.origins]}


def wire_paths(given: Iterable[Explained]) -> list[dict[str, Any]]:
    """Every path of an answer, with the role and scope that it gives."""
    return [{**wire_traced(path), **wire_scope(one.permission)} for one in given for path in one.paths]


def _wire_origin(origin: Origin) -> dict[str, Any]:
    told: dict[str, Any] = {"link": origin.link, "text": origin.text, **_wire_made(origin.made)}
    told |= {"changed": _wire_made(origin.changed)} if origin.changed else {}
    told |= {"counts_until": wire_time(origin.counts_until)} if origin.counts_until else {}
    return told


def _wire_made(made: Made) -> dict[str, Any]:
    return {"by": made.by, "by_name": made.name, "at": wire_time(made.at)}


def wire_why_not(reasons: WhyNot) -> dict[str, Any]:
    """What stands in the way, and what would give it: of a no."""
    nearly = {"count": reasons.total, "paths": [_wire_near_miss(one) for one in reasons.nearly]}
    why = {"person": [wire_obstacle(one) for one in reasons.person], "nearly": nearly}
    return {"why_not": why, "what_would_give": [_wire_way(way) for way in reasons.ways]}


def _wire_way(way: WayToGet) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": way.kind, "role": way.role.name, "scope": way.scope.render()}
    if way.user_group_id:
        told["user_group"] = {"id": way.user_group_id, "name": way.user_group}
    if way.mapping_id:
        told["mapping"] = {"id": way.mapping_id, "name": _rule_name(way.mapping, way.idp_groups)}
        told |= {"connection": way.connection, "idp_groups": list(way.idp_groups)}
    return told | ({"obstacles": [wire_obstacle(one) for one in way.obstacles]} if way.obstacles else {})


def wire_obstacle(one: Obstacle) -> dict[str, Any]:
    """One thing that stands in the way."""
    told: dict[str, Any] = {"kind": one.kind, "text": one.text}
    told |= {"connection": {"id": one.connection[0], "name": one.connection[1]}} if one.connection else {}
    told |= {"at": wire_time(one.at)} if one.at else {}
    return told | ({"labels": [str(label) for label in one.labels]} if one.labels else {})


def _wire_near_miss(one: NearMiss) -> dict[str, Any]:
    told: dict[str, Any] = {"kind": one.kind, "role": one.role.name, "scope": one.scope.render(), "grant": one.grant_id}
    links = {
        "user_group": (one.user_group_id, one.user_group),
        "mapping": (one.mapping_id, _rule_name(one.mapping, one.idp_groups)),
        "connection": (one.connection_id, one.connection),
    }
    told |= {link: {"id": uid, "name": name} for link, (uid, name) in links.items() if uid is not None}
    told |= {"idp_groups": list(one.idp_groups)} if one.idp_groups else {}
    return told | {"obstacles": [wire_obstacle(obstacle) for obstacle in one.obstacles]}
