"""The words of the mails that the bridge sends, a function each. Their look, as text and HTML: `mail_theme`."""

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.domains import Domain
from bridge.domain.mail import Mail
from bridge.flows.mail_theme import Action, Letter, render_mail


def invitation(to: str, workspace: str, inviter: str, gives: Sequence[str], link: str, expires_at: datetime) -> Mail:
    """Somebody is invited into a workspace. `gives` are phrases."""
    what = f" There you {_and(gives)}." if gives else ""
    return _mail(
        to,
        f"{inviter} invites you to {workspace}",
        (
            f"{inviter} invites you to the workspace {workspace}.{what}",
            f"The invitation is for {to} only, works once, and ends on {_day(expires_at)}.",
        ),
        ("Accept the invitation", link),
    )


def owner_set_up(to: str, workspace: str, link: str, expires_at: datetime) -> Mail:
    """The operator made a workspace and named its owner, who has no password yet."""
    return _mail(
        to,
        f"Your workspace {workspace} is ready",
        (
            f"The workspace {workspace} was made for you, and you are its owner.",
            f"Choose a name and a password to sign in with. The link works once, and ends on {_day(expires_at)}.",
        ),
        ("Choose a password", link),
    )


def prove_account(to: str, connection: str, workspace: str, link: str, minutes: int) -> Mail:
    """Somebody whom a connection calls by this address wants to open this account."""
    return _mail(
        to,
        f"Is it you who signs in to {workspace} with {connection}?",
        (
            f"Somebody who signed in with {connection} wants to open the workspace {workspace} with your account.",
            "If it is you, follow the link in the browser you signed in with. From then on "
            f"{connection} opens {workspace} for this account, and nothing else.",
            f"The link works once, for {minutes} minutes. If it wasn’t you, do nothing.",
        ),
        ("It is me", link),
    )


def reset_password(to: str, link: str, minutes: int) -> Mail:
    """Somebody says that they forgot the password of this account."""
    return _mail(
        to,
        "Choose a new password",
        (
            f"Somebody asked for a new password for the account {to}. If it was you, choose one by the link.",
            f"It works once, for {minutes} minutes. A second factor, where you have one, is asked for as before.",
            "If it wasn’t you, do nothing: your password stays as it is.",
        ),
        ("Choose a new password", link),
    )


def no_password_to_reset(to: str, ways: Sequence[str], link: str) -> Mail:
    """Somebody says that they forgot the password of this account, which has none: `ways` open it."""
    return _mail(
        to,
        "Your account has no password here",
        (
            f"Somebody asked for a new password for the account {to}. It has none: you sign in by {_and(ways)}.",
            "If it wasn’t you who asked, do nothing.",
        ),
        ("Sign in", link),
    )


def confirm_email(to: str, link: str, minutes: int) -> Mail:
    """Whose account this is wants to confirm its stored address."""
    return _mail(
        to,
        "Confirm your email",
        (
            f"Confirm that {to} is yours by the link, in a browser in which you are signed in to your account.",
            f"It works once, for {minutes} minutes. If you have no such account, do nothing.",
        ),
        ("Confirm the address", link),
    )


def confirm_new_email(to: str, former: str, link: str, minutes: int) -> Mail:
    """Whose account `former` is wants this address instead."""
    return _mail(
        to,
        "Confirm your new email",
        (
            f"The account {former} is to have the address {to} from now on. Confirm it by the link, in a browser in "
            "which you are signed in to that account.",
            f"It works once, for {minutes} minutes. If the account isn’t yours, do nothing.",
        ),
        ("Confirm the new address", link),
    )


def email_in_use(to: str, link: str) -> Mail:
    """Somebody wants this address for their account, and it has one."""
    return _mail(
        to,
        "You have an account with this email already",
        (
            f"Somebody wanted to change the address of their account to {to}, which has an account already. Nothing "
            "was changed.",
            "If it was you, sign in to that account. If it wasn’t, do nothing.",
        ),
        ("Sign in", link),
    )


def email_may_change(to: str, new: str) -> Mail:
    """The stored address learns that another is to take its place."""
    return _mail(
        to,
        "Your email is about to change",
        (
            f"Somebody who is signed in to your account {to} wants its address to be {new}. It changes when that is "
            "confirmed from there.",
            "If it wasn’t you, change your password now: that ends it, and signs everybody else out.",
        ),
    )


def email_changed(to: str, new: str, at: datetime) -> Mail:
    """The former address learns that it isn't the account's any more."""
    return _mail(
        to,
        "Your email was changed",
        (
            f"The address of your account was changed from {to} to {new} on {_day(at)}. From now on all mail goes "
            "there, and you sign in with it.",
            "If it wasn’t you, tell an owner of your workspace.",
        ),
    )


def password_changed(to: str, at: datetime) -> Mail:
    """Whose password was changed learns of it, where it wasn't them."""
    return _mail(
        to,
        "Your password was changed",
        (
            f"The password of your account {to} was changed on {_day(at)}. Everywhere else you were signed in, you are "
            "signed out.",
            "If it wasn’t you, choose another one now: “Forgotten your password?” on the page where you sign in.",
        ),
    )


