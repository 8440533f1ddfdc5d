"""The filter grammar (RFC 7644 3.4.2.2): what is understood, and as what; what is refused."""

from datetime import UTC, datetime
from typing import Any

import pytest

from scim.errors import InvalidFilter, InvalidPath
from scim.filters import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TESTS,
    And,
    AttributePath,
    Comparison,
    Filter,
    Not,
    Operator,
    Or,
    Present,
    Value,
    ValuePath,
    parse_filter,
    parse_path,
    render_filter,
)
from scim.schemas import ENTERPRISE_SCHEMA, GROUP, USER, USER_SCHEMA, ResourceType


def path(text: str, resource_type: ResourceType = USER) -> AttributePath:
    found = resource_type.find(text)
    assert found is not None
    return found


def compared(text: str, op: Operator, value: Value) -> Comparison:
    return Comparison(path(text), op, value)


A, B, C = Present(path("userName")), Present(path("title")), Present(path("nickName"))
WORK = compared("emails.type", "eq", "work")

# -- Comparisons -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ('userName eq "bob"', compared("userName", "eq", "bob")),
        ('username Eq "bob"', compared("userName", "eq", "bob")),
        ('  USERNAME\tEQ   "bob"  ', compared("userName", "eq", "bob")),
        (f'{USER_SCHEMA}:userName sw "b"', compared("userName", "sw", "b")),
        ('name.familyName co "O\'M"', compared("name.familyName", "co", "O'M")),
        ('title ne "x"', compared("title", "ne", "x")),
        ('title ew "x"', compared("title", "ew", "x")),
        ('userName gt "a"', compared("userName", "gt", "a")),
        ("title pr", B),
        ("title PR", B),
        ("emails pr", Present(path("emails"))),
        ("name pr", Present(path("name"))),
        ("active eq true", compared("active", "eq", True)),
        ("active eq False", compared("active", "eq", False)),
        ('active eq "True"', compared("active", "eq", True)),
        ('active ne "false"', compared("active", "ne", False)),
        ("title eq null", compared("title", "eq", None)),
        ("emails ne NULL", compared("emails.value", "ne", None)),
        ('id eq "7"', compared("id", "eq", "7")),
        ('externalId eq "B-1"', compared("externalId", "eq", "B-1")),
        ('meta.resourceType eq "User"', compared("meta.resourceType", "eq", "User")),
        (f'schemas eq "{ENTERPRISE_SCHEMA}"', compared("schemas", "eq", ENTERPRISE_SCHEMA)),
        (f'{ENTERPRISE_SCHEMA}:department eq "R"', compared(f"{ENTERPRISE_SCHEMA}:department", "eq", "R")),
        (
            f'{ENTERPRISE_SCHEMA.upper()}:MANAGER.VALUE eq "m"',
            compared(f"{ENTERPRISE_SCHEMA}:manager.value", "eq", "m"),
        ),
        ('Manager eq "m"', compared(f"{ENTERPRISE_SCHEMA}:manager.value", "eq", "m")),
        ('manager.value eq "m"', compared(f"{ENTERPRISE_SCHEMA}:manager.value", "eq", "m")),
        (f"{ENTERPRISE_SCHEMA}:manager pr", Present(path(f"{ENTERPRISE_SCHEMA}:manager"))),
        ('emails.value eq "b@x"', compared("emails.value", "eq", "b@x")),
        ('groups.$ref eq "https://x"', compared("groups.$ref", "eq", "https://x")),
    ],
)
def test_a_comparison_means(text: str, meaning: Filter) -> None:
    assert parse_filter(text, USER) == meaning


def test_a_complex_attribute_stands_for_its_value() -> None:
    assert parse_filter('emails eq "b@x"', USER) == parse_filter('emails.value eq "b@x"', USER)
    assert parse_filter('members eq "a"', GROUP) == Comparison(path("members.value", GROUP), "eq", "a")


@pytest.mark.parametrize(
    ("written", "text"),
    [
        (r"a\"b", 'a"b'),
        (r"a\\", "a\\"),
        (r"\\\"", '\\"'),
        (r"\u00f8\n\t\/\b\f\r", "ø\n\t/\b\f\r"),
        (r"\ud83d\udc1d", "🐝"),
        ("ø 🐝 ) ] eq or", "ø 🐝 ) ] eq or"),
        ("", ""),
        ("100%_", "100%_"),
    ],
)
def test_strings_have_the_escapes_of_json(written: str, text: str) -> None:
    assert parse_filter(f'title eq "{written}"', USER) == compared("title", "eq", text)


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2011-05-13T04:42:34Z", datetime(2011, 5, 13, 4, 42, 34, tzinfo=UTC)),
        ("2011-05-13T04:42:34", datetime(2011, 5, 13, 4, 42, 34, tzinfo=UTC)),
        ("2011-05-13T04:42:34.5Z", datetime(2011, 5, 13, 4, 42, 34, 500_000, tzinfo=UTC)),
        ("2011-05-13T04:42:34.1234567Z", datetime(2011, 5, 13, 4, 42, 34, 123_456, tzinfo=UTC)),
        ("2011-05-13T06:42:34+02:00", datetime(2011, 5, 13, 4, 42, 34, tzinfo=UTC)),
    ],
)
def test_moments_are_read_into_utc(written: str, moment: datetime) -> None:
    assert parse_filter(f'meta.created ge "{written}"', USER) == compared("meta.created", "ge", moment)


