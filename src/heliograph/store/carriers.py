"""Carriers: the upstreams we submit to."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import Row, delete, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.directory import Carrier, Policy
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.core.states import MessageState
from heliograph.store import meta
from heliograph.store.schema import bookmark, carrier, message, route


def _carrier_from(row: Row[Any]) -> Carrier:
    return Carrier(
        carrier_id=CarrierId(row.id),
        name=row.name,
        url=row.url,
        channels=frozenset(Channel(each) for each in row.channels),
        window=row.window,
        sessions=row.sessions,
        throughput=row.throughput,
        policy=Policy(row.policy),
        is_draining=row.is_draining,
        settings=row.settings,
    )


async def every(connection: AsyncConnection) -> list[Carrier]:
    """All carriers, oldest first."""
    return [_carrier_from(row) for row in await connection.execute(select(carrier).order_by(carrier.c.id))]


async def named(connection: AsyncConnection, name: str) -> Carrier | None:
    """The carrier with a name."""
    row = (await connection.execute(select(carrier).where(carrier.c.name == name))).first()
    return _carrier_from(row) if row else None


async def add(connection: AsyncConnection, values: Mapping[str, object], *, now_ms: int) -> CarrierId:
    """Make a carrier. values: by column; the others have their defaults."""
    made = await connection.execute(
        insert(carrier).values({"settings": {}, **values, "created_at_ms": now_ms}).returning(carrier.c.id)
    )
    await meta.bump_revision(connection)
    return CarrierId(made.scalar_one())


async def change(connection: AsyncConnection, carrier_id: CarrierId, *, values: Mapping[str, object]) -> None:
    """Give a carrier other values, by column."""
    await connection.execute(update(carrier).where(carrier.c.id == carrier_id).values(dict(values)))
    await meta.bump_revision(connection)


async def has_unfinished(connection: AsyncConnection, carrier_id: CarrierId) -> bool:
    """Whether a message that has not ended is with a carrier. Reads every message when there is none."""
    wanted = exists().where(message.c.carrier_id == carrier_id, message.c.state < MessageState.DELIVERED)
    return bool(await connection.scalar(select(wanted)))


async def remove(connection: AsyncConnection, carrier_id: CarrierId) -> None:
    """Forget a carrier and its routes."""
    await connection.execute(delete(route).where(route.c.carrier_id == carrier_id))
    await connection.execute(delete(bookmark).where(bookmark.c.carrier_id == carrier_id))
    await connection.execute(delete(carrier).where(carrier.c.id == carrier_id))
    await meta.bump_revision(connection)
