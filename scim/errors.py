"""Why a SCIM request is refused: a class a reason, each rendered as RFC 7644 3.12 has it."""

from typing import ClassVar

ERROR_SCHEMA = "urn:ietf:params:scim:api:messages:2.0:Error"


class ScimError(Exception):
    """The base of every refusal: HTTP status, scimType (RFC 7644 table 9) and a text for the IdP's admin."""

    status: ClassVar[int] = 400
    scim_type: ClassVar[str | None] = None

    def __init__(self, detail: str) -> None:
        super().__init__(detail)
        self.detail = detail

    def render(self) -> dict[str, object]:
        """The error body; the status is a string, which Okta insists on (RFC 7644 3.12)."""
        body: dict[str, object] = {"schemas": [ERROR_SCHEMA], "status": str(self.status)}
        if self.scim_type is not None:
            body["scimType"] = self.scim_type
        body["detail"] = self.detail
        return body


class InvalidFilter(ScimError):
    """The filter can't be read, names what doesn't exist, or compares what can't be compared."""

    scim_type = "invalidFilter"


class TooMany(ScimError):
    """The request asks for more than the server is willing to work on."""

    scim_type = "tooMany"


class Uniqueness(ScimError):
    """A value that must be unique is taken."""

    status = 409
    scim_type = "uniqueness"


class Mutability(ScimError):
    """The attribute is read-only or immutable, or is required and was to be removed."""

    scim_type = "mutability"


class InvalidSyntax(ScimError):
    """The body is not JSON, or not the message that this request needs."""

    scim_type = "invalidSyntax"


class InvalidPath(ScimError):
    """A path can't be read, or leads to no attribute of the resource."""

    scim_type = "invalidPath"


class NoTarget(ScimError):
    """A PATCH path is needed and absent, or its value filter matches nothing."""

    scim_type = "noTarget"


class InvalidValue(ScimError):
    """A required value is missing, or a value has the wrong type or form."""

    scim_type = "invalidValue"


class InvalidCursor(ScimError):
    """The cursor is none of this server's, or not of this query and connection (RFC 9865 2.1)."""

    scim_type = "invalidCursor"


class ExpiredCursor(ScimError):
    """The cursor was waited with for too long (RFC 9865 2.1)."""

    scim_type = "expiredCursor"


class InvalidCount(ScimError):
    """In a walk by cursor: the count is no number, or not that of the first page (RFC 9865 2.1)."""

    scim_type = "invalidCount"


class InvalidVersion(ScimError):
    """The SCIM protocol version is not one that is spoken here."""

    scim_type = "invalidVers"


class Sensitive(ScimError):
    """The request URI carries what must not be in a URI (RFC 7644 7.5.2)."""

    status = 403
    scim_type = "sensitive"


class Unauthorized(ScimError):
    """There is no valid bearer token."""

    status = 401


class Forbidden(ScimError):
    """The token is valid and this operation is not allowed."""

    status = 403


class NotFound(ScimError):
    """No such resource or endpoint, as far as this token can see."""

    status = 404


class Conflict(ScimError):
    """The state of the server does not allow it; unlike Uniqueness, no value is taken."""

    status = 409


class PreconditionFailed(ScimError):
    """If-Match names another version than the present one (RFC 7644 3.14)."""

    status = 412


class PayloadTooLarge(ScimError):
    """The body is longer than the server reads."""

    status = 413


class UnsupportedMediaType(ScimError):
    """The body is declared as something other than SCIM or JSON."""

    status = 415


class NotSupported(ScimError):
    """A part of the protocol that this server does not offer (RFC 7644 3.12: 501)."""

    status = 501
