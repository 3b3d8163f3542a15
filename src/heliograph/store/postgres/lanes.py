"""The hot writers of a process: hops that do not wait for each other have one each.

On SQLite all hops share commits, because there only one transaction can write. A PostgreSQL server carries out several
at once, and one of ours does nothing while the server works, nor the server while we do: so what is accepted, what is
marked, what is settled and all else are committed beside each other, each in the order in which it came. No hop relies
on the order of another's commits; it begins when the one before it was told that it is stored. Marks and settlements
go round and round within a session's window, so neither may wait behind what is told to webhooks.
"""

import asyncio
from collections.abc import Callable
from typing import Final

from heliograph.store.engine import Done, Hop, Request, Result
from heliograph.store.postgres.writer import PostgresWriter

APART: Final = ("accept", "mark", "settle")
"""Names of hops with a lane of their own."""


class Lanes:
    """A writer of several. rest: the one of all hops without a lane of their own. make: another."""

    def __init__(self, rest: PostgresWriter, make: Callable[[], PostgresWriter]) -> None:
        self._rest = rest
        self._apart = {name: make() for name in APART}
        self._all = (self._rest, *self._apart.values())

    @property
    def commits(self) -> int:
        """Transactions so far."""
        return sum(lane.commits for lane in self._all)

    def put(self, hop: Hop[Request, Result], request: Request, done: Done[Result]) -> None:
        """Queue work in its lane."""
        self._apart.get(hop.name, self._rest).put(hop, request, done)

    async def open(self) -> None:
        """Connect before there is anything to do."""
        for lane in self._all:
            await lane.open()

    async def stop(self, *, patience_s: float) -> None:
        """Wait until all that was put is committed, then let go of the connections."""
        await asyncio.gather(*(lane.stop(patience_s=patience_s) for lane in self._all))
