"""Signing in: whose account a first login opens (product.md 2.6), what a session reaches (2.7), and every reason
why not.

`decide` and `reaches` are the two rules; storage gathers what they look at.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal
from urllib.parse import unquote

from bridge.domain.errors import DomainError
from bridge.domain.identity import Factor, LoginKind
from bridge.domain.roles import has_sso
from bridge.domain.workspace import Membership, User, Workspace

#: After so long without any use of the session, a workspace flagged HIPAA wants a new login (product.md 2.9).
HIPAA_IDLE = timedelta(minutes=15)
#: A group name that rules could match (product.md 5.2).
LONGEST_GROUP_NAME = 255
#: Ways in of the account itself; the others are a connection's, and vouch inside its workspace only.
ACCOUNT_KINDS: frozenset[LoginKind] = frozenset({"password", "twilio", "passkey"})
#: Those of them in which the account's own secret was shown to us.
SHOWN_HERE: frozenset[LoginKind] = frozenset({"password", "passkey"})


@dataclass(frozen=True, slots=True)
class Client:
    """Where a request comes from, as sessions and logs keep it."""

    address: str
    user_agent: str

    @property
    def network(self) -> str:
        """By what tries from here are counted."""
        return network_of(self.address)


def network_of(address: str) -> str:
    """What one sender commands: an address, of IPv6 its network of 64 bits; "unknown" for what is none."""
    try:
        found = ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(found, IPv4Address):
        return str(found)
    # A socket for both calls 192.0.2.7 ::ffff:192.0.2.7.
    return str(found.ipv4_mapped or ip_network((int(found) >> 64 << 64, 64)))


#: Where nobody says from where a request comes.
UNKNOWN_CLIENT = Client("", "")


def path_within(path: str, slug: str) -> str:
    """Where a login leads that began at the IdP: a path of the workspace that it opens, else the start page.

    Nobody signed the address, so it is one of those pages that only show something: never one beside them, which a
    browser would make of dots.
    """
    address = path.partition("?")[0].partition("#")[0]
    steps = [unquote(step) for step in address.split("/")]
    plain = not any(step in (".", "..") or "/" in step or "\\" in step for step in steps)
    return path if plain and steps[:3] == ["", "w", slug] else "/"


def keepable_groups(names: tuple[str, ...]) -> tuple[str, ...]:
    """The asserted group names that can be kept: printable, at most 255 characters, each once."""
    kept = (name.strip() for name in names)
    return tuple(dict.fromkeys(name for name in kept if name.isprintable() and 0 < len(name) <= LONGEST_GROUP_NAME))


# -- Why not ------------------------------------------------------------------------------------------------------


class SignInRefused(DomainError):
    """A login that ends here. `title` heads the page, `text` says whose turn it is; both are safe to show."""

    code = "sign_in_refused"
    title = "You can’t sign in"


class UnknownRequest(SignInRefused):
    """The answer belongs to no login under way here: run out, answered already, or begun elsewhere."""

    code = "unknown_request"
    title = "Please start again"

    def __init__(self) -> None:
        super().__init__("This sign-in took too long, was finished already, or was started in another place.")


class Replayed(SignInRefused):
    """The same proof came twice (properties.md 12)."""

    code = "replayed"
    title = "This answer was used already"

    def __init__(self) -> None:
        super().__init__("An answer of an identity provider signs in once. Start again from the sign-in page.")


class LogoutRepeated(SignInRefused):
    """The same logout message came twice (properties.md 12)."""

    code = "logout_repeated"
    title = "This logout message was used already"

    def __init__(self) -> None:
        super().__init__("A logout message of an identity provider counts once. This time it changed nothing.")


class UnknownLogout(SignInRefused):
    """The answer belongs to no logout that was begun here: answered already, run out, or begun elsewhere."""

    code = "unknown_logout"
    title = "This answers no logout of ours"

    def __init__(self) -> None:
        super().__init__("The logout that this answers took too long, was finished already, or was begun elsewhere.")


class EndedAtIdp(SignInRefused):
    """The IdP said that this session of theirs ended, and its answer was made before (SAML Core 3.7.3.2)."""

    code = "ended_at_idp"
    title = "You signed out meanwhile"

    def __init__(self, connection: str) -> None:
        super().__init__(f"{connection} made this answer before you signed out there. Please sign in again.")


class OtherBrowser(SignInRefused):
    """The login was begun in another browser: taken over, or handed over (login CSRF)."""

    code = "other_browser"
    title = "Please start again"

    def __init__(self) -> None:
        super().__init__("This sign-in was started in another browser, so it can’t be finished in this one.")


class NotFresh(SignInRefused):
    """A new proof was demanded of the IdP, and its answer tells of an older one."""

    code = "not_fresh"
    title = "Please sign in anew"

    def __init__(self, connection: str) -> None:
        super().__init__(
            f"A new sign-in at {connection} was asked for, and it answered from an earlier one. Sign out there and try "
            "again; if it stays so, its IT admin can make it follow such requests (ForceAuthn)."
        )


class ConnectionOff(SignInRefused):
    """The connection is disabled, or the workspace's plan has no single sign-on (properties.md 5)."""

    code = "connection_off"
    title = "Single sign-on is switched off"

    def __init__(self, connection: str, workspace: str) -> None:
        super().__init__(f"{connection} doesn’t open {workspace} at the moment. A Workspace Owner can say why.")


