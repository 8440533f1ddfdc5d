"""Resources and labels, registered by hand or by the applications (product.md 1.5)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from bridge.domain.access import ResourceRef
from bridge.domain.errors import Conflict, NotFound
from bridge.domain.labels import Label, LabelFacts, check_one_value_a_key, clean_description
from bridge.domain.people import clean_name
from bridge.domain.previews import DeleteResource, Seen, SetLabels
from bridge.domain.resources import (
    LabelUse,
    Resource,
    ResourceQuery,
    ResourcesFound,
    ResourceUse,
    browse,
    parse_resource_id,
)
from bridge.domain.roles import parse_resource_type
from bridge.domain.sentences import counted, listed
from bridge.domain.slugs import make_slug
from bridge.domain.workspace import Workspace
from bridge.flows.context import Context
from bridge.flows.invite_gives import promised_on
from bridge.flows.named import get_workspace, owner_acting
from bridge.flows.preview import check_seen
from bridge.storage import resources
from bridge.storage.changes import Change
from bridge.storage.held_grants import list_held
from bridge.storage.resources import EndedGrants


@dataclass(frozen=True, slots=True)
class ResourceDraft:
    """What is given for a new resource. Without an `id` it gets one."""

    type: str
    name: str
    id: str | None = None
    labels: frozenset[Label] = frozenset()


def add_resource(context: Context, actor: str, workspace_slug: str, draft: ResourceDraft, now: datetime) -> Resource:
    """Register a resource; labels that are new are made. Raises Invalid, NotFound, Conflict (the id), Forbidden."""
    ref = ResourceRef(parse_resource_type(draft.type), parse_resource_id(draft.id) if draft.id else str(uuid4()))
    name = clean_name(draft.name)
    resource = Resource(ref, name, make_slug(name), check_one_value_a_key(draft.labels))
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        register(change, workspace, resource)
    return resource


def register(change: Change, workspace: Workspace, resource: Resource) -> None:
    """The same inside another flow, which knows who may. Raises Conflict (the id)."""
    if resources.find_resource(change.connection, workspace.key, resource.ref) is not None:
        raise Conflict(f"There is a {resource.ref} already.")
    resources.insert_resource(change, workspace.key, resource)
    after = {"name": resource.name, "labels": [str(label) for label in sorted(resource.labels)]}
    change.record(workspace.key, "resource.added", str(resource.ref), after=after)


def set_labels(
    context: Context,
    actor: str,
    workspace_slug: str,
    ref: ResourceRef,
    labels: Collection[Label],
    now: datetime,
    *,
    seen: Seen | None = None,
) -> Resource:
    """Have a resource carry exactly these labels. Who was shown what that changes gives it as `seen`.

    Raises NotFound, Invalid (two values of one key), Forbidden, Moved.
    """
    wanted = check_one_value_a_key(frozenset(labels))
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_seen(change, workspace, SetLabels(ref, wanted), seen)
        relabel(change, workspace, ref, wanted)
        return _get(change.connection, workspace, ref)[1]


def relabel(change: Change, workspace: Workspace, ref: ResourceRef, wanted: frozenset[Label]) -> None:
    """The same inside another flow, which knows who may. Raises NotFound."""
    key, before = _get(change.connection, workspace, ref)
    if before.labels != wanted:
        resources.take_labels(change, key)
        resources.put_labels(change, workspace.key, key, wanted)
        told = {"before": sorted(map(str, before.labels)), "after": sorted(map(str, wanted))}
        change.record(workspace.key, "resource.labels_set", str(ref), **told)


def rename(change: Change, workspace: Workspace, ref: ResourceRef, name: str) -> None:
    """Give a resource another name inside another flow, which knows who may; its id stays. Raises NotFound, Invalid."""
    cleaned = clean_name(name)
    key, before = _get(change.connection, workspace, ref)
    if before.name != cleaned:
        resources.rename_resource(change, key, cleaned, make_slug(cleaned))
        names = {"before": {"name": before.name}, "after": {"name": cleaned}}
        change.record(workspace.key, "resource.renamed", str(ref), **names)


def delete_resource(
    context: Context, actor: str, workspace_slug: str, ref: ResourceRef, now: datetime, *, seen: Seen | None = None
) -> EndedGrants:
    """Forget a resource, and the grants that list nothing else. Who was shown who loses by it gives that as `seen`.

    Raises NotFound, Forbidden (not an owner), Moved.
    """
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        check_seen(change, workspace, DeleteResource(ref), seen)
        return forget(change, workspace, ref)


def forget(change: Change, workspace: Workspace, ref: ResourceRef) -> EndedGrants:
    """The same inside another flow, which knows who may. Raises NotFound."""
    key, resource = _get(change.connection, workspace, ref)
    ended = resources.end_resource(change, key)
    before = {"name": resource.name, "grants_ended": ended.ended, "grants_narrowed": ended.narrowed}
    change.record(workspace.key, "resource.deleted", str(ref), before=before)
    return ended


def look_at_deletion(context: Context, workspace_slug: str, ref: ResourceRef) -> ResourceUse:
    """What would end with a resource. Raises NotFound."""
    with context.database.snapshot() as connection:
        return resources.use_of(connection, _get(connection, get_workspace(connection, workspace_slug), ref)[0])


def browse_resources(context: Context, workspace_slug: str, query: ResourceQuery) -> ResourcesFound:
    """A page of the workspace's resources, and how many there are. Raises NotFound."""
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        if query.search:
            return browse(resources.list_resources(connection, workspace.key), query)
        return resources.browse(connection, workspace.key, query)


