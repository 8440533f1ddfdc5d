"""scim2-models as a second opinion on what is refused: of bodies and of PATCHes, each right but for one fault.

Either both take it, or both refuse it with the same scimType (RFC 7644 3.12, table 9). Where not, `DIFFERENCES` says
why, with the paragraph; each stands there only as long as it shows. What both take, test_patch_generated.py compares.
"""

import copy
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import scim2_models
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scim.errors import ScimError
from scim.group_changes import (
    DisplayNameSet,
    ExternalIdSet,
    MembersAdded,
    MembersMatchingRemoved,
    MembersRemoved,
    MembersReplaced,
    group_changes,
)
from scim.patch import apply_to_user, parse_patch
from scim.resources import parse_group, parse_user
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, GROUP_SCHEMA, USER, USER_SCHEMA
from tests.scim import generated
from tests.scim.test_patch_generated import OPERATIONS, TOLERANT, USER_MODEL

GROUP_MODEL = scim2_models.Group
STRICT = TOLERANT.model_copy(update={"unknown": scim2_models.ScimPolicy.Unknown.forbid})
TAKEN = "taken"


@dataclass(frozen=True, slots=True)
class Case:
    """Something sent: of which kind of resource, what is wrong with it (its name and value), and the whole of it."""

    kind: str
    name: str
    value: Any
    sent: Any


@dataclass(frozen=True, slots=True)
class Difference:
    """What is said here and by scim2-models of the cases that `of` tells, and why."""

    ours: str
    theirs: str
    of: Callable[[Case], bool]
    because: str


def refusal(work: Callable[[], object]) -> str:
    """The scimType that it is refused with, or TAKEN."""
    try:
        work()
    except ScimError as error:
        return str(error.scim_type)
    except ValidationError as error:
        return str(scim2_models.Error.from_validation_error(error.errors()[0]).scim_type)
    except scim2_models.SCIMException as error:
        return error.scim_type
    return TAKEN


def check(case: Case, ours: str, theirs: str) -> None:
    """Fails where the two differ and nothing in the table says why."""
    if ours != theirs:
        told = [each for each in DIFFERENCES if (each.ours, each.theirs) == (ours, theirs) and each.of(case)]
        assert told, f"{case}: {ours} here, {theirs} by scim2-models"


# -- Bodies of new resources -------------------------------------------------------------------------------------

ADDRESS = [{"value": "a@x.org"}]
ODD: tuple[Any, ...] = (
    *(None, "", "x", 5, 1.5, True, "True", "maybe", [], ["x"], [5], [None], [[]], {}, {"value": "x"}, {"value": 5}),
    *({"nope": 1}, [{"value": "x"}], [{"value": 5}], [{"primary": "x", "value": "x"}], [{"type": 5, "value": "x"}]),
    *([{}], [{"value": "a", "primary": True}, {"value": "b", "primary": True}], "https://x.org", "AAEC", ADDRESS),
)
USER_NAMES = (
    "userName",
    "schemas",
    "id",
    "meta",
    "externalId",
    "nope",
    *(each.name for each in USER.schema.attributes),
)
EXTENSION_NAMES = tuple(each.name for each in USER.extensions[0].attributes)
GROUP_NAMES = ("displayName", "members", "schemas", "id", "meta", "externalId", "nope")
SCHEMAS: tuple[Any, ...] = ([], ["urn:nope"], [USER_SCHEMA], [GROUP_SCHEMA], [USER_SCHEMA, "urn:nope"], [5], "x")
MEMBERS = ([{"value": "x", "type": "Group"}], [{"value": "x", "type": "Nope"}], [{"value": ""}], [{"display": "x"}])


def users(body: dict[str, Any], name: str, value: Any) -> Case:
    """A User whose attribute, or one of the enterprise extension's, is so."""
    if name in EXTENSION_NAMES:
        return Case(
            "User",
            name,
            value,
            {"schemas": [USER_SCHEMA, ENTERPRISE_SCHEMA]} | body | {ENTERPRISE_SCHEMA: {name: value}},
        )
    schemas = [USER_SCHEMA, *([ENTERPRISE_SCHEMA] if ENTERPRISE_SCHEMA in body else [])]
    return Case("User", name, value, {"schemas": schemas} | body | {name: value})


def groups(name: str, value: Any) -> Case:
    """A Group whose attribute is so."""
    return Case("Group", name, value, {"schemas": [GROUP_SCHEMA], "displayName": "eng"} | {name: value})


def outcomes(case: Case) -> tuple[str, str]:
    """Of a new resource: what is said here, and what scim2-models says."""
    parse, model = (parse_user, USER_MODEL) if case.kind == "User" else (parse_group, GROUP_MODEL)
    context = scim2_models.Context.RESOURCE_CREATION_REQUEST

    def ask() -> None:
        with TOLERANT:
            model.model_validate(copy.deepcopy(case.sent), scim_ctx=context)

    return refusal(lambda: parse(case.sent)), refusal(ask)