class NotAMember(SignInRefused):
    """Nobody here, and just-in-time accounts are off."""

    code = "not_a_member"
    title = "You are not a member yet"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"{workspace} makes no accounts at the first sign-in. Ask a Workspace Owner to invite you.")


class MembershipEnded(SignInRefused):
    """Removed by an owner, or deleted by an IdP: just-in-time never revives it."""

    code = "membership_ended"
    title = "You are not a member any more"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your membership of {workspace} has ended. A Workspace Owner can bring it back.")


class HeldOut(SignInRefused):
    """An IdP's record says that they are out."""

    code = "held_out"
    title = "Your account is deactivated"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your company deactivated your account for {workspace}. Its IT admin can reactivate it.")


class AnotherConnectionsPerson(SignInRefused):
    """Another connection of the workspace pushes them (properties.md 7a)."""

    code = "another_connections_person"
    title = "You sign in another way"

    def __init__(self, workspace: str) -> None:
        super().__init__(f"Your account in {workspace} belongs to another connection. Sign in the way you usually do.")


class AccountClosed(SignInRefused):
    """The account behind the identity was closed."""

    code = "account_closed"
    title = "This account was closed"

    def __init__(self) -> None:
        super().__init__("The account that this identity opened was closed. A Workspace Owner can invite you anew.")


class UnusableIdentity(SignInRefused):
    """What the IdP says is well signed, and still nothing that could be kept."""

    code = "unusable_identity"


class SharedEmail(SignInRefused):
    """The IdP pushes two people with one address, and this is the one without an account (product.md 4.8)."""

    code = "shared_email"
    title = "Somebody else has your email"

    def __init__(self, connection: str) -> None:
        super().__init__(f"{connection} gives the same email to two people. Its IT admin can give you your own.")


class WrongCredentials(SignInRefused):
    """Wrong password, or no such account: one text, so that nobody learns which."""

    code = "wrong_credentials"
    title = "That didn’t work"

    def __init__(self) -> None:
        super().__init__("The email or the password is wrong.")


class WrongCode(SignInRefused):
    """A break-glass code that isn't one, was used, or isn't theirs: one text for all."""

    code = "wrong_code"
    title = "That code doesn’t open it"

    def __init__(self) -> None:
        super().__init__("This code is wrong, was used already, or ran out. Each opens once.")


class LoginTooOld(SignInRefused):
    """A break-glass code goes with the account's own login, made just now."""

    code = "login_too_old"
    title = "Sign in again first"

    def __init__(self) -> None:
        super().__init__("A code opens only together with your own password. Sign in with it, then use the code.")


