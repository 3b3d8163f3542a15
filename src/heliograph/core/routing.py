"""Which carriers a message may take, in order: the longest prefix wins, then priority, then cost."""

from dataclasses import dataclass
from typing import NamedTuple

from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel


class Route(NamedTuple):
    """Messages of a channel to numbers that begin with `prefix` (digits; "" is every number) may use a carrier.

    Lower priority numbers come first; of equal ones the cheaper (`cost`, micro-credits a segment).
    """

    carrier_id: CarrierId
    channel: Channel
    prefix: str = ""
    priority: int = 0
    cost: int = 0


@dataclass(frozen=True, slots=True)
class RoutingTable:
    """All routes, arranged for looking up by number."""

    plans: dict[tuple[Channel, str], tuple[CarrierId, ...]]
    longest: int

    def plan(self, channel: Channel, recipient: str) -> tuple[CarrierId, ...]:
        """Carriers for a recipient (`+` and digits) in the order to try them; empty when there is no route."""
        for length in range(self.longest, -1, -1):
            found = self.plans.get((channel, recipient[1 : 1 + length]))
            if found is not None:
                return found
        return ()

    def carries(self, channel: Channel) -> bool:
        """Whether there is a number that messages of a channel can be sent to."""
        return any(place[0] is channel for place in self.plans)


def table_of(routes: list[Route], channels_of: dict[CarrierId, frozenset[Channel]]) -> RoutingTable:
    """Arrange routes. A channel without any route goes to its carrier, if exactly one carrier has it.

    channels_of: the carriers that may be used at present, and what each can carry.
    """
    usable = [route for route in routes if route.channel in channels_of.get(route.carrier_id, ())]
    plans: dict[tuple[Channel, str], tuple[CarrierId, ...]] = {}
    for route in sorted(usable, key=lambda route: (route.priority, route.cost, route.carrier_id)):
        place = (route.channel, route.prefix)
        if route.carrier_id not in plans.get(place, ()):
            plans[place] = (*plans.get(place, ()), route.carrier_id)
    for channel in Channel:
        able = [carrier for carrier, channels in channels_of.items() if channel in channels]
        if len(able) == 1 and not any(route.channel is channel for route in routes):
            plans[channel, ""] = (able[0],)
    return RoutingTable(plans, max((len(prefix) for _, prefix in plans), default=0))
