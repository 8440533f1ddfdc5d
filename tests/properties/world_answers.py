"""Every question about access that the house answers by SQL, held to what the facts mean (`domain.access_facts`).

Each check reads the answers of one workspace at one moment, and compares them whole.
"""

import csv
import io
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, bindparam, select, text

from bridge.domain import access_facts as meaning
from bridge.domain.access import Action, Because, Permission, ResourceRef, RoleInScope
from bridge.domain.access_facts import Facts, Path, Person
from bridge.domain.held import Terms
from bridge.domain.previews import DeleteResource, Preview, Proposal, SetLabels
from bridge.domain.roles import MINIMAL, OWNER, ROLES, Level, roles_giving, roles_in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain import Question, permissions_of
from bridge.flows.explain_not import missed_by
from bridge.flows.explain_past import access_at
from bridge.flows.export_users import export_users
from bridge.storage import access, access_backwards, user_groups
from bridge.storage.access import HeldGrant
from bridge.storage.access_backwards import Holder
from bridge.storage.columns import Instant
from bridge.storage.mappings import matched_now
from bridge.storage.moves import held_by_everybody
from bridge.storage.people import find_membership
from bridge.storage.people_in_groups import count_in_any
from bridge.storage.tables import (
    directory_groups,
    directory_users,
    mapping_matches,
    mappings,
    memberships,
    resources,
)
from bridge.storage.tables import user_groups as user_groups_table
from bridge.storage.workspaces import count_keeping_owners
from tests.properties.world_api import targets
from tests.properties.world_rows import facts_of

#: With four people a world, so many are walked through whole.
_WORLDS_WALKED = 450

#: A path by its links' names: person, grant, User Group, rule, IdP group.
Links = tuple[str, str, str | None, str | None, str | None]


@dataclass(frozen=True, slots=True)
class Looked:
    """One workspace, what its facts are, and how to read what the house says of it."""

    rows: Connection
    workspace: Workspace
    facts: Facts
    now: datetime
    members: dict[str, int] = field(default_factory=dict)

    @property
    def people(self) -> dict[int, str]:
        """Names of members by key."""
        return {key: name for name, key in self.members.items()}

    def short(self, uid: str | None) -> str | None:
        """The name by which the facts know an outside id."""
        return None if uid is None else uid.removeprefix(f"{self.workspace.slug}-")

    def keys(self, table: Any) -> dict[str, int]:
        """Keys of what the workspace has by name."""
        rows = self.rows.execute(select(table.c.uid, table.c.id).where(table.c.workspace_id == self.workspace.key))
        return {str(self.short(uid)): key for uid, key in rows}

    def paths(self, facts: Facts | None = None) -> dict[str, frozenset[Path]]:
        """Each person's paths, as the facts mean them."""
        return {one.id: meaning.paths(facts or self.facts, one, self.now) for one in self.facts.people}

    @property
    def whatever_the_plan(self) -> Facts:
        """The same facts where every role is included."""
        return replace(self.facts, plan="business")


def look(rows: Connection, workspace: Workspace, now: datetime) -> Looked:
    """Read a workspace's facts at this moment."""
    facts = facts_of(rows, workspace)
    looked = Looked(rows, replace(workspace, plan=facts.plan), facts, now)
    looked.members.update(looked.keys(memberships))
    return looked


def check(looked: Looked, *, soon: bool = False) -> None:
    """All that is asked of the database in one snapshot; only why, of what is kept ready, where it has to be `soon`."""
    for each in (check_pairs, check_why) if soon else _ALL:
        try:
            each(looked)
        except AssertionError as error:
            raise AssertionError(f"{each.__name__} at {looked.now}: {error}") from error


# -- Why, and may they? ----------------------------------------------------------------------------------------------


def links(path: Path) -> Links:
    """A path by its names."""
    return (path.person, path.grant.id, path.user_group, path.rule, path.group)


