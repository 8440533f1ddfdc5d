"""A workspace's file: all that is wrong with it at once, by line and key; and what it says."""

from textwrap import dedent

import pytest

from bridge.domain.access import EVERYWHERE, ResourceRef, RoleInScope, Scope
from bridge.domain.as_code import CodedDomain, CodedGrants, CodedResource, CodedRule, CodedSecret, CodedUserGroup
from bridge.domain.as_code_reading import FileRead, read_file
from bridge.domain.as_code_yaml import BadFile
from bridge.domain.labels import Label
from bridge.domain.roles import get_role

PROD = Label("environment", "prod")


def read(body: str) -> FileRead:
    return read_file(f"version: 1\nworkspace: kicks\n{dedent(body)}".encode())


def test_a_file_says_what_it_says() -> None:
    said = read(
        """
        resources:
          - {type: source, id: orders, name: no, labels: [environment:prod]}
        domains:
          - {name: Kicks.example, connection: null}
          - {name: shoes.example}
        user_groups:
          - name: 1e3
            members: [anna@kicks.example]
            grants:
              - {role: source admin, scope: label:environment:prod}
              - {role: Source Admin, scope: [source:orders, source:a:b]}
        mappings:
          - connection: Okta
            groups: {pattern: eng-*}
            gives: {user_groups: ["1e3"], roles: [{role: PII Access}]}
            enabled: false
        """
    ).workspace
    admin = get_role("source_admin")
    orders, other = ResourceRef("source", "orders"), ResourceRef("source", "a:b")
    assert said.resources == (CodedResource(orders, "no", frozenset((PROD,))),)
    assert said.domains == (
        CodedDomain("kicks.example", None),
        CodedDomain("shoes.example", None, routed=False),
    )
    given = (
        RoleInScope(admin, Scope("labels", labels=frozenset((PROD,)))),
        RoleInScope(admin, Scope("list", frozenset((orders, other)))),
    )
    assert said.user_groups == (CodedUserGroup("1e3", members=("anna@kicks.example",), grants=CodedGrants(given)),)
    gives = (RoleInScope(get_role("pii_access"), EVERYWHERE),)
    assert said.mappings == (CodedRule("Okta", "pattern", "eng-*", ("1e3",), gives, enabled=False),)
    assert (said.labels, said.connections, said.members, said.settings) == (None, None, None, {})


def test_a_secret_is_named_and_never_said() -> None:
    said = read(
        """
        connections:
          - {name: Google, kind: oidc, issuer: "https://accounts.google.com", client_id: x, client_secret: {env: G}}
        """
    ).workspace
    assert said.connections is not None
    assert said.connections[0].secret == CodedSecret("env", "G")


