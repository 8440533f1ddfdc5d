"""What an examination comes to: steps that went right or wrong, and faults in words."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from textwrap import fill
from typing import Any, Literal

_WIDTH = 120

Outcome = Literal["right", "wrong", "skipped"]


@dataclass(frozen=True, slots=True)
class Fault:
    """Something that came back wrong. `why` is a sentence; `standard` the paragraph that says how it should be."""

    step: str
    request: str
    expected: str
    got: str
    why: str
    standard: str


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the life cycle; `says` is what else there is to know, such as why it was skipped."""

    step: str
    outcome: Outcome
    calls: int
    says: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """All of it. `idp` is the name that was asked for, `calls` how many requests were sent."""

    idp: str
    calls: int
    steps: Sequence[Step]
    faults: Sequence[Fault]

    def render_json(self) -> dict[str, Any]:
        """`{"idp", "calls", "steps": [{"step", "outcome", "calls", "says"}], "faults": [{"step", "request", …}]}`."""
        return {
            "idp": self.idp,
            "calls": self.calls,
            "steps": [asdict(step) for step in self.steps],
            "faults": [asdict(fault) for fault in self.faults],
        }

    def render_text(self) -> str:
        """For people: each step in a line, then each fault with what was sent, expected and got."""
        lines = [render_step(step) for step in self.steps]
        for number, fault in enumerate(self.faults, start=1):
            lines += ["", f"{number}. {fault.step}: {fault.why} ({fault.standard})"]
            lines += [f"   sent      {fault.request}", f"   expected  {fault.expected}", f"   got       {fault.got}"]
        count = {0: "no fault", 1: "1 fault"}.get(len(self.faults), f"{len(self.faults)} faults")
        return "\n".join([*lines, "", f"{self.calls} calls, {count}."])


def render_step(step: Step) -> str:
    """A line: `wrong    Rename a group`."""
    says = f": {step.says}" if step.says else ""
    line = f"{step.outcome:<8} {step.step}{says}"
    return fill(line, _WIDTH, subsequent_indent=" " * 9, break_long_words=False, break_on_hyphens=False)