def _held(looked: Looked, held: Iterable[HeldGrant]) -> Counter[Links]:
    short, people = looked.short, looked.people
    return Counter(
        (
            people[one.membership_id],
            str(short(one.because.grant_id)),
            short(one.because.user_group_id),
            short(one.because.mapping_id),
            short(one.because.idp_group_id),
        )
        for one in held
    )


def _meant(paths: Iterable[Path]) -> Counter[Links]:
    return Counter(links(path) for path in paths)


def check_why(looked: Looked) -> None:
    """Every path of everybody, each once; and everybody's permissions, each with its paths."""
    meant = looked.paths()
    held = access.paths_of_many(looked.rows, looked.people, roles_in_plan(looked.facts.plan), looked.now)
    assert _held(looked, held) == _meant(path for paths in meant.values() for path in paths)
    said = permissions_of(looked.rows, looked.people, looked.facts.plan, looked.now)
    for person in looked.facts.people:
        permissions = said.get(looked.members[person.id], ())
        assert _by_what(looked.workspace, permissions) == _by_meaning(looked.facts, person, looked.now)


Paths = dict[RoleInScope, set[tuple[Any, ...]]]


def _by_what(workspace: Workspace, permissions: Iterable[Permission]) -> Paths:
    return {
        RoleInScope(one.role, one.scope): {_of_because(workspace, because) for because in one.because}
        for one in permissions
    }


def _by_meaning(facts: Facts, person: Person, now: datetime) -> Paths:
    return {
        given: {links(path)[1:] for path in paths} for given, paths in meaning.permissions(facts, person, now).items()
    }


def _of_because(workspace: Workspace, because: Because) -> tuple[Any, ...]:
    ids = (because.grant_id, because.user_group_id, because.mapping_id, because.idp_group_id)
    return tuple(one.removeprefix(f"{workspace.slug}-") if one else None for one in ids)


def check_held(looked: Looked) -> None:
    """What everybody holds, as the plan of a file reads it before its steps and after them."""
    terms = Terms()
    key, plan = looked.workspace.key, looked.facts.plan
    held = held_by_everybody(looked.rows, key, plan, looked.now, ROLES, terms)
    found = {looked.people[member]: set(terms.of(bits)) for member, bits in held.items()}
    meant = {one.id: meaning.permissions(looked.facts, one, looked.now).keys() for one in looked.facts.people}
    assert found == {person: given for person, given in meant.items() if given}


Asked = tuple[Action, ResourceRef | str, int | None]


def _questions(looked: Looked) -> list[Asked]:
    """All that can be asked, each with the key of the resource."""
    named = looked.rows.execute(
        select(resources.c.type, resources.c.uid, resources.c.id).where(
            resources.c.workspace_id == looked.workspace.key
        )
    )
    keys: dict[ResourceRef | str, int] = {ResourceRef(kind, uid): key for kind, uid, key in named}
    refs = [ref for ref in keys if isinstance(ref, ResourceRef)]
    return [(action, target, keys.get(target)) for action, target in targets(refs)]


def check_may(looked: Looked) -> None:
    """Whether each person may, and by what."""
    for person in looked.facts.people:
        for action, target, key in _questions(looked):
            _check_one(looked, person, action, target, key)


def _check_one(looked: Looked, person: Person, action: Action, target: ResourceRef | str, key: int | None) -> None:
    area = target if isinstance(target, str) else target.type
    roles = roles_giving(area, Level.READ if action == "read" else Level.EDIT, looked.facts.plan)
    member = looked.members[person.id]
    meant = meaning.why(looked.facts, person, action, target, looked.now)
    allowed = access.may(looked.rows, member, roles, key, looked.now)
    assert allowed == meaning.may(looked.facts, person, action, target, looked.now), (person, action, target)
    if allowed:
        held = access.paths(looked.rows, member, roles, looked.now, resource_id=key, everywhere=key is None)
        assert _held(looked, held) == _meant(meant), (person, action, target)


