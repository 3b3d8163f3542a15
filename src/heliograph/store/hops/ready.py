"""Messages that nobody holds in memory wait in a table of their own, ordered by when they are due."""

WAIT = """
insert into ready(due_at_ms, account_id, message_id)
select value->>0, value->>1, value->>2 from json_each(?) where true on conflict do nothing
"""
"""Puts messages there: rows of (due, account, message); one that waits already stays as it is."""
