"""Why, to the bottom: the paths of `explain`, and of each link who made it, and when (product.md 5.4).

Makers are read for the paths that are shown, beside the one query of access: a person in 1,000 groups has thousands of
paths, of which a page shows a few and counts the rest.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.access import Because, Permission, RoleInScope
from bridge.domain.labels import Label
from bridge.domain.origins import Made, Origin, tell_labels, tell_origins
from bridge.domain.roles import Role
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain import Question, answer_of, permissions_of, roles_asked, who_and_what
from bridge.flows.named import get_member_by_email, get_workspace
from bridge.storage.label_makers import labels_put_on
from bridge.storage.origins import makers_of
from bridge.storage.origins_past import makers_at


@dataclass(frozen=True, slots=True)
class Traced:
    """One path of a permission, with how each of its links came about."""

    because: Because
    origins: tuple[Origin, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A permission with its paths, traced, of a part of them; `total` counts them all."""

    permission: Permission
    paths: tuple[Traced, ...]

    @property
    def total(self) -> int:
        """How many paths give it."""
        return len(self.permission.because)


def explain_access(
    context: Context, workspace_slug: str, email: str, now: datetime, *, most: int | None = None
) -> tuple[Explained, ...]:
    """Everything a person may do, with at most `most` paths traced. Raises as `access_of` does."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        _, membership = get_member_by_email(connection, workspace, email)
        found = permissions_of(connection, [membership.key], workspace.plan, now).get(membership.key, ())
        return trace(connection, workspace, membership.key, found, most=most)


def explain_check(
    context: Context,
    workspace_slug: str,
    email: str,
    question: Question,
    now: datetime,
    *,
    first: int = 0,
    most: int | None = None,
) -> tuple[Explained, ...]:
    """What lets a person do it, with the paths from number `first` on, at most `most` of them all, traced.

    Empty exactly when they may not. Raises NotFound for an unknown workspace or resource.
    """
    with context.database.snapshot() as connection:
        workspace, member, resource = who_and_what(connection, workspace_slug, email, question)
        if member is None:
            return ()
        answer = answer_of(connection, member, roles_asked(workspace, question), resource, now)
        found = trace(connection, workspace, member, answer.because, first=first, most=most)
        return found if resource is None else with_labels(connection, workspace, found, resource, now)


def trace(
    connection: Any,
    workspace: Workspace,
    membership_key: int,
    permissions: Iterable[Permission],
    *,
    first: int = 0,
    most: int | None = None,
    at: datetime | None = None,
) -> tuple[Explained, ...]:
    """Permissions of one member with part of their paths traced; those that they had `at` a moment, as of then."""
    every = tuple(permissions)
    all_paths = [(number, path) for number, one in enumerate(every) for path in one.because]
    shown = all_paths[first : None if most is None else first + most]
    paths = [path for _, path in shown]
    if at is None:
        makers = makers_of(connection, workspace.key, membership_key, paths)
    else:
        makers = makers_at(connection, workspace.key, membership_key, paths, at)

    def traced(wanted: int, role: Role) -> Iterator[Traced]:
        for number, path in shown:
            if number == wanted:
                yield Traced(path, tell_origins(path, role, makers))

    return tuple(Explained(one, tuple(traced(number, one.role))) for number, one in enumerate(every))


def with_labels(
    connection: Any, workspace: Workspace, explained: tuple[Explained, ...], resource: int, at: datetime
) -> tuple[Explained, ...]:
    """The same paths to one resource, by its key; where they hold by labels, with who had put those on it by then."""
    if not any(one.paths and one.permission.scope.kind == "labels" for one in explained):
        return explained
    put = labels_put_on(connection, workspace.key, resource, at)
    return tuple(replace(one, paths=tuple(_labelled(one, put))) for one in explained)


def _labelled(one: Explained, put: Mapping[Label, Made]) -> Iterator[Traced]:
    labels = tell_labels(RoleInScope(one.permission.role, one.permission.scope), put)
    for path in one.paths:
        yield replace(path, origins=(*path.origins, *labels))
