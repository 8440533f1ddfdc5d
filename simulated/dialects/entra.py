"""Provisioning as Microsoft Entra ID does it (entra-docs, app-provisioning; SCIMReferenceCode's Postman collection).

- Looks people up by `userName eq`, then `externalId eq`; creates with `meta` and `roles: []`; reads before it updates,
  and sends only what differs, `Add` where the other side has nothing.
- Without its compatibility flag: operations in capitals, `active` as "True" and "False", one operation an attribute,
  members removed by a value array with `$ref: null`. With it (`aadOptscim062020`): lower case, booleans, one operation
  without a path and with dotted keys, members removed by `members[value eq "…"]`.
- Deleting is soft first (inactive), then DELETE. Groups are read without their members, and never listed whole.
"""

import uuid
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Any

from simulated.dialects.dialect import CUSTOM, ENTERPRISE, GROUP, USER, Dialect, id_of, in_batches
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Resource, ScimClient, quote

USER_AGENT = "Microsoft-AzureAD-Provisioning/1.0 (simulated)"
FLAG = "?aadOptscim062020"
ADSCIM_GROUP = "http://schemas.microsoft.com/2006/11/ResourceManagement/ADSCIM/2.0/Group"
_WORK_EMAIL = 'emails[type eq "work"].value'
_DEPARTMENT = f"{ENTERPRISE}:department"
_MANAGER = f"{ENTERPRISE}:manager"


class Entra(Dialect):
    """`compliant`: with the compatibility flag set."""

    name = "Entra ID"
    document = "Entra ID: use-scim-to-provision-users-and-groups"
    deletes_people = True
    names_groups = True

    def __init__(self, client: ScimClient, *, compliant: bool = False) -> None:
        super().__init__(client)
        self._compliant = compliant

    def check_connection(self) -> None:
        """Looks up a person who can't exist: the answer is an empty list."""
        self.client.find("Users", f"userName eq {quote(str(uuid.uuid4()))}")

    def push_person(self, person: Person) -> str:
        """GET by id if known, else by each matching attribute; PATCH what differs, or POST."""
        found = self._find_person(person)
        if found is None:
            return self.create_person(person)
        self._send_difference(replace(person, remote_id=id_of(found)), found)
        return id_of(found)

    def create_person(self, person: Person) -> str:
        """POST of the mapped attributes."""
        return self.client.create("Users", _resource(person))

    def change_person(self, person: Person) -> None:
        """GET, then PATCH what differs."""
        self._send_difference(person, self.client.call("GET", f"Users/{person.remote_id}"))

    def set_active(self, person: Person) -> None:
        """One operation; a string without the flag."""
        self.patch(f"Users/{person.remote_id}", self._operations({"active": person.active}, {}))

    def delete_person(self, person: Person) -> None:
        """Inactive first, as when somebody lands in Entra's recycle bin; then gone."""
        if person.active:
            self.set_active(replace(person, active=False))
        self.client.call("DELETE", f"Users/{person.remote_id}")

    def push_group(self, group: Group) -> str:
        """GET without members by id if known, else by displayName; then POST without members."""
        found = self._read_group(group)
        if found is None:
            found = self.client.find("Groups", f"displayName eq {quote(group.name)}", excludedAttributes="members")
        if found is None:
            return self.client.create(
                "Groups",
                {
                    "schemas": [GROUP, ADSCIM_GROUP],
                    "externalId": group.id,
                    "displayName": group.name,
                    "meta": {"resourceType": "Group"},
                },
            )
        if found.get("displayName") != group.name:
            self.rename_group(replace(group, remote_id=id_of(found)))
        return id_of(found)

    def rename_group(self, group: Group) -> None:
        """One replacement of displayName, by its path."""
        self.patch(
            f"Groups/{group.remote_id}", [{"op": self._op("Replace"), "path": "displayName", "value": group.name}]
        )

    def set_members(self, group: Group, people: Sequence[Person], known: Collection[str]) -> None:
        """Sends the difference to what it knows the other side has; it never replaces a list."""
        wanted = {str(person.remote_id) for person in people}
        self.remove_members(group, sorted(set(known) - wanted))
        self.add_members(group, [person for person in people if person.remote_id not in known])

    def add_members(self, group: Group, people: Sequence[Person]) -> None:
        """`Add` with an array of references."""
        for batch in in_batches(people):
            members = [{"$ref": None, "value": person.remote_id} for person in batch]
            self.patch(f"Groups/{group.remote_id}", [{"op": self._op("Add"), "path": "members", "value": members}])

    def remove_members(self, group: Group, remote_ids: Sequence[str]) -> None:
        """By a value array, or with the flag by a filter in the path."""
        for batch in in_batches(remote_ids):
            if self._compliant:
                removals: list[Resource] = [{"op": "remove", "path": f"members[value eq {quote(o)}]"} for o in batch]
            else:
                members = [{"$ref": None, "value": one} for one in batch]
                removals = [{"op": "Remove", "path": "members", "value": members}]
            self.patch(f"Groups/{group.remote_id}", removals)

    def membership_filter(self, group: Group, remote_id: str) -> str:
        """As "Get group by id and member" of its documentation."""
        return f"id eq {quote(str(group.remote_id))} and members eq {quote(remote_id)}"

    def _find_person(self, person: Person) -> Resource | None:
        found = self.client.read(f"Users/{person.remote_id}") if person.remote_id else None
        for attribute, value in (("userName", person.email), ("externalId", person.id)):
            found = found or self.client.find("Users", f"{attribute} eq {quote(value)}")
        return found

    def _read_group(self, group: Group) -> Resource | None:
        if group.remote_id is None:
            return None
        return self.client.read(f"Groups/{group.remote_id}", excludedAttributes="members")

    def _send_difference(self, person: Person, found: Resource) -> None:
        # Nothing there and nothing here is no difference, whether the other side says null, "" or nothing.
        wanted = {
            path: value
            for path, value in _attributes(person).items()
            if value != _value_at(found, path) and (value != "" or _value_at(found, path))
        }
        if wanted:
            self.patch(f"Users/{person.remote_id}", self._operations(wanted, found))

    def _operations(self, wanted: dict[str, Any], found: Resource) -> list[Resource]:
        """What to send so that each path has its value."""
        if self._compliant:
            plain = {path: value for path, value in wanted.items() if path != _WORK_EMAIL}
            whole: list[Resource] = [{"op": "replace", "value": plain}] if plain else []
            email = wanted.get(_WORK_EMAIL)
            return whole + ([{"op": "replace", "path": _WORK_EMAIL, "value": email}] if email else [])
        return [
            {
                "op": "Replace" if path == "active" or _value_at(found, path) else "Add",
                "path": path,
                "value": str(value) if isinstance(value, bool) else value,
            }
            for path, value in wanted.items()
        ]

    def _op(self, name: str) -> str:
        return name.lower() if self._compliant else name