def twilio_link(to: str, email: str, link: str, minutes: int) -> Mail:
    """Somebody who logged in with Twilio wants to open this account by it."""
    return _mail(
        to,
        "Is it you who logs in with Twilio?",
        (
            f"Somebody who logged in with Twilio as {email} wants to open your account with that from now on.",
            "If it is you, follow the link in the browser you logged in with. Name, address and password of the "
            "account are then managed at Twilio.",
            f"The link works once, for {minutes} minutes. If it wasn’t you, do nothing.",
        ),
        ("It is me", link),
    )


def twilio_link_by_login(to: str, email: str) -> Mail:
    """The same where a mailed link would be a way past the account's second factor."""
    return _mail(
        to,
        "Is it you who logs in with Twilio?",
        (
            f"Somebody who logged in with Twilio as {email} wants to open your account with that from now on.",
            "Your account has a second factor, so a link by mail isn’t enough. If it is you, go back to the page where "
            "you asked for it, and sign in to the account as usual.",
            "If it wasn’t you, do nothing.",
        ),
    )


def twilio_account(to: str, link: str, minutes: int) -> Mail:
    """Somebody who logged in with Twilio wants an account with this address, whose domain a workspace has proved."""
    return _mail(
        to,
        "Confirm your address",
        (
            f"Somebody who logged in with Twilio wants an account with the address {to}.",
            "If it is you, follow the link in the browser you logged in with.",
            f"The link works once, for {minutes} minutes. If it wasn’t you, do nothing.",
        ),
        ("Create my account", link),
    )


def twilio_email(to: str, old: str, link: str) -> Mail:
    """A linked account's address was changed at Twilio to one whose domain a workspace has proved."""
    return _mail(
        to,
        "Confirm your new address",
        (
            f"At Twilio, the address of the account {old} was changed to {to}. Its domain belongs to a company that "
            "uses this product, so the change waits here until you confirm it.",
            "The link works once, for a day. If it wasn’t you, do nothing: the account keeps its old address.",
        ),
        ("Look at the change", link),
    )


def twilio_closed(to: str, link: str, *, alone: bool) -> Mail:
    """The Twilio user that an account was linked to is gone."""
    from_now = (
        "It opened this account, which had no password. To come in from now on, set one on the sign-in page, by "
        "“Forgotten your password?”, or sign in by your company."
        if alone
        else "It opened this account. From now on, sign in the other way that you have."
    )
    return _mail(
        to,
        "Your Twilio account was closed",
        ("The Twilio account that you logged in with was closed. Nothing of your account here was deleted.", from_now),
        ("Sign in", link),
    )


