"""What it takes to make a workspace what a file says: steps in an order in which each finds what it needs.

What a file doesn't say stays. What stands and isn't in one of the file's lists stays too, or goes where it is pruned:
then last, so that whoever gets a thing in another way has it before.
"""

from base64 import b64decode
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from hashlib import sha256
from typing import Any, Literal

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.as_code import (
    CodedConnection,
    CodedDomain,
    CodedGrants,
    CodedLabel,
    CodedMember,
    CodedResource,
    CodedRule,
    CodedUserGroup,
    CodedWorkspace,
)
from bridge.domain.as_code_writing import sort_roles
from bridge.domain.group_mapping import GroupMatch, describe, phrase_role, phrase_user_group
from bridge.domain.labels import BUILT_IN, Label
from bridge.domain.people import fold, fold_letters
from bridge.domain.roles import MINIMAL, ROLES, Role

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


def difference(present: CodedWorkspace, wanted: CodedWorkspace, *, prune: bool) -> tuple[Step, ...]:
    """The steps from one to the other. Both name rules' single groups by id."""
    now = _renamed(present, wanted)
    steps = [
        *_workspace(present, wanted),
        *_labels(now, wanted),
        *_resources(now, wanted),
        *_connections(present, wanted),
        *_domains(now, wanted),
        *_user_groups(present, wanted),
        *_people(now, wanted, "create"),
        *_grants(now, wanted, "create"),
        *_rules(now, wanted),
    ]
    return (*steps, *(_pruned(now, wanted) if prune else ()), *_closing(present, wanted))


# -- Names -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Index:
    """What stands, by folded name."""

    by_name: Mapping[str, Any]

    def find(self, one: Any) -> Any:
        """What stands under the name of `one`, or under the name it had; or None."""
        return self.by_name.get(fold(one.name)) or (self.by_name.get(fold(one.was)) if one.was else None)


def _index(present: Iterable[Any] | None) -> _Index:
    return _Index({fold(one.name): one for one in present or ()})


def _renamed(present: CodedWorkspace, wanted: CodedWorkspace) -> CodedWorkspace:
    """What stands, under the names that it has once it is renamed."""
    links = _new_names(present.connections, wanted.connections)
    groups = _new_names(present.user_groups, wanted.user_groups)
    return replace(
        present,
        connections=tuple(replace(one, name=links(one.name)) for one in present.connections or ()),
        domains=tuple(
            replace(one, connection=one.connection and links(one.connection)) for one in present.domains or ()
        ),
        user_groups=tuple(replace(one, name=groups(one.name)) for one in present.user_groups or ()),
        mappings=tuple(
            replace(one, connection=links(one.connection), user_groups=tuple(map(groups, one.user_groups)))
            for one in present.mappings or ()
        ),
    )


def new_names(present: Iterable[Any] | None, wanted: Iterable[Any] | None) -> list[tuple[str, str]]:
    """What is called otherwise from now on: the former name and the new one, of all that is there and in the file."""
    index = _index(present)
    return [(found.name, one.name) for one in wanted or () if (found := index.find(one))]


def _new_names(present: Iterable[Any] | None, wanted: Iterable[Any] | None) -> Callable[[str], str]:
    names = {fold(old): new for old, new in new_names(present, wanted)}
    return lambda name: names.get(fold(name), name)


# -- What is made and changed ------------------------------------------------------------------------