# -- Logic -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("userName pr and title pr", And((A, B))),
        ("userName pr or title pr", Or((A, B))),
        ("userName pr AND title pr Or nickName pr", Or((And((A, B)), C))),
        ("userName pr or title pr and nickName pr", Or((A, And((B, C))))),
        ("(userName pr or title pr) and nickName pr", And((Or((A, B)), C))),
        ("userName pr and title pr and nickName pr", And((A, B, C))),
        ("userName pr or (title pr or nickName pr)", Or((A, Or((B, C))))),
        ("not (title pr)", Not(B)),
        ("NOT(title pr)", Not(B)),
        ("not (title pr) and userName pr", And((Not(B), A))),
        ("not (title pr or userName pr)", Not(Or((B, A)))),
        ("not (not (title pr))", Not(Not(B))),
        ("((title pr))", B),
    ],
)
def test_not_binds_tighter_than_and_and_and_than_or(text: str, meaning: Filter) -> None:
    assert parse_filter(text, USER) == meaning


@pytest.mark.parametrize(
    ("text", "inner"),
    [
        ('emails[type eq "work"]', WORK),
        ('EMAILS[ TYPE Eq "work" ]', WORK),
        ('emails[type eq "work" and value co "@x"]', And((WORK, compared("emails.value", "co", "@x")))),
        ('emails[not (type eq "work")]', Not(WORK)),
        ('emails[(type eq "work" or primary eq "True")]', Or((WORK, compared("emails.primary", "eq", True)))),
        ('emails[type eq "work"].value eq "b@x"', And((WORK, compared("emails.value", "eq", "b@x")))),
        ('emails[type eq "work"].value pr', And((WORK, Present(path("emails.value"))))),
    ],
)
def test_a_value_path_is_about_one_value(text: str, inner: Filter) -> None:
    assert parse_filter(text, USER) == ValuePath(path("emails"), inner)


def test_brackets_after_a_single_value_only_group() -> None:
    assert parse_filter('name[givenName eq "B"]', USER) == compared("name.givenName", "eq", "B")


def test_entra_asks_for_membership_so() -> None:
    assert parse_filter('id eq "g1" and members eq "a"', GROUP) == And(
        (Comparison(path("id", GROUP), "eq", "g1"), Comparison(path("members.value", GROUP), "eq", "a"))
    )


# -- What is refused ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "userName",
        "userName eq",
        'eq "x"',
        '"x" eq userName',
        'userName "x"',
        "userName eq bob",
        'userName = "x"',
        'userName like "x"',
        'userName eq "x',
        "userName eq 'x'",
        'userName eq "x" "y"',
        'userName eq "x" userName pr',
        'userName eq "x" and',
        'or userName eq "x"',
        'userName eq "x" and or title pr',
        "not title pr",
        "not",
        "not ()",
        "()",
        "(",
        ")",
        "(title pr",
        "title pr)",
        "title pr pr",
        "title pr eq",
        'emails[type eq "x"',
        'emails type eq "x"]',
        "emails[]",
        "emails[",
        "[type pr]",
        'emails[[type eq "x"]]',
        'emails[type eq "x"].',
        'emails[type eq "x"].value',
        'emails[type eq "x"].foo eq "y"',
        "emails[type pr]type pr",
        'userName[value eq "x"]',
        'emails.value[type eq "x"]',
        'schemas[value eq "x"]',
        "emails[emails.type pr]",
        'userName eq "\\x"',
        'userName eq "\\ud800"',
        'userName eq "\ud800"',
        'userName eq "\\u0000"',
        'userName eq "\n"',
        "userName pr;",
        "userName pr -- x",
        "title\u00a0pr",
        "userName pr\nand title pr",
        "ｕserName pr",
        "1",
        "-",
        "$",
    ],
)
def test_what_is_not_the_grammar_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)


