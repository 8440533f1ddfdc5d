"""A person and a group, as far as provisioning goes. `remote_id` is their id at the other side, once known."""

import secrets
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody to provision.

    `manager`: the id there of whom they report to. `custom`: an attribute of the company's own, which the other side
    may never have heard of.
    """

    id: str
    email: str
    given_name: str
    family_name: str
    title: str = ""
    department: str = ""
    active: bool = True
    remote_id: str | None = None
    manager: str = ""
    custom: str = ""

    @property
    def name(self) -> str:
        """The name to show."""
        return f"{self.given_name} {self.family_name}"


@dataclass(frozen=True, slots=True)
class Group:
    """A group to provision."""

    id: str
    name: str
    remote_id: str | None = None


def new_outside_id(prefix: str) -> str:
    """An id such as Okta gives: `00u` and 17 letters and digits for people, `00g` for groups."""
    alphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
    return prefix + "".join(secrets.choice(alphabet) for _ in range(17))
