"""What every hop works with: one process's store, its right to messages, its clock and its counts."""

from collections.abc import Callable
from dataclasses import dataclass, field

from heliograph.core.ids import IdSource
from heliograph.net.clock import Clock
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.tally import Tally
from heliograph.store.engine import Store, Writer
from heliograph.store.writer import nothing


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """owner: this process in the rows of its messages, 0 for one that holds none. reach: crash points, for tests."""

    directory: Directory
    store: Store
    writer: Writer
    ids: IdSource
    clock: Clock
    owner: int
    tally: Tally = field(default_factory=Tally)
    reach: Callable[[str], None] = nothing