class ProofExpired(SignInRefused):
    """The pending proof, or its mailed link, was used or ran out."""

    code = "proof_expired"
    title = "This link works no longer"

    def __init__(self) -> None:
        super().__init__("It was used already, or ran out. Sign in again to get a new one.")


class NotThatAccount(SignInRefused):
    """They proved an account, but not the one that was asked for; or in a way that proves nothing."""

    code = "not_that_account"
    title = "That is another account"


class TestTicketUsed(SignInRefused):
    """The address that begins a test works once, for half an hour."""

    __test__ = False
    code = "test_ticket_used"
    title = "This test was started already"

    def __init__(self) -> None:
        super().__init__("The address that begins a test works once, for half an hour. Ask for a new one.")


class TestResultGone(SignInRefused):
    """A test's result is shown for half an hour; then it is in the sign-in log alone."""

    __test__ = False
    code = "test_result_gone"
    title = "This result is gone"

    def __init__(self) -> None:
        super().__init__("The result of a test is shown here for half an hour. It stays in the sign-in log.")


# -- Whose account a login opens (product.md 2.6) -----------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Found:
    """The one account that a login could open, and how it was found.

    `pushed_here`, `pushed_elsewhere`: by this connection, by others of the workspace. `signed_in_elsewhere`: an
    identity of another connection of the workspace is theirs. `domain_proved`: this workspace has proved, now, the
    domain of the account's email. `has_credentials`: the account has ways in of its own. `vouched`: they aren't that
    account's holder by an address alone that the IdP doesn't vouch for. `invited_back`: the membership was removed, and
    an owner has invited the account's address since. What only a first login looks at is left out of one found by its
    identity.
    """

    by: Literal["identity", "push", "email"]
    user: User
    membership: Membership | None
    domain_proved: bool = False
    pushed_here: bool = False
    pushed_elsewhere: bool = False
    signed_in_elsewhere: bool = False
    owner: bool = False
    has_credentials: bool = False
    vouched: bool = True
    invited_back: bool = False


#: What a login leads to: `enter` an account it opened before, `link` to one, `adopt` one (clear what strangers may
#: have left in it, then link), have the person `prove` it first, or `create` one.
Step = Literal["enter", "link", "adopt", "prove", "create"]


def decide(found: Found | None, workspace: Workspace, *, jit: bool) -> Step:
    """What a login with a verified identity leads to. Raises a SignInRefused, one class a reason."""
    if found is None or found.membership is None:
        if not jit:
            raise NotAMember(workspace.name)
        if found is None:
            return "create"
    elif not found.invited_back:
        check_alive(found.membership, workspace)
    if found.pushed_elsewhere and not found.pushed_here:
        raise AnotherConnectionsPerson(workspace.name)
    if found.by == "identity":
        return "enter" if found.vouched else "prove"
    return _first_login(found)


def check_alive(membership: Membership, workspace: Workspace) -> None:
    """Raises MembershipEnded or HeldOut for a membership of which nothing works now."""
    if membership.status != "active":
        raise MembershipEnded(workspace.name)
    if membership.held_out:
        raise HeldOut(workspace.name)


def _first_login(found: Found) -> Step:
    if not found.vouched or not (found.domain_proved or found.by == "push" or _lone_member(found)):
        return "prove"
    if found.user.email_proved:
        return "link"
    if found.domain_proved:
        return "adopt"
    # Whoever set these credentials never showed that the address is theirs; and without its domain, this workspace
    # may not clear them: they may be the rightful holder's (properties.md 1).
    return "prove" if found.has_credentials else "link"


def _lone_member(found: Found) -> bool:
    """(c): a member whom no other connection has signed in, and no owner."""
    member = found.membership is not None and not found.invited_back
    return member and not found.signed_in_elsewhere and not found.owner


# -- What a session reaches (product.md 2.7) ----------------------------------------------------------------------


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
