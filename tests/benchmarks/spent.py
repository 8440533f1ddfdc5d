"""How much of a processor other processes have used, by the kernel's count in nanoseconds: `stat` has hundredths."""

from pathlib import Path


def spent_by_group(leader: int) -> float:
    """Seconds of the processes of a group that are there."""
    return sum(spent_by_process(int(path.name)) for path in Path("/proc").glob("[0-9]*") if _group(path) == leader)


def spent_by_process(pid: int) -> float:
    """Seconds of its threads that are there."""
    try:
        tasks = list(Path(f"/proc/{pid}/task").iterdir())
        return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
    except OSError:
        return 0.0


def _group(folder: Path) -> int:
    try:
        return int((folder / "stat").read_text().rpartition(")")[2].split()[2])
    except (OSError, IndexError):
        return 0
