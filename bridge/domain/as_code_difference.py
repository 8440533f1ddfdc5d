"""What it takes to make a workspace what a file says: steps in an order in which each finds what it needs.

What a file doesn't say stays. What stands and isn't in one of the file's lists stays too, or goes where it is pruned:
then last, so that whoever gets a thing in another way has it before.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping

from bridge.domain.as_code import CodedResource, CodedWorkspace
from bridge.domain.as_code_connections import connection_steps, domain_steps
from bridge.domain.as_code_given import grant_steps, people_steps, user_group_steps
from bridge.domain.as_code_names import renamed
from bridge.domain.as_code_pruning import pruned_steps
from bridge.domain.as_code_rules import rule_steps
from bridge.domain.as_code_step import Said, Step, word
from bridge.domain.labels import Label
from bridge.domain.people import fold
from bridge.domain.roles import MINIMAL, ROLES, Role


def difference(present: CodedWorkspace, wanted: CodedWorkspace, *, prune: bool) -> tuple[Step, ...]:
    """The steps from one to the other. Both name rules' single groups by id."""
    now = renamed(present, wanted)
    steps = [
        *_workspace(present, wanted),
        *_labels(now, wanted),
        *_resources(now, wanted),
        *connection_steps(present, wanted),
        *domain_steps(now, wanted),
        *user_group_steps(present, wanted),
        *people_steps(now, wanted, "create"),
        *grant_steps(now, wanted, "create"),
        *rule_steps(now, wanted),
    ]
    return (*steps, *(pruned_steps(now, wanted) if prune else ()), *_closing(present, wanted))


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
    said = Said(key, word(not switch), word(switch))
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


def roles_touched(steps: Iterable[Step], present: CodedWorkspace, wanted: CodedWorkspace) -> frozenset[Role]:
    """The roles that somebody may gain or lose by these steps; none: they move nobody.

    Of what hangs on a connection, Minimal Workspace Access is left out: everybody whom it brings has it of their own.
    """
    held: dict[str, set[Role]] = {}
    for said in (renamed(present, wanted), wanted):
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
