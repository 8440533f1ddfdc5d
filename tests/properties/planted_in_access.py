"""Bugs that are planted in the SQL of access, and in what keeps pairs of rules and groups ready: each is come upon
within a few hundred worlds, or histories of some (test_worlds.py).
"""

from dataclasses import dataclass
from typing import Literal

from tests.properties.planted import Piece


@dataclass(frozen=True, slots=True)
class Bug:
    """One bug; which worlds come upon it, those at rest or those in which things happen; how far the search goes.

    `at` stands for worlds that come upon it soon: all are drawn at random, and another number draws others.
    """

    name: str
    pieces: tuple[Piece, ...]
    where: Literal["worlds", "histories"] = "worlds"
    far: int = 400
    at: int = 1


_ACCESS = "bridge.storage.access"
_PAIRS = "bridge.storage.mappings"
_PAST = "bridge.storage.access_past"
_KINDS = "bridge.flows.preview_kinds"
_USER_GROUPS = "bridge.storage.user_groups"
_BACKWARDS = "bridge.storage.access_backwards"
_NEARLY = "bridge.flows.near_misses"


def _in(module: str, name: str, code: str, without: str, *, at: int = 1) -> Bug:
    return Bug(name, (Piece(module, code, without),), at=at)


def _after(module: str, name: str, code: str, without: str, *, at: int = 1) -> Bug:
    return Bug(name, (Piece(module, code, without),), "histories", at=at)


