"""Where the store of a measurement is: in a file, on a PostgreSQL server of the bench's own, or on somebody's."""

import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from heliograph.cli.bench import usage
from heliograph.cli.bench.stage import Plan
from heliograph.services.refused import Refused
from heliograph.store.address import is_server
from heliograph.store.postgres.footprint import Footprint, footprint
from heliograph.testing import postgres

OWN: Final = "postgresql://"
"""Asks for a server that is started for the measurement."""

_SETTINGS: Final = {"shared_buffers": "1GB", "max_wal_size": "4GB", "max_connections": "200"}


@dataclass(frozen=True, slots=True)
class Database:
    """address: "" for a file in the folder. pid: of the server that was started here, else None."""

    address: str
    pid: int | None = None

    def cpu_s(self) -> float | None:
        """CPU seconds that all processes of the server have used; None when it is not ours."""
        return None if self.pid is None else usage.whole_cpu_s(self.pid)

    def memory_mb(self) -> float | None:
        """What they hold now, shared memory once; None when the server is not ours."""
        return None if self.pid is None else usage.whole_memory_mb(self.pid)

    async def footprint(self) -> Footprint | None:
        """What it has written; None for a file."""
        return await footprint(self.address) if is_server(self.address) else None


def cores_in(words: str) -> tuple[int, ...]:
    """Numbers of processors, separated by commas. Raises Refused."""
    try:
        return tuple(sorted({int(each) for each in words.split(",") if each.strip()}))
    except ValueError:
        raise Refused(f"{words} does not name processors: write numbers such as 0,1.") from None


def check(plan: Plan, *, cores: Collection[int]) -> None:
    """Raise Refused for what cannot be measured. cores: processors that the bench may use."""
    if plan.processes > 1 and not is_server(plan.database):
        raise Refused("A SQLite store has one writer: measure several processes with --database postgresql://.")
    if not plan.database_cores:
        return
    if plan.database != OWN:
        raise Refused("--database-cores needs a server of the bench's own: add --database postgresql://.")
    if not set(plan.database_cores) < set(cores):
        named = ", ".join(map(str, sorted(cores)))
        raise Refused(f"--database-cores takes some of the processors {named}, and leaves at least one.")


@contextmanager
def database(plan: Plan) -> Iterator[Database]:
    """The place of an empty store, for the length of the block. Raises Refused."""
    if plan.database != OWN:
        yield Database(plan.database)
        return
    cores = os.sched_getaffinity(0)
    try:
        # What is started inherits the processors of who starts it.
        os.sched_setaffinity(0, plan.database_cores or cores)
        with postgres.server(**_SETTINGS) as running:
            os.sched_setaffinity(0, cores.difference(plan.database_cores))
            yield Database(running.address("postgres"), postmaster_of((running.data / "postmaster.pid").read_text()))
    except LookupError as error:
        raise Refused(str(error)) from error
    finally:
        os.sched_setaffinity(0, cores)


def postmaster_of(pid_file: str) -> int:
    """The process that all others of a server descend from."""
    return int(pid_file.split(maxsplit=1)[0])
