"""What an import of a directory did, or would do."""

from dataclasses import dataclass, field

from bridge.domain.errors import Conflict, Invalid

#: So many are named; all are counted.
NAMED = 10


class FaultyFile(Invalid):
    """The file can't be imported as it is. `faults` are (line, what is wrong), all of them."""

    code = "faulty_file"

    def __init__(self, faults: tuple[tuple[int, str], ...]) -> None:
        said = "\n".join(f"line {line}: {text}" for line, text in faults)
        count = "1 fault" if len(faults) == 1 else f"{len(faults)} faults"
        super().__init__(f"{count} in the file; nothing was imported.\n{said}", field="file")
        self.faults = faults


class SuspendsMany(Conflict):
    """The import would suspend more than half of the directory's active people."""

    code = "suspends_many"


@dataclass(slots=True)
class Counted:
    """How many, and the first of them by name."""

    count: int = 0
    first: list[str] = field(default_factory=list)

    def note(self, *names: str) -> None:
        """One more for each name."""
        self.count += len(names)
        self.first += names[: max(0, NAMED - len(self.first))]


@dataclass(slots=True)
class ImportReport:
    """What changed in a connection's directory."""

    people_created: Counted = field(default_factory=Counted)
    people_changed: Counted = field(default_factory=Counted)
    people_deactivated: Counted = field(default_factory=Counted)
    people_reactivated: Counted = field(default_factory=Counted)
    people_unchanged: int = 0
    groups_created: Counted = field(default_factory=Counted)
    groups_changed: Counted = field(default_factory=Counted)
    members_added: Counted = field(default_factory=Counted)
    members_removed: Counted = field(default_factory=Counted)

    @property
    def changes(self) -> int:
        """How many changes there are in all."""
        parts = (
            *(self.people_created, self.people_changed, self.people_deactivated, self.people_reactivated),
            *(self.groups_created, self.groups_changed, self.members_added, self.members_removed),
        )
        return sum(part.count for part in parts)
