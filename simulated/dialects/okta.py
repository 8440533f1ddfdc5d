"""Provisioning as Okta does it (okta-developer-docs, reference/scim/scim-20).

- Looks people up by `userName eq`, creates with `password` and `groups: []`.
- Profiles go by PUT after a GET. (De)activation goes by PATCH **without a path** in apps of its catalogue (OIN), and by
  PUT in those of the App Integration Wizard (AIW). It never deletes a person.
- Groups: found by `displayName eq`; a rename's value holds `id`; members are added by path, removed by
  `members[value eq "…"]`, and a full push replaces them all.
"""

import secrets
from collections.abc import Collection, Sequence
from dataclasses import replace

from simulated.dialects.dialect import CUSTOM, ENTERPRISE, GROUP, USER, Dialect, id_of, in_batches
from simulated.dialects.people import Group, Person
from simulated.dialects.scim_client import Resource, ScimClient, quote

USER_AGENT = "Okta SCIM Client 1.0.0 (simulated)"
CONTENT_TYPE = "application/json"
_PAGE = {"startIndex": "1", "count": "100"}


class Okta(Dialect):
    """`wizard_app`: an app made by the App Integration Wizard, which sends PUT where others PATCH."""

    name = "Okta"
    document = "Okta: reference/scim/scim-20"
    deletes_people = False

    def __init__(self, client: ScimClient, *, wizard_app: bool = False) -> None:
        super().__init__(client)
        self._wizard_app = wizard_app

    def check_connection(self) -> None:
        """Reads the first two people and the first groups, as "Test API Credentials" does."""
        self.client.call("GET", "Users", parameters={"startIndex": "1", "count": "2"})
        self.client.call("GET", "Groups", parameters=_PAGE)

    def push_person(self, person: Person) -> str:
        """GET by id if known, else by userName; then PUT what was found, or POST."""
        found = self.client.read(f"Users/{person.remote_id}") if person.remote_id else None
        if found is None:
            found = self.client.find("Users", f"userName eq {quote(person.email)}", **_PAGE)
        if found is None:
            return self.create_person(person)
        linked = replace(person, remote_id=id_of(found))
        self._put(linked)
        return id_of(found)

    def create_person(self, person: Person) -> str:
        """POST of the whole profile, with a random password and no groups."""
        return self.client.create("Users", {**_profile(person), "groups": [], "password": _throwaway_password()})

    def change_person(self, person: Person) -> None:
        """GET, then PUT of the whole profile."""
        self.client.call("GET", f"Users/{person.remote_id}")
        self._put(person)

    def set_active(self, person: Person) -> None:
        """PATCH without a path, or PUT."""
        if self._wizard_app:
            self.change_person(person)
        else:
            self.patch(f"Users/{person.remote_id}", [{"op": "replace", "value": {"active": person.active}}])

    def delete_person(self, person: Person) -> None:
        """Okta deletes nobody elsewhere: they are deactivated."""
        self.set_active(replace(person, active=False))

    def push_group(self, group: Group) -> str:
        """GET by id if known, else by displayName; POST without members if it isn't there."""
        found = self.client.read(f"Groups/{group.remote_id}") if group.remote_id else None
        if found is None:
            found = self.client.find("Groups", f"displayName eq {quote(group.name)}", **_PAGE)
        if found is None:
            return self.client.create("Groups", {"schemas": [GROUP], "displayName": group.name, "members": []})
        if found.get("displayName") != group.name:
            self.rename_group(replace(group, remote_id=id_of(found)))
        return id_of(found)

    def rename_group(self, group: Group) -> None:
        """The value holds the group's id beside its name."""
        self.patch(
            f"Groups/{group.remote_id}",
            [{"op": "replace", "value": {"id": group.remote_id, "displayName": group.name}}],
        )

    def set_members(self, group: Group, people: Sequence[Person], known: Collection[str]) -> None:
        """A first push adds; a later one replaces the whole list in one operation."""
        if known:
            members = [_member(person) for person in people]
            self.patch(f"Groups/{group.remote_id}", [{"op": "replace", "path": "members", "value": members}])
        else:
            self.add_members(group, people)

    def add_members(self, group: Group, people: Sequence[Person]) -> None:
        """One `add` with a list of values."""
        for batch in in_batches(people):
            members = [_member(person) for person in batch]
            self.patch(f"Groups/{group.remote_id}", [{"op": "add", "path": "members", "value": members}])

    def remove_members(self, group: Group, remote_ids: Sequence[str]) -> None:
        """One operation a person, selected by a value filter."""
        for batch in in_batches(remote_ids):
            removals = [{"op": "remove", "path": f"members[value eq {quote(one)}]"} for one in batch]
            self.patch(f"Groups/{group.remote_id}", removals)

    def _put(self, person: Person) -> None:
        self.client.call("PUT", f"Users/{person.remote_id}", {**_profile(person), "id": person.remote_id, "groups": []})


def _profile(person: Person) -> Resource:
    profile: Resource = {
        "schemas": [USER, ENTERPRISE],
        "userName": person.email,
        "name": {"givenName": person.given_name, "familyName": person.family_name},
        "emails": [{"primary": True, "value": person.email, "type": "work"}],
        "displayName": person.name,
        "locale": "en-US",
        "externalId": person.id,
        "active": person.active,
    }
    if person.title:
        profile["title"] = person.title
    enterprise: Resource = {"department": person.department} if person.department else {}
    if person.manager:
        enterprise["manager"] = {"value": person.manager}
    if enterprise:
        profile[ENTERPRISE] = enterprise
    if person.custom:
        profile[CUSTOM] = {"tag": person.custom}
    return profile


def _member(person: Person) -> Resource:
    return {"value": person.remote_id, "display": person.email}


def _throwaway_password() -> str:
    """Okta sends a random one when it doesn't sync passwords; nobody ever uses it."""
    return secrets.token_urlsafe(9)