def value_of(name: str) -> tuple[Any, ...]:
    return SCHEMAS if name == "schemas" else (*ODD, *MEMBERS) if name == "members" else ODD


EVERY_FAULT = [
    *(users({"userName": "ann"}, name, value) for name in (*USER_NAMES, *EXTENSION_NAMES) for value in value_of(name)),
    *(groups(name, value) for name in GROUP_NAMES for value in value_of(name)),
]


def test_each_odd_value_of_each_attribute_is_refused_as_scim2_models_does() -> None:
    assert len(EVERY_FAULT) > 800
    for case in EVERY_FAULT:
        check(case, *outcomes(case))


@given(generated.bodies(), st.sampled_from([case for case in EVERY_FAULT if case.kind == "User"]))
def test_one_odd_value_in_a_user_that_is_right_is_refused_as_scim2_models_does(body: Any, fault: Case) -> None:
    case = users(body, fault.name, fault.value)
    check(case, *outcomes(case))


# -- PATCHes of a User -------------------------------------------------------------------------------------------

PLAIN = ("title", "name.givenName", "userName", f"{ENTERPRISE_SCHEMA}:department")
UNKNOWN = ("nope", "name.nope", "emails.nope", 'emails[type eq "work"].nope', f"{ENTERPRISE_SCHEMA}:nope")
READ_ONLY = ("id", "meta", "meta.created", "groups")
MALFORMED = ("emails[", 'emails[type eq "work"', 'emails[type "work"]', 'emails[nope eq "x"]', 'title[value eq "x"]')
WRITING = st.sampled_from(["add", "replace"])
TWO_PRIMARIES = [{"value": "c@x.org", "primary": True}, {"value": "d@x.org", "primary": True}]


def operation(op: str, path: str | None, value: Any = None) -> dict[str, Any]:
    return {"op": op} | ({} if path is None else {"path": path}) | ({} if value is None else {"value": value})


#: By name, an operation with one fault.
FAULTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "an unknown path": st.builds(operation, WRITING, st.sampled_from(UNKNOWN), st.just("x")),
    "an unknown path to remove": st.builds(operation, st.just("remove"), st.sampled_from(UNKNOWN)),
    "a readOnly path": st.builds(operation, st.just("remove"), st.sampled_from(READ_ONLY)),
    "a malformed path": st.builds(operation, WRITING, st.sampled_from(MALFORMED), st.just("x")),
    "a malformed path to remove": st.builds(operation, st.just("remove"), st.sampled_from(MALFORMED)),
    "no path to remove": st.just(operation("remove", None)),
    "no value": st.builds(operation, WRITING, st.sampled_from([None, *PLAIN, "emails"])),
    "a required attribute removed": st.just(operation("remove", "userName")),
    "a text that is none": st.builds(
        operation, WRITING, st.sampled_from(PLAIN), st.sampled_from([5, True, {}, ["x", "y"]])
    ),
    "a truth that is none": st.builds(operation, WRITING, st.just("active"), st.sampled_from([5, "maybe", {}])),
    "an object that is none": st.builds(operation, WRITING, st.just("name"), st.sampled_from([5, True, "x"])),
    "emails that are none": st.builds(operation, WRITING, st.just("emails"), st.sampled_from([5, [5], [{"value": 5}]])),
    "two primaries": st.builds(operation, WRITING, st.just("emails"), st.just(TWO_PRIMARIES)),
    "another operation": st.builds(operation, st.sampled_from(["move", "", "ADDED"]), st.just("title"), st.just("x")),
    "a body that is none": st.builds(operation, WRITING, st.none(), st.sampled_from([5, "x", True])),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_patch_with_one_fault_is_refused_as_scim2_models_does_and_changes_nothing(fault: str) -> None:
    @given(generated.bodies(), st.lists(OPERATIONS, max_size=2), FAULTS[fault], st.integers(0, 2))
    def holds(body: Any, good: list[Any], bad: dict[str, Any], at: int) -> None:
        document, operations = parse_user(body), [*good[:at], bad, *good[at:]]
        before = copy.deepcopy(document)
        ours = refusal(lambda: apply_to_user(document, parse_patch({"Operations": operations}, USER)))
        assert document == before
        assert ours != TAKEN
        check(
            Case("PATCH", fault, bad, operations), ours, refusal(lambda: patch_there(USER_MODEL, document, operations))
        )

    holds()


def patch_there(model: Any, document: dict[str, Any], operations: list[Any]) -> Any:
    """The resource that scim2-models makes of it."""
    schema = GROUP_SCHEMA if model is GROUP_MODEL else USER_SCHEMA
    resource = model.model_validate({"schemas": [schema], **document})
    message = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": copy.deepcopy(operations)}
    with STRICT:
        context = scim2_models.Context.RESOURCE_PATCH_REQUEST
        scim2_models.PatchOp[model].model_validate(message, scim_ctx=context).patch(resource)
    return resource


