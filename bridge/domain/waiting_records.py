"""Pushed records that are linked to no account, with the reason and what to do, in plain words (product.md 4.8)."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

#: `no_email`: nothing in it could receive mail. `second`: another record of the connection has its person. `removed`:
#: an owner, or the IdP, removed that person, and nothing has brought them back. `free`: nothing is in its way any more.
Reason = Literal["no_email", "second", "removed", "free"]


@dataclass(frozen=True, slots=True)
class WaitingRecord:
    """One such record. `other` is the user name of the record that has its person, `member_id` their membership."""

    id: str
    user_name: str
    name: str
    email: str | None
    active: bool
    since: datetime
    reason: Reason
    other: str | None = None
    member_id: str | None = None

    @property
    def why(self) -> str:
        """Why it has no account, as a sentence."""
        return {
            "no_email": "None of its addresses, nor its user name, could receive mail.",
            "second": f"The record {self.other} was pushed before it with the same address, {self.email}.",
            "removed": f"The person with the address {self.email} was removed from this workspace.",
            "free": f"When it was pushed, something else had the address {self.email}.",
        }[self.reason]

    def advice(self, idp: str) -> str:
        """What to do about it, and where."""
        return {
            "no_email": f"Give this person an email address in {idp}: with its next push the account is made.",
            "second": f"Delete the one of the two in {idp} that is too many, or give one another address. "
            "The other then has the person.",
            "removed": f"Let them back in on their page here, or delete and create them anew in {idp}.",
            "free": f"Nothing is in its way any more: it is linked with the next change that {idp} pushes.",
        }[self.reason]
