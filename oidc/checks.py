"""The form that checks have: named, with the paragraph they hold, in a table, so that each can be switched off by a
test."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from enum import Enum
from typing import Any

from oidc.errors import OidcError


class Stage(Enum):
    """What a check looks at."""

    TEXT = "the token as it came, a str"
    HEADER = "its header, an Envelope"
    CLAIMS = "its claims, which a good signature covers, a Proof"


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that must hold; `check` raises a `Refused` when it doesn't."""

    name: str
    stage: Stage
    paragraph: str
    check: Callable[[Any], None]


def run(checks: Iterable[Check], stage: Stage, looked_at: object) -> None:
    """Every check of a stage in turn; the first that doesn't hold raises, with `check` set to its name."""
    for one in checks:
        if one.stage is stage:
            try:
                one.check(looked_at)
            except OidcError as refusal:
                refusal.check = one.name
                raise