def get_resource(context: Context, workspace_slug: str, ref: ResourceRef) -> Resource:
    """One of them. Raises NotFound."""
    with context.database.reading() as connection:
        return _get(connection, get_workspace(connection, workspace_slug), ref)[1]


def list_resources(context: Context, workspace_slug: str) -> tuple[Resource, ...]:
    """A workspace's resources by type and name. Raises NotFound."""
    with context.database.snapshot() as connection:
        return tuple(resources.list_resources(connection, get_workspace(connection, workspace_slug).key))


# -- Labels ------------------------------------------------------------------------------------------


def list_labels(context: Context, workspace_slug: str) -> dict[Label, int]:
    """A workspace's labels, and how many resources carry each. Raises NotFound."""
    with context.database.snapshot() as connection:
        return resources.list_labels(connection, get_workspace(connection, workspace_slug).key)


def list_label_facts(context: Context, workspace_slug: str) -> tuple[LabelFacts, ...]:
    """The same with what each is for, and how many grants name it. Raises NotFound."""
    with context.database.snapshot() as connection:
        return tuple(resources.label_facts(connection, get_workspace(connection, workspace_slug).key))


#: So many resources that carry a label are shown with it, and so many grants that name it at a time.
USES = 50


def look_at_label(context: Context, workspace_slug: str, label: Label, *, after: int = 0) -> LabelUse:
    """What uses a label: its first resources, and its grants beginning after the key that a page before ended with.

    Raises NotFound.
    """
    with context.database.snapshot() as connection:
        workspace = get_workspace(connection, workspace_slug)
        facts = _get_label(connection, workspace, label)
        carriers = resources.list_carriers(connection, workspace.key, label, USES)
        naming = list_held(connection, workspace.key, resources.names_label(label), USES + 1, after=after)
        last = naming[USES - 1][0] if len(naming) > USES else None
        promised = promised_on(connection, workspace, label)
        return LabelUse(facts, tuple(carriers), tuple(one for _, one in naming[:USES]), promised, last)


def add_label(
    context: Context, actor: str, workspace_slug: str, label: Label, now: datetime, *, description: str = ""
) -> None:
    """Make a label, and say what it is for. Raises NotFound, Conflict, Invalid, Forbidden (not an owner)."""
    cleaned = clean_description(description)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        make_label(change, workspace, label, cleaned)


