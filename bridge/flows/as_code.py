"""A workspace as code: written as a file, compared with one, and made what one says (product.md 5.6; 0034).

A plan is a rehearsal: the steps are done in a transaction that is then undone, so that what they are refused for and
whom they move is known from the very code and the very query that count afterwards. Applying does the same and stays,
or, where somebody agreed to another plan than it turned out to be, doesn't.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope, fits, left_over
from bridge.domain.as_code import CodedWorkspace
from bridge.domain.as_code_difference import Step, difference, left_alone, missing, new_names, roles_touched
from bridge.domain.as_code_reading import FileRead
from bridge.domain.as_code_yaml import BadFile, Fault
from bridge.domain.errors import Conflict, DomainError, Forbidden, Stale
from bridge.domain.labels import Label
from bridge.domain.moves import strongest
from bridge.domain.people import fold
from bridge.domain.previews import PersonMoved
from bridge.domain.roles import MINIMAL, ROLES, Role, covers, in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.as_code_outside import Found
from bridge.flows.as_code_standing import Standing, find_groups, name_groups
from bridge.flows.as_code_steps import Work
from bridge.flows.context import OPERATOR, Context
from bridge.flows.named import get_workspace
from bridge.storage import access, as_code, connections, mappings, resources
from bridge.storage.access_compared import (
    forget_access,
    grants_held,
    moved_members,
    note_access,
    note_access_after,
)
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.people import hold_members, people_of

#: People that a plan names of each side; it counts all.
NAMED = 50


@dataclass(frozen=True, slots=True)
class Moves:
    """How many people gain, or lose, and the first of them in order of address with what."""

    count: int
    people: tuple[PersonMoved, ...]


@dataclass(frozen=True, slots=True)
class PlannedStep:
    """A step, and at which line of the file it is said; 0 for what isn't in it."""

    step: Step
    line: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What applying a file does. `left_alone` counts what stands and isn't in the file's lists, by what it is; `kept`
    are connections whose secret the file keeps, which nobody compares. `digest` stands for the steps and all whom they
    move."""

    workspace: Workspace
    steps: tuple[PlannedStep, ...]
    gains: Moves
    loses: Moves
    left_alone: Mapping[str, int]
    kept: tuple[str, ...]
    digest: str

    @property
    def takes(self) -> bool:
        """Whether somebody has to agree: anybody loses access, anything goes, or a way in is closed."""
        closes = any(
            (one.step.what, said.name, said.after) in _CLOSING for one in self.steps for said in one.step.fields
        )
        return bool(self.loses.count or closes or any(one.step.action == "delete" for one in self.steps))


_CLOSING = frozenset(
    (
        ("connection", "enabled", "false"),
        ("setting", "require_sso", "true"),
        ("setting", "require_second_factor", "true"),
        ("setting", "mailed_codes", "false"),
    )
)


class NotAgreed(Conflict):
    """It takes something, and nobody agreed. Nothing was done."""

    code = "not_agreed"

    def __init__(self, plan: Plan) -> None:
        super().__init__("This takes access or deletes something, and nobody agreed to that. Nothing was changed.")
        self.plan = plan


class PlanMoved(Stale):
    """Another plan than the one that was agreed to: the world moved, or the file. Nothing was done."""

    code = "plan_moved"

    def __init__(self, plan: Plan) -> None:
        super().__init__("This isn't the plan that was agreed to: something changed since. Nothing was changed.")
        self.plan = plan


class _Rehearsed(Exception):
    """Undoes a change whose plan is known."""

    def __init__(self, plan: Plan) -> None:
        super().__init__()
        self.plan = plan


# -- Writing it down ---------------------------------------------------------------------------------


def export_workspace(context: Context, workspace_slug: str) -> CodedWorkspace:
    """A workspace as it stands, without any secret. Raises NotFound."""
    with context.database.snapshot() as rows:
        workspace = get_workspace(rows, workspace_slug)
        standing = name_groups(rows, workspace, Standing(context, rows, workspace).read())
    given = tuple(member for member in standing.members or () if member.grants.given)
    groups = tuple(one for one in standing.user_groups or () if not one.mirror or _is_named(one, standing))
    return replace(standing, members=given, user_groups=groups)


def _is_named(group: Any, standing: CodedWorkspace) -> bool:
    """Whether a mirror is more than that: it was given something by hand, or a rule gives it."""
    rules = standing.mappings or ()
    return bool(group.grants.given) or any(fold(group.name) in map(fold, rule.user_groups) for rule in rules)


# -- Planning and applying ---------------------------------------------------------------------------


def plan_file(
    context: Context, actor: str, found: Found, read: FileRead, now: datetime, *, prune: bool = False
) -> Plan:
    """What applying would do, to whom; writes nothing. `found` is what `find_outside` gave for the file.

    Raises BadFile (all that would be refused, by line), NotFound (the workspace), Forbidden (not the operator).
    """
    _check_operator(actor)

    def rehearse(change: Change) -> Plan:
        raise _Rehearsed(_Applying(context, change, found, read, prune).apply())

    try:
        return context.change(actor, now, rehearse)
    except _Rehearsed as rehearsed:
        return rehearsed.plan


def apply_file(
    context: Context,
    actor: str,
    found: Found,
    read: FileRead,
    now: datetime,
    *,
    prune: bool = False,
    agreed: bool = False,
    expect: str | None = None,
) -> Plan:
    """Make the workspace what the file says: all of it, or nothing. Returns what was done.

    `expect` is the digest of the plan that somebody agreed to; `agreed` whether they agreed to whatever it is. Raises
    what `plan_file` raises, NotAgreed, PlanMoved.
    """
    _check_operator(actor)

    def apply(change: Change) -> Plan:
        plan = _Applying(context, change, found, read, prune).apply()
        if expect is not None and plan.digest != expect:
            raise PlanMoved(plan)
        if plan.takes and not agreed and expect is None:
            raise NotAgreed(plan)
        if not plan.steps:
            raise _Rehearsed(plan)  # so that nothing says that the workspace was changed
        return plan

    try:
        return context.change(actor, now, apply)
    except _Rehearsed as unchanged:
        return unchanged.plan


def _check_operator(actor: str) -> None:
    if actor != OPERATOR:
        raise Forbidden("Only the operator of the bridge can do this, on its command line.")


@dataclass(frozen=True, slots=True)
class _Applying:
    """One file, applied within one change."""

    context: Context
    change: Change
    found: Found
    read: FileRead
    prune: bool

    def apply(self) -> Plan:
        """Do the steps. Raises BadFile with all that is refused."""
        workspace, emails = self._hold()
        present = Standing(self.context, self.change.connection, workspace, True).read(emails)
        wanted = self._checked(workspace, present, emails)
        steps = difference(present, wanted, prune=self.prune)
        gains, loses = self._do_and_compare(workspace, steps, roles_touched(steps, present, wanted))
        planned = tuple(PlannedStep(step, self._line(step)) for step in steps)
        kept = tuple(one.name for one in wanted.connections or () if one.secret and one.secret.by == "keep")
        left = {} if self.prune else left_alone(present, wanted)
        digest = _digest(workspace, steps, gains, loses)
        return Plan(workspace, planned, _first(gains), _first(loses), left, kept, digest)

    def _do_and_compare(
        self, workspace: Workspace, steps: Collection[Step], touched: Collection[Role]
    ) -> tuple[tuple[PersonMoved, ...], tuple[PersonMoved, ...]]:
        """Do the steps, and see who gains and who loses by it."""
        if not touched:
            self._do(workspace, steps)
            return (), ()
        roles = [role.id for role in ROLES if any(covers(role, one) for one in touched)]
        note_access(self.change, workspace.key, roles, self.change.now)
        before = _Moment.read(self.change, workspace)
        self._do(workspace, steps)
        note_access_after(self.change, workspace.key, roles, self.change.now)
        moved = _moved(self.change, workspace, before, _Moment.read(self.change, workspace))
        forget_access(self.change)
        return moved

    def _hold(self) -> tuple[Workspace, list[str]]:
        """Keep all that it looks at as it is, in the order of locks (`bridge.storage.changes.lock_workspace`)."""
        rows, wanted = self.change.connection, self.found.wanted
        workspace = get_workspace(rows, wanted.slug)
        every = connections.list_connections(rows, workspace.key)
        mappings.hold_connections(self.change, [one.key for one in every])
        emails = [one.email for one in wanted.members or ()]
        emails += [email for group in wanted.user_groups or () for email in group.members or ()]
        hold_members(self.change, list(as_code.members_by_address(rows, workspace.key, emails).values()))
        lock_workspace(self.change, workspace.key)
        return get_workspace(rows, wanted.slug), emails

    def _checked(self, workspace: Workspace, present: CodedWorkspace, emails: Collection[str]) -> CodedWorkspace:
        """The file with ids of the groups that it names. Raises BadFile for what it names and isn't there."""
        rows, given = self.change.connection, self.found.wanted
        faults = []
        if given.plan is not None and given.plan != workspace.plan:
            text = f"{workspace.name} is on the {workspace.plan} plan. Only the operator sets it, by another command: "
            faults.append(("plan", f"{text}bridge workspace set-plan {workspace.slug} {given.plan}"))
        names_before = {fold(new): fold(old) for old, new in new_names(present.connections, given.connections)}
        wanted, unknown = find_groups(rows, workspace, given, names_before)
        people = as_code.members_by_address(rows, workspace.key, emails)
        faults += [*unknown, *missing(present, wanted, people, prune=self.prune)]
        self._refuse(faults)
        return wanted

    def _do(self, workspace: Workspace, steps: Iterable[Step]) -> None:
        """Steps of one kind after the other; where one kind is refused, those after it would be too, for that alone."""
        work = Work(self.context, self.change, workspace, self.found)
        faults: list[tuple[str, str]] = []
        doing: tuple[str, str] | None = None
        for step in steps:
            if faults and doing != (step.what, step.action):
                break
            doing = (step.what, step.action)
            try:
                work.do(step)
            except DomainError as error:
                faults.append((step.at, f"{step.name}: {error.text}"))
                if isinstance(error, Conflict):  # perhaps of the database, which takes no more statements then
                    break
        self._refuse(faults)

    def _refuse(self, faults: Iterable[tuple[str, str]]) -> None:
        told = [Fault(self.read.line(path), path, text) for path, text in faults]
        if told:
            raise BadFile(told)

    def _line(self, step: Step) -> int:
        return 0 if step.action == "delete" else self.read.line(step.at)


