"""Messages that nobody holds in memory wait in a table of their own, ordered by when they are due."""

from heliograph.store.hops.statements import DO_NOTHING, Statement

WAIT = Statement(
    """
insert into ready(due_at_ms, account_id, message_id, carrier_id)
select * from ({rows}) j where column1 is not null
""",
    columns="bigint int bigint int",
    conflict=DO_NOTHING,
)
"""Puts messages there: rows of (due, account, message, carrier); one that waits already stays as it is."""
