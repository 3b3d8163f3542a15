"""Credits that move in a batch: balances and postings of all its accounts, in two statements."""

import sqlite3
from collections.abc import Mapping

from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.store.hops.rows import Batched

_NOTHING = Balance()

_MOVE = Batched(
    """
update balance set available = available + j.column2, held = held + j.column3, captured = captured + j.column4
from ({rows}) j where balance.account_id = j.column1
""",
    columns=4,
)
_POST = Batched(
    """
insert into posting(account_id, kind, amount, at_ms)
select column1, column2, column3, ?1 from ({rows}) where column1 is not null
on conflict do update set amount = amount + excluded.amount
""",
    columns=3,
    scalars=1,
)


def move(connection: sqlite3.Connection, sums: Mapping[tuple[AccountId, PostingKind], int], at_ms: int) -> None:
    """Post amounts by account and kind, and keep the balances with them."""
    changes: dict[AccountId, Balance] = {}
    for (account_id, kind), amount in sums.items():
        changes[account_id] = post(changes.get(account_id, _NOTHING), kind, amount)
    if changes:
        _MOVE.run(connection, [(account_id, *change) for account_id, change in changes.items()])
        _POST.run(connection, [(account_id, int(kind), amount) for (account_id, kind), amount in sums.items()], at_ms)