def _digest(
    workspace: Workspace, steps: Iterable[Step], gains: Iterable[PersonMoved], loses: Iterable[PersonMoved]
) -> str:
    told = [[one.action, one.what, one.name, [[s.name, s.before, s.after] for s in one.fields]] for one in steps]
    moved = [[[one.id, sorted([r.role.id, *r.scope.render()] for r in one.roles)] for one in s] for s in (gains, loses)]
    return sha256(json.dumps([workspace.id, told, moved]).encode()).hexdigest()


def _first(people: tuple[PersonMoved, ...]) -> Moves:
    return Moves(len(people), people[:NAMED])


# -- Whom it moves -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Moment:
    """What grants give at one moment of the change, and what resources carry."""

    given: Mapping[int, RoleInScope]
    labels: Mapping[ResourceRef, frozenset[Label]]

    @classmethod
    def read(cls, change: Change, workspace: Workspace) -> "_Moment":
        """As it is now."""
        roles = [role.id for role in ROLES if role is not MINIMAL]
        given = access.grants_in_workspace(change.connection, workspace.key, roles=roles)
        carried = {one.ref: one.labels for one in resources.list_resources(change.connection, workspace.key)}
        return cls(given, carried)

    def held(self, grants: Iterable[int], plan: str, relabelled: Collection[ResourceRef]) -> list[RoleInScope]:
        """What these grants give on a plan; by labels also on each of the resources that carry others then and now.

        What everybody has whom an IdP brought, to see the workspace, isn't looked up by the hundred thousand.
        """
        given = [self.given.get(grant, RoleInScope(MINIMAL, EVERYWHERE)) for grant in grants]
        counted = [one for one in given if in_plan(one.role, plan)]
        reached = [
            RoleInScope(one.role, Scope("list", frozenset((ref,))))
            for one in counted
            if one.scope.kind == "labels"
            for ref in relabelled
            if fits(one.scope, ref, self.labels[ref]) and ref.type == one.role.resource_type
        ]
        return [*counted, *reached]


