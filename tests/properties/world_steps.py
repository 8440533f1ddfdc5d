"""What happens in a world, by the flows that do it: an IdP pushes and vouches, an admin changes what can be previewed,
or gives and takes by hand. Whom and what it is about is drawn from the facts as they stand.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select

from bridge.domain.access import RoleInScope
from bridge.domain.access_facts import Facts, Group
from bridge.domain.directory import (
    GroupChange,
    GroupExternalIdSet,
    GroupRenamed,
    MembersAdded,
    MembersRemoved,
    MembersReplaced,
)
from bridge.domain.previews import (
    AddRule,
    ChangeRule,
    DeleteConnection,
    DeleteIdpGroup,
    DeleteResource,
    DeleteRule,
    DeleteUserGroup,
    EndGrant,
    LinkGroup,
    MappingDraft,
    MoveGrant,
    Proposal,
    RemoveMember,
    SetLabels,
    SetPlan,
    SwitchConnection,
    SwitchRule,
    TakeOut,
    UnlinkGroup,
)
from bridge.domain.roles import PLANS
from bridge.domain.workspace import Connection, Workspace
from bridge.flows import (
    administer,
    give_roles,
    map_groups,
    members,
    own_connections,
    provision_groups,
    provision_users,
    resources,
    tie_groups,
    user_groups,
)
from bridge.flows.context import OPERATOR, Context
from bridge.flows.sign_in import complete
from bridge.storage.connections import find_by_uid
from bridge.storage.tables import user_groups as user_groups_table
from tests.flows.logins import Browser, answer, start
from tests.properties.world_rows import facts_of
from tests.properties.worlds import (
    EXTERNAL_IDS,
    NAMES,
    RESOURCES,
    Choice,
    Dice,
    labels_of,
    match_of,
    role_in_scope,
)
from tests.world import World, pushed

_PAUSES = (timedelta(microseconds=1), timedelta(hours=1), timedelta(days=2), timedelta(days=5))
_UUID = 36


class NothingToDo(Exception):
    """The world has none of what the step is about."""


@dataclass
class Lab:
    """A world under way: `now` goes on with each step."""

    context: Context
    workspace: Workspace
    dice: Dice
    now: datetime

    def facts(self) -> Facts:
        """As they stand."""
        with self.context.database.snapshot() as rows:
            return facts_of(rows, self.workspace)

    def pause(self) -> None:
        """Time goes by."""
        self.now += self.dice.one(_PAUSES)

    @property
    def slug(self) -> str:
        """The workspace's."""
        return self.workspace.slug

    def uid(self, name: str) -> str:
        """The outside id of what the facts call so."""
        return name if len(name) == _UUID else f"{self.slug}-{name}"

    def email(self, person: str) -> str:
        """The address of a person that the world was begun with."""
        return f"{person}@{self.slug}.example"

    def connection(self, name: str) -> Connection:
        """As it is now."""
        with self.context.database.reading() as rows:
            found = find_by_uid(rows, self.uid(name))
        assert found is not None
        return found

    def user_group_name(self, name: str) -> str:
        """What it is called."""
        columns = user_groups_table.c
        with self.context.database.reading() as rows:
            return str(rows.execute(select(columns.name).where(columns.uid == self.uid(name))).scalar_one())

    def pick(self, choices: Iterable[Choice]) -> Choice:
        """One of them. Raises NothingToDo."""
        ordered = in_order(choices)
        if not ordered:
            raise NothingToDo
        return self.dice.one(ordered)


_WORDS, _MADE = re.compile(r"[\w-]+"), re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}")


def in_order(choices: Iterable[Choice]) -> list[Choice]:
    """By all that is said of each but the ids that flows made, which are others each time: so drawn bytes always choose
    the same.
    """
    return sorted(choices, key=lambda one: sorted(_WORDS.findall(_MADE.sub("made", repr(one)))))


# -- What can be previewed -------------------------------------------------------------------------------------------


def propose(lab: Lab, facts: Facts) -> Proposal:
    """A change that an admin, or the operator, may think of. Raises NothingToDo."""
    return lab.dice.one(_PROPOSALS)(lab, facts)


