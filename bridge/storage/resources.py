"""Resources and labels of a workspace."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, func, insert, select, true, update

from bridge.domain.access import ResourceRef
from bridge.domain.labels import Label, LabelFacts
from bridge.domain.resources import Resource, ResourceQuery, ResourcesFound, ResourceUse
from bridge.storage.access import in_batches
from bridge.storage.changes import Change, alter_facts, begin_fact, begin_facts, end_facts
from bridge.storage.grants import end_grant_keys
from bridge.storage.prepared import Prepared
from bridge.storage.tables import (
    access_requests,
    grant_labels,
    grant_resources,
    grants,
    labels,
    principals,
    resource_labels,
    resources,
)


def insert_resource(change: Change, workspace_key: int, resource: Resource) -> int:
    """A new resource with its labels, each of which is made where it isn't there yet. Returns its key."""
    values = {"uid": resource.ref.id, "workspace_id": workspace_key, "type": resource.ref.type}
    key = begin_fact(change, resources, {**values, "name": resource.name, "slug": resource.slug})
    put_labels(change, workspace_key, key, resource.labels)
    return key


def rename_resource(change: Change, resource_key: int, name: str, slug: str) -> None:
    """Give a resource another name."""
    alter_facts(change, resources, resources.c.id == resource_key, values={"name": name, "slug": slug})


def put_labels(change: Change, workspace_key: int, resource_key: int, given: Iterable[Label]) -> None:
    """Give a resource these labels beside those it has."""
    wanted = sorted(given)
    make_labels(change, workspace_key, wanted)
    rows = [{"resource_id": resource_key, "key": label.key, "value": label.value} for label in wanted]
    begin_facts(change, resource_labels, rows)


def take_labels(change: Change, resource_key: int) -> None:
    """Take every label of a resource."""
    end_facts(change, resource_labels, resource_labels.c.resource_id == resource_key)


def find_resource(connection: Any, workspace_key: int, ref: ResourceRef) -> tuple[int, Resource] | None:
    """A resource with its key, or None."""
    row = _FIND.first(connection, workspace=workspace_key, type=ref.type, uid=ref.id)
    if row is None:
        return None
    carried = frozenset(Label(key, value) for key, value in _CARRIED(connection, resource=row.id))
    return row.id, Resource(ref, row.name, row.slug, carried)


_FIND = Prepared(
    select(resources.c.id, resources.c.name, resources.c.slug).where(
        resources.c.workspace_id == bindparam("workspace"),
        resources.c.type == bindparam("type"),
        resources.c.uid == bindparam("uid"),
    )
)
_CARRIED = Prepared(
    select(resource_labels.c.key, resource_labels.c.value).where(resource_labels.c.resource_id == bindparam("resource"))
)


def list_resources(connection: Any, workspace_key: int) -> list[Resource]:
    """A workspace's resources with their labels, by type and name."""
    return [resource for _, resource in _list(connection, workspace_key, resources.c.id == resources.c.id)]


def browse(connection: Any, workspace_key: int, query: ResourceQuery) -> ResourcesFound:
    """What a query without a search asks for, whatever the number of all: a name is folded in Python, not here."""
    columns = resources.c
    here, fits = columns.workspace_id == workspace_key, _fits(query)
    ordered = select(columns.id).where(here, fits).order_by(columns.type, columns.name, columns.id)
    keys = list(connection.execute(ordered.limit(query.size).offset(query.skipped)).scalars())
    by_type = select(columns.type, func.count()).where(here).group_by(columns.type)
    return ResourcesFound(
        resources=tuple(one for _, one in _list(connection, workspace_key, columns.id.in_(keys))) if keys else (),
        total=_count(connection, here, fits),
        by_type=dict(connection.execute(by_type).all()),
        by_label=_carried(connection, workspace_key),
        unlabelled=_count(connection, here, ~_LABELLED),
    )


_LABELLED = exists().where(resource_labels.c.resource_id == resources.c.id)


