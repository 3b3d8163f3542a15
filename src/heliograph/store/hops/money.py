"""Credits that move in a batch: balances and postings of all its accounts, in two statements."""

import sqlite3
from collections.abc import Mapping

from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.store.hops.rows import rows

_NOTHING = Balance()

_MOVE = """
update balance set available = available + j.value->>1, held = held + j.value->>2, captured = captured + j.value->>3
from json_each(?) j where balance.account_id = j.value->>0
"""
_POST = """
insert into posting(account_id, at_ms, kind, amount)
select value->>0, ?2, value->>1, value->>2 from json_each(?1) where true
on conflict do update set amount = amount + excluded.amount
"""


def move(connection: sqlite3.Connection, sums: Mapping[tuple[AccountId, PostingKind], int], at_ms: int) -> None:
    """Post amounts by account and kind, and keep the balances with them."""
    changes: dict[AccountId, Balance] = {}
    for (account_id, kind), amount in sums.items():
        changes[account_id] = post(changes.get(account_id, _NOTHING), kind, amount)
    if changes:
        connection.execute(_MOVE, (rows([(account_id, *change) for account_id, change in changes.items()]),))
        connection.execute(_POST, (rows([(*key, amount) for key, amount in sums.items()]), at_ms))
