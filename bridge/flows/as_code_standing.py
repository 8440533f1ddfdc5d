"""A workspace as it stands, in the words of a file (`bridge.domain.as_code`)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from bridge.domain.as_code import (
    CodedConnection,
    CodedDomain,
    CodedGrants,
    CodedLabel,
    CodedMember,
    CodedResource,
    CodedRule,
    CodedSecret,
    CodedUserGroup,
    CodedWorkspace,
    MatchedBy,
    settings_keys,
)
from bridge.domain.as_code_writing import sort_roles
from bridge.domain.group_mapping import LONGEST_PATTERN
from bridge.domain.people import fold
from bridge.domain.workspace import Connection, Workspace
from bridge.flows.connect_oidc import PRIVATE_KEY
from bridge.flows.connection_secrets import read_secrets
from bridge.flows.connection_settings import settings_of
from bridge.flows.context import Context
from bridge.flows.oidc_settings import oidc_settings_of
from bridge.flows.trusted_idp import signers_of
from bridge.storage import as_code, connections, domains, mappings, required_sso, resources, user_groups
from bridge.storage.as_code import HeldByHand
from bridge.storage.mappings import StoredMapping

_BY: Mapping[str, MatchedBy] = {"glob": "pattern", "name": "name", "external_id": "external_id", "id": "id"}


@dataclass(frozen=True, slots=True)
class Standing:
    """A workspace as it stands. Rules name single groups by id, and are `at` their own ids. Without any secret where
    nobody compares them."""

    context: Context
    rows: Any
    workspace: Workspace
    compares_secrets: bool = False
    _links: dict[int, Connection] = field(default_factory=dict, init=False)

    def read(self, emails: Iterable[str] = ()) -> CodedWorkspace:
        """All of it; of people those who were given something by hand, and who is asked for by address."""
        rows, workspace = self.rows, self.workspace
        self._links.update({one.key: one for one in connections.list_connections(rows, workspace.key)})
        return CodedWorkspace(
            slug=workspace.slug,
            name=workspace.name,
            plan=workspace.plan,
            settings=self._settings(),
            labels=tuple(
                CodedLabel(one, text) for one, text in resources.label_descriptions(rows, workspace.key).items()
            ),
            resources=tuple(
                CodedResource(one.ref, one.name, one.labels)
                for one in sorted(resources.list_resources(rows, workspace.key), key=lambda one: one.ref)
            ),
            connections=tuple(map(self._connection, self._links.values())),
            domains=tuple(self._domains()),
            user_groups=tuple(self._user_groups()),
            members=tuple(self._members(list(emails))),
            mappings=tuple(self._rules()),
        )

    def _settings(self) -> dict[str, bool]:
        key = self.workspace.key
        return {
            "require_sso": self.workspace.require_sso,
            "require_second_factor": required_sso.requires_factor(self.rows, key),
            "mailed_codes": not required_sso.refuses_mailed_codes(self.rows, key),
            "hipaa": self.workspace.hipaa,
        }

    def _connection(self, found: Connection) -> CodedConnection:
        settings: Any = oidc_settings_of(found) if found.kind == "oidc" else settings_of(found)
        said = {"preset": found.config["preset"], "enabled": found.enabled}
        said |= {key: getattr(settings, field) for key, field in settings_keys(found.kind).items()}
        if found.kind == "oidc":
            said["issuer"] = found.config["issuer"]
        return CodedConnection(found.name, found.kind, said, idp_of(found), self._secret(found))

    def _secret(self, found: Connection) -> CodedSecret | None:
        if found.kind != "oidc" or found.config["token_auth"] == PRIVATE_KEY:
            return None
        kept = read_secrets(self.context, self.rows, found) if self.compares_secrets else {}
        return CodedSecret("keep", "", kept.get("client_secret"))

    def _domains(self) -> Iterable[CodedDomain]:
        names = {one.id: one.name for one in self._links.values()}
        for one in domains.list_domains(self.rows, self.workspace.key):
            yield CodedDomain(one.name, names.get(one.connection_id or ""))

    def _user_groups(self) -> Iterable[CodedUserGroup]:
        found, _ = user_groups.list_user_groups(self.rows, self.workspace.key)
        held = as_code.grants_by_hand(self.rows, [one.key for one in found])
        people = as_code.people_by_hand(self.rows, self.workspace.key)
        for one in found:
            is_mirror, own = one.group.mirror, held[one.key]
            grants = _coded(own) if is_mirror else _coded(HeldByHand((*own.by_hand, *own.automatic)))
            members = None if is_mirror else tuple(people.get(one.key, ()))
            yield CodedUserGroup(one.group.name, is_mirror, members, grants)

    def _members(self, emails: list[str]) -> Iterable[CodedMember]:
        by_hand = as_code.members_given_by_hand(self.rows, self.workspace.key)
        asked = as_code.members_by_address(self.rows, self.workspace.key, emails)
        named = by_hand | {key: email for email, key in asked.items() if key not in by_hand}
        held = as_code.grants_by_hand(self.rows, list(named))
        for key, email in named.items():
            yield CodedMember(email, _coded(held[key]))

    # -- Rules ---------------------------------------------------------------------------------------

    def _rules(self) -> Iterable[CodedRule]:
        stored = [one for one in mappings.list_of_workspace(self.rows, self.workspace.key) if one.origin != "mirror"]
        given = mappings.user_groups_given(self.rows, [one.key for one in stored])
        held = as_code.grants_by_hand(self.rows, [one.key for one in stored])
        ids = [one.match.value for one in stored if one.match.kind == "id"]
        names = mappings.group_names(self.rows, self.workspace.key, ids)
        for one in stored:
            roles = (*held[one.key].by_hand, *held[one.key].automatic)
            yield CodedRule(
                self._links[one.connection_key].name,
                _BY[one.match.kind],
                one.match.value,
                tuple(name for _, _, name in given[one.key]),
                tuple(sort_roles(roles)),
                one.enabled,
                one.origin == "link",
                one.id,
                _name(one, names),
            )


def _name(rule: StoredMapping, names: Mapping[str, str]) -> str | None:
    return names.get(rule.match.value) if rule.match.kind == "id" else None


def _coded(held: HeldByHand) -> CodedGrants:
    return CodedGrants(tuple(sort_roles(held.by_hand)), held.automatic)


def idp_of(found: Connection) -> dict[str, Any] | None:
    """What is trusted of a SAML connection's IdP, by the keys of a file: where its metadata stands, or all of it."""
    idp = found.config.get("idp")
    if idp is None:
        return None
    said: dict[str, Any] = {key: tuple(value) if isinstance(value, list) else value for key, value in idp.items()}
    if "metadata_url" in found.config:
        said = {"metadata_url": found.config["metadata_url"], "entity_id": idp["entity_id"]}
    return said | ({"signed_by": tuple(signers_of(found.config))} if signers_of(found.config) else {})


