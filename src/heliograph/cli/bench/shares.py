"""Each process of the server is held to a share of a core, so that a small machine shows how several of them grow.

The kernel does it, with control groups: what has used its share of ten milliseconds up waits for the next ten. Source:
the kernel's documentation, "CFS Bandwidth Control" (version 1) and "Control Group v2".
"""

import os
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Final

from heliograph.services.refused import Refused

PLACES: Final = (Path("/sys/fs/cgroup/cpu"), Path("/sys/fs/cgroup"))
"""Where the groups that limit CPU time are: of version 1, and of version 2."""

PERIOD_US: Final = 10_000
"""Short, so that a process which waits does so for milliseconds, as behind others on a busy core."""

_MEMBERS: Final = "cgroup.procs"
_LEAVE_S: Final = 2.0
_LOOK_S: Final = 0.02


@contextmanager
def shares(families: Sequence[Iterable[int]], cores: float, *, places: Iterable[Path] = PLACES) -> Iterator[None]:
    """Hold each family of processes to so many cores together, for the length of the block. Raises Refused."""
    if not cores:
        yield
        return
    place = next((each for each in places if (each / _MEMBERS).exists()), None)
    if place is None:
        raise Refused("--process-share needs Linux with control groups.")
    with ExitStack() as groups:
        try:
            for number, family in enumerate(families):
                group = place / f"heliograph-bench-{os.getpid()}-{number}"
                groups.enter_context(_group(group, cores))
                for pid in family:
                    (group / _MEMBERS).write_text(str(pid))
        except OSError as error:
            raise Refused(f"--process-share may not limit processes here ({error}): run it as root.") from error
        yield


@contextmanager
def _group(group: Path, cores: float) -> Iterator[None]:
    group.mkdir()
    try:
        _limit(group, round(cores * PERIOD_US))
        yield
    finally:
        _remove(group)


def _limit(group: Path, quota_us: int) -> None:
    if (group / "cpu.max").exists():
        (group / "cpu.max").write_text(f"{quota_us} {PERIOD_US}")
    else:
        (group / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (group / "cpu.cfs_quota_us").write_text(str(quota_us))


def _remove(group: Path) -> None:
    """Its processes go to the group above. What they start in that moment may keep it for a little longer."""
    give_up_at = time.monotonic() + _LEAVE_S
    while time.monotonic() < give_up_at:
        with suppress(OSError):
            for pid in (group / _MEMBERS).read_text().split():
                (group.parent / _MEMBERS).write_text(pid)
            group.rmdir()
            return
        time.sleep(_LOOK_S)
