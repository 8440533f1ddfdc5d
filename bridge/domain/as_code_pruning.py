"""What stands and isn't in a file's lists: left alone, or pruned, last of all steps."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from bridge.domain.as_code import (
    CodedConnection,
    CodedDomain,
    CodedLabel,
    CodedMember,
    CodedResource,
    CodedRule,
    CodedUserGroup,
    CodedWorkspace,
)
from bridge.domain.as_code_given import grant_step, grant_steps, people_steps
from bridge.domain.as_code_names import renamed
from bridge.domain.as_code_rules import describe_rule, pair_rules
from bridge.domain.as_code_step import Holder, Said, Step, What
from bridge.domain.as_code_writing import sort_roles
from bridge.domain.labels import BUILT_IN
from bridge.domain.people import fold, fold_letters


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
    rules_left = pair_rules(present.mappings or (), wanted.mappings or ())[1]
    return Others(
        labels=tuple(one for one in labels if one.label not in BUILT_IN and one.label not in carried),
        resources=beside("resources", lambda one: one.ref),
        connections=beside("connections", lambda one: fold(one.name)),
        domains=beside("domains", lambda one: one.name),
        user_groups=tuple(one for one in beside("user_groups", lambda one: fold(one.name)) if not one.mirror),
        # Those whom the file only names as a User Group's members are looked at, too; most were given nothing.
        members=tuple(one for one in beside("members", lambda one: fold_letters(one.email)) if one.grants.given),
        mappings=() if wanted.mappings is None else tuple(one for one in rules_left if one.gives_something),
    )


def pruned_steps(present: CodedWorkspace, wanted: CodedWorkspace) -> Iterator[Step]:
    """What goes: rules and grants before what they name, labels after what carries them."""
    going = others(present, wanted)
    for rule in going.mappings:
        yield Step("delete", "mapping", describe_rule(rule), at="mappings", present=rule)
    for member in going.members:
        holder = Holder("member", member.email)
        yield from (grant_step("delete", holder, one, "members") for one in sort_roles(member.grants.given))
    yield from grant_steps(present, wanted, "delete")
    yield from people_steps(present, wanted, "delete")
    for key, kind in _GOING:
        for one in getattr(going, key):
            fields = tuple(_with_it(present, going, one)) if kind == "connection" else ()
            yield Step("delete", kind, _called(key, one), fields, key, present=one)


def _with_it(present: CodedWorkspace, going: Others, connection: CodedConnection) -> Iterator[Said]:
    """The rules that go with a connection, and aren't deleted by the file."""
    own = {rule.at for rule in going.mappings}
    rules = [one for one in present.mappings or () if fold(one.connection) == fold(connection.name)]
    count = sum(rule.at not in own for rule in rules)
    if count:
        yield Said("rules", f"{count:,}", None)


_GOING: tuple[tuple[str, What], ...] = (
    ("user_groups", "user_group"),
    ("domains", "domain"),
    ("connections", "connection"),
    ("resources", "resource"),
    ("labels", "label"),
)


def left_alone(present: CodedWorkspace, wanted: CodedWorkspace) -> dict[str, tuple[str, ...]]:
    """What stands, isn't in the file's lists and stays: in words, by what it is; what is none is left out.

    Of User Groups and members that are in the file, `people` and `grants` are who and what their own lists lack.
    """
    now = renamed(present, wanted)
    going = others(now, wanted)
    told = {key: tuple(_called(key, one) for one in getattr(going, key)) for key in Others.__dataclass_fields__}
    told["people"] = tuple(
        f"{email} in {step.name}" for step in people_steps(now, wanted, "delete") for email in step.present
    )
    told["grants"] = tuple(step.name for step in grant_steps(now, wanted, "delete"))
    return {key: names for key, names in told.items() if names}


def _called(key: str, one: Any) -> str:
    if key == "mappings":
        return describe_rule(one)
    name: str = (
        one.email if key == "members" else str(one.label if key == "labels" else getattr(one, "ref", None) or one.name)
    )
    return name
