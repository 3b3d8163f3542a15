"""The statement that leaves what webhooks are to be told, in the transaction that makes it true."""

from heliograph.store.hops.rows import Batched

TELL = Batched(
    """
insert into outbox(webhook_id, account_id, message_id, state, at_ms)
select * from ({rows}) where column1 is not null on conflict do nothing
""",
    columns=5,
)
"""Takes rows of `core.events.Told`."""
