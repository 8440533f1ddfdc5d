"""Steps of connections and domains, and whether a file says otherwise of an IdP than what stands."""

from collections.abc import Iterator, Mapping
from typing import Any

from bridge.domain.as_code import CodedConnection, CodedWorkspace
from bridge.domain.as_code_names import index_of
from bridge.domain.as_code_step import Said, Step, word
from bridge.domain.people import fold


def connection_steps(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """Connections that are made, or changed in what the file says of them."""
    index = index_of(present.connections)
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
            yield Said(key, word(before.said.get(key)) if before else None, word(value))
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
                yield Said(f"idp.{key}", None if was is None else word(was), word(value))


def domain_steps(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """Domains that are claimed, or sent elsewhere."""
    standing = {one.name: one for one in present.domains or ()}
    for one in wanted.domains or ():
        before = standing.get(one.name)
        said = Said("connection", word(before.connection) if before else None, word(one.connection))
        if before is None:
            yield Step("create", "domain", one.name, (said,), one.at, one)
        elif one.routed and fold(before.connection or "") != fold(one.connection or ""):
            yield Step("change", "domain", one.name, (said,), one.at, one, before)
