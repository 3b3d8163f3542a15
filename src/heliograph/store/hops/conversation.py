"""The statement that remembers who writes to a handset from a sender that is nobody's own, when a message is queued."""

from heliograph.store.hops.rows import Batched

CONVERSE = Batched(
    """
insert into conversation(sender, recipient, account_id, at_ms)
select * from ({rows}) where column1 is not null
on conflict do update set account_id = excluded.account_id, at_ms = excluded.at_ms
  where excluded.at_ms >= conversation.at_ms
""",
    columns=4,
)
"""Takes rows of (sender, recipient's digits, account, time), one for each pair."""
