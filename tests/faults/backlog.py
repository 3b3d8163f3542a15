"""A long queue in a store, made by the store itself: messages that were accepted, and wait."""

from pathlib import Path

from sqlalchemy import text

from heliograph.core.ids import NODES, first_at, made_at_ms
from heliograph.core.states import Charge, MessageState
from heliograph.net.clock import SystemClock
from heliograph.store.opening import open_store

FIRST = 27_710_000_000
"""The first recipient; the others are those behind it."""

_VALID_MS = 48 * 3_600_000

_NUMBERS = {
    "sqlite": "with recursive n(i) as (select 0 union all select i + 1 from n where i + 1 < :count) select {} from n",
    "postgresql": "select {} from generate_series(0, :count - 1) n(i)",
}
_SUBMISSION = """
insert into submission(account_id, id, dialect, channel, sender, text)
values (:account, :first_id, 'touchbasepro', 1, 'Heliograph', 'Your code is 4711')
"""
_MESSAGE = "insert into message(account_id, id, submission_id, recipient, segments, carrier_id, price, expires_at_ms,"
_MESSAGE += " owner, state, charge) "
_OF_MESSAGE = (
    "{account}, {first_id} + 1 + i, {first_id}, '+' || ({first} + i), 1, {carrier}, 0, {expires}, 0, {state}, {charge}"
)
_READY = "insert into ready(due_at_ms, account_id, message_id, carrier_id) "
_OF_READY = "{due}, {account}, {first_id} + 1 + i, {carrier}"


async def fill(
    data: Path, database: str, *, count: int, account: int = 1, carrier: int = 1, first: int = FIRST
) -> None:
    """Store so many messages of an account that wait for a carrier, all of one submission of two hours ago or more."""
    store = await open_store(database, data)
    engine = "postgresql" if database else "sqlite"
    now_ms = SystemClock().now_ms()
    # Ids are made of a time and a counter, and this submission needs many milliseconds of them.
    step = first_at(made_at_ms(first_at(now_ms)) + 1) - first_at(now_ms)
    first_id = first_at(now_ms - 60_000 - count // (step // NODES) - 1)
    values = {
        "account": account, "first_id": first_id, "first": first, "carrier": carrier, "due": now_ms - 60_000,
        "expires": now_ms + _VALID_MS, "state": int(MessageState.QUEUED), "charge": int(Charge.HELD),
    }  # fmt: skip
    try:
        async with store.writing() as connection:
            await connection.execute(text(_SUBMISSION), values)
            for insert, what in ((_MESSAGE, _OF_MESSAGE), (_READY, _OF_READY)):
                rows = _NUMBERS[engine].format(what.format(**values))
                await connection.execute(text(insert + rows), {"count": count})
    finally:
        await store.close()
