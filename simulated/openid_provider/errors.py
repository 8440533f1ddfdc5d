"""What can go wrong, a class a reason."""


class ProviderError(Exception):
    """The base. `str()` is a sentence that people may read."""


class Invalid(ProviderError):
    """A client's registration can't be used, and why."""
