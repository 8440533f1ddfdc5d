"""Provisioning as OneLogin does it (developers.onelogin.com/scim/implement-scim-api; authentik issue 11249, a log).

- Its first call looks up a `userName` that nobody has. Every address ends with `?` or `&`; everything is
  application/json.
- Every change of a person is a PUT of the whole profile, (de)activation too, with nothing but legacy URNs in `schemas`.
  Its default template names no department and no manager.
- Groups are listed, made by POST and changed by PATCH; they are never deleted, since OneLogin only links to them.
- Deleting a person is DELETE, as long as its admin hasn't chosen otherwise.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace

from simulated.dialects.dialect import CUSTOM, GROUP, Dialect, id_of, in_batches
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Resource, quote

USER_AGENT = "OneLogin SCIM (simulated)"
CONTENT_TYPE = "application/json"
LEGACY_USER = "urn:scim:schemas:core:2.0"


class OneLogin(Dialect):
    """OneLogin, with its default template."""

    name = "OneLogin"
    document = "OneLogin: scim/implement-scim-api"
    deletes_people = True
    deletes_groups = False
    unsent = frozenset({"department", "manager"})

    def check_connection(self) -> None:
        """Looks up a person who can't exist."""
        self._find_person(f"{uuid.uuid4()}@onelogin.example")

    def push_person(self, person: Person) -> str:
        """Finds by userName; then PUT what was found, or POST."""
        found = self._find_person(person.email)
        if found is None:
            return self.create_person(person)
        self._put(replace(person, remote_id=id_of(found)))
        return id_of(found)

    def create_person(self, person: Person) -> str:
        """POST of the whole profile."""
        return self.client.create("Users", _profile(person))

    def change_person(self, person: Person) -> None:
        """PUT of the whole profile."""
        self._put(person)

    def set_active(self, person: Person) -> None:
        """PUT of the whole profile."""
        self._put(person)

    def delete_person(self, person: Person) -> None:
        """DELETE."""
        self.client.call("DELETE", f"Users/{person.remote_id}")

    def push_group(self, group: Group) -> str:
        """Lists the groups; POST if none has the name."""
        listed = self.client.call("GET", "Groups").get("Resources") or []
        found = [one for one in listed if isinstance(one, dict) and _is_named(one, group.name)]
        if not found:
            return self.client.create("Groups", {"schemas": [GROUP], "displayName": group.name})
        if found[0].get("displayName") != group.name:
            self.rename_group(replace(group, remote_id=id_of(found[0])))
        return id_of(found[0])

    def rename_group(self, group: Group) -> None:
        """One replacement of displayName, by its path."""
        self.patch(f"Groups/{group.remote_id}", [{"op": "replace", "path": "displayName", "value": group.name}])

    def delete_group(self, group: Group) -> None:
        """Sends nothing: the group is the other side's."""

    def set_members(self, group: Group, people: Sequence[Person], known: Collection[str]) -> None:
        """A first push adds; a later one replaces the whole list in one operation."""
        if known:
            self.patch(f"Groups/{group.remote_id}", [{"op": "replace", "path": "members", "value": _members(people)}])
        else:
            self.add_members(group, people)

    def add_members(self, group: Group, people: Sequence[Person]) -> None:
        """One `add` with a list of values."""
        for batch in in_batches(people):
            self.patch(f"Groups/{group.remote_id}", [{"op": "add", "path": "members", "value": _members(batch)}])

    def remove_members(self, group: Group, remote_ids: Sequence[str]) -> None:
        """One operation a person, selected by a value filter."""
        for batch in in_batches(remote_ids):
            removals = [{"op": "remove", "path": f"members[value eq {quote(one)}]"} for one in batch]
            self.patch(f"Groups/{group.remote_id}", removals)

    def _find_person(self, email: str) -> Resource | None:
        return self.client.find("Users", f"userName eq {quote(email)}")

    def _put(self, person: Person) -> None:
        self.client.call("PUT", f"Users/{person.remote_id}", _profile(person))


def _profile(person: Person) -> Resource:
    profile: Resource = {
        "schemas": [LEGACY_USER],
        "userName": person.email,
        "externalId": person.id,
        "name": {"givenName": person.given_name, "familyName": person.family_name, "formatted": person.name},
        "emails": [{"value": person.email, "type": "work", "primary": True}],
        "displayName": person.name,
        "title": person.title,
        "active": person.active,
    }
    if person.custom:
        profile[CUSTOM] = {"tag": person.custom}
    return profile


def _members(people: Sequence[Person]) -> list[Resource]:
    return [{"value": person.remote_id} for person in people]


def _is_named(resource: Resource, name: str) -> bool:
    return str(resource.get("displayName", "")).casefold() == name.casefold()
