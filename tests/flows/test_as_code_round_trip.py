"""Export, plan, nothing to do: of generated workspaces with hostile names, on both engines (product.md 5.6).

And whom a plan names is held to what people could reach before and can reach after.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from itertools import count
from typing import Any

import jsonschema_rs
import pytest
import yaml
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope
from bridge.domain.as_code import (
    CodedConnection,
    CodedDomain,
    CodedGrants,
    CodedLabel,
    CodedMember,
    CodedResource,
    CodedRule,
    CodedUserGroup,
    CodedWorkspace,
)
from bridge.domain.as_code_schema import json_schema
from bridge.domain.as_code_writing import write_file
from bridge.domain.errors import Invalid
from bridge.domain.labels import Label
from bridge.domain.people import clean_name, fold, fold_letters
from bridge.domain.roles import MINIMAL, OWNER, RESOURCE_TYPES, ROLES, Level, roles_giving
from bridge.flows import own_connections
from bridge.flows.administer import WorkspaceDraft, create_workspace
from bridge.flows.context import OPERATOR, Context
from bridge.flows.named import get_workspace
from bridge.storage import access, as_code, resources
from tests.domain.test_as_code_yaml import TRICKY
from tests.flows.coded import applied, export, planned
from tests.flows.conftest import METADATA
from tests.world import World

#: Names that survive being cleaned, the awkward ones first.
_LETTERS = st.characters(exclude_categories=["Cs", "Cc", "Cn", "Co"])


def _is_name(text: str) -> bool:
    try:
        return clean_name(text) == text
    except Invalid:
        return False


NAMES = st.sampled_from([text for text in TRICKY if _is_name(text)]) | st.text(
    _LETTERS, min_size=1, max_size=20
).filter(_is_name)
PEOPLE = ("ines@kicks.example", "no@kicks.example", "o'hara+x@kicks.example", "ünal@kicks.example")
GROUPS = ("no", "1e3", "- x", "Ünï  code", "eng\nline", "twice", "twice", "*")
MIRRORED = frozenset(map(fold, GROUPS))
LABELS = (Label("environment", "prod"), Label("team", "no"), Label("y", "on"))
DESCRIBED = ("no", "'a': b # c", "~", "0x1f")
_slugs = count()


#: A world takes a second, so that to find a smaller one would take minutes.
_CALM = settings(
    suppress_health_check=list(HealthCheck), deadline=None, phases=(Phase.explicit, Phase.reuse, Phase.generate)
)
FEW, MANY = settings(_CALM, max_examples=2), settings(_CALM, max_examples=15)


def unique(names: list[str]) -> list[str]:
    return list({fold(name): name for name in names}.values())


@st.composite
def scopes(draw: Any, role: Any, refs: list[ResourceRef]) -> Scope:
    """Everywhere, some labels, or some of the resources of the role's type."""
    own = [ref for ref in refs if ref.type == role.resource_type]
    kinds = ["all", *(["labels"] if role.scopable else []), *(["list"] if own else [])]
    kind = draw(st.sampled_from(kinds))
    if kind == "labels":
        return Scope("labels", labels=draw(st.frozensets(st.sampled_from(LABELS), min_size=1)))
    if kind == "list":
        return Scope("list", resources=draw(st.frozensets(st.sampled_from(own), min_size=1)))
    return EVERYWHERE


@st.composite
def grants(draw: Any, refs: list[ResourceRef], *, owner: bool = True) -> tuple[RoleInScope, ...]:
    """What somebody is given."""
    roles = draw(st.lists(st.sampled_from([one for one in ROLES if owner or one is not OWNER]), max_size=2))
    given = [RoleInScope(role, draw(scopes(role, refs))) for role in roles]
    return tuple(dict.fromkeys(given))


@st.composite
def rules(draw: Any, names: list[str], groups: list[str], refs: list[ResourceRef]) -> CodedRule:
    """A rule of one of the connections."""
    by = draw(st.sampled_from(["name", "pattern", "external_id", "pushed"]))
    pushed = [name for name in GROUPS if GROUPS.count(name) == 1 and name.strip()]
    value = draw(st.sampled_from(pushed)) if by == "pushed" else draw(NAMES)
    user_groups = draw(st.lists(st.sampled_from(groups), max_size=2, unique=True)) if groups else []
    roles = draw(grants(refs, owner=by != "pattern"))
    roles = roles if roles or user_groups else (RoleInScope(MINIMAL, EVERYWHERE),)
    return CodedRule(draw(st.sampled_from(names)), by, value, tuple(user_groups), roles, draw(st.booleans()))


