"""What a session reaches (product.md 2.7): `holds` and `reaches` are the rule; storage gathers what they look at."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from bridge.domain.identity import Factor, LoginKind
from bridge.domain.roles import has_sso
from bridge.domain.workspace import Workspace

#: After so long without any use of the session, a workspace flagged HIPAA wants a new login (product.md 2.9).
HIPAA_IDLE = timedelta(minutes=15)
#: Ways in of the account itself; the others are a connection's, and vouch inside its workspace only.
ACCOUNT_KINDS: frozenset[LoginKind] = frozenset({"password", "twilio", "passkey"})
#: Those of them in which the account's own secret was shown to us.
SHOWN_HERE: frozenset[LoginKind] = frozenset({"password", "passkey"})


@dataclass(frozen=True, slots=True)
class Authentication:
    """One proof that a session holds. `connection_id` and `workspace_key` name the connection of an SSO login.

    `connection_enabled`: ever since `at`, for a disabled connection ends its authentications for good. `factor`: the
    second one that was shown, of the account's own. `used_at`: when its session was last used without a quarter of an
    hour's pause since `at`; None where that is `at` itself.
    """

    kind: LoginKind
    at: datetime
    ends_at: datetime
    connection_id: str | None = None
    workspace_key: int | None = None
    connection_enabled: bool = False
    groups: tuple[str, ...] = ()
    factor: Factor | None = None
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Seat:
    """A person's membership as reach looks at it.

    `out_since`: since when it was last removed, or held out, which is over; what was authenticated by then stays ended.
    `owner`: by whichever path. `named_owner`: by hand. `domain_proved`: the workspace proved the domain of the
    account's email. `sso_exempt`: by an owner, and the person has a second factor. `opened_until`: a break-glass code
    opened it for this session.
    """

    workspace: Workspace
    membership_key: int
    membership_id: str
    alive: bool
    accepted: bool
    sso_exempt: bool
    require_mfa: bool
    owner: bool
    named_owner: bool
    domain_proved: bool
    out_since: datetime | None = None
    opened_until: datetime | None = None


def holds(authentication: Authentication, seats: dict[int, Seat], now: datetime) -> bool:
    """Whether an authentication still vouches for anything: an ended one never does again."""
    if authentication.ends_at <= now:
        return False
    if authentication.kind in ACCOUNT_KINDS:
        return True
    seat = seats.get(authentication.workspace_key or 0)
    return (
        seat is not None
        and authentication.connection_enabled
        and has_sso(seat.workspace.plan)
        and _still_seated(authentication, seat)
    )


def reaches(authentication: Authentication, seat: Seat, now: datetime) -> bool:
    """Whether an authentication that `holds` opens this workspace: SSO its own and no other, the account's own
    ways in every one that allows them.
    """
    if not _still_seated(authentication, seat) or idled(authentication, seat, now):
        return False
    if authentication.kind not in ACCOUNT_KINDS:
        return authentication.workspace_key == seat.workspace.key
    if _opened_by_code(seat, now):
        return seat.accepted
    return seat.accepted and _enough_was_shown(authentication, seat) and _open_without_sso(authentication, seat)


def _still_seated(authentication: Authentication, seat: Seat) -> bool:
    return seat.alive and (seat.out_since is None or authentication.at > seat.out_since)


def idled(authentication: Authentication, seat: Seat, now: datetime) -> bool:
    """Whether the workspace is flagged HIPAA and the session wasn't used for a quarter of an hour since the login: that
    login opens it no more, however much the session is used later (docs/decisions/0026).
    """
    return seat.workspace.hipaa and (authentication.used_at or authentication.at) + HIPAA_IDLE <= now


def _enough_was_shown(authentication: Authentication, seat: Seat) -> bool:
    return authentication.factor is not None or not seat.require_mfa


def _opened_by_code(seat: Seat, now: datetime) -> bool:
    """Break-glass: the code is the second factor (product.md 2.5)."""
    return seat.named_owner and seat.opened_until is not None and now < seat.opened_until


def _open_without_sso(authentication: Authentication, seat: Seat) -> bool:
    if not seat.workspace.require_sso:
        return True
    # A password alone must not be a way past the IdP: who is exempt shows the factor, too (product.md 2.5).
    if seat.sso_exempt and authentication.factor is not None:
        return True
    # After a downgrade there is no SSO to require: owners named by hand come in to switch it off (product.md 1.6).
    return seat.named_owner and not has_sso(seat.workspace.plan)