FAULTS = {
    "a list where keys belong": ("settings: []", 3, "settings", "keys"),
    "a text where a list belongs": ("labels: environment:prod", 3, "labels", "a list"),
    "nothing where a list belongs": ("labels:", 3, "labels", "a list"),
    "a key that isn't there, almost": ("resorces: []", 3, "resorces", "Did you mean 'resources'?"),
    "a key that isn't there": ("zzz: 1", 3, "zzz", "Known are: version"),
    "yes for true": ("settings: {hipaa: yes}", 3, "settings.hipaa", "true or false, not 'yes'"),
    "a text for true": ("settings: {hipaa: 'true'}", 3, "settings.hipaa", "true or false"),
    "another version": ("name: x\nplan: gold", 4, "plan", "one of free, team, business"),
    "no name": ("resources: [{type: source, id: a}]", 3, "resources[0]", "'name' is missing"),
    "an empty name": ("resources: [{type: source, id: a, name: }]", 3, "resources[0].name", "a text"),
    "a name of spaces": ("resources: [{type: source, id: a, name: ' '}]", 3, "resources[0].name", "printable"),
    "no such type": ("resources: [{type: sorce, id: a, name: a}]", 3, "resources[0].type", "Did you mean 'source'?"),
    "an id with a space": ("resources: [{type: source, id: a b, name: a}]", 3, "resources[0].id", "no space"),
    "one resource twice": (
        "resources:\n- {type: source, id: a, name: a}\n- {type: source, id: a, name: b}",
        5,
        "resources[1]",
        "twice",
    ),
    "no label": ("labels: [prod]", 3, "labels[0]", "not a label"),
    "no label in keys": ("labels: [{label: prod}]", 3, "labels[0].label", "not a label"),
    "one label twice": ("labels:\n- a:b\n- {label: a:b, description: c}", 5, "labels[1]", "twice"),
    "a label for too much": (f"labels: [{{label: a:b, description: {'x' * 251}}}]", 3, "labels[0].description", "250"),
    "a description of no label": ("labels: [{description: x}]", 3, "labels[0]", "'label' is missing"),
    "two values of one label": (
        "resources: [{type: source, id: a, name: a, labels: [a:b, a:c]}]",
        3,
        "resources[0].labels",
        "one value",
    ),
    "no such role": ("members: [{email: a@b.example, grants: [{role: King}]}]", 3, "members[0].grants[0].role", "King"),
    "a scope that the role hasn't": (
        "members: [{email: a@b.example, grants: [{role: Source Admin, scope: warehouse:x}]}]",
        3,
        "members[0].grants[0].scope",
        "on sources",
    ),
    "no address": ("members: [{email: anna, grants: []}]", 3, "members[0].email", "not an e-mail address"),
    "one member twice": (
        "members:\n- {email: a@b.example, grants: []}\n- {email: A@b.example, grants: []}",
        5,
        "members[1]",
        "twice",
    ),
    "one User Group twice": ("user_groups:\n- {name: Eng}\n- {name: ENG}", 5, "user_groups[1]", "twice"),
    "people in a mirror": (
        "user_groups: [{name: Eng, mirror: true, members: [a@b.example]}]",
        3,
        "user_groups[0]",
        "mirror",
    ),
    "everybody's domain": ("domains: [{name: gmail.com}]", 3, "domains[0].name", "no company"),
    "no kind": ("connections: [{name: Okta}]", 3, "connections[0]", "saml or oidc"),
    "a key of the other kind": (
        "connections: [{name: Okta, kind: saml, issuer: x}]",
        3,
        "connections[0].issuer",
        "no such key",
    ),
    "two ways to one IdP": (
        "connections: [{name: Okta, kind: saml, idp: {metadata_url: x, metadata: y}}]",
        3,
        "connections[0].idp",
        "one of these",
    ),
    "half an IdP": (
        "connections: [{name: O, kind: saml, idp: {entity_id: x}}]",
        3,
        "connections[0].idp",
        "certificates",
    ),
    "two places of one secret": (
        "connections: [{name: G, kind: oidc, issuer: x, client_id: y, client_secret: {env: A, file: B}}]",
        3,
        "connections[0].client_secret",
        "one of the keys",
    ),
    "a secret itself": (
        "connections: [{name: G, kind: oidc, issuer: x, client_id: y, client_secret: s3cret}]",
        3,
        "connections[0].client_secret",
        "keys",
    ),
    "a rule that gives nothing": (
        "mappings: [{connection: O, groups: {name: x}, gives: {}}]",
        3,
        "mappings[0].gives",
        "at least one",
    ),
    "ownership by a pattern": (
        "mappings: [{connection: O, groups: {pattern: x*}, gives: {roles: [{role: Workspace Owner}]}}]",
        3,
        "mappings[0].gives",
        "not by a pattern",
    ),
    "two ways to name groups": (
        "mappings: [{connection: O, groups: {name: x, pattern: y}, gives: {user_groups: [a]}}]",
        3,
        "mappings[0].groups",
        "one of the keys",
    ),
    "a group of a name that no database keeps": (
        'mappings: [{connection: O, groups: {pushed: "x\\0"}, gives: {user_groups: [a]}}]',
        3,
        "mappings[0].groups.pushed",
        "no NUL",
    ),
    "a link that gives more": (
        "mappings: [{connection: O, groups: {pushed: x}, gives: {user_groups: [a, b]}, link: true}]",
        3,
        "mappings[0].gives",
        "one User Group",
    ),
}


@pytest.mark.parametrize("name", FAULTS)
def test_a_fault_names_its_line_and_its_key(name: str) -> None:
    body, line, path, words = FAULTS[name]
    with pytest.raises(BadFile) as refused:
        read(body)
    [fault] = refused.value.faults
    assert (fault.line, fault.path) == (line, path)
    assert words in fault.text


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(BadFile) as refused:
        read("labels: [prod]\nresources: [{type: source, id: a b, name: a}]\ndomains: [{name: gmail.com}]")
    assert [fault.line for fault in refused.value.faults] == [3, 4, 5]
    assert refused.value.text.count("\n") == 2


def test_what_is_no_file_of_a_workspace_is_refused() -> None:
    for body in (
        b"[]",
        b"just words",
        b"version: 2\nworkspace: kicks",
        b"workspace: kicks",
        b"version: 1\nworkspace: K S",
    ):
        with pytest.raises(BadFile):
            read_file(body)


def test_more_faults_than_anybody_reads_are_cut() -> None:
    with pytest.raises(BadFile) as refused:
        read("labels: [" + "a, " * 5_000 + "a]")
    assert len(refused.value.faults) == 100


def test_a_line_is_known_of_whatever_is_around_a_path() -> None:
    seen = read("labels:\n  - environment:prod\n")
    assert [seen.line(path) for path in ("labels[0]", "labels[7].x", "labels", "nothing.here")] == [4, 3, 3, 1]
