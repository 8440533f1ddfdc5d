"""People's accounts."""

import secrets
import sqlite3
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from email_validator import EmailNotValidError, validate_email

from simulated.state_file import StateFile
from simulated.twilio.errors import Invalid

Factor = Literal["app", "phone"]
LONGEST_NAME = 60


@dataclass(frozen=True, slots=True)
class Account:
    """A person's account; `factor` is None only where nobody could log in by password yet."""

    id: str
    email: str
    given_name: str
    family_name: str
    password_hash: str | None
    password_at: int | None
    google_subject: str | None
    factor: Factor | None
    totp_secret: str | None
    phone: str | None
    active: bool
    made_at: int

    @property
    def name(self) -> str:
        """Given and family name; Google knows people who have one of them only."""
        return f"{self.given_name} {self.family_name}".strip()

    @property
    def short_phone(self) -> str:
        """The phone's last digits, for a page that somebody else may see."""
        return f"… {self.phone[-2:]}" if self.phone else ""


class Accounts:
    """The accounts, in the file. `clock` answers seconds since 1970."""

    def __init__(self, file: StateFile, clock: Callable[[], float]) -> None:
        self._file, self._clock = file, clock

    def find(self, account_id: str) -> Account | None:
        """The account with that id."""
        return self._find("id", account_id)

    def find_by_email(self, email: str) -> Account | None:
        """The account with that address, compared without case."""
        return self._find("email_key", key_of(email))

    def find_by_google(self, subject: str) -> Account | None:
        """The account that logs in by that Google account."""
        return self._find("google_subject", subject)

    def create(self, email: str, given_name: str, family_name: str, **more: Any) -> Account:
        """Makes an account; `more` are columns. Raises Invalid when the address is taken."""
        columns = {
            "id": f"US{secrets.token_hex(16)}",
            "email": email,
            "email_key": key_of(email),
            "given_name": given_name,
            "family_name": family_name,
            "made_at": int(self._clock()),
            **more,
        }
        marks = ", ".join("?" * len(columns))
        try:
            with self._file.transaction() as db:
                db.execute(f"INSERT INTO accounts ({', '.join(columns)}) VALUES ({marks})", tuple(columns.values()))  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise Invalid("There is an account with that email address already. Log in instead.") from error
        made = self.find(columns["id"])
        assert made is not None
        return made

    def change(self, account_id: str, **columns: Any) -> None:
        """Sets columns of an account. Raises Invalid when a new address is taken."""
        if "email" in columns:
            columns["email_key"] = key_of(columns["email"])
        settings = ", ".join(f"{name} = ?" for name in columns)
        try:
            with self._file.transaction() as db:
                db.execute(f"UPDATE accounts SET {settings} WHERE id = ?", (*columns.values(), account_id))  # noqa: S608
        except sqlite3.IntegrityError as error:
            raise Invalid("That email address belongs to another account.") from error

    def spend_step(self, account_id: str, step: int) -> bool:
        """Whether a code of that time step is the first of its time or later; now it is spent (RFC 6238 5.2)."""
        with self._file.transaction() as db:
            return (
                db.execute(
                    "UPDATE accounts SET totp_step = ? WHERE id = ? AND totp_step < ?", (step, account_id, step)
                ).rowcount
                == 1
            )

    def delete(self, account_id: str) -> None:
        """Removes the account with all it has here."""
        with self._file.transaction() as db:
            db.execute("DELETE FROM accounts WHERE id = ?", (account_id,))

    def _find(self, column: str, value: str) -> Account | None:
        with self._file.transaction() as db:
            row = db.execute(f"SELECT * FROM accounts WHERE {column} = ?", (value,)).fetchone()  # noqa: S608
        if row is None:
            return None
        kept = {name: row[name] for name in Account.__slots__}
        return Account(**kept | {"active": bool(row["active"])})


def parse_email(text: str) -> str:
    """A well-formed address, as it was typed but for spaces around it. Raises Invalid."""
    try:
        return validate_email(text.strip(), check_deliverability=False).normalized
    except EmailNotValidError as error:
        raise Invalid(f"That isn't an email address. {error}") from error


def parse_name(text: str) -> str:
    """A part of a name. Raises Invalid."""
    name = " ".join(unicodedata.normalize("NFC", text).split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise Invalid(f"A name has 1 to {LONGEST_NAME} characters that can be seen.")
    return name


def key_of(email: str) -> str:
    """What two spellings of one address have in common."""
    return unicodedata.normalize("NFC", email).casefold()
