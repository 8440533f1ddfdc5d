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

from bridge.domain.access import RoleInScope
from bridge.domain.as_code import CodedWorkspace
from bridge.domain.as_code_difference import difference, roles_touched
from bridge.domain.as_code_names import new_names
from bridge.domain.as_code_needs import missing
from bridge.domain.as_code_pruning import left_alone
from bridge.domain.as_code_reading import FileRead
from bridge.domain.as_code_step import Step
from bridge.domain.as_code_yaml import BadFile, Fault
from bridge.domain.errors import Conflict, DomainError, Forbidden, Stale
from bridge.domain.held import Moment, Terms, moved
from bridge.domain.people import fold
from bridge.domain.previews import PersonMoved
from bridge.domain.roles import ROLES, Role, covers
from bridge.domain.workspace import Workspace
from bridge.flows.as_code_outside import Found
from bridge.flows.as_code_standing import Standing, find_groups, name_groups
from bridge.flows.as_code_steps import Work
from bridge.flows.context import OPERATOR, Context
from bridge.flows.named import get_workspace
from bridge.storage import as_code, connections, mappings, resources
from bridge.storage.changes import Change, lock_workspace
from bridge.storage.moves import held_by_everybody
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
    """What applying a file does. `left_alone` says what stands and isn't in the file's lists, by what it is; `kept`
    are connections whose secret the file keeps, which nobody compares. `digest` stands for the steps, with
    the secrets and the metadata that they found outside, and all whom they move."""

    workspace: Workspace
    steps: tuple[PlannedStep, ...]
    gains: Moves
    loses: Moves
    left_alone: Mapping[str, tuple[str, ...]]
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
    rules = tuple(rule for rule in standing.mappings or () if rule.gives_something)
    return replace(standing, members=given, user_groups=groups, mappings=rules)


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
        gains, loses = self._do_and_compare(workspace, steps, roles_touched(steps, present, wanted), present)
        planned = tuple(PlannedStep(step, self._line(step)) for step in steps)
        kept = tuple(one.name for one in wanted.connections or () if one.secret and one.secret.by == "keep")
        left = {} if self.prune else left_alone(present, wanted)
        digest = _digest(workspace, steps, self._secrets(steps), gains, loses)
        return Plan(workspace, planned, _first(gains), _first(loses), left, kept, digest)

    def _do_and_compare(
        self, workspace: Workspace, steps: Collection[Step], touched: Collection[Role], present: CodedWorkspace
    ) -> tuple[tuple[PersonMoved, ...], tuple[PersonMoved, ...]]:
        """Do the steps, and see who gains and who loses by it, in order of address."""
        if not touched:
            self._do(workspace, steps)
            return (), ()
        roles, terms = [role for role in ROLES if any(covers(role, one) for one in touched)], Terms()
        before = self._moment(workspace, roles, terms, present)
        self._do(workspace, steps)
        after = self._moment(workspace, roles, terms, None if any(one.what == "resource" for one in steps) else present)
        moves = list(moved(terms, before, after))
        gains = {member: gained for member, gained, _ in moves if gained}
        loses = {member: lost for member, _, lost in moves if lost}
        return _people(self.change, gains), _people(self.change, loses)

    def _moment(
        self, workspace: Workspace, roles: Collection[Role], terms: Terms, known: CodedWorkspace | None
    ) -> Moment:
        """What everybody holds, and what resources carry, at this point of the change; the latter as `known`, if so."""
        rows, key = self.change.connection, workspace.key
        held = held_by_everybody(rows, key, workspace.plan, self.change.now, roles, terms)
        carried = resources.list_resources(rows, key) if known is None else known.resources or ()
        return Moment(held, {one.ref: one.labels or frozenset() for one in carried})

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
                faults.append((self._place(step, error), f"{step.name}: {error.text}"))
                if isinstance(error, Conflict):  # perhaps of the database, which takes no more statements then
                    break
        self._refuse(faults)

    def _refuse(self, faults: Iterable[tuple[str, str]]) -> None:
        told = [Fault(self.read.line(path), path, text) for path, text in faults]
        if told:
            raise BadFile(told)

    def _place(self, step: Step, error: DomainError) -> str:
        """Where in the file it is said what was refused: the key, where the refusal names it, or the whole step."""
        named = getattr(error, "field", None)
        below = (f"{step.at}.{key}" for key in (named, f"idp.{named}") if named)
        return next((path for path in below if path in self.read.lines), step.at)

    def _secrets(self, steps: Iterable[Step]) -> list[str]:
        """What tells new secrets from others, and nobody can try without the bridge's key."""
        new = [one for one in steps if one.what == "connection" and any(s.name == "client_secret" for s in one.fields)]
        return [self.context.secrets.sign((one.wanted.secret.value or "").encode(), "plan").hex() for one in new]

    def _line(self, step: Step) -> int:
        return 0 if step.action == "delete" else self.read.line(step.at)


def _digest(
    workspace: Workspace,
    steps: Iterable[Step],
    secrets: Collection[str],
    gains: Iterable[PersonMoved],
    loses: Iterable[PersonMoved],
) -> str:
    told = [[one.action, one.what, one.name, [[s.name, s.before, s.after] for s in one.fields]] for one in steps]
    written: dict[tuple[RoleInScope, ...], list[list[str]]] = {}  # thousands move by the same

    def roles(one: PersonMoved) -> list[list[str]]:
        if one.roles not in written:
            written[one.roles] = sorted([given.role.id, *given.scope.render()] for given in one.roles)
        return written[one.roles]

    moves = [[[one.id, roles(one)] for one in side] for side in (gains, loses)]
    return sha256(json.dumps([workspace.id, told, secrets, moves]).encode()).hexdigest()


def _first(people: tuple[PersonMoved, ...]) -> Moves:
    return Moves(len(people), people[:NAMED])


# -- Whom it moves -----------------------------------------------------------------------------------


def _people(change: Change, gives: Mapping[int, tuple[RoleInScope, ...]]) -> tuple[PersonMoved, ...]:
    named = people_of(change.connection, gives)
    return tuple(sorted((PersonMoved(*named[one], roles) for one, roles in gives.items()), key=_address))


def _address(person: PersonMoved) -> tuple[str, str]:
    return person.email, person.id