def _moved(
    change: Change, workspace: Workspace, before: _Moment, after: _Moment
) -> tuple[tuple[PersonMoved, ...], tuple[PersonMoved, ...]]:
    """Who gains and who loses, in order of address: what no other path gives as well."""
    relabelled = [ref for ref in before.labels.keys() & after.labels.keys() if before.labels[ref] != after.labels[ref]]
    both = before.given.keys() & after.given.keys()
    touched = [
        grant
        for grant in both
        if before.given[grant] != after.given[grant] or (relabelled and after.given[grant].scope.kind == "labels")
    ]
    gains: dict[int, list[RoleInScope]] = {}
    loses: dict[int, list[RoleInScope]] = {}
    known: dict[tuple[tuple[int, ...], tuple[int, ...]], tuple[list[RoleInScope], list[RoleInScope]]] = {}
    for member, *grants in grants_held(change, moved_members(change, touched)):
        pair = tuple(grants[0]), tuple(grants[1])
        if pair not in known:
            had, has = (
                moment.held(held, workspace.plan, relabelled)
                for moment, held in zip((before, after), pair, strict=True)
            )
            known[pair] = _left(has, had, before), _left(had, has, after)
        gained, lost = known[pair]
        gains |= {member: gained} if gained else {}
        loses |= {member: lost} if lost else {}
    return _people(change, gains), _people(change, loses)


def _left(given: Iterable[RoleInScope], others: Collection[RoleInScope], moment: _Moment) -> list[RoleInScope]:
    """What of `given` the others don't give, on what resources carry at that moment."""
    left = (left_over(one, others, moment.labels) for one in given)
    return strongest(one for one in left if one is not None)


def _people(change: Change, moved: Mapping[int, list[RoleInScope]]) -> tuple[PersonMoved, ...]:
    named = people_of(change.connection, moved)
    return tuple(sorted((PersonMoved(*named[one], tuple(roles)) for one, roles in moved.items()), key=_address))


def _address(person: PersonMoved) -> tuple[str, str]:
    return person.email, person.id
