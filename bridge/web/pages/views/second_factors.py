"""Second factors: shown at a login, and looked after on one's own account."""

from dataclasses import dataclass
from datetime import datetime

from markupsafe import Markup

from bridge.web.pages.views.form_parts import Field
from bridge.web.pages.views.parts import Link, Note


@dataclass(frozen=True, slots=True)
class MailPost:
    """A button that has a code mailed."""

    action: str
    text: str
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FactorPage:
    """`login_factor.html`: a code after the password, or `passkey`, the question to one. `others`: by what else."""

    title: str
    text: str
    email: str
    action: str
    field: Field | None
    restart_href: str
    passkey: str | None = None
    mail: MailPost | None = None
    others: tuple[Link, ...] = ()
    notice: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class FactorRow:
    """One factor of the account. Without links: nothing of it changes here."""

    name: str
    kind: str
    created_at: datetime
    used_at: datetime | None
    rename_href: str | None = None
    remove_href: str | None = None


@dataclass(frozen=True, slots=True)
class AccountFactorsPage:
    """`account_factors.html`. `codes_left`: recovery codes; None without any factor for them to stand in for."""

    email: str
    factors: tuple[FactorRow, ...]
    add: tuple[Link, ...]
    codes_left: int | None
    new_codes_href: str | None
    back: Link
    read_only: Note | None = None
    notice: Note | None = None


@dataclass(frozen=True, slots=True)
class NewAppPage:
    """`account_factor_app.html`: `qr` is an SVG that holds the same as `secret`."""

    qr: Markup
    secret: str
    action: str
    name: Field
    code: Field
    cancel_href: str
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NewPasskeyPage:
    """`account_passkey.html`: `options` is what the browser makes it from."""

    options: str
    action: str
    name: Field
    cancel_href: str
    notice: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class PasskeyLoginPage:
    """`login_passkey.html`: `options` is what the browser asks the passkey."""

    options: str
    action: str
    other_href: str
    notice: Note | None = None
    hidden: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class NewRecoveryCodesPage:
    """`account_recovery_codes.html`: shown this once. `file` is an address that holds them as text."""

    codes: tuple[str, ...]
    file: str
    done: Link
