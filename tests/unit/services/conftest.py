"""A fresh store and a clock that stands still, for stories about services."""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import insert

from heliograph.core.ids import AccountId, MessageId, first_at
from heliograph.core.ledger import PostingKind
from heliograph.core.messages import NO_TRAITS
from heliograph.core.states import Charge, MessageState
from heliograph.store import postings
from heliograph.store.engine import Store
from heliograph.store.opening import open_store
from heliograph.store.schema import doubt, event, message, ready, submission
from heliograph.store.traits import written

NOW_MS = 1_790_000_000_000


class StillClock:
    """A clock that moves when told."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        """Now."""
        return self.at_ms

    def monotonic(self) -> float:
        """Now."""
        return self.at_ms / 1000

    async def sleep(self, seconds: float) -> None:
        """Move on."""
        self.at_ms += round(seconds * 1000)


Story = Callable[[Store], Awaitable[None]]
Tell = Callable[[Story], None]


@pytest.fixture
def clock() -> StillClock:
    return StillClock()


@pytest.fixture
def tell(tmp_path: Path) -> Tell:
    """Run a story with a new store."""

    def run(story: Story) -> None:
        async def go() -> None:
            store = await open_store("", tmp_path)
            try:
                await story(store)
            finally:
                await store.close()

        asyncio.run(go())

    return run


Accept = Callable[..., Awaitable[MessageId]]


@pytest.fixture
def accept() -> Accept:
    """Store a message of two segments as if it had been accepted and had come to a state since."""
    made = 0

    async def store_message(
        store: Store,
        account_id: AccountId,
        state: MessageState = MessageState.QUEUED,
        *,
        charge: Charge = Charge.HELD,
        waits: bool = True,
        carrier_id: int = 1,
        send_at_ms: int = 0,
    ) -> MessageId:
        nonlocal made
        made += 1
        message_id = MessageId(first_at(NOW_MS) + 2 * made)
        place = {"account_id": account_id, "message_id": message_id}
        async with store.writing() as connection:
            await connection.execute(
                insert(submission).values(
                    account_id=account_id,
                    id=message_id + 1,
                    dialect="any",
                    channel=1,
                    sender="Crane",
                    text="Good day",
                    traits=written(NO_TRAITS, send_at_ms),
                )
            )
            await connection.execute(
                insert(message).values(
                    account_id=account_id,
                    id=message_id,
                    submission_id=message_id + 1,
                    recipient="+27831234567",
                    state=state,
                    segments=2,
                    charge=charge,
                    carrier_id=carrier_id,
                    price=2_000_000,
                    reference="r1",
                    expires_at_ms=NOW_MS + 1_000,
                )
            )
            if state in (MessageState.SCHEDULED, MessageState.QUEUED) and waits:
                await connection.execute(insert(ready).values(due_at_ms=send_at_ms or NOW_MS, **place))
            if state is MessageState.HELD:
                await connection.execute(
                    insert(doubt).values(
                        carrier_id=carrier_id,
                        recipient="+27831234567",
                        segment=0,
                        sender="Crane",
                        marked_at_ms=NOW_MS,
                        **place,
                    )
                )
                await connection.execute(insert(event).values(at_ms=NOW_MS, state=state, **place))
            await postings.post(connection, account_id, kinds=[PostingKind.HOLD], amount=2_000_000, now_ms=NOW_MS)
        return message_id

    return store_message