def describe_label(
    context: Context, actor: str, workspace_slug: str, label: Label, description: str, now: datetime
) -> None:
    """Say what a label is for, or no longer. Raises NotFound, Invalid, Forbidden (not an owner)."""
    cleaned = clean_description(description)
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        describe(change, workspace, label, cleaned)


def describe(change: Change, workspace: Workspace, label: Label, description: str) -> None:
    """The same inside another flow, which knows who may; the description is clean. Raises NotFound."""
    before = _get_label(change.connection, workspace, label).description
    if before != description:
        resources.describe_label(change, workspace.key, label, description)
        told = {"before": {"description": before}, "after": {"description": description}}
        change.record(workspace.key, "label.described", str(label), **told)


def make_label(change: Change, workspace: Workspace, label: Label, description: str = "") -> None:
    """The same as adding one inside another flow, which knows who may; the description is clean. Raises Conflict."""
    if label in resources.list_labels(change.connection, workspace.key):
        raise Conflict(f"There is a label {label} already.")
    resources.make_labels(change, workspace.key, [label])
    if description:
        resources.describe_label(change, workspace.key, label, description)
    change.record(workspace.key, "label.added", str(label))


def delete_label(context: Context, actor: str, workspace_slug: str, label: Label, now: datetime) -> None:
    """Forget a label that nothing uses. Raises NotFound, Conflict (in use, or one that always exists), Forbidden."""
    with context.changing(actor, now) as change:
        workspace = get_workspace(change.connection, workspace_slug)
        owner_acting(change, workspace)
        forget_label(change, workspace, label)


def forget_label(change: Change, workspace: Workspace, label: Label) -> None:
    """The same inside another flow, which knows who may. Raises NotFound, Conflict."""
    found = _get_label(change.connection, workspace, label)
    promised = promised_on(change.connection, workspace, label)
    if found.built_in or found.resources or found.grants or promised:
        raise Conflict(_why_it_stays(change, workspace, found, promised))
    resources.delete_label(change, workspace.key, label)
    change.record(workspace.key, "label.deleted", str(label))


#: So many of what uses a label are named.
_NAMED = 3


def _why_it_stays(change: Change, workspace: Workspace, found: LabelFacts, promised: Sequence[str]) -> str:
    """`team:web is in use: Orders and Web carry it, and Source Admin of the User Group Data Guild names it.`"""
    if found.built_in:
        return f"{found.label} exists in every workspace and can't be deleted."
    uses = []
    if found.resources:
        names = [one.name for one in resources.list_carriers(change.connection, workspace.key, found.label, _NAMED)]
        uses.append(_told(names, found.resources, "carries it", "carry it"))
    if found.grants:
        named = list_held(change.connection, workspace.key, resources.names_label(found.label), _NAMED)
        grants = [f"{one.given.role.name} of the {_HOLDERS[one.kind]} {one.holder}" for _, one in named]
        uses.append(_told(grants, found.grants, "names it", "name it"))
    if promised:
        invited = [f"the invitation of {email}" for email in promised[:_NAMED]]
        uses.append(_told(invited, len(promised), "promises a role on it", "promise a role on it"))
    return f"{found.label} is in use: {', and '.join(uses)}."


_HOLDERS = {"membership": "member", "user_group": "User Group", "mapping": "rule for", "token": "token"}


def _told(names: Sequence[str], count: int, one: str, many: str) -> str:
    more = count - len(names)
    return f"{listed([*names, *([counted(more, 'other', 'others')] if more else [])])} {one if count == 1 else many}"


def _get_label(connection: Any, workspace: Workspace, label: Label) -> LabelFacts:
    found = next((one for one in resources.label_facts(connection, workspace.key) if one.label == label), None)
    if found is None:
        raise NotFound(f"There is no label {label}.")
    return found


def _get(connection: Any, workspace: Workspace, ref: ResourceRef) -> tuple[int, Resource]:
    found = resources.find_resource(connection, workspace.key, ref)
    if found is None:
        raise NotFound(f"There is no {ref} in {workspace.name}.")
    return found
