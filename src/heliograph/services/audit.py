"""Audit: whether the books agree with the messages and no message is lost. Finds, and repairs nothing."""

import itertools
from collections.abc import Callable, Sequence

from heliograph.core.money import credits_from_amount
from heliograph.net.clock import Clock, SystemClock
from heliograph.store import accounts, audit
from heliograph.store.audit import Books
from heliograph.store.engine import Store


def _untold(_done: int, _of: int) -> None:
    """To nobody."""


class Audit:
    """Checks a store, an account at a time, each from one consistent view of the store."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    async def check(self, told: Callable[[int, int], object] = _untold) -> tuple[str, ...]:
        """One sentence for each finding, with the ids it is about; none when everything is sound.

        told: how many searches are done, and of how many, while it goes on.
        """
        async with self._store.reading() as connection:
            known = await accounts.every(connection)
        beside = audit.searches_beside(self._clock.now_ms())
        theirs = [(account, audit.searches_of(account.account_id)) for account in known]
        of = len(beside) + sum(1 + len(searches) for _, searches in theirs)
        steps = itertools.count(1)
        findings: list[str] = []
        for account, searches in theirs:
            whose = f"Account {account.name!r}"
            async with self._store.searching() as connection:
                books = await audit.books_of(connection, account.account_id)
                findings += [f"{whose}: {sentence}" for sentence in _faults_of(books)]
                told(next(steps), of)
                for words, wanted in searches.items():
                    if ids := await audit.found(connection, wanted):
                        findings.append(f"{whose}: messages {words}: {_row(ids)}.")
                    told(next(steps), of)
        async with self._store.searching() as connection:
            for words, wanted in beside.items():
                if ids := await audit.found(connection, wanted):
                    findings.append(f"Some {words}: {_row(ids)}.")
                told(next(steps), of)
        return tuple(findings)


def _row(ids: Sequence[int | str]) -> str:
    more = ", …" if len(ids) == audit.MOST else ""
    return ", ".join(map(str, ids)) + more


def _faults_of(books: Books) -> list[str]:
    faults: list[str] = []
    for name, kept, posted in zip(books.kept._fields, books.kept, books.posted, strict=True):
        if kept != posted:
            faults.append(f"{_credits(kept)} are {name}, and the postings make it {_credits(posted)}.")
    for name, kept, owed in (
        ("held", books.kept.held, books.held),
        ("captured", books.kept.captured, books.captured),
    ):
        if kept != owed:
            faults.append(f"{_credits(kept)} are {name}, and its messages make it {_credits(owed)}.")
    return faults


def _credits(amount: int) -> str:
    return f"{credits_from_amount(amount)} credits"
