"""Memory of a process and all its children (Linux)."""

from pathlib import Path


def family_of(pid: int) -> list[int]:
    """Return a process and its descendants."""
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(relative for child in children for relative in family_of(int(child)))]


def proportional_bytes(pid: int) -> int:
    """Return the proportional set size of a process and its descendants."""
    total = 0
    for member in family_of(pid):
        try:
            lines = Path(f"/proc/{member}/smaps_rollup").read_text().splitlines()
        except OSError:
            continue
        total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("Pss:"))
    return total
