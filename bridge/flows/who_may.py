"""Backwards: who may read or edit a resource, or create one of a type, and by what (product.md 5.4).

The people are found from the resource's end (`storage.access_backwards`); the paths of those on the page are those that
`explain` gives of each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from bridge.domain.access import Permission, fits
from bridge.domain.people import fold_letters
from bridge.flows.context import Context
from bridge.flows.explain import Question, WayToGet, permissions_of, resource_asked, roles_asked, what_would_give
from bridge.flows.named import get_workspace
from bridge.storage.access_backwards import Holder, count_who_may
from bridge.storage.access_backwards import who_may as holders_in_order
from bridge.storage.origins import names_of

#: People on a page.
PAGE = 50


@dataclass(frozen=True, slots=True)
class WhoMay:
    """A member who may, and the permissions that let them, each with its paths. `id` is the membership's."""

    id: str
    email: str
    name: str
    because: tuple[Permission, ...]


@dataclass(frozen=True, slots=True)
class PeopleWhoMay:
    """A page of them in order of address; `total` counts them all; `after` is where the next page begins, if any.

    `names` are those of who gave something, by actor.
    """

    people: tuple[WhoMay, ...]
    total: int
    after: str | None
    names: Mapping[str, str]


def who_may(
    context: Context, workspace_slug: str, question: Question, now: datetime, *, after: str = "", size: int = PAGE
) -> PeopleWhoMay:
    """Who may do it, from the address after `after` on. Raises NotFound for an unknown workspace or resource."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        resource_key, labels = resource_asked(connection, workspace, question)
        roles = roles_asked(workspace, question)
        where = (connection, workspace.key, roles, resource_key, now)
        total = count_who_may(*where)
        found = holders_in_order(*where, total=total, after=fold_letters(after), most=size + 1) if total else []
        shown = found[:size]
        held = permissions_of(connection, [one.key for one in shown], workspace.plan, now, only=roles)
        every = (path for permissions in held.values() for one in permissions for path in one.because)
        names = names_of(connection, {path.given_by for path in every})

    def reaches(one: Permission) -> bool:
        whole = one.scope.kind == "all"
        return one.role.id in roles and (
            whole or bool(question.resource and fits(one.scope, question.resource, labels))
        )

    def told(one: Holder) -> WhoMay:
        return WhoMay(one.id, one.email, one.name, tuple(each for each in held.get(one.key, ()) if reaches(each)))

    more = shown[-1].email if len(found) > size else None
    return PeopleWhoMay(tuple(map(told, shown)), total, more, names)


def given_by(context: Context, workspace_slug: str, question: Question, now: datetime) -> tuple[WayToGet, ...]:
    """The User Groups and rules that give it to whoever is in them. Raises as `who_may` does."""
    return tuple(way for way in what_would_give(context, workspace_slug, question, now) if way.kind != "role")
