"""The workspace's plan: what it leaves out, and what another one would move."""

from dataclasses import dataclass

from bridge.web.pages.views.labels import HeldRow
from bridge.web.pages.views.mapping import PreviewPanel
from bridge.web.pages.views.parts import Consequence, Fact, Link


@dataclass(frozen=True, slots=True)
class PlanPage:
    """`plan.html`: what is there and gives nothing, or is refused, and by which grants. `others`: other plans.

    Without `left_out` nothing is.
    """

    title: str
    says: str
    facts: tuple[Fact, ...]
    others: tuple[Link, ...]
    left_out: tuple[Consequence, ...]
    rows: tuple[HeldRow, ...]
    first_href: str | None = None
    next_href: str | None = None
    unlisted: str = ""


@dataclass(frozen=True, slots=True)
class OtherPlanPage:
    """`plan_other.html`: what another plan would do. `command` is how the operator sets it: nobody else can."""

    title: str
    says: str
    crumbs: tuple[Link, ...]
    consequences: tuple[Consequence, ...]
    panel: PreviewPanel
    command: str
