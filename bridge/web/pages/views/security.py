"""Require SSO, exemptions, and the glass to break."""

from dataclasses import dataclass

from bridge.web.pages.views.form_parts import Field
from bridge.web.pages.views.parts import Link, Note, Post, Status


@dataclass(frozen=True, slots=True)
class ExemptRow:
    """A member who comes in without SSO. `status` says whether that counts at the moment."""

    name: str
    email: str
    status: Status
    end: Link


@dataclass(frozen=True, slots=True)
class GlassRow:
    """An owner named by hand and their codes. `make` where there are none; `replace` and `revoke`, which ask first,
    where there are. `note` warns of what makes them useless.
    """

    name: str
    email: str
    codes: int
    make: Post | None = None
    replace: Link | None = None
    revoke: Link | None = None
    note: str | None = None


@dataclass(frozen=True, slots=True)
class NewGlassCodes:
    """Codes just made, shown this once."""

    name: str
    codes: tuple[str, ...]
    done_href: str


@dataclass(frozen=True, slots=True)
class FactorCard:
    """Whether the workspace asks for a second factor. `without`: members who have none, of whom `count` counts all."""

    status: Status
    count: int
    without: tuple[tuple[str, str], ...]
    switch: Link
    mail_says: str
    mail_action: str
    mail_button: str
    mail_refuse: str


@dataclass(frozen=True, slots=True)
class SecurityPage:
    """`security.html`. `without`: members whom single sign-on doesn't let in, of whom `kept_out` counts all."""

    status: Status
    says: str
    came: int
    pushed: int
    kept_out: int
    without: tuple[tuple[str, str], ...]
    exempt: tuple[ExemptRow, ...]
    exempt_field: Field
    exempt_action: str
    owners: tuple[GlassRow, ...]
    uses_href: str
    factor: FactorCard
    hipaa: Status
    hipaa_switch: Link
    switch: Link | None = None
    switch_note: Note | None = None
    new: NewGlassCodes | None = None


@dataclass(frozen=True, slots=True)
class BreakGlassPage:
    """`break_glass.html`: an owner's code, past single sign-on. Without `field`, they sign in again first."""

    workspace: str
    email: str
    action: str
    sign_in_href: str
    cancel_href: str
    field: Field | None = None
    notice: Note | None = None
