"""What each kind of change does to what groups give: one function a kind, from the proposal to an `Effect`.

Whatever the real change refuses is refused here, too, in the same words.
"""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.access import EVERYWHERE, RoleInScope
from bridge.domain.errors import Conflict, NotFound
from bridge.domain.group_mapping import CountedGroup
from bridge.domain.labels import check_one_value_a_key
from bridge.domain.moves import (
    Asked,
    Question,
    Standing,
    compare,
    moved_by_plan,
    on_resource,
    questions_of,
    roles_asked,
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
from bridge.domain.roles import OWNER, ROLES, in_plan, parse_plan
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.named import get_connection
from bridge.flows.named_rules import (
    check_change,
    check_draft,
    check_own_rule,
    get_pushed_group,
    get_rule,
    get_user_group_keys,
)
from bridge.flows.preview_people import PeopleEffect, member_removed, taken_out
from bridge.flows.roles_given import check_given_once, get_given_by_hand
from bridge.storage import connection_overview, mappings, mirrors, moves, resources, user_groups
from bridge.storage.grants import StoredGrant, scope_keys
from bridge.storage.mappings import StoredGroup, StoredMapping
from bridge.storage.workspaces import check_owners_without

#: The key of a rule that isn't there yet.
_DRAFTED = -1
Edit = Callable[[Standing], Standing]


@dataclass(frozen=True, slots=True)
class Effect:
    """How one Standing becomes another, and what to ask about it.

    `asks` gives the questions, of what was read; `roles` are those that matter to them (None: all). `own`: what people
    are given themselves moves, too. Of a rule `groups` is how many it takes now, `later` whether it takes others later.
    """

    edit: Edit
    asks: Callable[[Standing], Iterable[Question]]
    roles: Collection[str] | None
    own: bool = False
    groups: int | None = None
    later: bool = False
    begin: Edit = lambda standing: standing


def asked_of(rows: Any, workspace: Workspace, effect: Effect, now: datetime) -> list[Asked]:
    """The questions of an effect as the tables are asked them."""
    read = moves.load_standing(rows, workspace.key, workspace.plan, now, effect.roles, own=effect.own)
    before = effect.begin(read)
    return compare(before, effect.edit(before), effect.asks(before))


def effect_of(rows: Any, workspace: Workspace, proposal: Proposal) -> Effect | PeopleEffect:
    """What a proposal does. Raises what doing it raises."""
    return _KINDS[type(proposal)](rows, workspace, proposal)


# -- Rules -------------------------------------------------------------------------------------------


def _added(rows: Any, workspace: Workspace, proposal: AddRule) -> Effect:
    draft = proposal.draft
    connection, user_groups_given = check_draft(rows, workspace, draft)
    groups = mappings.groups_of_match(rows, connection.key, draft.match)
    put = _put(draft, user_groups_given.values(), groups if connection.enabled else [])
    gives = [*draft.roles, *moves.gives_of(rows, user_groups_given.values())]
    return _by_gives(put, gives, groups=len(groups), later=draft.match.takes_later)


def _changed(rows: Any, workspace: Workspace, proposal: ChangeRule) -> Effect:
    mapping, draft = get_rule(rows, workspace, proposal.mapping_id), proposal.draft
    connection, user_groups_given = check_change(rows, workspace, mapping, draft)
    groups = mappings.groups_of_match(rows, connection.key, draft.match)
    on = connection.enabled and mapping.enabled
    put = _put(draft, user_groups_given.values(), groups if on else [], key=mapping.key)
    gives = [*draft.roles, *moves.gives_of(rows, user_groups_given.values()), *_given(rows, [mapping.key])]
    return _by_gives(
        lambda standing: put(standing.without_rules({mapping.key})),
        gives,
        groups=len(groups),
        later=draft.match.takes_later,
    )


def _switched(rows: Any, workspace: Workspace, proposal: SwitchRule) -> Effect:
    mapping = get_rule(rows, workspace, proposal.mapping_id)
    connection = _connection_of(rows, workspace, mapping)
    groups = mappings.groups_of_match(rows, connection.key, mapping.match)
    taken = [one.counted for one in groups] if proposal.enabled and connection.enabled else []
    return _by_gives(
        lambda standing: standing.unmatched({mapping.key}).matching(mapping.key, taken),
        _given(rows, [mapping.key]),
        groups=len(groups),
        later=proposal.enabled and mapping.match.takes_later,
    )


def _deleted(rows: Any, workspace: Workspace, proposal: DeleteRule) -> Effect:
    mapping = check_own_rule(get_rule(rows, workspace, proposal.mapping_id))
    return _without(rows, [mapping.key])


def _without(rows: Any, rules: Sequence[int]) -> Effect:
    return _by_gives(lambda standing: standing.without_rules(rules), _given(rows, rules))


def _put(
    draft: MappingDraft, user_group_keys: Collection[int], groups: Iterable[StoredGroup], *, key: int = _DRAFTED
) -> Edit:
    taken = [one.counted for one in groups]
    return lambda standing: standing.with_rule(key, user_group_keys, draft.roles).matching(key, taken)


def _by_gives(edit: Edit, gives: Iterable[RoleInScope], *, groups: int | None = None, later: bool = False) -> Effect:
    questions = questions_of(gives)
    return Effect(edit, lambda _: questions, roles_asked(questions), groups=groups, later=later)


def _given(rows: Any, rules: Collection[int]) -> list[RoleInScope]:
    """What rules give, by themselves and by User Groups."""
    tied = [key for given in mappings.user_groups_given(rows, rules).values() for key, _, _ in given]
    return moves.gives_of(rows, [*rules, *tied])


def _connection_of(rows: Any, workspace: Workspace, mapping: StoredMapping) -> Connection:
    found = mappings.connection_of(rows, mapping)
    return get_connection(rows, workspace, found)


# -- Groups ------------------------------------------------------------------------------------------


def _linked(rows: Any, workspace: Workspace, proposal: LinkGroup) -> Effect:
    connection = get_connection(rows, workspace, proposal.connection_id)
    group = get_pushed_group(rows, connection, proposal.group_id)
    [target] = get_user_group_keys(rows, workspace, [proposal.user_group_name]).values()
    ended = _ties(rows, connection, proposal.group_id)
    taken = [CountedGroup(group.key)] if connection.enabled else []

    def edit(standing: Standing) -> Standing:
        return standing.without_rules(ended).with_rule(_DRAFTED, [target], ()).matching(_DRAFTED, taken)

    return _by_gives(edit, [*moves.gives_of(rows, [target]), *_given(rows, ended)])


def _unlinked(rows: Any, workspace: Workspace, proposal: UnlinkGroup) -> Effect:
    connection = get_connection(rows, workspace, proposal.connection_id)
    group = get_pushed_group(rows, connection, proposal.group_id)
    ended = [one.key for one in mirrors.made_for(rows, connection, proposal.group_id, "link")]
    if not ended:
        raise Conflict(f"{group.group.name} is linked to no User Group.")
    return _without(rows, ended)


def _idp_group_deleted(rows: Any, workspace: Workspace, proposal: DeleteIdpGroup) -> Effect:
    connection = get_connection(rows, workspace, proposal.connection_id)
    group = get_pushed_group(rows, connection, proposal.group_id)
    ended = _ties(rows, connection, proposal.group_id)
    bared = mappings.unshadowed_without(rows, connection.key, group.key)
    rules = mappings.rules_of_groups(rows, [group.key, *bared])

    def edit(standing: Standing) -> Standing:
        return standing.without_rules(ended).without_groups({group.key}).unshadowed(bared)

    return _by_gives(edit, _given(rows, rules))


def _ties(rows: Any, connection: Connection, group_id: str) -> list[int]:
    return [one.key for one in mirrors.made_for(rows, connection, group_id, "mirror", "link")]


def _user_group_deleted(rows: Any, workspace: Workspace, proposal: DeleteUserGroup) -> Effect:
    stored = user_groups.find_user_group(rows, workspace.key, uid=proposal.user_group_id)
    if stored is None:
        raise NotFound(f"{workspace.name} has no User Group {proposal.user_group_id[:80]!r}.")
    return _by_gives(lambda standing: standing.without_user_group(stored.key), moves.gives_of(rows, [stored.key]))


# -- Roles by hand -----------------------------------------------------------------------------------


def _grant_ended(rows: Any, workspace: Workspace, proposal: EndGrant) -> Effect | PeopleEffect:
    stored, given = get_given_by_hand(rows, workspace, proposal.grant_id)
    if stored.principal_kind == "membership" and given.role is OWNER:
        check_owners_without(rows, workspace.key, stored.principal_key)
    return _regranted(rows, proposal.grant_id, stored, given, None)


def _grant_moved(rows: Any, workspace: Workspace, proposal: MoveGrant) -> Effect | PeopleEffect:
    stored, given = get_given_by_hand(rows, workspace, proposal.grant_id)
    after = RoleInScope(given.role, proposal.scope)
    if after == given:
        return PeopleEffect(())  # nothing is done, also where the role has ended by time
    check_given_once(rows, stored.principal_key, after)
    scope_keys(rows, workspace.key, proposal.scope)
    return _regranted(rows, proposal.grant_id, stored, given, after)


def _regranted(
    rows: Any, grant_id: str, stored: StoredGrant, before: RoleInScope, after: RoleInScope | None
) -> Effect | PeopleEffect:
    given = () if after is None else (after,)
    if stored.principal_kind == "user_group":
        return _by_gives(lambda standing: standing.regranted(stored.principal_key, before, after), [before, *given])
    return PeopleEffect((stored.principal_key,), lambda path: path.grant_id == grant_id, given)


# -- Connections -------------------------------------------------------------------------------------


def _connection_switched(rows: Any, workspace: Workspace, proposal: SwitchConnection) -> Effect:
    found = get_connection(rows, workspace, proposal.connection_id)
    if not proposal.enabled:
        return _closed(rows, workspace, found)
    pairs = [(rule, one.counted) for rule, one in mappings.pairs_when_on(rows, found.key)]

    def edit(standing: Standing) -> Standing:
        return replace(standing.unmatched({rule for rule, _ in pairs}), matches=standing.matches | set(pairs))

    return replace(_by_gives(edit, _given_by(rows, found)), roles=None)


def _connection_deleted(rows: Any, workspace: Workspace, proposal: DeleteConnection) -> Effect:
    return _closed(rows, workspace, get_connection(rows, workspace, proposal.connection_id))


def _closed(rows: Any, workspace: Workspace, found: Connection) -> Effect:
    rules = mappings.keys_of_connection(rows, found.key)
    return replace(_by_gives(lambda standing: standing.unmatched(rules), _given_by(rows, found)), roles=None)


def _given_by(rows: Any, found: Connection) -> list[RoleInScope]:
    return moves.gives_of(rows, connection_overview.principals_of(rows, found.key))


# -- Resources and the plan --------------------------------------------------------------------------


def _labelled(rows: Any, workspace: Workspace, proposal: SetLabels) -> Effect:
    wanted = check_one_value_a_key(proposal.labels)
    return _of_resource(rows, workspace, proposal, lambda standing: replace(standing, labels=wanted))


def _resource_deleted(rows: Any, workspace: Workspace, proposal: DeleteResource) -> Effect:
    return _of_resource(rows, workspace, proposal, lambda standing: replace(standing, labels=None))


def _of_resource(rows: Any, workspace: Workspace, proposal: SetLabels | DeleteResource, edit: Edit) -> Effect:
    found = resources.find_resource(rows, workspace.key, proposal.resource)
    if found is None:
        raise NotFound(f"There is no {proposal.resource} in {workspace.name}.")
    carried, questions = found[1].labels, on_resource(proposal.resource)
    return Effect(
        edit,
        lambda _: questions,
        roles_asked(questions),
        own=True,
        begin=lambda standing: replace(standing, labels=carried),
    )


def _planned(rows: Any, workspace: Workspace, proposal: SetPlan) -> Effect:
    plan = parse_plan(proposal.plan)
    moving = [role for role in ROLES if in_plan(role, workspace.plan) != in_plan(role, plan)]
    return Effect(
        lambda standing: replace(standing, plan=plan),
        lambda standing: moved_by_plan(standing, moving),
        roles_asked(Question(RoleInScope(role, EVERYWHERE)) for role in moving),
        own=True,
    )


_KINDS: dict[type[Any], Callable[[Any, Workspace, Any], Effect | PeopleEffect]] = {
    AddRule: _added,
    ChangeRule: _changed,
    SwitchRule: _switched,
    DeleteRule: _deleted,
    LinkGroup: _linked,
    UnlinkGroup: _unlinked,
    DeleteIdpGroup: _idp_group_deleted,
    DeleteUserGroup: _user_group_deleted,
    TakeOut: taken_out,
    EndGrant: _grant_ended,
    MoveGrant: _grant_moved,
    RemoveMember: member_removed,
    SwitchConnection: _connection_switched,
    DeleteConnection: _connection_deleted,
    SetLabels: _labelled,
    DeleteResource: _resource_deleted,
    SetPlan: _planned,
}
