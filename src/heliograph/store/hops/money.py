"""Credits that move in a batch: balances and postings of all its accounts, in two statements."""

from collections.abc import Mapping

from heliograph.core.ids import AccountId
from heliograph.core.ledger import Balance, PostingKind, post
from heliograph.store.hops.statements import Statement, Step

_NOTHING = Balance()

_MOVE = Statement(
    """
update balance set available = available + j.column2, held = held + j.column3, captured = captured + j.column4
from ({rows}) j where balance.account_id = j.column1
""",
    columns="int bigint bigint bigint",
)
_POST = Statement(
    """
insert into posting(account_id, kind, amount, at_ms)
select column1, column2, column3, ?1 from ({rows}) j where column1 is not null
on conflict (account_id, at_ms, kind) do update set amount = posting.amount + excluded.amount
""",
    columns="int int bigint",
    scalars="bigint",
)


def moves(sums: Mapping[tuple[AccountId, PostingKind], int], at_ms: int) -> list[Step]:
    """Post amounts by account and kind, and keep the balances with them; in order, as each row locks out others."""
    changes: dict[AccountId, Balance] = {}
    for (account_id, kind), amount in sums.items():
        changes[account_id] = post(changes.get(account_id, _NOTHING), kind, amount)
    balances = [(account_id, *change) for account_id, change in sorted(changes.items())]
    postings = [(account_id, int(kind), amount) for (account_id, kind), amount in sums.items()]
    return [_MOVE.about(balances), _POST.about(postings, at_ms)]
