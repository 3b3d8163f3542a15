"""Audit: whether the books agree with the messages and no message is lost. Finds, and repairs nothing."""

from collections.abc import Sequence

from heliograph.core.money import credits_from_amount
from heliograph.net.clock import Clock, SystemClock
from heliograph.store import accounts, audit
from heliograph.store.audit import Books
from heliograph.store.engine import Store


class Audit:
    """Checks a store, an account at a time, each from one consistent view of the store."""

    def __init__(self, store: Store, clock: Clock | None = None) -> None:
        self._store = store
        self._clock = clock or SystemClock()

    async def check(self) -> tuple[str, ...]:
        """One sentence for each finding, with the ids it is about; none when everything is sound."""
        findings: list[str] = []
        async with self._store.reading() as connection:
            known = await accounts.every(connection)
        for account in known:
            async with self._store.reading() as connection:
                books = await audit.books_of(connection, account.account_id)
                misfits = await audit.misfits_of(connection, account.account_id)
            whose = f"Account {account.name!r}"
            findings += [f"{whose}: {sentence}" for sentence in _faults_of(books)]
            findings += [f"{whose}: messages {words}: {_row(ids)}." for words, ids in misfits.items()]
        async with self._store.reading() as connection:
            strays = await audit.strays(connection, now_ms=self._clock.now_ms())
        findings += [f"Some {words}: {_row(ids)}." for words, ids in strays.items()]
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
