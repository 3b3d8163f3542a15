"""What stories about the hops are told with."""

import asyncio
import sqlite3
from collections.abc import Mapping
from typing import Any

from heliograph.core.ids import AccountId, CarrierId
from heliograph.core.messages import Accepted, Channel, IdempotencyKey, Parcel, Refusal, Submission
from heliograph.pipeline.session import LineSession
from heliograph.store import accounts, carriers
from heliograph.testing.clock import turns
from heliograph.testing.life import ACME, NORTH, Process

TO_NORTH, TO_SOUTH = "+27831234567", "+447700900123"
LONG = "A text of several segments. " * 20
"""Four segments."""


def submission(
    *recipients: str,
    text: str = "Good day",
    account_id: AccountId = ACME,
    sender: str | None = None,
    key: IdempotencyKey | None = None,
) -> Submission:
    """What a dialect would hand over."""
    return Submission(
        account_id=account_id,
        dialect="plain",
        channel=Channel.SMS,
        text=text,
        recipients=recipients or (TO_NORTH,),
        sender=sender,
        idempotency=key,
    )


async def accept(process: Process, *recipients: str, text: str = "Good day", account_id: AccountId = ACME) -> Accepted:
    """Submit what must be accepted."""
    answer = await process.acceptance.submit(submission(*recipients, text=text, account_id=account_id))
    assert isinstance(answer, Accepted)
    await turns()
    return answer


async def refused(process: Process, asked: Submission) -> Refusal:
    """Submit what must be refused."""
    answer = await process.acceptance.submit(asked)
    assert isinstance(answer, Refusal)
    return answer


def rows(process: Process, statement: str, *values: object) -> list[Any]:
    """What a question to the store gives."""
    connection = sqlite3.connect(process.store.path)
    try:
        return connection.execute(statement, values).fetchall()
    finally:
        connection.close()


async def change_account(process: Process, values: Mapping[str, object], *, is_seen: bool = True) -> None:
    """Change an account in the store; the process sees it at once, or not yet."""
    async with process.store.writing() as connection:
        await accounts.change(connection, ACME, values=values)
    if is_seen:
        await process.desk.directory.load()


async def change_carrier(process: Process, values: Mapping[str, object], carrier_id: CarrierId = NORTH) -> None:
    """Change a carrier; the process sees it at once."""
    async with process.store.writing() as connection:
        await carriers.change(connection, carrier_id, values=values)
    await process.desk.directory.load()


class Taker:
    """A session that is asked for parcels, and never waits for them."""

    def __init__(self, process: Process, carrier_id: CarrierId = NORTH) -> None:
        self.session: LineSession = process.dispatch.line(carrier_id).open_session()
        self._process = process
        self._taking: asyncio.Task[list[Parcel]] | None = None

    async def take(self) -> list[Parcel]:
        """What it is given now; none when it has to wait."""
        if self._taking is None:
            self._taking = asyncio.ensure_future(self._process.spawn(self.session.take()))
            self._process.tasks.add(self._taking)
        await turns()
        if not self._taking.done():
            return []
        parcels, self._taking = self._taking.result(), None
        return parcels

    async def close(self) -> None:
        """The connection is cut."""
        if self._taking is not None:
            self._process.tasks.discard(self._taking)
            self._taking.cancel()
            await asyncio.gather(self._taking, return_exceptions=True)
        self.session.close("cut")
        await turns()
