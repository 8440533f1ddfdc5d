"""Domain values as JSON and as text."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from textwrap import indent
from typing import Any

from bridge.domain.access import Because, Permission
from bridge.domain.domains import Domain
from bridge.domain.group_mapping import GroupMatch
from bridge.domain.members import UserGroup
from bridge.domain.origins import Origin
from bridge.domain.previews import MovedPeople, PersonMoved
from bridge.domain.resources import Resource
from bridge.domain.workspace import Connection
from bridge.flows.access_json import wire_scope as wire_scope
from bridge.flows.access_json import wire_time as wire_time
from bridge.flows.access_json import wire_traced
from bridge.flows.connect_oidc import addresses_of
from bridge.flows.connection_overview import ConnectionOverview
from bridge.flows.connection_settings import SamlSettings, settings_of
from bridge.flows.context import Context
from bridge.flows.explain_links import Explained, Traced
from bridge.flows.give_roles import NewGrant
from bridge.flows.map_groups import MappingFacts
from bridge.flows.oidc_settings import oidc_settings_of
from bridge.flows.rotate_key import OwnKeys
from bridge.flows.trusted_idp import signers_of
from saml.certificates import CertificateFacts, certificate_facts


def table(headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Columns that line up, under their headings."""
    every = [list(headings), *([str(cell) for cell in row] for row in rows)]
    widths = [max(len(row[column]) for row in every) for column in range(len(headings))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in every
    )


def wire_connection(context: Context, connection: Connection) -> dict[str, Any]:
    """A connection and our addresses of it."""
    own = {"id": connection.id, "kind": connection.kind, "name": connection.name, "enabled": connection.enabled}
    return own | asdict(addresses_of(context, connection))


def wire_details(context: Context, seen: ConnectionOverview, keys: OwnKeys | None) -> dict[str, Any]:
    """A connection with what hangs on it, its settings, and its IdP; of SAML our certificates too."""
    counts = seen.counts
    hanging = {"people": counts.people, "pushed": counts.pushed, "rules": counts.rules, "scim_tokens": counts.tokens}
    hanging |= {"signed_in_now": counts.signed_in}
    wire = wire_connection(context, seen.connection) | {"preset": seen.connection.config.get("preset"), **hanging}
    wire |= {"last_sign_in": wire_time(counts.last_sign_in), "domains": list(counts.domains)}
    if keys is None:
        return wire | _wire_oidc(seen.connection)
    config = seen.connection.config
    idp = {name: config["idp"][name] for name in ("entity_id", "sso_redirect_url", "sso_post_url", "slo_url")}
    idp |= {"certificates": [_wire_certificate(one) for one in seen.certificates]}
    idp |= {"metadata_url": config.get("metadata_url")}
    idp |= {"metadata_certificates": [_wire_certificate(certificate_facts(one)) for one in signers_of(config)]}
    return wire | {"settings": _wire_settings(settings_of(seen.connection)), "idp": idp, "keys": wire_keys(keys)}


def wire_keys(keys: OwnKeys) -> dict[str, Any]:
    """Our certificates of a connection."""
    following = keys.next and {"pem": keys.next.pem, **_wire_certificate(keys.next.facts)}
    return {"current": {"pem": keys.current.pem, **_wire_certificate(keys.current.facts)}, "next": following}


def text_details(wire: dict[str, Any]) -> str:
    """What `wire_details` says, a line each."""
    return "\n".join(f"{name:<40}{value}" for name, value in _lines(wire) if not name.endswith("pem"))


def _lines(wire: dict[str, Any], before: str = "") -> Iterator[tuple[str, str]]:
    for name, value in wire.items():
        if isinstance(value, dict):
            yield from _lines(value, f"{before}{name}.")
        elif isinstance(value, list) and value and isinstance(value[0], dict):
            for number, one in enumerate(value, start=1):
                yield from _lines(one, f"{before}{name}.{number}.")
        else:
            words = ", ".join(value) if isinstance(value, list) else value
            yield f"{before}{name}", "" if words is None else str(words)


def _wire_certificate(facts: CertificateFacts) -> dict[str, Any]:
    times = {"not_before": wire_time(facts.not_before), "not_after": wire_time(facts.not_after)}
    return {"subject": facts.subject, **times, "sha256": facts.sha256}


def _wire_oidc(found: Connection) -> dict[str, Any]:
    """Settings by the names of the options of `bridge connection set`, and the provider as its discovery says."""
    wire = {name: list(value) if isinstance(value, tuple) else value for name, value in _oidc(found).items()}
    provider = {name: found.config["provider"].get(name) for name in _PROVIDER}
    return {"settings": wire, "provider": provider}


_PROVIDER = (
    "issuer",
    "authorization_endpoint",
    "token_endpoint",
    "jwks_uri",
    "userinfo_endpoint",
    "end_session_endpoint",
)