@pytest.mark.parametrize(
    "text",
    [
        'shoeSize eq "44"',
        "department pr",
        'emails.shoeSize eq "x"',
        'emails[shoeSize eq "x"]',
        'urn:x:userName eq "x"',
        "members pr",
        "userName.x pr",
        f"{ENTERPRISE_SCHEMA} pr",
        f"{ENTERPRISE_SCHEMA}:userName pr",
        "name.. pr",
    ],
)
def test_an_unknown_attribute_is_refused_and_never_true_of_everybody(text: str) -> None:
    with pytest.raises(InvalidFilter, match="has no attribute"):
        parse_filter(text, USER)


@pytest.mark.parametrize(
    "text", ["password pr", 'password eq "s3cret"', 'PASSWORD sw "s"', f"{USER_SCHEMA}:password pr"]
)
def test_a_password_cannot_be_asked_for(text: str) -> None:
    with pytest.raises(InvalidFilter, match="has no attribute"):
        parse_filter(text, USER)


@pytest.mark.parametrize(
    "text",
    [
        "userName eq 5",
        "userName eq -1.5e3",
        "userName eq true",
        "active eq 1",
        'active eq "yes"',
        'active eq ""',
        "active gt true",
        "active co true",
        'active sw "t"',
        "userName gt null",
        "userName co null",
        "active lt null",
        'meta.created eq "yesterday"',
        'meta.created gt "2011-05-13"',
        'meta.created sw "2011"',
        "meta.created eq 5",
        'meta.created gt "2011-13-01T00:00:00Z"',
        'meta.created gt "2011-05-13T04:42:34+99:00"',
        "meta.created gt true",
        'meta.created gt "9999-12-31T23:59:59-01:00"',
        'meta.created gt "0000-01-01T00:00:00Z"',
        'x509Certificates.value co "MI"',
        'name eq "Bob"',
        'addresses co "x"',
        'meta eq "x"',
    ],
)
def test_a_comparison_that_the_type_does_not_know_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter(text, USER)


def test_a_refusal_says_where() -> None:
    with pytest.raises(InvalidFilter, match=r"'bob' at position 13"):
        parse_filter("userName eq bob", USER)


# -- Limits ------------------------------------------------------------------------------------------------------


def nested(depth: int) -> str:
    return "(" * depth + "title pr" + ")" * depth


def joined(count: int) -> str:
    return " or ".join(["title pr"] * count)


def test_the_limits_are_reached_and_not_passed() -> None:
    assert parse_filter(nested(MAX_DEPTH), USER) == B
    assert parse_filter(joined(MAX_TESTS), USER) == Or((B,) * MAX_TESTS)
    assert parse_filter("title pr".ljust(MAX_LENGTH), USER) == B
    for text in (nested(MAX_DEPTH + 1), joined(MAX_TESTS + 1), "title pr".ljust(MAX_LENGTH + 1)):
        with pytest.raises(InvalidFilter, match="at most"):
            parse_filter(text, USER)


@pytest.mark.parametrize("opening", ["(", "not (", "emails[", "emails[(", "not(("])
def test_brackets_without_end_are_refused(opening: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter((opening * 10_000)[: MAX_LENGTH - 1], USER)


# -- PATCH paths -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("userName", (path("userName"), None)),
        ("NAME.givenname", (path("name.givenName"), None)),
        (f"{ENTERPRISE_SCHEMA}:department", (path(f"{ENTERPRISE_SCHEMA}:department"), None)),
        ('emails[type eq "work"]', (path("emails"), WORK)),
        ('emails[type eq "work"].VALUE', (path("emails.value"), WORK)),
        ('emails [type eq "work"] .value', (path("emails.value"), WORK)),
    ],
)
def test_a_path_leads_to(text: str, where: Any) -> None:
    assert parse_path(text, USER) == where


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "x",
        "userName.x",
        "/userName",
        "$.userName",
        "name[givenName pr]",
        "userName[x pr]",
        'emails[type eq "work"].x',
        'emails[type eq "work"]value',
        'emails[type eq "work"].value.x',
        "emails.value[x pr]",
        "[type pr]",
        "urn:x:userName",
        "a" * 100_000,
        'emails[type eq "work"] or title pr',
        "emails.value]",
    ],
)
def test_a_path_that_leads_nowhere_is_an_invalid_path(text: str) -> None:
    with pytest.raises(InvalidPath):
        parse_path(text, USER)


@pytest.mark.parametrize(
    "text", ["emails[", "emails[]", "emails[x pr]", "emails[type]", 'emails[type eq "work"', "emails[0]"]
)
def test_what_is_wrong_in_the_brackets_is_an_invalid_filter(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_path(text, USER)


# -- Writing -----------------------------------------------------------------------------------------------------


def test_a_filter_is_written_as_it_is_read() -> None:
    text = 'emails[type eq "a\\"b" and primary eq true] or not (meta.created gt "2011-05-13T04:42:34.500000Z")'
    assert render_filter(parse_filter(text, USER)) == text