def check_who_may(looked: Looked) -> None:
    """Who may: counted, in order, by a page of two, and by walking through everybody."""
    for action, target, key in _questions(looked):
        area = target if isinstance(target, str) else target.type
        roles = roles_giving(area, Level.READ if action == "read" else Level.EDIT, looked.facts.plan)
        meant = sorted(
            one.id for one in looked.facts.people if meaning.may(looked.facts, one, action, target, looked.now)
        )
        asked = (looked.rows, looked.workspace.key, roles, key, looked.now)
        assert access_backwards.count_who_may(*asked) == len(meant), (action, target)
        assert _named(looked, access_backwards.who_may(*asked, total=len(meant), most=99)) == meant, (action, target)
        if len(meant) > 2:
            [_, second] = access_backwards.who_may(*asked, total=len(meant), most=2)
            rest = access_backwards.who_may(*asked, total=len(meant), after=second.email_ci, most=99)
            assert _named(looked, rest) == meant[2:], (action, target)
        walked = _named(looked, access_backwards.walk_through(*asked, after="", most=99))
        assert walked == meant[: len(walked)], (action, target)  # of all worlds' people only the first are walked
        assert walked == meant or looked.workspace.key > _WORLDS_WALKED, (action, target)


def _named(looked: Looked, found: Iterable[Holder]) -> list[str]:
    return [looked.people[one.key] for one in found]


#: Of so many questions a person is asked one.
_APART = 4


def check_near_misses(looked: Looked) -> None:
    """Of a person in whose own way nothing stands, the near misses without an obstacle are the paths that give it.

    Of each only some of the questions are asked, of another others: of all that a world is asked these take longest.
    """
    for number, person in enumerate(sorted(looked.facts.people, key=lambda one: one.id)):
        member = find_membership(looked.rows, memberships.c.id == looked.members[person.id])
        assert member
        for action, target, _ in _questions(looked)[number % _APART :: _APART]:
            ref = None if isinstance(target, str) else target
            question = Question(action, target if isinstance(target, str) else target.type, ref)
            in_the_way, missed = missed_by(looked.rows, looked.workspace, person.id, member, question, looked.now)
            assert bool(in_the_way) != meaning.is_in(looked.facts, person), person
            given = {
                (looked.short(one.grant_id), looked.short(one.user_group_id), looked.short(one.mapping_id))
                for one in missed
                if not in_the_way and not one.obstacles
            }
            meant = meaning.why(looked.facts, person, action, target, looked.now)
            assert given == {(path.grant.id, path.user_group, path.rule) for path in meant}, (person, action, target)


# -- Who? ------------------------------------------------------------------------------------------------------------


def check_holders(looked: Looked) -> None:
    """Who has a role, by any path."""
    meant = looked.paths(looked.whatever_the_plan)
    counted = access.count_holders(looked.rows, looked.workspace.key, looked.now)
    for role in {grant.given.role for grant in looked.facts.grants}:
        of_role = {person: [path for path in paths if path.grant.given.role is role] for person, paths in meant.items()}
        everybody = {person for person, paths in of_role.items() if paths}
        held = access.holders_of_roles(looked.rows, looked.workspace.key, [role.id], looked.now)
        assert {looked.people[key] for key in held} == everybody
        assert counted.get(role.id, 0) == len(everybody)


def check_people_of_rules(looked: Looked) -> None:
    """How many people are in the groups that a rule takes now, each once."""
    facts, keys = looked.facts, looked.keys(mappings)
    groups_of = {one: meaning.groups_of(facts, one, looked.now) for one in facts.people if meaning.is_in(facts, one)}
    for rule in facts.rules:
        meant = sum(any(meaning.takes(facts, rule, group) for group in groups) for groups in groups_of.values())
        taken = matched_now(looked.rows, keys[rule.id])
        assert count_in_any(looked.rows, taken, looked.now) == meant, rule.id


