"""Pages of one's own account."""

from dataclasses import dataclass
from datetime import datetime

from bridge.web.pages.views.form_parts import Field
from bridge.web.pages.views.parts import Consequence, Link, Note, Post, Status, Tab, Theme


@dataclass(frozen=True, slots=True)
class AccountFrame:
    """Around every page of an account."""

    name: str
    email: str
    tabs: tuple[Tab, ...]
    back_href: str
    sign_out_action: str
    theme: Theme | None = None
    notices: tuple[Note, ...] = ()
    products: tuple[Link, ...] = ()


@dataclass(frozen=True, slots=True)
class AccountProvePage:
    """`account_prove.html`: the password or a code once more (`shown`), a `passkey`, by its question; or to sign in
    anew, where one came from (`anew`) or as usual.
    """

    action: str
    email: str
    hidden: tuple[tuple[str, str], ...]
    shown: Field | None
    sign_in_href: str
    passkey: str | None = None
    anew: tuple[Link, ...] = ()
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class AccountWay:
    """A way in: its icon and name, in a sentence what it does, and how it changes. `since`: when it was linked."""

    icon: str
    name: str
    text: str
    change: Link | None = None
    since: datetime | None = None


@dataclass(frozen=True, slots=True)
class AccountPage:
    """`account.html`. `read_only`: why name, email and password can't be changed here."""

    email: str
    email_status: Status
    name: Field
    name_action: str
    ways: tuple[AccountWay, ...]
    close_href: str = "/account/close"
    read_only: Note | None = None
    email_link: Link | None = None
    confirm_email: Post | None = None
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class AccountFormPage:
    """`account_form.html`: one thing to change, in one field. `email`: whose password it is, for who keeps those."""

    title: str
    text: str
    action: str
    field: Field
    button: str
    cancel_href: str
    email: str | None = None
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class AccountConfirmPage:
    """`account_confirm.html`: what happens, then one button that says it again, and the way back."""

    title: str
    action: str
    button: str
    hidden: tuple[tuple[str, str], ...]
    consequences: tuple[Consequence, ...]
    cancel_href: str
    plain: bool = False
    """Nothing is lost by it: so it doesn't look dangerous."""
