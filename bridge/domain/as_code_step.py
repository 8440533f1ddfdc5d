"""One step of what it takes to make a workspace what a file says, and what is said otherwise by it, in words."""

from base64 import b64decode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Literal

Action = Literal["create", "change", "delete"]
What = Literal[
    "workspace", "setting", "label", "resource", "connection", "domain", "user_group", "people", "grant", "mapping"
]


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that is said otherwise from now on, in words."""

    name: str
    before: str | None
    after: str | None


@dataclass(frozen=True, slots=True)
class Holder:
    """Who is given something: a member by address, or a User Group by name."""

    kind: Literal["member", "user_group"]
    name: str

    def __str__(self) -> str:
        return self.name if self.kind == "member" else f"the User Group {self.name}"


@dataclass(frozen=True, slots=True)
class Step:
    """One step. `at` is its place in the file; what it does is in `wanted` and `present`, of the kind that `what` says.

    Of people, those are addresses, and `name` is the User Group's; of a grant, (Holder, RoleInScope).
    """

    action: Action
    what: What
    name: str
    fields: tuple[Said, ...] = ()
    at: str = field(default="", compare=False)
    wanted: Any = field(default=None, compare=False, repr=False)
    present: Any = field(default=None, compare=False, repr=False)


def word(value: Any) -> str:
    """A setting in words; certificates (PEM, as kept) by their SHA-256 fingerprints, as pages show them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(word, value)) or "none"
    if isinstance(value, str) and "-----BEGIN" in value:
        return f"certificate {sha256(b64decode(''.join(value.splitlines()[1:-1]))).digest().hex(':').upper()}"
    return "none" if value is None else str(value)
