"""A file's bytes to the workspace that it says, with everything that is wrong with it at once, by line and key."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeVar, cast

from bridge.domain.access import ResourceRef, RoleInScope, parse_scope
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
from bridge.domain.as_code_keys import (
    WORKSPACE_FILE,
    Key,
    Kind,
    Listed,
    OrNone,
    Record,
    Switch,
    Text,
    TextOr,
    Variants,
    Whole,
    Word,
)
from bridge.domain.as_code_yaml import BadFile, Fault, Fields, Items, Node, Scalar, read_yaml
from bridge.domain.domains import parse_claim
from bridge.domain.errors import DomainError, Invalid
from bridge.domain.group_mapping import LONGEST_PATTERN, Gives, GroupMatch, check_gives
from bridge.domain.labels import Label, check_one_value_a_key, clean_description, parse_label
from bridge.domain.people import clean_name, find_email, fold, fold_letters, parse_email
from bridge.domain.resources import parse_resource_id
from bridge.domain.roles import get_role
from bridge.domain.slugs import parse_slug

_Read = TypeVar("_Read")
#: Faults past these would only be scrolled by.
_MOST_FAULTS = 100


@dataclass(frozen=True, slots=True)
class FileRead:
    """What a file says, and at which line each of its keys stands."""

    workspace: CodedWorkspace
    lines: Mapping[str, int]

    def line(self, path: str) -> int:
        """The line of a path, or of the nearest thing around it; 0 for none."""
        while path and path not in self.lines:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.lines.get(path, 0)


def read_file(body: bytes) -> FileRead:
    """The workspace that a file says. Raises BadFile with all that is wrong."""
    node = read_yaml(body)
    checked = _Checked()
    plain = checked.take(node, WORKSPACE_FILE, "")
    if checked.faults:
        raise BadFile(checked.faults[:_MOST_FAULTS])
    read = FileRead(_Sense(checked).workspace(plain), checked.lines)
    if checked.faults:
        raise BadFile(checked.faults[:_MOST_FAULTS])
    return read


# -- By kind -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Checked:
    """Gathers what is wrong while a node is taken as its kind: plain values, where each stands, faults."""

    lines: dict[str, int] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def refuse(self, path: str, text: str, line: int | None = None) -> None:
        """Note one fault."""
        self.faults.append(Fault(self.lines.get(path, 0) if line is None else line, path, text))

    def take(self, node: Node, kind: Kind, path: str) -> Any:
        """The plain value of a node, or None with a fault noted."""
        self.lines[path] = node.line
        if isinstance(kind, OrNone):
            return None if _is_null(node) else self.take(node, kind.of, path)
        if isinstance(kind, Listed):
            return self._list(node, kind, path)
        if isinstance(kind, TextOr):
            is_text = isinstance(node, Scalar) and not _is_null(node)
            return {kind.key.name: self.take(node, kind.key.kind, path)} if is_text else self.take(node, kind.of, path)
        if isinstance(kind, Variants):
            return self._variant(node, kind, path)
        if isinstance(kind, Record):
            return self._record(node, kind, path)
        if not isinstance(node, Scalar) or (_is_null(node) and not node.quoted):
            return self.refuse(path, f"Here belongs {_describe(kind)}.")
        return self._scalar(node, kind, path)

    def _scalar(self, node: Scalar, kind: Text | Word | Switch | Whole, path: str) -> Any:
        text = node.text
        if isinstance(kind, Text) and len(text) <= kind.longest:
            return text
        if isinstance(kind, Word) and text in kind.words:
            return text
        if isinstance(kind, Switch) and not node.quoted and text.lower() in ("true", "false"):
            return text.lower() == "true"
        if isinstance(kind, Whole) and not node.quoted and text in map(str, range(kind.least, kind.most + 1)):
            return int(text)
        return self.refuse(path, f"Here belongs {_describe(kind)}, not {text[:60]!r}.{_suggest(kind, text)}")

    def _list(self, node: Node, kind: Listed, path: str) -> Any:
        if kind.or_one and isinstance(node, Scalar) and not _is_null(node):
            return [self.take(node, kind.of, path)]
        if not isinstance(node, Items):
            return self.refuse(path, "Here belongs a list; an empty one is written [].")
        return [self.take(inner, kind.of, f"{path}[{n}]") for n, inner in enumerate(node.nodes)]

    def _variant(self, node: Node, kind: Variants, path: str) -> Any:
        if not isinstance(node, Fields):
            return self.refuse(path, "Here belong keys with their values.")
        records = dict(kind.of)
        chosen = next((inner for key, inner in node.nodes if key.text == kind.by), None)
        word = chosen.text if isinstance(chosen, Scalar) else None
        if word not in records:
            return self.refuse(path, f"The key {kind.by!r} says what it is: {' or '.join(records)}.")
        own = Key(kind.by, Word(tuple(records)), "", required=True)
        return self._record(node, Record((own, *records[word].keys), records[word].one_of), path)

    def _record(self, node: Node, kind: Record, path: str) -> Any:
        if not isinstance(node, Fields):
            return self.refuse(path, "Here belong keys with their values.")
        keys = {key.name: key for key in kind.keys}
        taken: dict[str, Any] = {}
        for name, inner in node.nodes:
            below = f"{path}.{name.text[:60]}" if path else name.text[:60]
            if name.text not in keys:
                self.refuse(below, f"There is no such key here.{_nearest(name.text, list(keys))}", name.line)
            else:
                taken[name.text] = self.take(inner, keys[name.text].kind, below)
                self.lines[below] = name.line
        for key in kind.keys:
            if key.required and key.name not in taken:
                self.refuse(path, f"The key {key.name!r} is missing.")
        for group in kind.one_of:
            if len([name for name in group if name in taken]) != 1:
                self.refuse(path, f"Here belongs one of the keys {', '.join(group)}.")
        return taken


def _is_null(node: Node) -> bool:
    return isinstance(node, Scalar) and not node.quoted and node.text.lower() in ("", "~", "null")


def _describe(kind: Kind) -> str:
    if isinstance(kind, Switch):
        return "true or false"
    if isinstance(kind, Word):
        return f"one of {', '.join(kind.words)}"
    if isinstance(kind, Whole):
        return f"a whole number from {kind.least} to {kind.most}"
    return f"a text of at most {kind.longest:,} characters" if isinstance(kind, Text) else "something else"


def _suggest(kind: Kind, text: str) -> str:
    return _nearest(text, list(kind.words)) if isinstance(kind, Word) else ""


def _nearest(text: str, known: list[str]) -> str:
    near = get_close_matches(text[:60], known, 1)
    return f" Did you mean {near[0]!r}?" if near else f" Known are: {', '.join(known)}."


# -- What it means -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Sense:
    """Turns plain values of the right kinds into what they say; each refusal of the domain is a fault of its place."""

    checked: _Checked

    def attempt(self, path: str, read: Callable[[], _Read]) -> _Read | None:
        """What `read` gives, or None with a fault noted."""
        try:
            return read()
        except DomainError as error:
            self.checked.refuse(path, error.text)
            return None

    def each(
        self, plain: Mapping[str, Any], key: str, read: Callable[[Any, str], _Read | None]
    ) -> tuple[_Read, ...] | None:
        """The list under a key, or None where it isn't there; what is wrong of it left out, and noted."""
        if key not in plain:
            return None
        taken = (read(one, f"{key}[{n}]") for n, one in enumerate(plain[key]))
        return tuple(one for one in taken if one is not None)

    def once(self, found: tuple[_Read, ...] | None, name: Callable[[_Read], Any], what: str) -> None:
        """Refuse two of one name."""
        seen: set[Any] = set()
        for one in found or ():
            if name(one) in seen:
                self.checked.refuse(cast("Any", one).at, f"This {what} stands here twice.")
            seen.add(name(one))

    def workspace(self, plain: Mapping[str, Any]) -> CodedWorkspace:
        """All of it."""
        labels = self.each(plain, "labels", self.described_label)
        resources = self.each(plain, "resources", self.resource)
        connections = self.each(plain, "connections", self.connection)
        domains = self.each(plain, "domains", self.domain)
        user_groups = self.each(plain, "user_groups", self.user_group)
        members = self.each(plain, "members", self.member)
        self.once(labels, lambda one: one.label, "label")
        self.once(resources, lambda one: one.ref, "resource")
        self.once(connections, lambda one: fold(one.name), "name of a connection")
        self.once(domains, lambda one: one.name, "domain")
        self.once(user_groups, lambda one: fold(one.name), "name of a User Group")
        self.once(members, lambda one: fold_letters(one.email), "member")
        slug = self.attempt("workspace", lambda: parse_slug(plain["workspace"]))
        name = self.attempt("name", lambda: clean_name(plain["name"])) if "name" in plain else None
        return CodedWorkspace(
            slug=slug or "",
            name=name,
            plan=plain.get("plan"),
            settings=plain.get("settings", {}),
            labels=labels,
            resources=resources,
            connections=connections,
            domains=domains,
            user_groups=user_groups,
            members=members,
            mappings=self.each(plain, "mappings", self.rule),
        )

    def described_label(self, plain: Mapping[str, Any], path: str) -> CodedLabel | None:
        """A label, and what it is for."""
        at = f"{path}.label" if f"{path}.label" in self.checked.lines else path
        label, text = self.label(plain["label"], at), plain.get("description")
        if text is not None:
            text = self.attempt(f"{path}.description", lambda: clean_description(plain["description"]))
        return CodedLabel(label, text, path) if label else None

    def label(self, text: str, path: str) -> Label | None:
        """A label."""
        return self.attempt(path, lambda: parse_label(text))

    def labels(self, texts: list[str] | None, path: str) -> frozenset[Label] | None:
        """What one resource carries."""
        if texts is None:
            return None
        read = [self.label(text, f"{path}[{n}]") for n, text in enumerate(texts)]
        found = frozenset(label for label in read if label is not None)
        return self.attempt(path, lambda: check_one_value_a_key(found))

    def resource(self, plain: Mapping[str, Any], path: str) -> CodedResource | None:
        """A resource."""
        labels = self.labels(plain.get("labels"), f"{path}.labels")
        name = self.attempt(f"{path}.name", lambda: clean_name(plain["name"]))
        uid = self.attempt(f"{path}.id", lambda: parse_resource_id(plain["id"]))
        return CodedResource(ResourceRef(plain["type"], uid), name, labels, path) if uid and name else None

    def connection(self, plain: Mapping[str, Any], path: str) -> CodedConnection | None:
        """A connection."""
        kind = plain["kind"]
        said = {key: _frozen(plain[key]) for key in ("preset", "enabled", *settings_keys(kind)) if key in plain}
        if kind == "oidc":
            said["issuer"] = plain["issuer"]
        name = self.attempt(f"{path}.name", lambda: clean_name(plain["name"], longest=100))
        idp = self.idp(plain["idp"], f"{path}.idp") if "idp" in plain else None
        secret = self.secret(plain["client_secret"], f"{path}.client_secret") if "client_secret" in plain else None
        return CodedConnection(name, kind, said, idp, secret, plain.get("was"), path) if name else None

    def idp(self, plain: Mapping[str, Any], path: str) -> dict[str, Any]:
        """What is said of an IdP: metadata in one way, or its own fields."""
        ways = [key for key in ("metadata_url", "metadata_file", "metadata") if key in plain]
        own = [key for key in plain if key not in (*ways, "entity_id", "signed_by")]
        if len(ways) > 1 or (ways and own):
            self.checked.refuse(path, f"Give one of these: {', '.join([*ways, *own])}. Metadata says the rest itself.")
        if not ways and not ("entity_id" in plain and (plain.get("sso_redirect_url") or plain.get("sso_post_url"))):
            text = "Without metadata an IdP needs its entity_id, certificates, and sso_redirect_url or sso_post_url."
            self.checked.refuse(path, text)
        return {key: _frozen(value) for key, value in plain.items()}

    def secret(self, plain: Mapping[str, Any], path: str) -> CodedSecret:
        """Where a secret is to be found."""
        [(by, name)] = plain.items()
        if by == "keep" and not name:
            self.checked.refuse(path, "keep is true, or isn't there.")
        return CodedSecret(by, "" if by == "keep" else name)

    def domain(self, plain: Mapping[str, Any], path: str) -> CodedDomain | None:
        """A domain."""
        name = self.attempt(f"{path}.name", lambda: parse_claim(plain["name"]))
        return CodedDomain(name, plain.get("connection"), "connection" in plain, path) if name else None

    def grants(self, plain: list[Mapping[str, Any]] | None, path: str) -> CodedGrants | None:
        """What somebody is given."""
        if plain is None:
            return None
        places: dict[RoleInScope, str] = {}
        for n, one in enumerate(plain):
            given = self.grant(one, f"{path}[{n}]")
            if given is not None:
                places.setdefault(given, f"{path}[{n}]")
        return CodedGrants(tuple(places), places=places)

    def grant(self, plain: Mapping[str, Any], path: str) -> RoleInScope | None:
        """A role in a scope."""
        role = self.attempt(f"{path}.role", lambda: get_role(plain["role"]))
        if role is None:
            return None
        scope = self.attempt(f"{path}.scope", lambda: parse_scope(_terms(plain), role))
        return RoleInScope(role, scope) if scope is not None else None

    def user_group(self, plain: Mapping[str, Any], path: str) -> CodedUserGroup:
        """A User Group."""
        name = plain["name"]  # one that an IdP gave to a mirror stays as it is; a new one is looked at when it is made
        grants = self.grants(plain.get("grants"), f"{path}.grants")
        mirror = plain.get("mirror", False)
        places = self.emails(plain.get("members", []), f"{path}.members")
        if mirror and (places or "was" in plain):
            self.checked.refuse(path, "The IdP decides who is in a mirror, and what it is called.")
        members = tuple(places) if "members" in plain and not mirror else None
        return CodedUserGroup(name, mirror, members, grants, plain.get("was"), path, places)

    def emails(self, texts: list[str], path: str) -> dict[str, str]:
        """Addresses, each once, with their places."""
        places: dict[str, tuple[str, str]] = {}
        for n, text in enumerate(texts):
            email = self.email(text, f"{path}[{n}]")
            if email is not None:
                places.setdefault(fold_letters(email), (email, f"{path}[{n}]"))
        return dict(places.values())

    def email(self, text: str, path: str) -> str | None:
        """An address."""
        return self.attempt(path, lambda: find_email(text) or parse_email(text))

    def member(self, plain: Mapping[str, Any], path: str) -> CodedMember | None:
        """A member."""
        email, grants = self.email(plain["email"], f"{path}.email"), self.grants(plain["grants"], f"{path}.grants")
        return CodedMember(email, grants, path) if email and grants else None

    def rule(self, plain: Mapping[str, Any], path: str) -> CodedRule | None:
        """A rule."""
        [(by, value)] = plain["groups"].items()
        roles = self.grants(plain["gives"].get("roles", []), f"{path}.gives.roles")
        named = plain["gives"].get("user_groups", ())
        at = {name: f"{path}.gives.user_groups[{n}]" for n, name in reversed(list(enumerate(named)))}
        user_groups = tuple(dict.fromkeys(named))
        rule = CodedRule(
            plain["connection"],
            cast("MatchedBy", by),
            value,
            user_groups,
            roles.given if roles else (),
            plain.get("enabled", True),
            plain.get("link", False),
            path,
            places={**at, **(roles.places if roles else {})},
        )
        faults = len(self.checked.faults)
        self.attempt(f"{path}.groups.{by}", lambda: _check_value(by, value))
        self.attempt(f"{path}.gives", lambda: _check_rule(rule))
        return rule if len(self.checked.faults) == faults else None


def _check_value(by: str, value: str) -> None:
    is_cut = by in ("name", "pattern") and value != value.strip()
    if not value.strip() or is_cut or len(value) > LONGEST_PATTERN or "\0" in value:
        text = f"A rule names its groups by 1 to {LONGEST_PATTERN} characters, no NUL, without space around them."
        raise Invalid(text)


def _check_rule(rule: CodedRule) -> None:
    kind = "glob" if rule.by == "pattern" else "name"
    check_gives(GroupMatch(cast("Any", kind), rule.value), Gives(rule.user_groups, rule.roles))
    if rule.link and (rule.by not in ("pushed", "id") or len(rule.user_groups) != 1 or rule.roles or not rule.enabled):
        raise Invalid(
            "A link ties one pushed group to one User Group, and gives nothing else. Name it by pushed, or id."
        )


def _terms(plain: Mapping[str, Any]) -> Iterator[str]:
    yield from plain.get("scope", ())


def _frozen(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value
