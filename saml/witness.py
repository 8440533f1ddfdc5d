"""Who is told what a message went through while it is validated: the sign-in log, or nobody.

`validate` stays pure: what it gives or raises doesn't depend on its witness, which only listens.
"""

from typing import Final, Literal, Protocol

from saml.markup import Element

#: What a message has passed, in this order; `opened` only where it was encrypted.
Passed = Literal["shape", "opened", "signature", "addressee", "subject", "request", "times"]


class Witness(Protocol):
    """Listens to one validation."""

    def note(self, step: Passed, detail: str) -> None:
        """The message has passed this step; `detail` holds nothing secret."""

    def see(self, message: Element) -> None:
        """This is the message as it is understood by now; with the assertion in clear, once it was opened."""


class _Nobody:
    """Listens to nothing."""

    def note(self, step: Passed, detail: str) -> None:
        """Not kept."""

    def see(self, message: Element) -> None:
        """Not kept."""


NOBODY: Final[Witness] = _Nobody()
