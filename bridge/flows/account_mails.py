"""Mails about an account: its address, password, second factors and link with Twilio. Their look: `mail_theme`."""

from collections.abc import Sequence
from datetime import datetime

from bridge.domain.mail import Mail
from bridge.flows.mail_theme import listed, minute_of, write


def prove_account(to: str, connection: str, workspace: str, link: str, minutes: int) -> Mail:
    """Somebody whom a connection calls by this address wants to open this account."""
    return write(
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
    return write(
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
    return write(
        to,
        "Your account has no password here",
        (
            f"Somebody asked for a new password for the account {to}. It has none: you sign in by {listed(ways)}.",
            "If it wasn’t you who asked, do nothing.",
        ),
        ("Sign in", link),
    )


def confirm_email(to: str, link: str, minutes: int) -> Mail:
    """Whose account this is wants to confirm its stored address."""
    return write(
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
    return write(
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
    return write(
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
    return write(
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
    return write(
        to,
        "Your email was changed",
        (
            f"The address of your account was changed from {to} to {new} on {minute_of(at)}. From now on all mail goes "
            "there, and you sign in with it.",
            "If it wasn’t you, tell an owner of your workspace.",
        ),
    )


def password_changed(to: str, at: datetime) -> Mail:
    """Whose password was changed learns of it, where it wasn't them."""
    return write(
        to,
        "Your password was changed",
        (
            f"The password of your account {to} was changed on {minute_of(at)}. Everywhere else you were signed in, "
            "you are signed out.",
            "If it wasn’t you, choose another one now: “Forgotten your password?” on the page where you sign in.",
        ),
    )


def account_closed(to: str, at: datetime) -> Mail:
    """Whose account this was has closed it."""
    return write(
        to,
        "Your account was closed",
        (
            f"The account {to} was closed on {minute_of(at)}, by somebody who was signed in to it and had just shown "
            "that it is theirs. You left every workspace, and nothing opens the account any more.",
            "If it wasn’t you, tell an owner of your workspace. The account itself can’t be brought back, but they can "
            "invite you anew.",
        ),
    )


def login_code(to: str, code: str, minutes: int) -> Mail:
    """The second factor by mail, for who can't show another one (product.md 2.8)."""
    return write(
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
    return write(
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
    return write(
        to,
        "Your second factors were changed",
        (what, "If it wasn’t you, change your password now, and look at your second factors."),
        ("Your second factors", link),
    )


def twilio_link(to: str, email: str, link: str, minutes: int) -> Mail:
    """Somebody who logged in with Twilio wants to open this account by it."""
    return write(
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
    return write(
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
    return write(
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
    return write(
        to,
        "Confirm your new address",
        (
            f"At Twilio, the address of the account {old} was changed to {to}. Its domain belongs to a company that "
            "uses this product, so the change waits here until you confirm it.",
            "The link works once, for a day. If it wasn’t you, do nothing: the account keeps its old address.",
        ),
        ("Look at the change", link),
    )


def twilio_linked(to: str, email: str, link: str) -> Mail:
    """Whose account was linked learns of it, where it wasn't them: what they had of their own opens nothing now."""
    return write(
        to,
        "Your account is linked to Twilio",
        (
            f"From now on your account {to} is opened by the Twilio login {email}. Name, address, password and second "
            "factor are managed there; a password or passkey that the account had before opens nothing meanwhile.",
            "If it wasn’t you, tell an owner of your workspace now, and choose another password for your mailbox.",
        ),
        ("Your account", link),
    )


def twilio_email_changed(to: str, new: str, at: datetime) -> Mail:
    """The former address of a linked account learns that it isn't the account's any more."""
    return write(
        to,
        "Your email was changed",
        (
            f"The address of your account was changed from {to} to {new} on {minute_of(at)}, since Twilio names that "
            "one for it. From now on all mail goes there.",
            "If it wasn’t you, tell an owner of your workspace, and look at your Twilio account.",
        ),
    )


def twilio_closed(to: str, link: str, *, alone: bool) -> Mail:
    """The Twilio user that an account was linked to is gone."""
    from_now = (
        "It opened this account, which had no password. To come in from now on, set one on the sign-in page, by "
        "“Forgotten your password?”, or sign in by your company."
        if alone
        else "It opened this account. From now on, sign in the other way that you have."
    )
    return write(
        to,
        "Your Twilio account was closed",
        ("The Twilio account that you logged in with was closed. Nothing of your account here was deleted.", from_now),
        ("Sign in", link),
    )