def _add_rule(lab: Lab, facts: Facts) -> Proposal:
    return AddRule(draft(lab, facts, lab.pick(_connections(facts))))


def draft(lab: Lab, facts: Facts, connection: str) -> MappingDraft:
    """A rule of a connection, in any of the ways to name groups."""
    here = in_order(group for group in facts.groups if group.connection == connection)
    match = match_of(lab.dice, [lab.uid(group.idp_group.id) for group in here])
    named = sorted(lab.user_group_name(one.id) for one in lab.dice.some(in_order(facts.user_groups)))
    roles: tuple[RoleInScope, ...] = (role_in_scope(lab.dice),) if not named or lab.dice.below(2) else ()
    return MappingDraft(lab.uid(connection), match, tuple(named), roles)


def _change_rule(lab: Lab, facts: Facts) -> Proposal:
    rule = lab.pick(facts.rules)
    return ChangeRule(lab.uid(rule.id), draft(lab, facts, rule.connection))


def _delete_rule(lab: Lab, facts: Facts) -> Proposal:
    return DeleteRule(lab.uid(lab.pick(facts.rules).id))


def _switch_rule(lab: Lab, facts: Facts) -> Proposal:
    rule = lab.pick(facts.rules)
    return SwitchRule(lab.uid(rule.id), not rule.enabled)


def _link_group(lab: Lab, facts: Facts) -> Proposal:
    group = lab.pick(_pushed(facts))
    name = lab.user_group_name(lab.pick(facts.user_groups).id)
    return LinkGroup(lab.uid(group.connection), lab.uid(group.idp_group.id), name)


def _unlink_group(lab: Lab, facts: Facts) -> Proposal:
    group = lab.pick(_pushed(facts))
    return UnlinkGroup(lab.uid(group.connection), lab.uid(group.idp_group.id))


def _delete_idp_group(lab: Lab, facts: Facts) -> Proposal:
    group = lab.pick(_pushed(facts))
    return DeleteIdpGroup(lab.uid(group.connection), lab.uid(group.idp_group.id))


def _delete_user_group(lab: Lab, facts: Facts) -> Proposal:
    return DeleteUserGroup(lab.uid(lab.pick(facts.user_groups).id))


def _take_out(lab: Lab, facts: Facts) -> Proposal:
    group = lab.pick(facts.user_groups)
    some = lab.dice.some(in_order(group.people)) or lab.dice.some(in_order(one.id for one in facts.people))
    return TakeOut(lab.uid(group.id), tuple(sorted(map(lab.email, some))))


def _end_grant(lab: Lab, facts: Facts) -> Proposal:
    return EndGrant(lab.uid(lab.pick(facts.grants).id))


def _move_grant(lab: Lab, facts: Facts) -> Proposal:
    grant, wanted = lab.pick(one for one in facts.grants if one.given.role.scopable), role_in_scope(lab.dice)
    if wanted.role is not grant.given.role:
        raise NothingToDo
    return MoveGrant(lab.uid(grant.id), wanted.scope)


def _remove_member(lab: Lab, facts: Facts) -> Proposal:
    return RemoveMember(lab.uid(lab.pick(facts.people).id))


def _switch_connection(lab: Lab, facts: Facts) -> Proposal:
    name = lab.pick(_connections(facts))
    return SwitchConnection(lab.uid(name), name not in facts.connections)


def _delete_connection(lab: Lab, facts: Facts) -> Proposal:
    return DeleteConnection(lab.uid(lab.pick(_connections(facts))))


def _set_labels(lab: Lab, facts: Facts) -> Proposal:
    return SetLabels(lab.pick(ref for ref, _ in facts.resources), labels_of(lab.dice))


def _delete_resource(lab: Lab, facts: Facts) -> Proposal:
    return DeleteResource(lab.pick(ref for ref, _ in facts.resources))


def _set_plan(lab: Lab, facts: Facts) -> Proposal:
    return SetPlan(lab.dice.one(PLANS))


