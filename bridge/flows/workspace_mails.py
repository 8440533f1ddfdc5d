"""Mails about a workspace: who is invited, asks, leaves and gets in, and its domains. Their look: `mail_theme`."""

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.domains import Domain
from bridge.domain.mail import Mail
from bridge.flows.mail_theme import listed, minute_of, write


def invitation(to: str, workspace: str, inviter: str, gives: Sequence[str], link: str, expires_at: datetime) -> Mail:
    """Somebody is invited into a workspace. `gives` are phrases."""
    what = f" There you {listed(gives)}." if gives else ""
    return write(
        to,
        f"{inviter} invites you to {workspace}",
        (
            f"{inviter} invites you to the workspace {workspace}.{what}",
            f"The invitation is for {to} only, works once, and ends on {minute_of(expires_at)}.",
        ),
        ("Accept the invitation", link),
    )


def owner_set_up(to: str, workspace: str, link: str, expires_at: datetime) -> Mail:
    """The operator made a workspace and named its owner, who has no password yet."""
    return write(
        to,
        f"Your workspace {workspace} is ready",
        (
            f"The workspace {workspace} was made for you, and you are its owner.",
            f"Choose a name and a password to sign in with. The link works once, and ends on {minute_of(expires_at)}.",
        ),
        ("Choose a password", link),
    )


def access_requested(to: str, workspace: str, person: str, email: str, asks: str, message: str, link: str) -> Mail:
    """Owners learn that a member asks for access. `asks` is a phrase: `get Source Admin on Website`."""
    return write(
        to,
        f"{person} asks for access in {workspace}",
        (
            f"{person} ({email}), a member of {workspace}, asks to {asks}.",
            f"They write: “{message}”",
            "Grant just that, or refuse it, on the workspace’s page Access requests. Whichever owner is first answers.",
        ),
        ("Answer the request", link),
    )


def access_granted(to: str, workspace: str, owner: str, asks: str, link: str) -> Mail:
    """Who asked for access has it."""
    return write(
        to,
        f"You have the access that you asked for in {workspace}",
        (f"{owner} granted what you asked for: you {asks} in {workspace}, from now on.",),
        (f"Open {workspace}", link),
    )


def access_refused(to: str, workspace: str, owner: str, asks: str, reason: str) -> Mail:
    """Who asked for access doesn't get it; `reason` may be empty."""
    said = (f"They write: “{reason}”",) if reason else ()
    return write(
        to,
        f"What you asked for in {workspace} was not granted",
        (f"You asked to {asks} in {workspace}. {owner} didn’t grant it, so nothing changes.", *said),
    )


def removed_with_tokens(to: str, workspace: str, person: str, tokens: Sequence[str]) -> Mail:
    """Owners learn which programs stop because the person who made their tokens left (product.md 2.9)."""
    return write(
        to,
        f"{person} left {workspace}: {len(tokens)} {'token stops' if len(tokens) == 1 else 'tokens stop'} working",
        (
            f"{person} is no member of {workspace} any more. What stopped working with that: {', '.join(tokens)}.",
            "If a program still needs it, an owner makes a new token and gives it to that program.",
        ),
    )


def last_owner_kept(to: str, connection: str, person: str) -> Mail:
    """Owners learn that their IdP asked for what would have locked them out (product.md 1.1)."""
    return write(
        to,
        f"{connection} tried to remove the last owner",
        (
            f"{connection} asked the bridge to deactivate or delete {person}, the last owner who can sign in without "
            "it. The bridge refused, so nothing has changed.",
            f"If it is meant, make somebody else an owner by hand first; {connection} will ask again by itself.",
        ),
    )


def break_glass_made(to: str, workspace: str, owner: str, count: int) -> Mail:
    """Owners learn that there are break-glass codes for one of them (product.md 2.5)."""
    codes = "A break-glass code was" if count == 1 else f"{count} break-glass codes were"
    return write(
        to,
        f"{codes} made for {owner}",
        (
            f"{codes} made for {owner}, an owner of {workspace}. Together with {owner}’s own password, each opens the "
            "workspace once, for an hour, when single sign-on is broken.",
            "If that wasn’t meant, revoke them on the workspace’s page Security.",
        ),
    )


def break_glass_used(to: str, workspace: str, owner: str, email: str, until: datetime) -> Mail:
    """Owners learn that one of them came in past single sign-on (product.md 2.5)."""
    return write(
        to,
        f"{owner} broke the glass of {workspace}",
        (
            f"{owner} ({email}) opened {workspace} with their own login and a break-glass code, past single sign-on. "
            f"It is open to that one session until {minute_of(until)}.",
            "If that wasn’t meant, revoke their codes on the workspace’s page Security, which also closes it, and "
            "have them change their password.",
        ),
    )


def domain_proof_missing(to: str, workspace: str, domain: Domain) -> Mail:
    """Owners learn that a proved domain's record or tag isn't there any more (product.md 2.4)."""
    until = minute_of(domain.ends_at) if domain.ends_at else "soon"
    return write(
        to,
        f"The proof of {domain.name} is missing",
        (
            f"The bridge looks each day for what proves that {domain.shown} belongs to {workspace}. Today it wasn’t "
            f"there. {domain.problem or ''}",
            f"Put the record or the tag back by {until}. It is one of these: {domain.dns_record} or {domain.meta_tag}",
            "If it stays away, the sign-in page stops sending people of this domain to your identity provider, and "
            "first sign-ins have to be confirmed by mail. Whoever signed in before keeps their way in.",
        ),
    )


def domain_unproved(to: str, workspace: str, domain: Domain) -> Mail:
    """Owners learn that a domain isn't proved any more."""
    return write(
        to,
        f"{domain.name} isn’t proved any more",
        (
            f"What proves that {domain.shown} belongs to {workspace} was missing for a week, so the domain isn’t "
            f"proved any more. {domain.problem or ''}",
            "The sign-in page no longer sends its people to your identity provider, and first sign-ins have to be "
            "confirmed by mail. Whoever signed in before keeps their way in.",
            f"Put it back and verify the domain again: {domain.dns_record} or {domain.meta_tag}",
        ),
    )
