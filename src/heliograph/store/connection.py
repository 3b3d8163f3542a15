"""The name under which higher floors know a connection that a store handed them."""

from sqlalchemy.ext.asyncio import AsyncConnection

Connection = AsyncConnection
"""What `Store.reading` and `Store.writing` give; SQL over it is written in this folder only."""