def _attributes(person: Person) -> dict[str, Any]:
    """Entra's default attribute mapping, by PATCH path. A manager is named by their id alone, as a string."""
    manager = {_MANAGER: person.manager} if person.manager else {}
    return {
        "active": person.active,
        "userName": person.email,
        "externalId": person.id,
        "displayName": person.name,
        "title": person.title,
        _WORK_EMAIL: person.email,
        "name.givenName": person.given_name,
        "name.familyName": person.family_name,
        _DEPARTMENT: person.department,
        **manager,
    }


def _value_at(resource: Resource, path: str) -> Any:
    """What a resource has at one of the paths of `_attributes`."""
    if path == _WORK_EMAIL:
        emails = resource.get("emails")
        work = [one for one in emails if _inside(one, "type") == "work"] if isinstance(emails, list) else []
        return _inside(work[0], "value") if work else None
    if path == _DEPARTMENT:
        return _inside(resource.get(ENTERPRISE), "department")
    if path == _MANAGER:
        return _inside(_inside(resource.get(ENTERPRISE), "manager"), "value")
    first, _, rest = path.partition(".")
    value = resource.get(first)
    return _inside(value, rest) if rest else value


def _inside(value: Any, key: str) -> Any:
    """What a complex value holds; None where the other side has something else in its place."""
    return value.get(key) if isinstance(value, dict) else None


def _resource(person: Person) -> Resource:
    manager = {"manager": {"value": person.manager}} if person.manager else {}
    return {
        "schemas": [USER, ENTERPRISE],
        "externalId": person.id,
        "userName": person.email,
        "active": person.active,
        "displayName": person.name,
        "title": person.title or None,
        "emails": [{"primary": True, "type": "work", "value": person.email}],
        "meta": {"resourceType": "User"},
        "name": {"formatted": person.name, "familyName": person.family_name, "givenName": person.given_name},
        "roles": [],
        ENTERPRISE: {"department": person.department or None, **manager},
        **({CUSTOM: {"tag": person.custom}} if person.custom else {}),
    }
