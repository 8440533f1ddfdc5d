"""One call by HTTP to another machine, as a value; whoever sends it is handed to flows (see `bridge.outside.calls`)."""

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Protocol


@dataclass(frozen=True, slots=True)
class WebCall:
    """What is sent: a GET, or with a `form` a POST of application/x-www-form-urlencoded."""

    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    form: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class WebReply:
    """What came back, whatever its status but a redirect. `content_type` "" where none was said."""

    status: int
    content_type: str
    body: bytes = field(repr=False)


#: Sends one call, within limits of time, size and address. Raises `bridge.domain.errors.OutsideFailed`.
Ask = Callable[[WebCall], WebReply]


class Turns(Protocol):
    """Lets few at a time call out while somebody waits (see `bridge.outside.calls`)."""

    def turn(self, whose: str = "", provider: str = "") -> AbstractContextManager[Ask]:
        """One turn to call, of those that the company `whose` may have at once; `provider` names its connection.

        Raises `bridge.domain.errors.OutsideFailed` where all are taken, or the provider didn't answer a moment ago.
        """