# -- PATCHes of a Group ------------------------------------------------------------------------------------------

IDS = st.sampled_from(["a", "b", "c"])
SOME = st.lists(IDS, max_size=3).map(lambda ids: [{"value": each} for each in dict.fromkeys(ids)])
GROUP_OPERATIONS = (
    st.builds(operation, WRITING, st.just("members"), SOME)
    | st.builds(operation, st.just("remove"), IDS.map('members[value eq "{}"]'.format))
    | st.builds(
        operation,
        st.just("remove"),
        st.tuples(IDS, IDS).map(lambda two: 'members[value eq "{}" or value eq "{}"]'.format(*two)),
    )
    | st.just(operation("remove", "members"))
    | st.builds(operation, WRITING, st.sampled_from(["displayName", "externalId"]), st.sampled_from(["A", "B"]))
    | st.builds(
        operation, WRITING, st.none(), st.fixed_dictionaries({"displayName": st.just("C")}, optional={"members": SOME})
    )
    | st.just(operation("remove", "externalId"))
)
GROUP_FAULTS: dict[str, st.SearchStrategy[dict[str, Any]]] = {
    "an unknown path": st.builds(operation, WRITING, st.sampled_from(["nope", "members.nope", "emails"]), st.just("x")),
    "a readOnly path": st.builds(operation, st.just("remove"), st.sampled_from(["id", "meta"])),
    "a malformed path to remove": st.builds(
        operation, st.just("remove"), st.sampled_from(["members[", 'members[nope eq "x"]'])
    ),
    "no path to remove": st.just(operation("remove", None)),
    "no value": st.builds(operation, WRITING, st.sampled_from([None, "displayName"])),
    "a required attribute removed": st.just(operation("remove", "displayName")),
    "members that are none": st.builds(
        operation, WRITING, st.just("members"), st.sampled_from([5, "x", [5], [{"value": 5}]])
    ),
    "a name that is none": st.builds(operation, WRITING, st.just("displayName"), st.sampled_from([5, True, {}])),
    "another operation": st.just(operation("move", "displayName", "x")),
}


def group_after(members: list[str], operations: list[Any]) -> tuple[str, str | None, set[str]]:
    """Name, external id and members of the group `eng` with these members."""
    name, there = "eng", set(members)
    external: str | None = "E"
    for change in group_changes(parse_patch({"Operations": operations}, GROUP)):
        match change:
            case MembersAdded(ids):
                there |= set(ids)
            case MembersRemoved(ids):
                there -= set(ids)
            case MembersReplaced(ids):
                there = set(ids)
            case DisplayNameSet(said):
                name = said
            case ExternalIdSet(value):
                external = value
            case MembersMatchingRemoved():
                raise AssertionError("ids are all that is asked for")
    return name, external, there


def group_there(members: list[str], operations: list[Any]) -> tuple[str, str | None, set[str]]:
    """The same by scim2-models."""
    document = {"displayName": "eng", "externalId": "E", "members": [{"value": each} for each in members]}
    group = patch_there(GROUP_MODEL, document, operations)
    return group.display_name, group.external_id, {each.value for each in group.members or []}


@given(st.lists(IDS, unique=True), st.lists(GROUP_OPERATIONS, min_size=1, max_size=4))
def test_scim2_models_comes_to_the_same_group(members: list[str], operations: list[Any]) -> None:
    assert group_after(members, operations) == group_there(members, operations)


@pytest.mark.parametrize("fault", GROUP_FAULTS)
def test_a_patch_of_a_group_with_one_fault_is_refused_as_scim2_models_does(fault: str) -> None:
    @given(st.lists(IDS, unique=True), st.lists(GROUP_OPERATIONS, max_size=2), GROUP_FAULTS[fault], st.integers(0, 2))
    def holds(members: list[str], good: list[Any], bad: dict[str, Any], at: int) -> None:
        operations = [*good[:at], bad, *good[at:]]
        ours = refusal(lambda: group_after(members, operations))
        assert ours != TAKEN
        check(Case("PATCH", fault, bad, operations), ours, refusal(lambda: group_there(members, operations)))

    holds()


# -- Where the two differ, and why -------------------------------------------------------------------------------

PLURAL = frozenset(each.name for each in USER.schema.attributes if each.multi_valued and each.type == "complex")


def named(*names: str, values: Callable[[Any], bool] = lambda value: True) -> Callable[[Case], bool]:
    """Cases of these attributes, or of these faults, whose values are so."""
    return lambda case: case.name in names and values(case.value)


def is_list(value: Any) -> bool:
    return isinstance(value, list)