def _oidc(found: Connection) -> dict[str, Any]:
    named = {"email": "email_claim", "display_name": "name_claim", "groups": "groups_claim"}
    named |= {"allow_idp_initiated": "idp_initiated", "scopes": "scope"}
    settings = asdict(oidc_settings_of(found))
    return {named.get(name, name): value for name, value in settings.items() if name != "name"}


def _wire_settings(settings: SamlSettings) -> dict[str, Any]:
    """By the names of the options of `bridge connection set`."""
    wire = {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(settings).items()}
    named = {"email": "email_attribute", "display_name": "name_attribute", "groups": "groups_attribute"}
    named |= {"allow_idp_initiated": "idp_initiated"}
    return {named.get(name, name): value for name, value in wire.items() if name != "name"}


def wire_domain(domain: Domain) -> dict[str, Any]:
    """A domain, and the two ways to prove it."""
    return {
        "name": domain.name,
        "status": domain.status,
        "dns_record": domain.dns_record,
        "meta_tag": domain.meta_tag,
        "connection": domain.connection_id,
    }


def wire_resource(resource: Resource) -> dict[str, Any]:
    """A resource with its labels."""
    labels = [str(label) for label in sorted(resource.labels)]
    return {"id": resource.ref.id, "type": resource.ref.type, "name": resource.name, "labels": labels}


def wire_user_group(group: UserGroup) -> dict[str, Any]:
    """A User Group with its people counted."""
    return {"id": group.id, "name": group.name, "member_count": group.member_count}


def wire_grant(grant: NewGrant) -> dict[str, Any]:
    """A grant."""
    return {"id": grant.id, **wire_scope(grant.given)}


def wire_mapping(mapping: MappingFacts) -> dict[str, Any]:
    """A rule: whom it takes, what it gives, and the same as a sentence."""
    return {
        "id": mapping.id,
        "connection": mapping.connection_id,
        "match": _wire_match(mapping.match),
        "gives": {
            "roles": [wire_scope(given) for given in mapping.roles],
            "user_groups": [{"id": uid, "name": name} for uid, name in mapping.user_groups],
        },
        "enabled": mapping.enabled,
        "origin": mapping.origin,
        "matched_groups": mapping.matched_groups,
        "sentence": mapping.sentence,
    }


def wire_moved(moved: MovedPeople | Sequence[PersonMoved]) -> dict[str, Any]:
    """Who would gain, or lose, and what; counted."""
    count, people = (moved.count, moved.people) if isinstance(moved, MovedPeople) else (len(moved), moved)
    told = [
        {"email": one.email, "name": one.name, "permissions": [wire_scope(given) for given in one.roles]}
        for one in people
    ]
    return {"count": count, "people": told}


def wire_explained(explained: Explained) -> dict[str, Any]:
    """One role in one scope, with every path that gives it, and who made its links."""
    return {**wire_scope(explained.permission), "because": [wire_traced(path) for path in explained.paths]}


def text_because(because: Because) -> str:
    """One path as a line: IdP group → rule → User Group → role."""
    steps = []
    if because.idp_group is not None:
        steps.append(f"{because.connection} group {because.idp_group}")
        # A rule that takes its one group by id has no other name.
        steps += [] if because.mapping == because.idp_group_id else [f"rule {because.mapping}"]
    if because.user_group is not None:
        steps.append(f"User Group {because.user_group}")
    if steps:
        return " → ".join(steps)
    by_idp = because.given_by.startswith("connection:")
    how = "with the membership, by its connection" if by_idp else "by hand"
    return f"{how}, {because.since:%d %b %Y}"


def text_permission(permission: Permission) -> str:
    """A permission, and under it every path that gives it."""
    head = f"{permission.role.name} on {', '.join(permission.scope.render())}"
    return "\n".join([head, *(f"    {text_because(because)}" for because in permission.because)])


def text_traced(traced: Traced) -> str:
    """One path as a line, and under it a line for each link: who made it, and when."""
    return "\n".join([text_because(traced.because), *(f"    {text_origin(one)}" for one in traced.origins)])


def text_origin(origin: Origin) -> str:
    """How one link came about, as a line."""
    parts = [f"{origin.text}, {origin.made.at:%d %b %Y}"]
    parts += [f"last changed by {origin.changed.name}, {origin.changed.at:%d %b %Y}"] if origin.changed else []
    parts += [f"counts until {origin.counts_until:%d %b %Y}"] if origin.counts_until else []
    return "; ".join(parts)


def text_explained(explained: Explained) -> str:
    """A permission, and under it every path that gives it, with who made its links."""
    permission = explained.permission
    head = f"{permission.role.name} on {', '.join(permission.scope.render())}"
    return "\n".join([head, *(indent(text_traced(path), "    ") for path in explained.paths)])


def _wire_match(match: GroupMatch) -> dict[str, str]:
    return {"by": match.kind, "value": match.value}
