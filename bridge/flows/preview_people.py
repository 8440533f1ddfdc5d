"""What a change does to the few people whom it names: the paths to what each of them has, less those that it ends.

Other changes are compared group by group (`preview_kinds`). Here access itself says what each person has, and by which
path; each is looked at with those paths, and with what is left of them.
"""

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

from bridge.domain.access import Because, RoleInScope, dominates
from bridge.domain.errors import NotFound
from bridge.domain.moves import strongest
from bridge.domain.previews import MovedPeople, PersonMoved, Preview, RemoveMember, Side, TakeOut
from bridge.domain.roles import get_role, in_plan, roles_in_plan
from bridge.domain.workspace import Workspace
from bridge.flows.named import check_members, get_member, get_member_by_email
from bridge.storage import access, user_groups
from bridge.storage.moves_by_person import Person, people_in
from bridge.storage.user_groups import StoredUserGroup
from bridge.storage.workspaces import check_owners_without

SIDES: tuple[Side, Side] = ("gains", "loses")


@dataclass(frozen=True, slots=True)
class PeopleEffect:
    """Of these members (by their keys) the paths that `ends` names end; each of them is given `gives` instead."""

    members: tuple[int, ...]
    ends: Callable[[Because], bool] = lambda path: False
    gives: tuple[RoleInScope, ...] = ()


@dataclass(frozen=True, slots=True)
class _Moved:
    """One of them, what they gain and lose, and whether any path of theirs comes or goes."""

    person: Person
    gains: tuple[RoleInScope, ...]
    loses: tuple[RoleInScope, ...]
    touched: bool

    def on(self, side: Side) -> tuple[RoleInScope, ...]:
        """What moves on a side."""
        return self.gains if side == "gains" else self.loses


# -- What is previewed so ----------------------------------------------------------------------------


def taken_out(rows: Any, workspace: Workspace, proposal: TakeOut) -> PeopleEffect:
    """Members leave a User Group that they are in by hand. Raises NotFound, Conflict (a mirror)."""
    stored = user_groups.get_open_group(rows, workspace.key, proposal.user_group_id)
    found = [get_member_by_email(rows, workspace, email) for email in proposal.emails]
    check_members(workspace, found, [one.key for _, one in found if one.status == "active"])
    people = {one.key: user.email for user, one in found}
    check_in_by_hand(stored, people, user_groups.by_hand_among(rows, stored.key, list(people)))
    uid = stored.group.id
    return PeopleEffect(tuple(people), lambda path: path.user_group_id == uid and path.mapping_id is None)


def check_in_by_hand(stored: StoredUserGroup, people: dict[int, str], by_hand: Collection[int]) -> None:
    """Refuse people, by key their addresses, who weren't put into a User Group by hand. Raises NotFound."""
    missing = [email for key, email in people.items() if key not in by_hand]
    if missing:
        raise NotFound(f"{', '.join(missing)}: not in {stored.group.name} by hand.")


def member_removed(rows: Any, workspace: Workspace, proposal: RemoveMember) -> PeopleEffect:
    """A member leaves. Raises NotFound, LastOwner."""
    user, membership = get_member(rows, workspace, proposal.membership_id)
    check_members(workspace, [(user, membership)], [membership.key] if membership.status == "active" else [])
    check_owners_without(rows, workspace.key, membership.key)
    return PeopleEffect((membership.key,), lambda path: True)


# -- What it says ------------------------------------------------------------------------------------


def foresee(rows: Any, workspace: Workspace, effect: PeopleEffect, now: datetime, *, most: int) -> Preview:
    """Who gains and loses, counted, with the first of each."""
    found = _moves(rows, workspace, effect, now)
    gains, loses = (_side(found, side, most) for side in SIDES)
    moving = sum(1 for one in found if one.gains or one.loses)
    covered = sum(one.touched for one in found) - moving
    return Preview(gains, loses, covered, workspace.rev, _digest(found))


def page_of(
    rows: Any, workspace: Workspace, effect: PeopleEffect, side: Side, now: datetime, *, after: str, most: int
) -> MovedPeople:
    """People of one side after an address, in order of addresses, without counts."""
    movers = [one for one in _moves(rows, workspace, effect, now) if one.on(side) and one.person.email_ci > after]
    people = tuple(_named(one, side) for one in movers[:most])
    return MovedPeople(people=people, more=movers[most - 1].person.email_ci if len(movers) > most else None)


def _moves(rows: Any, workspace: Workspace, effect: PeopleEffect, now: datetime) -> list[_Moved]:
    """In order of address."""
    people = people_in(rows, effect.members, now)
    held: dict[int, list[tuple[RoleInScope, bool]]] = {}
    for batch in access.in_batches([one.member for one in people]):
        for member, given, because in _paths(rows, batch, roles_in_plan(workspace.plan), now):
            held.setdefault(member, []).append((given, effect.ends(because)))
    gives = [given for given in effect.gives if in_plan(given.role, workspace.plan)]
    return [_moved(one, held.get(one.member, []), gives) for one in people]


def _paths(
    rows: Any, members: list[int], roles: Sequence[str], now: datetime
) -> Iterable[tuple[int, RoleInScope, Because]]:
    found = access.paths_of_many(rows, members, roles, now)
    keys = {one.grant_id for one in found}
    scopes = {key: scope for batch in access.in_batches(keys) for key, scope in access.scopes_of(rows, batch).items()}
    for one in found:
        yield one.membership_id, RoleInScope(get_role(one.role), scopes[one.grant_id]), one.because


def _moved(person: Person, held: Sequence[tuple[RoleInScope, bool]], gives: Sequence[RoleInScope]) -> _Moved:
    has = dict.fromkeys(given for given, _ in held)
    will = dict.fromkeys([*(given for given, ends in held if not ends), *gives])
    touched = bool(gives) or any(ends for _, ends in held)
    return _Moved(person, _more(will, has), _more(has, will), touched)


def _more(one: Collection[RoleInScope], other: Collection[RoleInScope]) -> tuple[RoleInScope, ...]:
    """What one gives that nothing of the other gives as much of."""
    return tuple(given for given in one if not any(dominates(covering, given) for covering in other))


def _side(found: Sequence[_Moved], side: Side, most: int) -> MovedPeople:
    movers = [one for one in found if one.on(side)]
    counts = Counter(given for one in movers for given in one.on(side))
    told = {given for one in movers for given in strongest(one.on(side))}
    return MovedPeople(
        len(movers),
        sum(bool(one.person.signed_in) for one in movers),
        tuple((given, count) for given, count in counts.most_common() if given in told),
        tuple(_named(one, side) for one in movers[:most]),
        movers[most - 1].person.email_ci if len(movers) > most else None,
    )


def _named(one: _Moved, side: Side) -> PersonMoved:
    who = one.person
    return PersonMoved(who.uid, who.email, who.name, tuple(strongest(one.on(side))), bool(who.signed_in))


def _digest(found: Iterable[_Moved]) -> str:
    """Of who moves, and by what."""
    moves = [
        (one.person.uid, side, sorted((given.role.id, given.scope.render()) for given in one.on(side)))
        for one in found
        for side in SIDES
    ]
    return sha256(repr(sorted(moves)).encode()).hexdigest()