def access_requested(to: str, workspace: str, person: str, email: str, asks: str, message: str, link: str) -> Mail:
    """Owners learn that a member asks for access. `asks` is a phrase: `get Source Admin on Website`."""
    return _mail(
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
    return _mail(
        to,
        f"You have the access that you asked for in {workspace}",
        (f"{owner} granted what you asked for: you {asks} in {workspace}, from now on.",),
        (f"Open {workspace}", link),
    )


def access_refused(to: str, workspace: str, owner: str, asks: str, reason: str) -> Mail:
    """Who asked for access doesn't get it; `reason` may be empty."""
    said = (f"They write: “{reason}”",) if reason else ()
    return _mail(
        to,
        f"What you asked for in {workspace} was not granted",
        (f"You asked to {asks} in {workspace}. {owner} didn’t grant it, so nothing changes.", *said),
    )


def removed_with_tokens(to: str, workspace: str, person: str, tokens: Sequence[str]) -> Mail:
    """Owners learn which programs stop because the person who made their tokens left (product.md 2.9)."""
    return _mail(
        to,
        f"{person} left {workspace}: {len(tokens)} {'token stops' if len(tokens) == 1 else 'tokens stop'} working",
        (
            f"{person} is no member of {workspace} any more. What stopped working with that: {', '.join(tokens)}.",
            "If a program still needs it, an owner makes a new token and gives it to that program.",
        ),
    )


def last_owner_kept(to: str, connection: str, person: str) -> Mail:
    """Owners learn that their IdP asked for what would have locked them out (product.md 1.1)."""
    return _mail(
        to,
        f"{connection} tried to remove the last owner",
        (
            f"{connection} asked the bridge to deactivate or delete {person}, the last owner who can sign in without "
            "it. The bridge refused, so nothing has changed.",
            f"If it is meant, make somebody else an owner by hand first; {connection} will ask again by itself.",
        ),
    )


def domain_proof_missing(to: str, workspace: str, domain: Domain) -> Mail:
    """Owners learn that a proved domain's record or tag isn't there any more (product.md 2.4)."""
    until = _day(domain.ends_at) if domain.ends_at else "soon"
    return _mail(
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
    return _mail(
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


def break_glass_made(to: str, workspace: str, owner: str, count: int) -> Mail:
    """Owners learn that there are break-glass codes for one of them (product.md 2.5)."""
    codes = "A break-glass code was" if count == 1 else f"{count} break-glass codes were"
    return _mail(
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
    return _mail(
        to,
        f"{owner} broke the glass of {workspace}",
        (
            f"{owner} ({email}) opened {workspace} with their own login and a break-glass code, past single sign-on. "
            f"It is open to that one session until {_day(until)}.",
            "If that wasn’t meant, revoke their codes on the workspace’s page Security, which also closes it, and "
            "have them change their password.",
        ),
    )


def login_code(to: str, code: str, minutes: int) -> Mail:
    """The second factor by mail, for who can't show another one (product.md 2.8)."""
    return _mail(
        to,
        "Your code to sign in",
        (
            f"Your code is {code}. It works once, for {minutes} minutes, in the browser in which you signed in.",
            "If you aren’t signing in, somebody else has your password: change it now, and give this code to nobody.",
        ),
    )


def recovery_code_used(to: str, left: int, link: str) -> Mail:
    """Somebody signed in with a recovery code (product.md 2.8)."""
    lost = "If you have lost your authenticator app, set up another one and take the old one away."
    return _mail(
        to,
        f"A recovery code of yours was used: {left} left",
        (
            f"Somebody signed in to your account with your password and a recovery code. {left} of 10 are left.",
            f"If it was you: {lost} If it wasn’t, change your password and make new recovery codes now.",
        ),
        ("Your second factors", link),
    )


def factor_changed(to: str, what: str, link: str) -> Mail:
    """A way to show that it is them was added to somebody's account, or taken away. `what` is a sentence."""
    return _mail(
        to,
        "Your second factors were changed",
        (what, "If it wasn’t you, change your password now, and look at your second factors."),
        ("Your second factors", link),
    )


def metadata_changed(to: str, connection: str, workspace: str, changes: Sequence[str]) -> Mail:
    """Owners learn that their IdP's metadata says something else than before, and is trusted as it is now."""
    return _mail(
        to,
        f"{connection} has changed how it signs people in to {workspace}",
        (
            f"The metadata of {connection} has changed, and the bridge goes by it from now on: {'; '.join(changes)}.",
            "If nobody at your company knows of a change there, switch the connection off and ask them.",
        ),
    )


def metadata_failing(to: str, connection: str, workspace: str, reasons: Sequence[str]) -> Mail:
    """Owners learn that their IdP's metadata can't be read any more, and what that means."""
    return _mail(
        to,
        f"The metadata of {connection} can’t be read",
        (
            f"The bridge reads the metadata of {connection}, through which people sign in to {workspace}, again and "
            f"again. Several times in a row it couldn’t: {' '.join(reasons)}",
            "What it last read well stays in force, so nothing changes now. But when the identity provider changes its "
            "certificate or its addresses, sign-in will fail until the metadata can be read, or is given by hand.",
        ),
    )


def idp_certificate_ends(to: str, connection: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: after this day no signing certificate of their IdP's that we know is good."""
    ends = "ended" if is_over else "ends"
    return _mail(
        to,
        f"The certificate of {connection} {ends} on {_date(ends_at)}",
        (
            f"{connection} signs people in to {workspace} with a certificate that {ends} on {_day(ends_at)}, and the "
            "bridge knows of no other that is good for longer.",
            "Identity providers change to another certificate by then. Where the bridge reads their metadata from an "
            "address, it takes the new one over by itself; otherwise give it the new metadata before the change. "
            "A sign-in with a certificate that the bridge doesn’t know is refused.",
        ),
    )


def our_certificate_ends(to: str, connection: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: the certificate by which the IdP knows the bridge ends."""
    ends = "ended" if is_over else "ends"
    return _mail(
        to,
        f"The bridge’s certificate for {connection} {ends} on {_date(ends_at)}",
        (
            f"The certificate by which {connection} knows the bridge, when people sign in to {workspace}, {ends} on "
            f"{_day(ends_at)}. Some identity providers refuse requests whose certificate is over.",
            "Rotate the connection’s key: the bridge makes the next one, you give its certificate to the identity "
            "provider, then you finish the rotation.",
        ),
    )


def token_ends(to: str, name: str, workspace: str, ends_at: datetime, is_over: bool) -> Mail:
    """Owners are warned: a SCIM or API token ends, and what uses it stops."""
    ends, stops = ("ended", "stopped") if is_over else ("ends", "stops")
    return _mail(
        to,
        f"A token of {workspace} {ends} on {_date(ends_at)}: {name}",
        (
            f"The token {name} of {workspace} {ends} on {_day(ends_at)}. What uses it {stops} then: an identity "
            "provider that pushes people and groups, or a program.",
            "If it is still needed, make a new token and put it in the old one’s place.",
        ),
    )


def _mail(to: str, subject: str, paragraphs: Sequence[str], link: tuple[str, str] | None = None) -> Mail:
    return render_mail(to, Letter(subject, paragraphs, Action(*link) if link else None))


def _and(phrases: Sequence[str]) -> str:
    return phrases[0] if len(phrases) == 1 else f"{', '.join(phrases[:-1])} and {phrases[-1]}"


def _date(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y, %H:%M} UTC"
