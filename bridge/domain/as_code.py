"""A workspace as a file says it, or as it stands: values without ids, which names hold together (product.md 5.6).

None stands for what a file doesn't say, which stays as it is. Of lists, `()` says that there is nothing. `at` is the
place in the file, such as `mappings[2]`, and no part of what is said.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from bridge.domain.access import ResourceRef, RoleInScope
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.workspace import Connection

#: How a file names IdP groups; `pushed` is the name of the one pushed group that a rule names by its id.
MatchedBy = Literal["name", "pattern", "external_id", "pushed", "id"]


def _at() -> Any:
    return field(default="", compare=False)


def _places() -> Any:
    """Where in the file each thing of a list stands, by what it is, and no part of what is said."""
    return field(default_factory=dict, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class CodedLabel:
    """A label of resources, and what it is for; None: that isn't said."""

    label: Label
    description: str | None = None
    at: str = _at()


@dataclass(frozen=True, slots=True)
class CodedResource:
    """A resource. `labels` are all that it carries."""

    ref: ResourceRef
    name: str
    labels: frozenset[Label] | None
    at: str = _at()


@dataclass(frozen=True, slots=True)
class CodedSecret:
    """Where a secret is to be found: `by` is env, file or keep. `value` is what was found, no part of what is said."""

    by: str
    name: str
    value: str | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class CodedConnection:
    """A connection. `said` are its settings by their keys; lists as tuples. `idp` is what a SAML connection's IdP is
    by its keys, `secret` an OpenID Connect connection's. `was` is the name it had."""

    name: str
    kind: str
    said: Mapping[str, Any]
    idp: Mapping[str, Any] | None = None
    secret: CodedSecret | None = None
    was: str | None = None
    at: str = _at()


@dataclass(frozen=True, slots=True)
class CodedDomain:
    """A domain by its ASCII name. `routed` whether the file says where to; then `connection` is a name, or None."""

    name: str
    connection: str | None
    routed: bool = True
    at: str = _at()


@dataclass(frozen=True, slots=True)
class CodedGrants:
    """What a member (by address) or a User Group (by name) was given by hand. `automatic` came with the membership, or
    with the mirror: it counts as given, and isn't taken."""

    given: tuple[RoleInScope, ...]
    automatic: tuple[RoleInScope, ...] = field(default=(), compare=False)
    places: Mapping[RoleInScope, str] = _places()


@dataclass(frozen=True, slots=True)
class CodedUserGroup:
    """A User Group, and who is in it by hand, by address."""

    name: str
    mirror: bool = False
    members: tuple[str, ...] | None = None
    grants: CodedGrants | None = None
    was: str | None = None
    at: str = _at()
    places: Mapping[str, str] = _places()


@dataclass(frozen=True, slots=True)
class CodedMember:
    """A member by address, and what was given to them by hand."""

    email: str
    grants: CodedGrants
    at: str = _at()


@dataclass(frozen=True, slots=True)
class CodedRule:
    """A rule. Which groups of the connection, by name, it takes; User Groups by name; roles in their scopes.

    `group` is what the one group is called that is named by its id.
    """

    connection: str
    by: MatchedBy
    value: str
    user_groups: tuple[str, ...] = ()
    roles: tuple[RoleInScope, ...] = ()
    enabled: bool = True
    link: bool = False
    at: str = _at()
    group: str | None = field(default=None, compare=False)
    places: Mapping[Any, str] = _places()

    @property
    def takes(self) -> tuple[str, str, str]:
        """Which groups it takes, to compare: two rules that take the same are one that was changed."""
        return fold(self.connection), self.by, fold(self.value)

    @property
    def gives_something(self) -> bool:
        """Not where all that it gave is gone, such as its one resource: it stands then, and isn't in a file."""
        return bool(self.user_groups or self.roles)

    @property
    def gives(self) -> tuple[frozenset[str], frozenset[RoleInScope], bool]:
        """What it gives, to compare."""
        return frozenset(map(fold, self.user_groups)), frozenset(self.roles), self.link


@dataclass(frozen=True, slots=True)
class CodedWorkspace:
    """All of it. A list that is None isn't in the file: nothing of it is touched, with --prune neither."""

    slug: str
    name: str | None = None
    plan: str | None = None
    settings: Mapping[str, bool] = field(default_factory=dict)
    labels: tuple[CodedLabel, ...] | None = None
    resources: tuple[CodedResource, ...] | None = None
    connections: tuple[CodedConnection, ...] | None = None
    domains: tuple[CodedDomain, ...] | None = None
    user_groups: tuple[CodedUserGroup, ...] | None = None
    members: tuple[CodedMember, ...] | None = None
    mappings: tuple[CodedRule, ...] | None = None


def settings_keys(kind: str) -> dict[str, str]:
    """How a connection's settings are called in the file: the file's key to the field of the settings of that kind."""
    own: tuple[str, ...] = ("sign_requests", "requests_by_post", "authn_context", "name_id_format")
    if kind == "oidc":
        own = ("client_id", "token_auth", "scopes", "hosted_domain", "trust_email", "logout_return")
    shared = ("allow_idp_initiated", "jit", "mirror_groups", "force_authn", "clock_skew", "asserted_days")
    what = "claims" if kind == "oidc" else "attributes"
    names = {f"email_{what}": "email", f"name_{what}": "display_name", f"groups_{what}": "groups"}
    return {key: key for key in (*shared, *own)} | names


def called(connections: Mapping[str, Connection], name: str) -> Connection | None:
    """The connection of that name, without case, of those by folded name."""
    return connections.get(fold(name))