def _fits(query: ResourceQuery) -> ColumnElement[bool]:
    fits: list[ColumnElement[bool]] = [resources.c.type == query.type] if query.type else []
    if query.label:
        fits.append(
            exists().where(
                resource_labels.c.resource_id == resources.c.id,
                resource_labels.c.key == query.label.key,
                resource_labels.c.value == query.label.value,
            )
        )
    if query.unlabelled:
        fits.append(~_LABELLED)
    return and_(true(), *fits)


def _count(connection: Any, *which: ColumnElement[bool]) -> int:
    return int(connection.execute(select(func.count()).select_from(resources).where(*which)).scalar_one())


def names_of(connection: Any, workspace_key: int, refs: Collection[ResourceRef]) -> dict[ResourceRef, str]:
    """The names of those resources that are there."""
    chosen = select(resources.c.type, resources.c.uid, resources.c.name).where(
        resources.c.workspace_id == workspace_key, resources.c.uid.in_([ref.id for ref in refs])
    )
    named = {ResourceRef(kind, uid): name for kind, uid, name in connection.execute(chosen)} if refs else {}
    return {ref: named[ref] for ref in refs if ref in named}


def _list(connection: Any, workspace_key: int, where: Any) -> list[tuple[int, Resource]]:
    columns = resources.c
    chosen = select(columns.id, columns.type, columns.uid, columns.name, columns.slug)
    rows = connection.execute(
        chosen.where(columns.workspace_id == workspace_key, where).order_by(columns.type, columns.name, columns.id)
    ).all()
    labelled = _labels_of(connection, [row.id for row in rows])
    return [
        (row.id, Resource(ResourceRef(row.type, row.uid), row.name, row.slug, frozenset(labelled.get(row.id, ()))))
        for row in rows
    ]


def _labels_of(connection: Any, keys: Collection[int]) -> dict[int, list[Label]]:
    found: dict[int, list[Label]] = {}
    columns = resource_labels.c
    for batch in in_batches(keys):
        chosen = select(columns.resource_id, columns.key, columns.value).where(columns.resource_id.in_(batch))
        for resource_key, key, value in connection.execute(chosen):
            found.setdefault(resource_key, []).append(Label(key, value))
    return found


@dataclass(frozen=True, slots=True)
class EndedGrants:
    """What ended with a resource: grants that listed nothing else, and how many lost it from their list."""

    ended: int
    narrowed: int


def end_resource(change: Change, resource_key: int) -> EndedGrants:
    """Remove a resource; a grant that listed nothing else ends, since it would reach nothing."""
    listing = select(grant_resources.c.grant_id).where(grant_resources.c.resource_id == resource_key)
    keys = list(change.connection.execute(listing).scalars())
    end_facts(change, grant_resources, grant_resources.c.resource_id == resource_key)
    left = exists().where(grant_resources.c.grant_id == grants.c.id)
    empty = list(change.connection.execute(select(grants.c.id).where(grants.c.id.in_(keys), ~left)).scalars())
    end_grant_keys(change, empty)
    take_labels(change, resource_key)
    change.connection.execute(delete(access_requests).where(access_requests.c.resource_id == resource_key))
    end_facts(change, resources, resources.c.id == resource_key)
    return EndedGrants(len(empty), len(keys) - len(empty))


def use_of(connection: Any, resource_key: int) -> ResourceUse:
    """What hangs on a resource: what ends with it, what loses it from a list."""
    listing = select(grant_resources.c.grant_id).where(grant_resources.c.resource_id == resource_key)
    others = exists().where(grant_resources.c.grant_id == grants.c.id, grant_resources.c.resource_id != resource_key)
    chosen = select(others.label("others"), func.count()).where(grants.c.id.in_(listing)).group_by("others")
    found = {bool(among): count for among, count in connection.execute(chosen)}
    asked = select(func.count()).where(access_requests.c.resource_id == resource_key)
    return ResourceUse(found.get(False, 0), found.get(True, 0), connection.execute(asked).scalar_one())


# -- Labels ------------------------------------------------------------------------------------------


