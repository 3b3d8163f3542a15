"""What the hot writer does, and how it fails. Knows no event loop: the process that writes has none."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from heliograph.store.hops.statements import Script

Request = TypeVar("Request")
Result = TypeVar("Result")

Done = Callable[[Result | Exception], None]
"""Called on the event loop after the commit with the result, or with what went wrong."""


class StoreUnavailable(Exception):
    """The store cannot be written or read just now: locked, full, read-only or failing."""


class StoreFailed(Exception):
    """One request cannot be stored although the store works: a fault of ours."""


@dataclass(frozen=True, slots=True)
class Hop(Generic[Request, Result]):
    """One kind of hot work: how a batch of requests is carried out inside an open transaction.

    size: rows in a request. script: what a batch asks of the store, and one result for each request in order.
    divide: cuts a request that failed alone into smaller ones, so that one bad row fails alone; join puts the
    results together again.
    """

    name: str
    size: Callable[[Request], int]
    script: Callable[[list[Request]], Script[list[Result]]]
    divide: Callable[[Request], list[Request]] | None = None
    join: Callable[[list[Result]], Result] | None = None
