"""Steps of User Groups, of who is in them by hand, and of what they and members were given."""

from collections.abc import Iterable, Iterator

from bridge.domain.access import RoleInScope
from bridge.domain.as_code import CodedGrants, CodedWorkspace
from bridge.domain.as_code_names import index_of
from bridge.domain.as_code_step import Action, Holder, Said, Step
from bridge.domain.as_code_writing import sort_roles
from bridge.domain.people import fold, fold_letters


def user_group_steps(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """User Groups that are made, or called otherwise. A mirror is made by the push alone."""
    index = index_of(present.user_groups)
    for one in wanted.user_groups or ():
        before = index.find(one)
        if before is None and not one.mirror:
            yield Step("create", "user_group", one.name, at=one.at, wanted=one)
        elif before is not None and before.name != one.name:
            yield Step("change", "user_group", before.name, (Said("name", before.name, one.name),), one.at, one, before)


def people_steps(present: CodedWorkspace, wanted: CodedWorkspace, action: Action) -> Iterator[Step]:
    """Who is put into User Groups by hand, or taken out: one step for each."""
    index = index_of(present.user_groups)
    for one in wanted.user_groups or ():
        if one.members is not None:
            before = index.find(one)
            standing, listed = (before and before.members) or (), one.members
            new = _less(listed, standing) if action == "create" else _less(standing, listed)
            if new:
                said = Said("people", *((None, ", ".join(new)) if action == "create" else (", ".join(new), None)))
                yield Step(action, "people", one.name, (said,), f"{one.at}.members", new, new)


def _less(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    known = {fold_letters(email) for email in others}
    return tuple(email for email in some if fold_letters(email) not in known)


def grants_of_all(workspace: CodedWorkspace) -> dict[tuple[str, str], tuple[Holder, CodedGrants, str]]:
    """What the file, or the world, says of everybody who holds grants."""
    held: dict[tuple[str, str], tuple[Holder, CodedGrants, str]] = {}
    for group in workspace.user_groups or ():
        if group.grants is not None:
            held["user_group", fold(group.name)] = Holder("user_group", group.name), group.grants, group.at
    for member in workspace.members or ():
        held["member", fold_letters(member.email)] = Holder("member", member.email), member.grants, member.at
    return held


def grant_steps(present: CodedWorkspace, wanted: CodedWorkspace, action: Action) -> Iterator[Step]:
    """What is given, or taken: one step for each grant."""
    standing = grants_of_all(present)
    for key, (holder, grants, at) in grants_of_all(wanted).items():
        _, before, _ = standing.get(key, (holder, CodedGrants(()), ""))
        if action == "create":
            new = [one for one in grants.given if one not in (*before.given, *before.automatic)]
        else:
            new = [one for one in before.given if one not in grants.given]
        yield from (grant_step(action, holder, one, grants.places.get(one, f"{at}.grants")) for one in sort_roles(new))


def grant_step(action: Action, holder: Holder, given: RoleInScope, at: str) -> Step:
    """The step of one grant."""
    words = f"{given.role.name} on {', '.join(given.scope.render())}"
    return Step(action, "grant", f"{words} {'to' if action == 'create' else 'of'} {holder}", (), at, (holder, given))
