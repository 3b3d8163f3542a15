"""The statement that remembers who writes to a handset from a sender that is nobody's own, when a message is queued."""

from heliograph.store.hops.statements import Statement

CONVERSE = Statement(
    """
insert into conversation(sender, recipient, account_id, at_ms)
select * from ({rows}) j where column1 is not null
on conflict (sender, recipient) do update set account_id = excluded.account_id, at_ms = excluded.at_ms
  where excluded.at_ms >= conversation.at_ms
""",
    columns="text text int bigint",
)
"""Takes rows of (sender, recipient's digits, account, time), one for each pair."""
