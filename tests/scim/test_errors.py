"""RFC 7644 3.12: every refusal has a body that an IdP can read."""

import pytest

from scim import errors
from scim.errors import ScimError

REASONS = [each for each in vars(errors).values() if isinstance(each, type) and issubclass(each, ScimError)]

TABLE_9 = {
    errors.InvalidFilter: (400, "invalidFilter"),
    errors.TooMany: (400, "tooMany"),
    errors.Uniqueness: (409, "uniqueness"),
    errors.Mutability: (400, "mutability"),
    errors.InvalidSyntax: (400, "invalidSyntax"),
    errors.InvalidPath: (400, "invalidPath"),
    errors.NoTarget: (400, "noTarget"),
    errors.InvalidValue: (400, "invalidValue"),
    errors.InvalidVersion: (400, "invalidVers"),
    errors.InvalidCursor: (400, "invalidCursor"),
    errors.ExpiredCursor: (400, "expiredCursor"),
    errors.InvalidCount: (400, "invalidCount"),
    errors.Sensitive: (403, "sensitive"),
}
WITHOUT_SCIM_TYPE = {
    errors.Unauthorized: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.PayloadTooLarge: 413,
    errors.UnsupportedMediaType: 415,
    errors.NotSupported: 501,
}


def test_every_reason_is_in_one_of_the_two_tables() -> None:
    assert set(REASONS) == {ScimError, *TABLE_9, *WITHOUT_SCIM_TYPE}


@pytest.mark.parametrize("reason", TABLE_9)
def test_a_reason_of_table_9_carries_its_scim_type(reason: type[ScimError]) -> None:
    assert (reason.status, reason.scim_type) == TABLE_9[reason]


@pytest.mark.parametrize("reason", WITHOUT_SCIM_TYPE)
def test_other_reasons_carry_a_status_alone(reason: type[ScimError]) -> None:
    assert (reason.status, reason.scim_type) == (WITHOUT_SCIM_TYPE[reason], None)
    assert "scimType" not in reason("why").render()


def test_status_is_a_string_and_detail_says_why() -> None:
    assert errors.Uniqueness("userName bob is taken").render() == {
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:Error"],
        "status": "409",
        "scimType": "uniqueness",
        "detail": "userName bob is taken",
    }
