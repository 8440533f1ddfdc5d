"""Why, to the bottom: the paths of `explain`, and of each link who made it, and when (product.md 5.4).

Makers are read for the paths that are shown, beside the one query of access: a person in 1,000 groups has thousands of
paths, of which a page shows a few and counts the rest.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bridge.domain.access import Because, Permission
from bridge.domain.origins import Origin, tell_origins
from bridge.domain.roles import Role
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.explain import Question, answer_of, permissions_of, roles_asked, who_and_what
from bridge.flows.named import get_member_by_email, get_workspace
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
        return trace(connection, workspace, member, answer.because, first=first, most=most)


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
