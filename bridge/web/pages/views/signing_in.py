"""Pages before and beside a workspace: signing in, invitations, refusals, the choice of a workspace."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bridge.web.pages.views.form_parts import Field
from bridge.web.pages.views.parts import Link, Note


@dataclass(frozen=True, slots=True)
class SignInWay:
    """One way to sign in, after the email is known. The company's own comes first and is large."""

    kind: Literal["sso", "twilio"]
    text: str
    help: str
    href: str


@dataclass(frozen=True, slots=True)
class LoginPage:
    """`login.html`. First it asks `email`; then it shows `known_email` with the ways, or the password field."""

    action: str
    email: Field | None = None
    known_email: str | None = None
    change_href: str = "/login"
    ways: tuple[SignInWay, ...] = ()
    password: Field | None = None
    forgotten_href: str | None = None
    notice: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()
    twilio_href: str | None = None
    """Where one logs in with Twilio; None where that isn't set up."""
    passkey_href: str | None = None
    password_href: str | None = None
    """The same first page in password mode, whatever the domain; None where it is that already."""


@dataclass(frozen=True, slots=True)
class RefusedPage:
    """`refused.html`: what happened, whose turn it is, the reference, what to do now.

    Nothing in it helps an attacker: the detail is in the sign-in log under the reference.
    """

    title: str
    text: str
    actions: tuple[Link, ...]
    kicker: str = "Sign-in refused"
    reference: str | None = None
    reference_help: str = "With it, a Workspace Owner finds this attempt, and what to change."
    reference_href: str | None = None
    """Where an owner finds it."""


@dataclass(frozen=True, slots=True)
class LogoutPage:
    """`logout.html`: asked first; then, with no `email`, that nobody is signed in. `partly`: somewhere else perhaps.

    `twilio_href`: where to sign out of Twilio, too, for who came from there.
    """

    email: str | None
    partly: bool = False
    twilio_href: str | None = None


@dataclass(frozen=True, slots=True)
class LeavingPage:
    """`leaving.html`: signed out here, and on to `href`, where the company's sign-in is told."""

    href: str


@dataclass(frozen=True, slots=True)
class WaitingPage:
    """`waiting.html`: too many at this moment; the browser opens `href` again by itself."""

    href: str


@dataclass(frozen=True, slots=True)
class InvitationPage:
    """`invitation.html`. It needs a new account (name and password), a sign-in, or nothing but the button.

    `ways`: the workspace's own, where one isn't signed in as who is invited; `only_ways`: nothing else opens it.
    """

    workspace: str
    email: str
    invited_by: str
    gives: tuple[str, ...]
    expires: datetime
    action: str
    needs: Literal["account", "sign_in", "nothing"]
    name: Field | None = None
    password: Field | None = None
    sign_in_href: str | None = None
    notice: Note | None = None
    ways: tuple[SignInWay, ...] = ()
    only_ways: bool = False


@dataclass(frozen=True, slots=True)
class ProveAccountPage:
    """`prove_account.html`: an account with this email exists; the IdP's person proves that it is theirs.

    `mailed_to`, when set, is the stored address a link was just sent to (and the page says so).
    """

    connection: str
    workspace: str
    email: str
    why: str
    sign_in_href: str
    mail_action: str
    mailed_to: str | None = None
    link_minutes: int = 15
    cancel_href: str = "/login"
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class AgreePage:
    """`agree.html`: what a link or an IdP began goes on when its person says so. `said`: words, each with the account
    that they are about.
    """

    title: str
    said: tuple[tuple[str, str], ...]
    text: str
    action: str
    button: str
    cancel: Link
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class ResetPage:
    """`password_reset.html`: a forgotten password, in four stages. `email` is unknown in the first."""

    stage: Literal["ask", "sent", "choose", "done"]
    email: str | None = None
    action: str = ""
    field: Field | None = None
    link_minutes: int = 30
    sign_in_href: str = "/login"
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class TwilioWelcomePage:
    """`twilio_welcome.html`: the first arrival from Twilio. `mailed_to`: what was typed, where a link may be on its
    way; `confirm_to`: where the link is that makes the account.
    """

    email: str
    name: str
    has_account: bool
    link_href: str
    signed_in_as: str | None
    mail_action: str
    mail_email: Field
    create_action: str
    link_minutes: int
    notice: Note | None = None
    mailed_to: str | None = None
    confirm_to: str | None = None


@dataclass(frozen=True, slots=True)
class TwilioLinkPage:
    """`twilio_link.html`: the account that is signed in, and who came from Twilio, side by side. `address`: what
    becomes of the account's.
    """

    email: str
    name: str
    account_email: str
    action: str
    cancel_href: str
    address: str | None = None


@dataclass(frozen=True, slots=True)
class TwilioEmailPage:
    """`twilio_email.html`: an address that was changed at Twilio is to be confirmed, or has been."""

    email: str
    action: str
    done: bool


@dataclass(frozen=True, slots=True)
class ErrorPage:
    """`error.html`: 403, 404, 500 and their kin. `reference` only where something was stored under it."""

    status: int
    kicker: str
    title: str
    text: str
    actions: tuple[Link, ...] = ()
    reference: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspaceChoice:
    """A workspace to open. `asks` says what it asks for first ("asks for Okta"), None when it opens at once."""

    name: str
    href: str
    role: str
    people: int
    asks: str | None = None


@dataclass(frozen=True, slots=True)
class WorkspacesPage:
    """`workspaces.html`: the person is a member of several, or of none."""

    name: str
    email: str
    workspaces: tuple[WorkspaceChoice, ...]
    sign_out_action: str = "/logout"
    account_href: str | None = None
    notice: Note | None = None
    products: tuple[Link, ...] = ()
