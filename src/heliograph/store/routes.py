"""Routes: which carriers messages may take, by channel and prefix."""

from typing import NamedTuple

from sqlalchemy import delete, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel
from heliograph.core.routing import Route
from heliograph.store import meta
from heliograph.store.schema import carrier, route


class RouteRow(NamedTuple):
    """A route with the number and the carrier's name that people know it by."""

    route_id: int
    carrier: str
    route: Route


async def every(connection: AsyncConnection) -> list[RouteRow]:
    """All routes in the order in which they are preferred for a number: channel, prefix, priority, cost."""
    columns = route.c
    rows = await connection.execute(
        select(route, carrier.c.name.label("carrier"))
        .join(carrier, carrier.c.id == columns.carrier_id)
        .order_by(columns.channel, columns.prefix, columns.priority, columns.cost, columns.id)
    )
    return [
        RouteRow(
            row.id,
            row.carrier,
            Route(CarrierId(row.carrier_id), Channel(row.channel), row.prefix, row.priority, row.cost),
        )
        for row in rows
    ]


async def add(connection: AsyncConnection, new: Route) -> int:
    """Add a route; returns its number."""
    made = await connection.execute(insert(route).values(new._asdict()).returning(route.c.id))
    await meta.bump_revision(connection)
    return int(made.scalar_one())


async def remove(connection: AsyncConnection, route_id: int) -> bool:
    """Take a route away; False when there is none of this number."""
    gone = await connection.execute(delete(route).where(route.c.id == route_id))
    if not gone.rowcount:
        return False
    await meta.bump_revision(connection)
    return True
