"""What one message costs each part: the program, PostgreSQL, and the bench itself."""

from typing import NamedTuple

import msgspec

from heliograph.store.postgres.footprint import Footprint


class Reading(NamedTuple):
    """Counters of all parts at one moment; None for what is not there, or not ours to look at."""

    server_cpu_s: float
    far_cpu_s: float
    commits: int
    database_cpu_s: float | None
    footprint: Footprint | None


class Spent(NamedTuple):
    """What a run took: between two readings, and at its end."""

    before: Reading
    after: Reading
    load_cpu_s: float
    peak_memory_mb: float
    database_memory_mb: float | None

    @property
    def far_cpu_s(self) -> float:
        """Of the message centre and the webhook."""
        return self.after.far_cpu_s - self.before.far_cpu_s


class Cost(msgspec.Struct, frozen=True, kw_only=True):
    """What the program used, all its processes together.

    commits: each is one fsync of the log; those of checkpoints are not counted.
    """

    cpu_s: float
    cpu_s_per_1000: float
    peak_memory_mb: float
    commits: int
    commits_per_1000: float


class DatabaseCost(msgspec.Struct, frozen=True, kw_only=True):
    """What PostgreSQL used, all its processes together; null for a server that the bench has not started.

    memory_mb: held at the end, what its processes share counted once. log_octets_per_message: also of page images after
    a checkpoint. disk_octets_per_message: by which the database's files have grown.
    """

    cpu_s: float | None
    cpu_s_per_1000: float | None
    memory_mb: float | None
    log_octets_per_message: int
    disk_octets_per_message: int


class BenchCost(msgspec.Struct, frozen=True, kw_only=True):
    """What the bench itself used. far: the message centre and the webhook."""

    load_cpu_s_per_1000: float
    far_cpu_s_per_1000: float


def cost(spent: Spent, *, messages: int) -> Cost:
    """The program's use, also for each thousand messages."""
    cpu_s = spent.after.server_cpu_s - spent.before.server_cpu_s
    commits = spent.after.commits - spent.before.commits
    return Cost(
        cpu_s=round(cpu_s, 2),
        cpu_s_per_1000=_per_1000(cpu_s, messages),
        peak_memory_mb=round(spent.peak_memory_mb, 1),
        commits=commits,
        commits_per_1000=round(commits / messages * 1000, 1),
    )


def database_cost(spent: Spent, *, messages: int) -> DatabaseCost | None:
    """PostgreSQL's use; None when the store is a file."""
    before, after = spent.before, spent.after
    if before.footprint is None or after.footprint is None:
        return None
    is_ours = before.database_cpu_s is not None and after.database_cpu_s is not None
    cpu_s = (after.database_cpu_s or 0.0) - (before.database_cpu_s or 0.0) if is_ours else None
    log_octets = after.footprint.log_octets - before.footprint.log_octets
    disk_octets = after.footprint.disk_octets - before.footprint.disk_octets
    return DatabaseCost(
        cpu_s=None if cpu_s is None else round(cpu_s, 2),
        cpu_s_per_1000=None if cpu_s is None else _per_1000(cpu_s, messages),
        memory_mb=None if spent.database_memory_mb is None else round(spent.database_memory_mb, 1),
        log_octets_per_message=round(log_octets / messages),
        disk_octets_per_message=round(disk_octets / messages),
    )


def bench_cost(spent: Spent, *, messages: int) -> BenchCost:
    """The bench's own use."""
    return BenchCost(
        load_cpu_s_per_1000=_per_1000(spent.load_cpu_s, messages),
        far_cpu_s_per_1000=_per_1000(spent.far_cpu_s, messages),
    )


def _per_1000(cpu_s: float, messages: int) -> float:
    return round(cpu_s / messages * 1000, 3)