def check_owners(looked: Looked) -> None:
    """Who owns the workspace, by the condition that a session is looked at with: grants alone, not who is in."""
    statement = text(
        f"SELECT m.id FROM memberships m WHERE m.workspace_id = :here AND ({access.owner_condition('m.id')})"
    )
    bound = statement.bindparams(bindparam("now", type_=Instant), bindparam("here"))
    owning = set(looked.rows.execute(bound, {"now": looked.now, "here": looked.workspace.key}).scalars())
    for person in looked.facts.people:
        if meaning.is_in(looked.facts, person):
            owns = any(path.grant.given.role is OWNER for path in meaning.paths(looked.facts, person, looked.now))
            assert (looked.members[person.id] in owning) == owns, person


def check_keepers(looked: Looked) -> None:
    """Who keeps the workspace from being without an owner: named by hand, for good, and in. (All have a password.)"""
    meant = [
        person
        for person in looked.facts.people
        if meaning.is_in(looked.facts, person)
        and any(
            grant.holder == person.id and grant.given.role is OWNER and grant.expires_at is None
            for grant in looked.facts.grants
        )
    ]
    assert count_keeping_owners(looked.rows, looked.workspace.key) == len(meant)


def check_user_groups(looked: Looked) -> None:
    """Who is in which User Group, and how many are."""
    keys = looked.keys(user_groups_table)
    meant = {one.id: meaning.user_groups_of(looked.facts, one, looked.now) for one in looked.facts.people}
    said = user_groups.user_groups_of(looked.rows, list(looked.people), looked.now)
    inside = {
        name: frozenset(looked.short(each.id) for each in said.get(key, ())) for name, key in looked.members.items()
    }
    assert inside == meant
    counted = user_groups.count_members(looked.rows, list(keys.values()), looked.now)
    for name, key in keys.items():
        assert counted.get(key, 0) == sum(name in each for each in meant.values()), name


def check_pairs(looked: Looked) -> None:
    """The pairs that are kept ready are those of rules and groups that give something now."""
    columns = mapping_matches.c
    chosen = (
        select(mappings.c.uid, directory_groups.c.uid, columns.asserted, columns.shadowed)
        .join_from(mapping_matches, mappings, mappings.c.id == columns.mapping_id)
        .join(directory_groups, directory_groups.c.id == columns.group_id)
        .where(mappings.c.workspace_id == looked.workspace.key)
    )
    kept = [(looked.short(rule), looked.short(group), *flags) for rule, group, *flags in looked.rows.execute(chosen)]
    meant = [
        (rule.id, group.idp_group.id, group.asserted, meaning.is_shadowed(looked.facts, group))
        for rule in looked.facts.rules
        for group in looked.facts.groups
        if meaning.takes(looked.facts, rule, group)
    ]
    assert sorted(kept) == sorted(meant)


def check_records(looked: Looked) -> None:
    """What the people behind the records of a connection have, as an IdP's push is told of."""
    records = [record for record in looked.facts.records if record.person]
    uids = {record.id: uid for record in records for uid in _uids(looked, record.id)}
    said = access.links_of_records(looked.rows, list(uids.values()), looked.now) if uids else {}
    meant = looked.paths(looked.whatever_the_plan)
    for record in records:
        paths = [path for path in meant[str(record.person)] if path.grant.given.role is not MINIMAL]
        assert len(said.get(uids[record.id], ())) == len(paths), record


def _uids(looked: Looked, record: str) -> Iterable[str]:
    spelled = (record, f"{looked.workspace.slug}-{record}")
    return looked.rows.execute(select(directory_users.c.uid).where(directory_users.c.uid.in_(spelled))).scalars()


_ALL = (
    check_pairs,
    check_why,
    check_held,
    check_may,
    check_who_may,
    check_near_misses,
    check_holders,
    check_people_of_rules,
    check_owners,
    check_keepers,
    check_user_groups,
    check_records,
)


# -- The export ------------------------------------------------------------------------------------------------------


