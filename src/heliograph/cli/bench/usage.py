"""What processes use, as /proc tells it."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

_TICKS: Final = os.sysconf("SC_CLK_TCK")
_GONE: Final = (FileNotFoundError, ProcessLookupError)


def family_of(pid: int) -> Iterator[int]:
    """A process, and those that it and its children started, as far as they live."""
    yield pid
    for child in children_of(pid):
        yield from family_of(child)


def children_of(pid: int) -> list[int]:
    """The processes that a process started itself, as far as they live."""
    with suppress(*_GONE):
        return [int(child) for child in _read(pid, f"task/{pid}/children").split()]
    return []


def whole_cpu_s(pid: int) -> float:
    """CPU seconds that a process and all that descend from it have used."""
    return _whole(pid, "stat", cpu_s_from)


def whole_peak_memory_mb(pid: int) -> float:
    """The most memory that a process and all that descend from it have held, each at its own worst moment."""
    return _whole(pid, "status", peak_memory_mb_from)


def whole_memory_mb(pid: int) -> float:
    """The memory that a process and all that descend from it hold now; what several of them share counts once."""
    return _whole(pid, "smaps_rollup", memory_mb_from)


def _whole(pid: int, name: str, figure_from: Callable[[str], float]) -> float:
    total = 0.0
    for each in family_of(pid):
        with suppress(*_GONE):
            total += figure_from(_read(each, name))
    return total


def cpu_s_from(stat: str) -> float:
    """Seconds in /proc/PID/stat, user and system, of a process and of its children that have ended.

    The name may hold anything. Source: proc(5), fields 14 to 17.
    """
    fields = stat.rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / _TICKS


def peak_memory_mb_from(status: str) -> float:
    """The peak resident set in /proc/PID/status."""
    return _mb_at("VmHWM:", status)


def memory_mb_from(smaps: str) -> float:
    """The proportional set in /proc/PID/smaps_rollup: a page that four processes have is a quarter of each."""
    return _mb_at("Pss:", smaps)


def _mb_at(name: str, lines: str) -> float:
    return next((int(line.split()[1]) / 1024 for line in lines.splitlines() if line.startswith(name)), 0.0)


def _read(pid: int, name: str) -> str:
    return Path(f"/proc/{pid}/{name}").read_text()