_PROPOSALS: tuple[Callable[[Lab, Facts], Proposal], ...] = (
    _add_rule,
    _change_rule,
    _delete_rule,
    _switch_rule,
    _link_group,
    _unlink_group,
    _delete_idp_group,
    _delete_user_group,
    _take_out,
    _end_grant,
    _move_grant,
    _remove_member,
    _switch_connection,
    _delete_connection,
    _set_labels,
    _delete_resource,
    _set_plan,
)


def perform(lab: Lab, proposal: Proposal) -> None:
    """Do what was thought of. Raises DomainError."""
    context, slug, now = lab.context, lab.slug, lab.now
    match proposal:
        case AddRule(drafted):
            map_groups.add_mapping(context, OPERATOR, slug, drafted, now)
        case ChangeRule(uid, drafted):
            map_groups.change_mapping(context, OPERATOR, slug, uid, drafted, now)
        case DeleteRule(uid):
            map_groups.remove_mapping(context, OPERATOR, slug, uid, now)
        case SwitchRule(uid, enabled):
            map_groups.set_enabled(context, OPERATOR, slug, uid, enabled, now)
        case LinkGroup(connection, group, name):
            map_groups.link_group(context, OPERATOR, slug, connection, group, name, now)
        case UnlinkGroup(connection, group):
            tie_groups.unlink_group(context, OPERATOR, slug, connection, group, now)
        case DeleteIdpGroup(connection, group):
            provision_groups.delete_group(context, lab.connection(connection.removeprefix(f"{slug}-")), group, now)
        case DeleteUserGroup(uid):
            user_groups.delete_user_group(context, OPERATOR, slug, uid, now)
        case TakeOut(uid, emails):
            user_groups.remove_members(context, OPERATOR, slug, uid, emails, now)
        case EndGrant(uid):
            give_roles.end_grant(context, OPERATOR, slug, uid, now)
        case MoveGrant(uid, scope):
            give_roles.change_scope(context, OPERATOR, slug, uid, scope, now)
        case RemoveMember(uid):
            members.remove_member(context, OPERATOR, slug, uid, now)
        case SwitchConnection(connection, enabled):
            own_connections.set_enabled(context, OPERATOR, slug, connection, enabled, now)
        case DeleteConnection(connection):
            own_connections.delete_connection(context, OPERATOR, slug, connection, now)
        case SetLabels(ref, labels):
            resources.set_labels(context, OPERATOR, slug, ref, labels, now)
        case DeleteResource(ref):
            resources.delete_resource(context, OPERATOR, slug, ref, now)
        case SetPlan(plan):
            administer.set_plan(context, OPERATOR, slug, plan, now)
        case _:
            raise NotImplementedError(proposal)


# -- What else happens -----------------------------------------------------------------------------------------------


def happen(lab: Lab, facts: Facts) -> None:
    """An IdP says something, or an owner gives by hand. Raises NothingToDo, DomainError."""
    lab.dice.one(_EVENTS)(lab, facts)


def _push_group(lab: Lab, facts: Facts) -> None:
    name = lab.pick(_connections(facts))
    records = _records(lab, facts, name)
    called, external_id = lab.dice.one(NAMES), lab.dice.one(EXTERNAL_IDS)
    inside = sorted(lab.dice.some(records))
    provision_groups.create_group(lab.context, lab.connection(name), called, external_id, inside, lab.now)


def _rename_group(lab: Lab, facts: Facts) -> None:
    _change_group(lab, lab.pick(_pushed(facts)), GroupRenamed(lab.dice.one(NAMES)))


def _set_external_id(lab: Lab, facts: Facts) -> None:
    _change_group(lab, lab.pick(_pushed(facts)), GroupExternalIdSet(lab.dice.one(EXTERNAL_IDS)))


def _move_members(lab: Lab, facts: Facts) -> None:
    group = lab.pick(_pushed(facts))
    records = _records(lab, facts, group.connection)
    chosen = tuple(sorted(lab.dice.some(records)))
    steps = (MembersAdded(chosen), MembersRemoved(chosen), MembersReplaced(chosen))
    _change_group(lab, group, steps[lab.dice.below(3)])


def _change_group(lab: Lab, group: Group, step: GroupChange) -> None:
    connection = lab.connection(group.connection)
    provision_groups.change_group(lab.context, connection, lab.uid(group.idp_group.id), [step], lab.now)