def check_export(context: Context, workspace: Workspace, facts: Facts, now: datetime) -> None:
    """The CSV of everybody has their roles and User Groups, and whether they are in. It opens the database itself."""
    rows = csv.DictReader(io.StringIO("".join(export_users(context, workspace.slug, now))))
    said = {row["email"].partition("@")[0]: (row["status"], _terms(row["roles"])) for row in rows}
    meant = {}
    for person in facts.people:
        if not person.removed:
            status = "active" if meaning.is_in(facts, person) else "suspended"
            roles = {_in_words(given) for given in meaning.permissions(facts, person, now)}
            meant[person.id] = (status, roles)
    assert said == meant


def _terms(cell: str) -> set[str]:
    return set(cell.split("; ")) - {""}


def _in_words(given: RoleInScope) -> str:
    if not given.role.scopable:
        return given.role.name
    return f"{given.role.name} on {', '.join(given.scope.render())}"


# -- The past --------------------------------------------------------------------------------------------------------


def check_past(context: Context, workspace: Workspace, history: list[tuple[datetime, Facts]], now: datetime) -> None:
    """At each moment at which something happened, and right before the next, everybody could do what the facts of then
    meant.
    """
    for (at, facts), (then, _) in zip(history, [*history[1:], (now, None)], strict=True):
        for moment in {at, max(at, then - timedelta(microseconds=1))}:
            for person in facts.people:
                _check_moment(context, workspace, facts, person, moment, now)


def _check_moment(
    context: Context, workspace: Workspace, facts: Facts, person: Person, at: datetime, now: datetime
) -> None:
    said = access_at(context, workspace.slug, f"{person.id}@{workspace.slug}.example", at, now)
    assert said.state == ("removed" if person.removed else "known" if meaning.is_in(facts, person) else "held_out")
    assert _by_what(workspace, said.permissions or ()) == _by_meaning(facts, person, at), (at, person)


# -- Previews --------------------------------------------------------------------------------------------------------

Moves = dict[str, frozenset[RoleInScope]]


def check_preview(said: Preview, proposal: Proposal, before: Facts, after: Facts, now: datetime) -> None:
    """Who gains and who loses is the difference between what everybody had and has; and so are the numbers."""
    gains, loses = _moves(proposal, before, after, now), _moves(proposal, after, before, now)
    for side, meant in ((said.gains, gains), (said.loses, loses)):
        named = {one.email.partition("@")[0]: frozenset(one.roles) for one in side.people}
        listed = {person: meaning.strongest(given) for person, given in meant.items()}
        assert named == listed, f"check_preview: who, and what: {named} for {listed}"
        assert side.count == len(meant)
        counted, moving = dict(side.roles), Counter(given for each in meant.values() for given in each)
        # What something stronger moves with it, for everybody, may be left out.
        assert counted == {given: moving[given] for given in counted}, "check_preview: roles"
        assert counted.keys() >= {given for each in listed.values() for given in each}, "check_preview: roles"
    if not isinstance(proposal, (SetLabels, DeleteResource)):
        moved = gains.keys() | loses.keys()
        covered = _repathed(before, after, now) - moved
        assert said.covered == len(covered), f"check_preview: {said.covered} covered for {covered}"


def _moves(proposal: Proposal, before: Facts, after: Facts, now: datetime) -> Moves:
    moved = {}
    for person in sorted(one.id for one in before.people):
        if isinstance(proposal, (SetLabels, DeleteResource)):
            moved[person] = meaning.gained_on(before, after, person, proposal.resource, now)
        else:
            moved[person] = meaning.gained(before, after, person, now)
    return {person: given for person, given in moved.items() if given}


def _repathed(before: Facts, after: Facts, now: datetime) -> set[str]:
    """Those of whom a path comes or goes."""
    had = {one.id: {links(path) for path in meaning.paths(before, one, now)} for one in before.people}
    has = {one.id: {links(path) for path in meaning.paths(after, one, now)} for one in after.people}
    return {person for person in had if had[person] != has[person]}
