"""Who an IdP says somebody is, whatever protocol it said it by."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

LoginKind = Literal["saml", "oidc", "twilio", "password", "passkey"]
#: What else was shown at a login of the account's own. `provider`: Twilio says that it asked for one.
Factor = Literal["totp", "recovery_code", "mailed_code", "passkey", "provider"]


@dataclass(frozen=True, slots=True)
class AssertedIdentity:
    """One verified statement of a connection's IdP about one person.

    It vouches only inside the connection's workspace (properties.md 1); the email is a hint, never an
    identity: that is (connection, subject). `email_vouched`: it vouches for that address, too, so that an account may
    be opened by it. `directory_id`: by what name it pushes the person, where it says so and that isn't the subject.
    `logout_hint`, sealed, is what the IdP wants to see again at the end.
    `name_id` is its name for them; its format and qualifier are None where they say nothing. `asserted_at`: when it
    said so, where that may be before it says that they signed out.
    """

    connection_id: str
    subject: str
    email: str
    name: str
    groups: tuple[str, ...]
    session_index: str | None = None
    name_id: str | None = None
    session_ends_at: datetime | None = None
    logout_hint: str | None = None
    email_vouched: bool = True
    directory_id: str | None = None
    name_id_format: str | None = None
    name_qualifier: str | None = None
    asserted_at: datetime | None = None

    @property
    def pushed_as(self) -> str:
        """What a pushed record of theirs has for externalId or userName."""
        return self.directory_id or self.subject


@dataclass(frozen=True, slots=True)
class Replay:
    """What must be remembered so that one proof counts once: a key, and until when it could be replayed."""

    key: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Whose:
    """Logins of one connection that end together: of a subject, or of whom the IdP calls `name_id` (with both: of who
    is both), in these sessions at the IdP (none: in any).

    A name's format and qualifier are compared where both sides have one (SAML Core 2.2.2, 8.3).
    """

    subject: str | None = None
    name_id: str | None = None
    session_indexes: tuple[str, ...] = ()
    name_id_format: str | None = None
    name_qualifier: str | None = None

    def __post_init__(self) -> None:
        if self.subject is None and self.name_id is None and not self.session_indexes:
            raise ValueError("An end needs a person or a session.")

    @property
    def person(self) -> bool:
        """Whether a person is named, and not sessions alone."""
        return self.subject is not None or self.name_id is not None

    def includes(self, identity: AssertedIdentity) -> bool:
        """Whether a login with this identity is one of them. Beside a person, one without a session index is."""
        if self.subject not in (None, identity.subject) or self.name_id not in (None, identity.name_id):
            return False
        if not (
            _may_be_one(self.name_id_format, identity.name_id_format)
            and _may_be_one(self.name_qualifier, identity.name_qualifier)
        ):
            return False
        unnamed = self.person and identity.session_index is None
        return not self.session_indexes or unnamed or identity.session_index in self.session_indexes


def _may_be_one(said: str | None, known: str | None) -> bool:
    return said is None or known is None or said == known
