"""Everything the product refuses, a class a reason. Web and CLI alone turn them into status codes.

`text` is safe to show to the person who asked; `code` is stable, for programs.
"""


class DomainError(Exception):
    """A request that is understood and refused."""

    code = "refused"

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.text = text


class NotFound(DomainError):
    """What was named is not there, or not visible to the one who asked."""

    code = "not_found"


class Conflict(DomainError):
    """It exists already, or the world moved meanwhile. `field` names what is taken, for forms."""

    code = "conflict"

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


class Stale(Conflict):
    """The one who asks has read an older version than there is."""

    code = "stale"


class Invalid(DomainError):
    """A value that cannot be taken as given. `field` names it for forms."""

    code = "invalid"

    def __init__(self, text: str, field: str | None = None) -> None:
        super().__init__(text)
        self.field = field


class Forbidden(DomainError):
    """Understood, but not theirs to do."""

    code = "forbidden"


class LastOwner(Conflict):
    """A workspace keeps at least one owner who can sign in without its IdP (product.md 1.1)."""

    code = "last_owner"


class NotInPlan(Forbidden):
    """The workspace's plan does not include it (product.md 1.6)."""

    code = "not_in_plan"


class TooManyTries(DomainError):
    """Guessing is slowed down; `retry_after` is in seconds."""

    code = "too_many_tries"

    def __init__(self, text: str, retry_after: int) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Expired(DomainError):
    """A link, code or pending login that was used, replaced or ran out."""

    code = "expired"


class OutsideFailed(DomainError):
    """Another host didn't give what was asked of it; the text says why to whoever named it."""

    code = "outside_failed"


class Crowded(OutsideFailed):
    """So many wait for other hosts at this moment that nobody more may: whoever comes again in a moment needn't."""

    code = "crowded"

    def __init__(self) -> None:
        super().__init__("Many wait for an answer from outside at this very moment. Try again in a moment.")