@st.composite
def workspaces(draw: Any, names: list[str]) -> CodedWorkspace:
    """All but connections of a workspace, whose connections are called so."""
    ids = draw(st.lists(st.sampled_from(("orders", "no", "1e3", "a:b", "-", "é", "0x1f")), max_size=4, unique=True))
    types = st.sampled_from(tuple(RESOURCE_TYPES))
    labels = st.frozensets(st.sampled_from(LABELS))
    listed = tuple(CodedResource(ResourceRef(draw(types), one), draw(NAMES), draw(labels)) for one in ids)
    refs = [one.ref for one in listed]
    groups = unique(draw(st.lists(NAMES.filter(lambda name: fold(name) not in MIRRORED), max_size=3)))
    emails = st.lists(st.sampled_from(PEOPLE), max_size=3, unique=True)
    return CodedWorkspace(
        slug="x",
        name=draw(NAMES),
        settings={name: draw(st.booleans()) for name in ("hipaa", "mailed_codes", "require_second_factor")},
        labels=tuple(CodedLabel(one, draw(st.sampled_from([None, *DESCRIBED]))) for one in LABELS),
        resources=listed,
        domains=tuple(
            CodedDomain(name, draw(st.sampled_from([None, *names])))
            for name in draw(st.lists(st.sampled_from(("kicks.example", "xn--kln-sna.example")), unique=True))
        ),
        user_groups=tuple(
            CodedUserGroup(name, False, tuple(draw(emails)), CodedGrants(draw(grants(refs)))) for name in groups
        ),
        members=tuple(CodedMember(email, CodedGrants(draw(grants(refs)))) for email in draw(emails)),
        mappings=tuple(draw(st.lists(rules(names, groups, refs), max_size=4))),
    )


@st.composite
def links(draw: Any) -> tuple[CodedConnection, ...]:
    """Connections of both kinds' settings; of SAML, which needs nobody to ask."""
    names = unique(draw(st.lists(NAMES, min_size=1, max_size=2)))
    switches = ("allow_idp_initiated", "jit", "mirror_groups", "sign_requests", "force_authn")
    texts = st.lists(NAMES, max_size=2, unique=True).map(tuple)
    return tuple(
        CodedConnection(
            name,
            "saml",
            {switch: draw(st.booleans()) for switch in switches}
            | {key: draw(texts) for key in ("email_attributes", "groups_attributes")}
            | {"clock_skew": draw(st.integers(0, 300)), "preset": draw(st.sampled_from(["okta", "generic"]))}
            | {"name_id_format": draw(st.sampled_from([None, "persistent", "email"]))},
            {"metadata": METADATA.decode()},
        )
        for name in names
    )


Stage = Callable[[tuple[CodedConnection, ...]], str]


@pytest.fixture
def stage(context: Context, now: datetime) -> Stage:
    """Makes workspaces with these connections, whose IdPs pushed the people and groups."""

    def make(coded: tuple[CodedConnection, ...]) -> str:
        slug = f"w{next(_slugs)}"
        draft = WorkspaceDraft(slug, "W", f"olga@{slug}.example", owner_password="a password of olga's own")
        made = create_workspace(context, OPERATOR, draft, now)
        text = write_file(CodedWorkspace(slug, connections=coded))
        applied(context, text, now)
        for one in own_connections.list_connections(context, slug):
            world = World(context, made.workspace, made.owner, one, now)
            pushed = [world.push(email) for email in PEOPLE]
            for n, name in enumerate(GROUPS):
                world.push_group(name, *pushed[n % 2 :: 2])
        return slug

    return make