BUGS = (
    # -- Backwards, and why not --------------------------------------------------------------------------------------
    _in(
        _BACKWARDS,
        "who is out is listed where a User Group by hand gives it",
        "WHERE u.user_group_id = giving.id AND m.id = u.membership_id AND {ALIVE}",
        "WHERE u.user_group_id = giving.id AND m.id = u.membership_id",
    ),
    _in(
        _BACKWARDS,
        "a User Group that a rule gives is not looked for",
        "x.user_group_id = giving.id)",
        "x.user_group_id = giving.id AND 1 = 0)",
        at=5,
    ),
    _in(
        _BACKWARDS,
        "groups of a login count for ever",
        "WHERE d.id = mm.id AND {COUNTS} AND",
        "WHERE d.id = mm.id AND",
        at=3,
    ),
    _in(_BACKWARDS, "whoever may is counted once a way", "COUNT(DISTINCT id)", "COUNT(id)"),
    _in(
        _NEARLY,
        "a rule that is off is near by nothing",
        "if not rule.enabled:\n        yield",
        "if False:\n        yield",
    ),
    _in(_NEARLY, "a shadow is none", "if one.shadowed and one.pushed:", "if False:", at=8),
    _in(
        _NEARLY,
        "what a rule gives is not near by a User Group",
        "for key, _, _ in links.given[rule.key]:",
        "for key, _, _ in ():",
    ),
    # -- Who is in ---------------------------------------------------------------------------------------------------
    _in(_ACCESS, "who was removed has access", "m.status = 'active' AND NOT EXISTS", "NOT EXISTS"),
    _in(
        _ACCESS,
        "who is held out has access",
        "h.membership_id = m.id AND h.holds_out)",
        "h.membership_id = m.id AND h.holds_out AND h.pushed)",
    ),
    # -- Asserted groups ---------------------------------------------------------------------------------------------
    _in(_ACCESS, "a pushed group doesn't decide alone", "(mm.shadowed AND d.pushed) OR ", ""),
    _in(
        _ACCESS, "an asserted group counts for nobody whose group is pushed", "mm.shadowed AND d.pushed", "mm.shadowed"
    ),
    _in(_ACCESS, "asserted groups end a moment early", 'd.asserted_until < :now))"""', 'd.asserted_until <= :now))"""'),
    _in(_ACCESS, "asserted groups count for ever", ' d.asserted_until < :now))"""', ' :now < 0))"""'),
    # -- Grants and scopes -------------------------------------------------------------------------------------------
    _in(_ACCESS, "a grant outlives its end", "g.expires_at IS NULL OR g.expires_at > :now", "1 = 1"),
    _in(_ACCESS, "a grant lasts a moment longer", "g.expires_at > :now", "g.expires_at >= :now"),
    _in(
        _ACCESS,
        "labels of one grant widen",
        "NOT EXISTS (SELECT 1 FROM grant_labels l WHERE l.grant_id = g.id AND NOT EXISTS (",
        "EXISTS (SELECT 1 FROM grant_labels l WHERE l.grant_id = g.id AND EXISTS (",
    ),
    _in(_ACCESS, "any value of a label will do", "o.key = l.key AND o.value = l.value", "o.key = l.key"),
    _in(
        _ACCESS,
        "who may edit some may create",
        """Prepared(_may(f"{OF_ROLES} AND g.scope = 'all'"))""",
        "Prepared(_may(OF_ROLES))",
    ),
    # -- Paths -------------------------------------------------------------------------------------------------------
    _in(
        _ACCESS,
        "a rule gives another rule's User Groups",
        "x.mapping_id = mm.mapping_id",
        "x.mapping_id >= mm.mapping_id",
    ),
    _in(
        "bridge.storage.people_in_groups",
        "a rule's people are counted in groups that are shadowed for them",
        '"p": shadowed,',
        '"p": frozenset[int](),',
        at=3,
    ),
    _in(
        _ACCESS,
        "an owner is one for ever",
        """f"g.role = '{OWNER.id}' AND {UNEXPIRED}\"""",
        """f"g.role = '{OWNER.id}'\"""",
        at=2,
    ),
    _in(
        _USER_GROUPS,
        "who is out is counted in a User Group",
        "_M.c.id == user_group_members.c.membership_id).where(_ALIVE)",
        "_M.c.id == user_group_members.c.membership_id)",
    ),
    # -- Pairs of rules and groups -----------------------------------------------------------------------------------
    _in(
        _PAIRS,
        "a disabled connection's groups give",
        "connections.c.id == connection_key, connections.c.enabled)",
        "connections.c.id == connection_key)",
    ),
    _in(
        _PAIRS,
        "a rule that is off gives",
        "mappings.c.connection_id.in_(enabled), mappings.c.enabled, where)",
        "mappings.c.connection_id.in_(enabled), where)",
    ),
    _in(
        _PAIRS,
        "a pushed group decides by its name alone",
        "fold(name) in names or name in outside",
        "fold(name) in names",
    ),
    # -- Pairs of rules and groups, when something changes ------------------------------------------------------------
    _after(
        _PAIRS,
        "a new pushed group doesn't shadow by its external id",
        "names |= {name_ci} | ({fold(external_id)} if external_id else set())",
        "names |= {name_ci}",
        at=8,
    ),
    _after(
        _PAIRS,
        "a pushed group that went, or has another name, still shadows",
        "names = {fold(name) for name in also_named}",
        "names: set[str] = set()",
        at=7,
    ),
    _after(
        _PAIRS,
        "a name that is asserted meets no rule of external ids",
        "if stored.group.external_id} | names",
        "if stored.group.external_id}",
    ),
    _after(
        _PAIRS,
        "a rule that is switched keeps its pairs",
        'values={"enabled": enabled})\n    refresh_mapping_matches(change, mapping.connection_key, mapping.key)',
        'values={"enabled": enabled})',
        at=2,
    ),
    _after(
        "bridge.flows.own_connections",
        "a connection that is switched keeps its pairs",
        "    refresh_connection_matches(change, found.key)\n",
        "",
    ),
    _after(
        "bridge.flows.provision_groups",
        "a group that is renamed keeps its pairs",
        "    refresh_group_matches(change, connection.key, [stored.key], also_named=_names(before))\n",
        "",
    ),
    _after(
        "bridge.flows.provision_groups",
        "a new group gets no pairs",
        "        refresh_group_matches(change, connection.key, [stored.key])\n",
        "",
    ),
    _after(
        "bridge.flows.settle_login",
        "a group that a login names first gets no pairs",
        "        refresh_group_matches(change, ours.key, [key for key, _, _ in told.made])\n",
        "        pass\n",
        at=2,
    ),
    Bug(
        "a shadow that comes or goes is overlooked",
        (
            Piece(_PAIRS, "present.items() if wanted.get(key) != flags]", "present.items() if key not in wanted]"),
            Piece(_PAIRS, "wanted.items() if present.get(key) != flags]", "wanted.items() if key not in present]"),
        ),
        "histories",
        at=2,
    ),
    # -- The past ----------------------------------------------------------------------------------------------------
    _after(
        _PAST,
        "a fact stands at the moment at which it ended",
        '"since <= :now AND until > :now"',
        '"since <= :now AND until >= :now"',
    ),
    _after(_PAST, "a fact stands before it began", '_AT = ("since <= :now", ', '_AT = ("since <= :now OR 1 = 1", '),
    _after(
        "bridge.flows.explain_past",
        "the plan of today counts for then",
        "standing.plan or workspace.plan",
        "workspace.plan",
        at=2,
    ),
    # -- Previews ----------------------------------------------------------------------------------------------------
    _after(
        "bridge.domain.moves",
        "only the same role covers",
        "    if not covers(given.role, question.given.role) or not in_plan",
        "    if given.role is not question.given.role or not in_plan",
        at=6,
    ),
    _after(
        "bridge.domain.moves",
        "only the same scope covers",
        "        return scope_covers(given.scope, question.given.scope)",
        "        return given.scope == question.given.scope",
        at=6,
    ),
)
