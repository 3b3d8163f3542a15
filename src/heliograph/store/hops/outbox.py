"""The statement that leaves what webhooks are to be told, in the transaction that makes it true."""

from heliograph.store.hops.statements import DO_NOTHING, Statement

TELL = Statement(
    """
insert into outbox(webhook_id, account_id, message_id, state, at_ms)
select * from ({rows}) j where column1 is not null
""",
    columns="int int bigint int bigint",
    conflict=DO_NOTHING,
)
"""Takes rows of `core.events.Told`."""
