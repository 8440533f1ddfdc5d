"""Which refusal is answered with which status."""

from bridge.domain import errors
from bridge.domain.sign_in_refusals import SignInRefused

#: The first that fits.
STATUSES: tuple[tuple[type[errors.DomainError], int], ...] = (
    (errors.NotFound, 404),
    (errors.Conflict, 409),
    (errors.Invalid, 422),
    (errors.Forbidden, 403),
    (errors.TooManyTries, 429),
    (errors.Expired, 410),
    (SignInRefused, 403),
)


def status_of(error: errors.DomainError) -> int:
    """The status that a refusal is answered with; 400 where the table has none."""
    return next((status for kind, status in STATUSES if isinstance(error, kind)), 400)