def look_at_export(context: Context, stage: Stage, now: datetime, data: st.DataObject) -> None:
    """One world, exported: nothing to do, and another workspace is made the same."""
    coded = data.draw(links())
    one, other = stage(coded), stage(coded)
    wanted = data.draw(workspaces([link.name for link in coded]))
    applied(context, write_file(replace(wanted, slug=one)), now)
    text = export(context, one)
    assert jsonschema_rs.is_valid(json_schema(), yaml.safe_load(text)), text
    for prune in (False, True):
        assert planned(context, text, now, prune=prune).steps == ()
    moved = text.replace(f"workspace: {one}\n", f"workspace: {other}\n").replace(f"olga@{one}.", f"olga@{other}.")
    applied(context, moved, now)
    assert planned(context, moved, now, prune=True).steps == ()
    assert export(context, other) == moved


def test_an_export_is_what_stands_and_makes_another_workspace_the_same(
    context: Context, stage: Stage, now: datetime
) -> None:
    FEW(given(st.data())(lambda data: look_at_export(context, stage, now, data)))()


@pytest.mark.long
def test_that_of_many_worlds(context: Context, stage: Stage, now: datetime) -> None:
    MANY(given(st.data())(lambda data: look_at_export(context, stage, now, data)))()


# -- Whom it moves -----------------------------------------------------------------------------------

Reach = dict[str, frozenset[tuple[ResourceRef, Level]]]


def reach(context: Context, slug: str, now: datetime) -> tuple[Reach, dict[str, list[str]]]:
    """What each of these people may do to each resource, asked one by one; and their grants, to see if any differ."""
    may: Reach = {}
    held: dict[str, list[str]] = {}
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, slug)
        keys = as_code.members_by_address(rows, workspace.key, PEOPLE)
        there = [one.ref for one in resources.list_resources(rows, workspace.key)]
        for email in PEOPLE:
            member = keys[fold_letters(email)]
            may[email] = frozenset(_reached(rows, workspace, member, there, now))
            paths = access.paths(rows, member, [role.id for role in ROLES], now)
            scopes = access.scopes_of(rows, [one.grant_id for one in paths])
            held[email] = sorted({f"{one.role} {scopes[one.grant_id].render()}" for one in paths})
    return may, held


def _reached(rows: Any, workspace: Any, member: int, there: list[ResourceRef], now: datetime) -> Iterator[Any]:
    for ref in there:
        key = resources.find_resource(rows, workspace.key, ref)
        for level in Level:
            roles = roles_giving(ref.type, level, workspace.plan)
            if key is not None and access.may(rows, member, roles, key[0], now):
                yield ref, level


def look_at_moves(context: Context, stage: Stage, now: datetime, data: st.DataObject) -> None:
    """One world made another: whom the plan names, against what each could reach."""
    coded = data.draw(links())
    slug, names = stage(coded), [link.name for link in coded]
    applied(context, write_file(replace(data.draw(workspaces(names)), slug=slug)), now)
    may, held = reach(context, slug, now)
    second = data.draw(workspaces(names))
    olga = CodedMember(f"olga@{slug}.example", CodedGrants((RoleInScope(OWNER, EVERYWHERE),)))
    whole = replace(second, slug=slug, members=(*(second.members or ()), olga))
    plan = applied(context, write_file(whole), now, prune=True)
    after, held_after = reach(context, slug, now)
    # What is gone, or new, nobody reaches before or after.
    both = {ref for refs in may.values() for ref, _ in refs} & {one.ref for one in second.resources or ()}
    gains, loses = ({one.email for one in side.people} for side in (plan.gains, plan.loses))
    for email in PEOPLE:
        had, has = ({pair for pair in one[email] if pair[0] in both} for one in (may, after))
        assert not had - has or email in loses
        assert held[email] != held_after[email] or had != has or email not in gains | loses


def test_who_reaches_less_is_named_and_nobody_whose_paths_stay(context: Context, stage: Stage, now: datetime) -> None:
    FEW(given(st.data())(lambda data: look_at_moves(context, stage, now, data)))()


@pytest.mark.long
def test_that_in_many_worlds(context: Context, stage: Stage, now: datetime) -> None:
    MANY(given(st.data())(lambda data: look_at_moves(context, stage, now, data)))()


def test_the_names_of_the_tests_are_as_hostile_as_they_are_meant_to_be() -> None:
    hostile = [name for name in TRICKY if _is_name(name)]
    assert {"no", "1e3", "- x", "null", "köln"} <= set(hostile)
