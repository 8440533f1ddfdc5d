"""What every vendor's provisioning client does, in whatever words it sends.

A dialect turns one change of the directory into that vendor's calls. It remembers nothing: ids of the other side are
in the Person and Group it is given (`remote_id`), and it answers those it learns. Every method may raise ScimError.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from typing import ClassVar, TypeVar

from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Resource, ScimClient, ScimMalformed

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
ENTERPRISE = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"

#: An attribute that no standard knows, as companies add them to their mapping (Entra's documentation calls it so).
CUSTOM = "urn:ietf:params:scim:schemas:extension:CustomExtensionName:2.0:User"

#: No vendor documents its own; about so many members in one PATCH is what their logs show.
MEMBERS_A_PATCH = 100

Item = TypeVar("Item")


class Dialect(ABC):
    """One vendor's way of provisioning, over one SCIM server."""

    #: The vendor's name, as people say it.
    name: ClassVar[str]
    #: Where its vendor writes down what it sends.
    document: ClassVar[str]
    #: Whether it ever sends DELETE for a person; one that doesn't deactivates instead.
    deletes_people: ClassVar[bool]
    #: Whether it ever sends DELETE for a group.
    deletes_groups: ClassVar[bool] = True
    #: Whether it gives groups an externalId.
    names_groups: ClassVar[bool] = False
    #: What it sends nothing of: names of fields of Person.
    unsent: ClassVar[frozenset[str]] = frozenset()

    def __init__(self, client: ScimClient) -> None:
        self.client = client

    @abstractmethod
    def check_connection(self) -> None:
        """What its "Test connection" button sends."""

    @abstractmethod
    def push_person(self, person: Person) -> str:
        """Makes the person there, or finds and updates them; answers their id there."""

    @abstractmethod
    def create_person(self, person: Person) -> str:
        """Makes the person there without looking first; answers their id there."""

    @abstractmethod
    def change_person(self, person: Person) -> None:
        """Sends the profile of somebody who is there."""

    @abstractmethod
    def set_active(self, person: Person) -> None:
        """Deactivates or reactivates, as `person.active` says."""

    @abstractmethod
    def delete_person(self, person: Person) -> None:
        """Deletes; a vendor that never does deactivates."""

    @abstractmethod
    def push_group(self, group: Group) -> str:
        """Makes the group there without members, or finds it; answers its id there."""

    @abstractmethod
    def rename_group(self, group: Group) -> None:
        """Sends the new name."""

    def delete_group(self, group: Group) -> None:
        """Deletes the group there."""
        self.client.call("DELETE", f"Groups/{group.remote_id}")

    @abstractmethod
    def set_members(self, group: Group, people: Sequence[Person], known: Collection[str]) -> None:
        """Makes `people` the group's members; `known` are the ids of those it is known to have."""

    @abstractmethod
    def add_members(self, group: Group, people: Sequence[Person]) -> None:
        """Adds people, about a hundred a call."""

    @abstractmethod
    def remove_members(self, group: Group, remote_ids: Sequence[str]) -> None:
        """Removes people, by their ids there."""

    def membership_filter(self, group: Group, remote_id: str) -> str | None:
        """The filter by which it asks whether somebody is in a group; None if it never asks."""
        return None

    def patch(self, path: str, operations: Sequence[Resource]) -> None:
        """One PATCH (RFC 7644 3.5.2)."""
        self.client.call("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)})


def in_batches(items: Sequence[Item], size: int = MEMBERS_A_PATCH) -> Iterator[Sequence[Item]]:
    """`items`, `size` at a time."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def id_of(resource: Resource) -> str:
    """A found resource's id. Raises ScimMalformed if it has none (RFC 7643 3.1)."""
    found = resource.get("id")
    if not isinstance(found, str) or not found:
        raise ScimMalformed("The server answered a resource without an id.")
    return found
