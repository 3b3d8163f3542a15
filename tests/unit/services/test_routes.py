import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.core.messages import Channel
from heliograph.services.carriers import CarrierOptions, Carriers
from heliograph.services.refused import Refused
from heliograph.services.routes import Routes
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


def test_routes_are_listed_in_the_order_they_are_preferred(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, kinds=KINDS)
        for name in ("one", "two"):
            await carriers.add(name, CarrierOptions(url="smpp://a:b@127.0.0.1:2775"))
        routes = Routes(store, clock)
        await routes.add("two", prefix="+27", priority=1)
        await routes.add("one", prefix="27", cost=5)
        await routes.add("two")
        assert [(row.carrier, row.route.prefix) for row in await routes.list()] == [
            ("two", ""),
            ("one", "27"),
            ("two", "27"),
        ]
        with pytest.raises(Refused, match="such a route"):
            await routes.add("one", prefix="27")
        await routes.remove(2)
        assert [row.route_id for row in await routes.list()] == [3, 1]
        with pytest.raises(Refused, match="no route 2"):
            await routes.remove(2)

    tell(story)


def test_a_route_that_nothing_could_take_is_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Carriers(store, clock, kinds=KINDS).add("one", CarrierOptions(url="smpp://a:b@127.0.0.1:2775"))
        routes = Routes(store, clock)
        with pytest.raises(Refused, match="does not carry mms"):
            await routes.add("one", channel=Channel.MMS)
        with pytest.raises(Refused, match="not a prefix"):
            await routes.add("one", prefix="27x")
        with pytest.raises(Refused, match="no carrier named"):
            await routes.add("two")

    tell(story)
