"""Signing in: whose account a login opens (product.md 2.6). `decide` is the rule; storage gathers what it looks at.

What a session reaches then is in `reach`, every reason why not in `sign_in_refusals`.
"""

from dataclasses import dataclass
from ipaddress import IPv4Address, ip_address, ip_network
from typing import Literal
from urllib.parse import unquote

from bridge.domain.sign_in_refusals import AnotherConnectionsPerson, HeldOut, MembershipEnded, NotAMember
from bridge.domain.workspace import Membership, User, Workspace

#: A group name that rules could match (product.md 5.2).
LONGEST_GROUP_NAME = 255


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
