"""What every hop works with: one process's store, its right to messages, its clock and its counts."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any

from heliograph.core.directory import Carrier
from heliograph.core.ids import IdSource
from heliograph.net.clock import Clock
from heliograph.pipeline.directory import Directory
from heliograph.pipeline.ports import MediaKeeper
from heliograph.pipeline.tally import Tally
from heliograph.store.engine import Store, Writer
from heliograph.store.writer import nothing


def cuts_texts(_carrier: Carrier) -> bool:
    """A long text leaves in its segments."""
    return False


def always() -> bool:
    """The right of a process that is alone."""
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """owner: this process in the rows of its messages, 0 for one that holds none. reach: crash points, for tests.

    spawn: starts a task beside. keeper: where files go that come with messages, None for a process that keeps none.
    takes_whole: whether a carrier takes a long text in one piece, and reports on it once.
    may_submit: whether its right is good, where others would take over when it is not.
    """

    directory: Directory
    store: Store
    writer: Writer
    ids: IdSource
    clock: Clock
    owner: int
    tally: Tally = field(default_factory=Tally)
    reach: Callable[[str], None] = nothing
    may_submit: Callable[[], bool] = always
    spawn: Callable[[Coroutine[Any, Any, None]], object] = asyncio.ensure_future
    keeper: MediaKeeper | None = None
    takes_whole: Callable[[Carrier], bool] = cuts_texts