def name_groups(rows: Any, workspace: Workspace, standing: CodedWorkspace) -> CodedWorkspace:
    """The same with groups by name in rules that take one by its id, where it is the only pushed one of that name."""
    keys = {fold(one.name): one.key for one in connections.list_connections(rows, workspace.key)}
    wanted: dict[str, list[str]] = {}
    for rule in standing.mappings or ():
        if rule.group is not None:
            wanted.setdefault(fold(rule.connection), []).append(rule.group)
    found = {link: as_code.pushed_groups_called(rows, keys[link], names) for link, names in wanted.items()}
    rules = (_named(rule, found.get(fold(rule.connection), {})) for rule in standing.mappings or ())
    return replace(standing, mappings=tuple(rules))


def _named(rule: CodedRule, ids: Mapping[str, list[str]]) -> CodedRule:
    name = (rule.group or "").strip()
    is_told = name and len(name) <= LONGEST_PATTERN and ids.get(fold(name)) == [rule.value]
    return replace(rule, by="pushed", value=name) if is_told else rule


def find_groups(
    rows: Any, workspace: Workspace, wanted: CodedWorkspace, names_before: Mapping[str, str]
) -> tuple[CodedWorkspace, list[tuple[str, str]]]:
    """A file's rules with the ids of groups that they name as pushed, and places of those that name none, or several.

    `names_before` are connections' former names by their new ones, folded.
    """
    keys = {fold(one.name): one.key for one in connections.list_connections(rows, workspace.key)}

    def key_of(rule: CodedRule) -> int | None:
        return keys.get(names_before.get(fold(rule.connection), fold(rule.connection)))

    asked: dict[int | None, list[str]] = {}
    for rule in wanted.mappings or ():
        if rule.by == "pushed":
            asked.setdefault(key_of(rule), []).append(rule.value)
    found = {key: as_code.pushed_groups_called(rows, key, names) for key, names in asked.items() if key is not None}
    rules: list[CodedRule] = []
    faults: list[tuple[str, str]] = []
    for rule in wanted.mappings or ():
        ids = found.get(key_of(rule) or 0, {}).get(fold(rule.value), [])
        if rule.by == "pushed" and len(ids) != 1:
            faults.append((f"{rule.at}.groups.pushed", _not_one(rule, ids)))
        elif rule.by == "pushed":
            rules.append(replace(rule, by="id", value=ids[0], group=rule.value))
        else:
            rules.append(rule)
    return (wanted if wanted.mappings is None else replace(wanted, mappings=tuple(rules))), faults


def _not_one(rule: CodedRule, ids: list[str]) -> str:
    if ids:
        return f"{rule.connection} has pushed {len(ids)} groups called {rule.value[:80]!r}. Name the one by its id."
    return f"{rule.connection} has pushed no group called {rule.value[:80]!r}."