def _workspace(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    if wanted.name is not None and wanted.name != present.name:
        said = Said("name", present.name, wanted.name)
        yield Step("change", "workspace", present.slug, (said,), "name", wanted.name)
    for key, switch in wanted.settings.items():
        if present.settings[key] != switch and not (key == "require_sso" and switch):
            yield _setting(key, switch)


def _closing(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """Last of all: whether SSO opens it is known when its connections stand."""
    if wanted.settings.get("require_sso") and not present.settings["require_sso"]:
        yield _setting("require_sso", True)


def _setting(key: str, switch: bool) -> Step:
    said = Said(key, _word(not switch), _word(switch))
    return Step("change", "setting", key, (said,), f"settings.{key}", switch)


def _labels(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    standing = {one.label: one for one in present.labels or ()}
    for one in wanted.labels or ():
        before = standing.get(one.label)
        was = (before.description if before else None) or ""
        is_other = one.description is not None and one.description != was
        said = Said("description", was or None, one.description or "none")
        fields = (said,) if is_other else ()
        if before is None:
            yield Step("create", "label", str(one.label), fields, one.at, one)
        elif fields:
            yield Step("change", "label", str(one.label), fields, one.at, one, before)


def _resources(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    standing = {one.ref: one for one in present.resources or ()}
    for one in wanted.resources or ():
        before = standing.get(one.ref)
        fields = tuple(_resource_fields(before, one))
        if before is None:
            yield Step("create", "resource", str(one.ref), fields, one.at, one)
        elif fields:
            yield Step("change", "resource", str(one.ref), fields, one.at, one, before)


def _resource_fields(before: CodedResource | None, after: CodedResource) -> Iterator[Said]:
    if before is None or before.name != after.name:
        yield Said("name", before.name if before else None, after.name)
    if after.labels is not None and (before.labels if before else frozenset()) != after.labels:
        yield Said("labels", _labels_word(before.labels) if before else None, _labels_word(after.labels))


def _labels_word(labels: Collection[Label] | None) -> str:
    return ", ".join(map(str, sorted(labels or ()))) or "none"


def _connections(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    index = _index(present.connections)
    for one in wanted.connections or ():
        before = index.find(one)
        fields = tuple(_connection_fields(before, one))
        if before is None:
            yield Step("create", "connection", one.name, fields, one.at, one)
        elif fields:
            yield Step("change", "connection", before.name, fields, one.at, one, before)


def _connection_fields(before: CodedConnection | None, after: CodedConnection) -> Iterator[Said]:
    if before is None:
        yield Said("kind", None, after.kind)
    elif before.name != after.name:
        yield Said("name", before.name, after.name)
    for key, value in after.said.items():
        if before is None or before.said.get(key) != value:
            yield Said(key, _word(before.said.get(key)) if before else None, _word(value))
    yield from _idp_fields(before.idp if before else None, after.idp)
    if after.secret and after.secret.by != "keep" and not (before and before.secret and _same(before, after)):
        yield Said("client_secret", "what stands" if before else None, f"another, from {after.secret.by}")


def _same(before: CodedConnection, after: CodedConnection) -> bool:
    return before.secret is not None and after.secret is not None and before.secret.value == after.secret.value


def idp_differs(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> bool:
    """Whether a file says otherwise of a connection's IdP than what stands."""
    if after is None:
        return False
    is_other_way = before is None or ("metadata_url" in before) != ("metadata_url" in after)
    return is_other_way or any(_is_other((before or {}).get(key), value) for key, value in after.items())


def _is_other(before: Any, after: Any) -> bool:
    """Certificates are told apart whole, and trusted in whichever order; PEM is as it is kept, one text for each."""
    if isinstance(before, tuple) and isinstance(after, tuple):
        return frozenset(before) != frozenset(after)
    return bool(before != after)


def _idp_fields(before: Mapping[str, Any] | None, after: Mapping[str, Any] | None) -> Iterator[Said]:
    if after is not None and idp_differs(before, after):
        for key, value in after.items():
            was = (before or {}).get(key)
            if _is_other(was, value) and (value or was is not None):
                yield Said(f"idp.{key}", None if was is None else _word(was), _word(value))


def _word(value: Any) -> str:
    """A setting in words; certificates (PEM, as kept) by their SHA-256 fingerprints, as pages show them."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return ", ".join(map(_word, value)) or "none"
    if isinstance(value, str) and "-----BEGIN" in value:
        return f"certificate {sha256(b64decode(''.join(value.splitlines()[1:-1]))).digest().hex(':').upper()}"
    return "none" if value is None else str(value)


def _domains(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    standing = {one.name: one for one in present.domains or ()}
    for one in wanted.domains or ():
        before = standing.get(one.name)
        said = Said("connection", _word(before.connection) if before else None, _word(one.connection))
        if before is None:
            yield Step("create", "domain", one.name, (said,), one.at, one)
        elif one.routed and fold(before.connection or "") != fold(one.connection or ""):
            yield Step("change", "domain", one.name, (said,), one.at, one, before)


def _user_groups(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    index = _index(present.user_groups)
    for one in wanted.user_groups or ():
        before = index.find(one)
        if before is None and not one.mirror:
            yield Step("create", "user_group", one.name, at=one.at, wanted=one)
        elif before is not None and before.name != one.name:
            yield Step("change", "user_group", before.name, (Said("name", before.name, one.name),), one.at, one, before)


def _people(present: CodedWorkspace, wanted: CodedWorkspace, action: Action) -> Iterator[Step]:
    """Who is put into User Groups by hand, or taken out: one step for each."""
    index = _index(present.user_groups)
    for one in wanted.user_groups or ():
        if one.members is not None:
            before = index.find(one)
            standing, listed = (before and before.members) or (), one.members
            new = _less(listed, standing) if action == "create" else _less(standing, listed)
            if new:
                said = Said("people", *((None, ", ".join(new)) if action == "create" else (", ".join(new), None)))
                yield Step(action, "people", one.name, (said,), f"{one.at}.members", new, new)


def _less(some: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    known = {fold_letters(email) for email in others}
    return tuple(email for email in some if fold_letters(email) not in known)


def _held(workspace: CodedWorkspace) -> dict[tuple[str, str], tuple[Holder, CodedGrants, str]]:
    """What the file, or the world, says of everybody who holds grants."""
    held: dict[tuple[str, str], tuple[Holder, CodedGrants, str]] = {}
    for group in workspace.user_groups or ():
        if group.grants is not None:
            held["user_group", fold(group.name)] = Holder("user_group", group.name), group.grants, group.at
    for member in workspace.members or ():
        held["member", fold_letters(member.email)] = Holder("member", member.email), member.grants, member.at
    return held


def _grants(present: CodedWorkspace, wanted: CodedWorkspace, action: Action) -> Iterator[Step]:
    standing = _held(present)
    for key, (holder, grants, at) in _held(wanted).items():
        _, before, _ = standing.get(key, (holder, CodedGrants(()), ""))
        if action == "create":
            new = [one for one in grants.given if one not in (*before.given, *before.automatic)]
        else:
            new = [one for one in before.given if one not in grants.given]
        yield from (_grant(action, holder, one, grants.places.get(one, f"{at}.grants")) for one in sort_roles(new))


def _grant(action: Action, holder: Holder, given: RoleInScope, at: str) -> Step:
    words = f"{given.role.name} on {', '.join(given.scope.render())}"
    return Step(action, "grant", f"{words} {'to' if action == 'create' else 'of'} {holder}", (), at, (holder, given))


# -- Rules -------------------------------------------------------------------------------------------


def describe_rule(rule: CodedRule) -> str:
    """It as one plain sentence, without its full stop."""
    kind: Any = {"pattern": "glob", "pushed": "name"}.get(rule.by, rule.by)
    gives = [phrase_user_group(name) for name in rule.user_groups] + [
        phrase_role(one) for one in sort_roles(rule.roles)
    ]
    return describe(GroupMatch(kind, rule.value), rule.connection, rule.group, gives or ["get nothing"]).removesuffix(
        "."
    )


def pair_rules(
    present: Iterable[CodedRule], wanted: Iterable[CodedRule]
) -> tuple[list[tuple[CodedRule | None, CodedRule]], list[CodedRule]]:
    """Each wanted rule with what stands in its place, and what of the present ones is left.

    Rules have no names. Those that are the same in all are paired first, then those that take the same groups.
    """
    listed, left = list(wanted), dict(enumerate(present))
    pairs: dict[int, CodedRule] = {}
    for same in _ALIKE:
        alike: dict[Any, list[int]] = {}
        for key in reversed(left):
            alike.setdefault(same(left[key]), []).append(key)
        for n, one in enumerate(listed):
            if n not in pairs and alike.get(same(one)):
                pairs[n] = left.pop(alike[same(one)].pop())
    return [(pairs.get(n), one) for n, one in enumerate(listed)], list(left.values())


_ALIKE: tuple[Callable[[CodedRule], Any], ...] = (
    lambda one: (one.takes, one.gives, one.enabled),
    lambda one: (one.takes, one.gives),
    lambda one: one.takes,
)


def _rules(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    pairs, _ = pair_rules(present.mappings or (), wanted.mappings or ())
    for before, one in pairs:
        if before is None:
            off = () if one.enabled else (Said("enabled", None, "false"),)
            yield Step("create", "mapping", describe_rule(one), off, one.at, one)
        elif (before.gives, before.enabled) != (one.gives, one.enabled):
            fields = tuple(_rule_fields(before, one))
            yield Step("change", "mapping", describe_rule(before), fields, one.at, one, before)


def _rule_fields(before: CodedRule, after: CodedRule) -> Iterator[Said]:
    if before.gives != after.gives:
        yield Said("rule", describe_rule(before), describe_rule(after))
    if before.enabled != after.enabled:
        yield Said("enabled", _word(before.enabled), _word(after.enabled))


# -- What goes ---------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Others:
    """What stands and isn't in the file's lists. Of a list that isn't in the file: nothing."""

    labels: tuple[CodedLabel, ...]
    resources: tuple[CodedResource, ...]
    connections: tuple[CodedConnection, ...]
    domains: tuple[CodedDomain, ...]
    user_groups: tuple[CodedUserGroup, ...]
    members: tuple[CodedMember, ...]
    mappings: tuple[CodedRule, ...]


def others(present: CodedWorkspace, wanted: CodedWorkspace) -> Others:
    """What pruning would take, as it stands under its new names. A mirror is the IdP's, and stays."""

    def beside(key: str, name: Callable[[Any], Any]) -> tuple[Any, ...]:
        listed = getattr(wanted, key)
        known = {name(one) for one in listed or ()}
        return () if listed is None else tuple(one for one in getattr(present, key) or () if name(one) not in known)

    carried = {label for one in wanted.resources or () for label in one.labels or ()}
    labels = beside("labels", lambda one: one.label)
    return Others(
        labels=tuple(one for one in labels if one.label not in BUILT_IN and one.label not in carried),
        resources=beside("resources", lambda one: one.ref),
        connections=beside("connections", lambda one: fold(one.name)),
        domains=beside("domains", lambda one: one.name),
        user_groups=tuple(one for one in beside("user_groups", lambda one: fold(one.name)) if not one.mirror),
        # Those whom the file only names as a User Group's members are looked at, too; most were given nothing.
        members=tuple(one for one in beside("members", lambda one: fold_letters(one.email)) if one.grants.given),
        mappings=() if wanted.mappings is None else tuple(pair_rules(present.mappings or (), wanted.mappings)[1]),
    )


def _pruned(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    going = others(present, wanted)
    for rule in going.mappings:
        yield Step("delete", "mapping", describe_rule(rule), at="mappings", present=rule)
    for member in going.members:
        holder = Holder("member", member.email)
        yield from (_grant("delete", holder, one, "members") for one in sort_roles(member.grants.given))
    yield from _grants(present, wanted, "delete")
    yield from _people(present, wanted, "delete")
    for key, kind in _GOING:
        for one in getattr(going, key):
            name = str(one.label) if kind == "label" else str(one.ref) if kind == "resource" else one.name
            yield Step("delete", kind, name, at=key, present=one)


_GOING: tuple[tuple[str, What], ...] = (
    ("user_groups", "user_group"),
    ("domains", "domain"),
    ("connections", "connection"),
    ("resources", "resource"),
    ("labels", "label"),
)


def left_alone(present: CodedWorkspace, wanted: CodedWorkspace) -> dict[str, int]:
    """How much stands that isn't in the file's lists and stays, by what it is; what is none is left out."""
    now = _renamed(present, wanted)
    going = others(now, wanted)
    counted = {key: len(getattr(going, key)) for key in Others.__dataclass_fields__}
    counted["grants"] = len(list(_grants(now, wanted, "delete")))
    return {key: count for key, count in counted.items() if count}


# -- What a file needs -------------------------------------------------------------------------------


def missing(
    present: CodedWorkspace, wanted: CodedWorkspace, people: Collection[str], *, prune: bool
) -> Iterator[tuple[str, str]]:
    """Places in the file that name what is neither there nor made by it, each with what to say.

    `people` are the addresses of members, folded as letters.
    """
    after = _after(_renamed(present, wanted), wanted, prune)
    for domain in wanted.domains or ():
        if domain.connection is not None and fold(domain.connection) not in after.connections:
            yield f"{domain.at}.connection", f"There is no connection {domain.connection[:80]!r}."
    for email, at in _addresses(wanted):
        if fold_letters(email) not in people:
            yield at, f"{email} is no member of this workspace. Invite them first: nobody joins by a file."
    index = _index(present.user_groups)
    for group in wanted.user_groups or ():
        yield from _mirror_faults(index.find(group), group)
    for _, grants, at in _held(wanted).values():
        yield from after.scopes(grants.given, grants.places, f"{at}.grants")
    for rule in wanted.mappings or ():
        yield from after.rule(rule)


def _mirror_faults(before: CodedUserGroup | None, group: CodedUserGroup) -> Iterator[tuple[str, str]]:
    if group.mirror and before is None:
        yield group.at, "There is no such mirror: it is made when the IdP pushes the group. Push it first."
    elif before is not None and before.mirror != group.mirror:
        is_mirror = "a mirror: write `mirror: true`" if before.mirror else "no mirror, but the workspace's own"
        yield group.at, f"{before.name} is {is_mirror}."


def _addresses(wanted: CodedWorkspace) -> Iterator[tuple[str, str]]:
    for member in wanted.members or ():
        yield member.email, f"{member.at}.email"
    for group in wanted.user_groups or ():
        yield from ((email, group.places.get(email, f"{group.at}.members")) for email in group.members or ())


@dataclass(frozen=True, slots=True)
class _After:
    """What is there once the file is applied, by folded names."""

    connections: frozenset[str]
    user_groups: frozenset[str]
    resources: frozenset[ResourceRef]
    labels: frozenset[Label]

    def rule(self, rule: CodedRule) -> Iterator[tuple[str, str]]:
        """What a rule names that isn't there."""
        if fold(rule.connection) not in self.connections:
            yield f"{rule.at}.connection", f"There is no connection {rule.connection[:80]!r}."
        for name in rule.user_groups:
            if fold(name) not in self.user_groups:
                yield rule.places.get(name, f"{rule.at}.gives.user_groups"), f"There is no User Group {name[:80]!r}."
        yield from self.scopes(rule.roles, rule.places, f"{rule.at}.gives.roles")

    def scopes(self, given: Iterable[RoleInScope], places: Mapping[Any, str], around: str) -> Iterator[tuple[str, str]]:
        """What grants name in their scopes that isn't there."""
        for one in given:
            at = places.get(one, around)
            for ref in sorted(one.scope.resources - self.resources):
                yield f"{at}.scope", f"There is no {ref} in this workspace."
            for label in sorted(one.scope.labels - self.labels):
                yield f"{at}.scope", f"There is no label {label} in this workspace."


def _after(present: CodedWorkspace, wanted: CodedWorkspace, prune: bool) -> _After:
    def every(key: str) -> list[Any]:
        listed, standing = getattr(wanted, key), getattr(present, key) or ()
        stays = [one for one in standing if not prune or listed is None or getattr(one, "mirror", False)]
        return [*(listed or ()), *stays]

    resources = every("resources")
    return _After(
        connections=frozenset(fold(one.name) for one in every("connections")),
        user_groups=frozenset(fold(one.name) for one in every("user_groups")),
        resources=frozenset(one.ref for one in resources),
        labels=frozenset(BUILT_IN).union(
            (one.label for one in every("labels")), *(one.labels or () for one in resources)
        ),
    )


# -- What people could notice ------------------------------------------------------------------------


def roles_touched(steps: Iterable[Step], present: CodedWorkspace, wanted: CodedWorkspace) -> frozenset[Role]:
    """The roles that somebody may gain or lose by these steps; none: they move nobody.

    Of what hangs on a connection, Minimal Workspace Access is left out: everybody whom it brings has it of their own.
    """
    held: dict[str, set[Role]] = {}
    for said in (_renamed(present, wanted), wanted):
        for group in said.user_groups or ():
            given = group.grants.given if group.grants else ()
            held.setdefault(fold(group.name), set()).update(one.role for one in given)
    return frozenset(role for step in steps for role in _touched(step, held))


def _touched(step: Step, held: Mapping[str, Collection[Role]]) -> Iterator[Role]:
    if step.what == "grant":
        yield step.wanted[1].role
    elif step.what == "mapping":
        for rule in filter(None, (step.present, step.wanted)):
            yield from (one.role for one in rule.roles)
            yield from (role for name in rule.user_groups for role in held.get(fold(name), ()))
            yield from (ROLES if rule.link else ())
    elif step.what in ("people", "user_group"):
        yield from held.get(fold(step.name), ())
    elif step.what == "connection" and (step.action == "delete" or any(one.name == "enabled" for one in step.fields)):
        yield from (role for role in ROLES if role is not MINIMAL)
    elif step.what == "resource" and step.action != "create":
        kind = (step.present or step.wanted).ref.type
        yield from (role for role in ROLES if role.resource_type == kind)
