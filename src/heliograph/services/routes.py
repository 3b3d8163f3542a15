"""Routes: added, listed and removed."""

from heliograph.core.messages import Channel
from heliograph.core.routing import Route
from heliograph.net.clock import Clock
from heliograph.services.changes import ChangeLog, good_prefix, the_carrier
from heliograph.services.refused import Refused
from heliograph.store import routes
from heliograph.store.engine import Store
from heliograph.store.routes import RouteRow


class Routes:
    """The operator's work on routes."""

    def __init__(self, store: Store, clock: Clock, *, actor: str = "operator") -> None:
        self._store = store
        self._log = ChangeLog(clock, actor)

    async def add(
        self,
        carrier_name: str,
        *,
        channel: Channel = Channel.SMS,
        prefix: str = "",
        priority: int = 0,
        cost: int = 0,
    ) -> RouteRow:
        """Let messages of a channel to numbers with a prefix take a carrier. cost: micro-credits a segment."""
        digits = good_prefix(prefix)
        if cost < 0:
            raise Refused("A route's cost is an amount of credits, 0 or more.")
        async with self._store.writing() as connection:
            carrier = await the_carrier(connection, carrier_name)
            if channel not in carrier.channels:
                raise Refused(f"Carrier {carrier_name!r} does not carry {channel.name.lower()}.")
            new = Route(carrier.carrier_id, channel, digits, priority, cost)
            if any(row.route[:3] == new[:3] for row in await routes.every(connection)):
                raise Refused(f"There is such a route over {carrier_name!r} already; remove it first to change it.")
            route_id = await routes.add(connection, new)
            await self._log.note(
                connection,
                "route.add",
                subject=str(route_id),
                carrier=carrier_name,
                channel=channel.name.lower(),
                prefix=digits,
            )
            return RouteRow(route_id, carrier_name, new)

    async def list(self) -> tuple[RouteRow, ...]:
        """All routes in the order of preference for each channel and prefix."""
        async with self._store.reading() as connection:
            return tuple(await routes.every(connection))

    async def remove(self, route_id: int) -> None:
        """Take a route away; messages already accepted keep their plan."""
        async with self._store.writing() as connection:
            if not await routes.remove(connection, route_id):
                raise Refused(f"There is no route {route_id}; `heliograph route list` shows them.")
            await self._log.note(connection, "route.remove", subject=str(route_id))