def list_labels(connection: Any, workspace_key: int) -> dict[Label, int]:
    """A workspace's labels, and how many resources carry each."""
    used = _carried(connection, workspace_key)
    chosen = select(labels.c.key, labels.c.value).where(labels.c.workspace_id == workspace_key)
    rows = connection.execute(chosen.order_by(labels.c.key, labels.c.value))
    return {Label(key, value): used.get(Label(key, value), 0) for key, value in rows}


def _carried(connection: Any, workspace_key: int) -> dict[Label, int]:
    columns = resource_labels.c
    chosen = (
        select(columns.key, columns.value, func.count())
        .join_from(resource_labels, resources, resources.c.id == columns.resource_id)
        .where(resources.c.workspace_id == workspace_key)
        .group_by(columns.key, columns.value)
    )
    return {Label(key, value): count for key, value, count in connection.execute(chosen)}


def make_labels(change: Change, workspace_key: int, wanted: Iterable[Label]) -> None:
    """Make those labels that are not there yet."""
    present = list_labels(change.connection, workspace_key)
    rows = [
        {"workspace_id": workspace_key, "key": label.key, "value": label.value}
        for label in wanted
        if label not in present
    ]
    if rows:
        change.connection.execute(insert(labels), rows)


def label_facts(connection: Any, workspace_key: int) -> list[LabelFacts]:
    """A workspace's labels with what they are for, and how many resources and standing grants use each."""
    carried, named = _carried(connection, workspace_key), _named(connection, workspace_key)
    columns = labels.c
    chosen = select(columns.key, columns.value, columns.description).where(columns.workspace_id == workspace_key)
    rows = connection.execute(chosen.order_by(columns.key, columns.value))
    found = ((Label(key, value), text) for key, value, text in rows)
    return [LabelFacts(one, text, carried.get(one, 0), named.get(one, 0)) for one, text in found]


def label_descriptions(connection: Any, workspace_key: int) -> dict[Label, str]:
    """A workspace's labels in their order, and what each is for."""
    chosen = select(labels.c.key, labels.c.value, labels.c.description).where(labels.c.workspace_id == workspace_key)
    return {
        Label(key, value): text
        for key, value, text in connection.execute(chosen.order_by(labels.c.key, labels.c.value))
    }


def describe_label(change: Change, workspace_key: int, label: Label, description: str) -> None:
    """Say what a label is for."""
    change.connection.execute(update(labels).where(_is_label(workspace_key, label)).values(description=description))


def _named(connection: Any, workspace_key: int) -> dict[Label, int]:
    columns = grant_labels.c
    chosen = (
        select(columns.key, columns.value, func.count())
        .join_from(grant_labels, grants, grants.c.id == columns.grant_id)
        .join(principals, principals.c.id == grants.c.principal_id)
        .where(principals.c.workspace_id == workspace_key)
        .group_by(columns.key, columns.value)
    )
    return {Label(key, value): count for key, value, count in connection.execute(chosen)}


def list_carriers(connection: Any, workspace_key: int, label: Label, most: int) -> list[Resource]:
    """The first resources that carry a label, by name."""
    columns = resource_labels.c
    carried = select(columns.resource_id).where(columns.key == label.key, columns.value == label.value)
    chosen = (
        select(resources.c.id)
        .where(resources.c.workspace_id == workspace_key, resources.c.id.in_(carried))
        .order_by(resources.c.name, resources.c.id)
    )
    keys = list(connection.execute(chosen.limit(most)).scalars())
    found = dict(_list(connection, workspace_key, resources.c.id.in_(keys)))
    return [found[key] for key in keys]


def names_label(label: Label) -> ColumnElement[bool]:
    """Of a grant: that it names this label."""
    columns = grant_labels.c
    return exists().where(columns.grant_id == grants.c.id, columns.key == label.key, columns.value == label.value)


def delete_label(change: Change, workspace_key: int, label: Label) -> None:
    """Forget a label that nothing uses."""
    change.connection.execute(delete(labels).where(_is_label(workspace_key, label)))


def _is_label(workspace_key: int, label: Label) -> ColumnElement[bool]:
    columns = labels.c
    return and_(columns.workspace_id == workspace_key, columns.key == label.key, columns.value == label.value)
