"""What can go wrong here, a class a reason; `app` alone turns them into status codes."""


class CompanyIdpError(Exception):
    """The base. `str()` is a sentence that people may read."""


class NotFound(CompanyIdpError):
    """There is no such person or group."""


class Conflict(CompanyIdpError):
    """The name or email is taken."""


class Invalid(CompanyIdpError):
    """The value can't be used, and why."""


class SamlRequestRefused(CompanyIdpError):
    """The sign-in request isn't one this IdP answers: unreadable, from a stranger, or for another address."""