def _set_active(lab: Lab, facts: Facts) -> None:
    record = lab.pick(one for one in facts.records if one.pushed)
    said = pushed(record.id, active=bool(lab.dice.below(2)))
    connection = lab.connection(record.connection)
    provision_users.change_user(lab.context, connection, lab.uid(record.id), lambda _: said, lab.now)


def _delete_user(lab: Lab, facts: Facts) -> None:
    record = lab.pick(one for one in facts.records if one.pushed)
    provision_users.delete_user(lab.context, lab.connection(record.connection), lab.uid(record.id), lab.now)


def _push_user(lab: Lab, facts: Facts) -> None:
    connection = lab.connection(lab.pick(_connections(facts)))
    person = lab.pick(one.id for one in facts.people)
    provision_users.create_user(lab.context, connection, pushed(lab.email(person)), lab.now)


def _sign_in(lab: Lab, facts: Facts) -> None:
    """Somebody signs in at work; the IdP names their groups."""
    record = lab.pick(one for one in facts.records if one.person)
    connection = lab.connection(record.connection)
    world = World(lab.context, lab.workspace, None, connection, lab.now)  # type: ignore[arg-type]  # owners play no part
    request = start(world, Browser())
    groups = tuple(sorted(lab.dice.some(NAMES)))
    said = answer(world, lab.email(str(record.person)), to=request, subject=record.id, groups=groups)
    complete(lab.context, "saml", said, lab.now)


def _restore_member(lab: Lab, facts: Facts) -> None:
    person = lab.pick(one for one in facts.people if one.removed)
    members.restore_member(lab.context, OPERATOR, lab.slug, lab.uid(person.id), lab.now)


def _lift_hold(lab: Lab, facts: Facts) -> None:
    held = lab.pick(one.person for one in facts.records if one.person and one.holds_out)
    members.lift_hold(lab.context, OPERATOR, lab.slug, lab.uid(str(held)), lab.now)


def _give_to_member(lab: Lab, facts: Facts) -> None:
    person = lab.uid(lab.pick(facts.people).id)
    give_roles.give_to_member(lab.context, OPERATOR, lab.slug, person, role_in_scope(lab.dice), lab.now)


def _give_to_user_group(lab: Lab, facts: Facts) -> None:
    group = lab.uid(lab.pick(facts.user_groups).id)
    give_roles.give_to_user_group(lab.context, OPERATOR, lab.slug, group, role_in_scope(lab.dice), lab.now)


def _fill_user_group(lab: Lab, facts: Facts) -> None:
    group, person = lab.uid(lab.pick(facts.user_groups).id), lab.email(lab.pick(facts.people).id)
    user_groups.add_members(lab.context, OPERATOR, lab.slug, group, [person], lab.now)


def _add_resource(lab: Lab, facts: Facts) -> None:
    ref = lab.dice.one(RESOURCES)
    made = resources.ResourceDraft(ref.type, ref.id, ref.id, labels_of(lab.dice))
    resources.add_resource(lab.context, OPERATOR, lab.slug, made, lab.now)


_EVENTS: tuple[Callable[[Lab, Facts], None], ...] = (
    _push_group,
    _rename_group,
    _rename_group,
    _set_external_id,
    _move_members,
    _sign_in,
    _sign_in,
    _set_active,
    _delete_user,
    _push_user,
    _restore_member,
    _lift_hold,
    _give_to_member,
    _give_to_user_group,
    _fill_user_group,
    _add_resource,
)


# -- Of the facts ----------------------------------------------------------------------------------------------------


def _connections(facts: Facts) -> set[str]:
    """All of them: of those that are off the facts know the records."""
    return {one.connection for one in facts.records} | facts.connections


def _records(lab: Lab, facts: Facts, connection: str) -> list[str]:
    """The ids of those whom a connection pushes."""
    here = in_order(one for one in facts.records if one.connection == connection and one.pushed)
    return [lab.uid(one.id) for one in here]


def _pushed(facts: Facts) -> list[Group]:
    return [group for group in facts.groups if not group.asserted]
