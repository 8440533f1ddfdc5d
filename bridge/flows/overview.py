"""What pages show around their subject: how many there are, whom to ask, and where else somebody may go."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from bridge.domain.reach import ACCOUNT_KINDS, Authentication, Seat, reaches
from bridge.domain.roles import has_sso
from bridge.domain.sentences import listed
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.named import get_workspace
from bridge.flows.password_login import Way
from bridge.flows.sessions import CurrentSession
from bridge.storage import access, overview, sessions
from bridge.storage.break_glass import has_codes
from bridge.storage.connections import list_connections
from bridge.storage.second_factors import has_factor


@dataclass(frozen=True, slots=True)
class WorkspaceCounts:
    """How many of each a workspace has. `people` are its members, suspended ones too; `requests` wait for an answer."""

    people: int
    invited: int
    user_groups: int
    tokens: int
    requests: int = 0
    resources: int = 0
    labels: int = 0


def count_all(context: Context, workspace_slug: str) -> WorkspaceCounts:
    """How many of each thing. Raises NotFound."""
    with context.database.reading() as connection:
        return WorkspaceCounts(**overview.count_each(connection, get_workspace(connection, workspace_slug).key))


def count_holders(context: Context, workspace_slug: str, now: datetime) -> dict[str, int]:
    """How many members have each role (by id), by whichever path. Raises NotFound."""
    with context.database.snapshot() as connection:
        return access.count_holders(connection, get_workspace(connection, workspace_slug).key, now)


def names_of_owners(context: Context, workspace_slug: str, most: int, now: datetime) -> tuple[str, ...]:
    """Whom to ask: owners by hand first, those who have owned it longest; then those by rules. Raises NotFound."""
    with context.database.snapshot() as connection:
        return tuple(overview.owner_names(connection, get_workspace(connection, workspace_slug).key, most, now))


# -- Workspaces that a session doesn't reach ---------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClosedWorkspace:
    """A workspace of the person that their session doesn't reach, and the ways that would open it.

    `break_glass`: they are an owner named by hand who came by their own login and has codes: one opens it, too.
    `by_account`: their own login does. `set_up_factor`: it would, had they a second factor, and they have none yet.
    `own_login`: what that is, in words.
    `idled`: it is flagged HIPAA, and was open to this session until that wasn't used for a quarter of an hour.
    """

    workspace: Workspace
    owner: bool
    connections: tuple[Way, ...]
    by_account: bool
    break_glass: bool = False
    idled: bool = False
    set_up_factor: bool = False
    own_login: str = "a password"

    @property
    def asks_for(self) -> str:
        """What it asks for: `Okta or Entra`, `a password`."""
        own = ["a second factor"] if self.set_up_factor else [self.own_login] if self.by_account else []
        return listed([*(way.name for way in self.connections), *own], last="or") or "another way to sign in"


def list_closed(context: Context, session: CurrentSession, now: datetime) -> tuple[ClosedWorkspace, ...]:
    """The person's other workspaces, by slug: where one must sign in another way first.

    For a session that only a company's IdP vouches for, none but what closed to it unused: it must not learn where else
    somebody is (properties.md 1).
    """
    if not session.may_change_account and not session.idled:
        return ()
    reached = {one.workspace.key for one in session.workspaces}
    with context.database.snapshot() as connection:
        seats = sessions.find_seats(connection, session.user, now, now)
        known = seats.keys() if session.may_change_account else session.idled
        closed = [seat for key, seat in seats.items() if key in known and key not in reached and seat.alive]
        return tuple(_closed(connection, session, seat, now) for seat in closed)


def find_closed(
    context: Context, session: CurrentSession, workspace_slug: str, now: datetime
) -> ClosedWorkspace | None:
    """The one of them with this slug, or None."""
    return next((one for one in list_closed(context, session, now) if one.workspace.slug == workspace_slug), None)


def _closed(connection: Any, session: CurrentSession, seat: Seat, now: datetime) -> ClosedWorkspace:
    opened_by_sso = list_connections(connection, seat.workspace.key) if has_sso(seat.workspace.plan) else []
    ways = tuple(Way(one.id, one.kind, one.name) for one in opened_by_sso if one.enabled)
    by_password = Authentication("password", now, now)
    own_login = any(one.kind in ACCOUNT_KINDS for one in session.authentications)
    by_account = reaches(by_password, seat, now)
    glass = own_login and seat.named_owner and seat.accepted and not by_account
    glass = glass and has_codes(connection, seat.membership_key, now)
    idle = seat.workspace.key in session.idled
    by_factor = not by_account and reaches(replace(by_password, factor="totp"), seat, now)
    set_up = by_factor and own_login and not has_factor(connection, session.user.key)
    own = (by_account or by_factor) and not set_up
    return ClosedWorkspace(seat.workspace, seat.owner, ways, own, glass, idle, set_up, _own_login(session))


def _own_login(session: CurrentSession) -> str:
    """How the person shows that the account is theirs, in words."""
    if any(one.kind == "twilio" for one in session.authentications):
        return "Twilio"
    return "a password" if session.user.has_password else "your own login"