def incomplete_manager(sent: Any) -> bool:
    """Whether a User has a manager of whom the id isn't said, or the address."""
    manager = sent.get(ENTERPRISE_SCHEMA, {}).get("manager")
    return isinstance(manager, dict) and not {"value", "$ref"} <= manager.keys()


DIFFERENCES: tuple[Difference, ...] = (
    Difference(
        "invalidValue",
        TAKEN,
        named("userName", "displayName", values=lambda value: value == ""),
        "RFC 7643 4.1.1: a User MUST include a non-empty userName; 4.2: a Group's displayName is REQUIRED",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("id", "meta", "groups"),
        "RFC 7644 3.3: attributes that are readOnly SHALL be ignored in a request to create",
    ),
    Difference(
        TAKEN,
        "invalidSyntax",
        named("schemas", values=lambda value: value == ["urn:nope"]),
        "RFC 7643 2.1 and 3: what isn't understood is left aside; an endpoint serves one type, which it says itself",
    ),
    Difference(
        "invalidValue",
        "invalidSyntax",
        named("schemas", values=lambda value: USER_SCHEMA in value or GROUP_SCHEMA in value),
        "RFC 7644 3.12, table 9: invalidValue is a value that isn't compatible with the operation",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("profileUrl", values=lambda value: isinstance(value, str)),
        "RFC 7643 2.3.7: a reference may be a relative URI; 2.5: a text of nothing is unassigned",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("photos", values=is_list),
        "RFC 7643 2.3.7: a reference may be a relative URI",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("emails", values=is_list),
        "RFC 7643 4.1.2: an email's value SHOULD be an address of RFC 5321, so one that is none is kept",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named(*PLURAL, "members", values=lambda value: value in ("", [None])),
        "RFC 7643 2.5: unassigned, said by a text of nothing or by a null in a list, as IdPs clear values",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named(*PLURAL, "members", values=lambda value: isinstance(value, dict)),
        "RFC 7643 2.4 wants a list; OneLogin sends its one object alone (scim.dialects.onelogin_single_value)",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("addresses", values=is_list),
        "RFC 7643 8.7.1: addresses have no primary, and what a schema doesn't know is ignored (RFC 7644 3.3)",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        named("manager"),
        "RFC 7643 4.3 wants an object; Entra sends the id alone, or a list of one (scim.dialects.entra_manager)",
    ),
    Difference(
        TAKEN,
        "invalidValue",
        lambda case: case.kind == "User" and incomplete_manager(case.sent),
        "RFC 7643 8.7.1: neither value nor $ref of a manager is required; 4.3 recommends both",
    ),
    Difference(
        "invalidValue",
        TAKEN,
        named("members", values=is_list),
        "RFC 7643 4.2 and 8.7.1: a member is named by its value, and is a User or a Group; groups in groups MAY be "
        "supported, and aren't: whatever isn't added must be refused, or it would be dropped silently",
    ),
    Difference(
        "invalidFilter",
        "invalidPath",
        named("a malformed path", "a malformed path to remove", values=lambda bad: "[" in bad["path"]),
        "RFC 7644 3.12, table 9: invalidFilter is for the filter of a PATCH's path, too",
    ),
    Difference(
        "invalidPath",
        "invalidFilter",
        named("a malformed path", "a malformed path to remove", values=lambda bad: bad["path"].startswith("title[")),
        "RFC 7644 3.5.2, figure 7: a valuePath is of a multi-valued attribute, so the path is what is wrong",
    ),
    Difference(
        "invalidSyntax",
        "invalidValue",
        named("another operation"),
        "RFC 7644 3.12, table 9: invalidSyntax is a body that doesn't conform to the request's schema",
    ),
)


def test_each_difference_cites_its_paragraph_and_shows() -> None:
    for difference in DIFFERENCES:
        assert re.search(r"RFC 764[34] \d(\.\d+)*", difference.because)
        assert any(
            difference.of(case) and outcomes_of(case) == (difference.ours, difference.theirs)
            for case in (*EVERY_FAULT, *SHOWING)
        ), difference.because


#: PATCHes that show those of paths and operations.
SHOWING = tuple(
    Case("PATCH", name, bad, [bad])
    for name, bad in (
        ("a malformed path to remove", operation("remove", "emails[")),
        ("a malformed path to remove", operation("remove", 'title[value eq "x"]')),
        ("another operation", operation("move", "title", "x")),
    )
)


def outcomes_of(case: Case) -> tuple[str, str]:
    """Of a new resource, or of a PATCH of Ann."""
    if case.kind != "PATCH":
        return outcomes(case)
    ann = parse_user({"userName": "ann"})
    here = refusal(lambda: apply_to_user(ann, parse_patch({"Operations": case.sent}, USER)))
    return here, refusal(lambda: patch_there(USER_MODEL, ann, case.sent))
