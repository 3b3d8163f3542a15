import pytest

from heliograph.core.messages import Channel
from heliograph.services.accounts import Accounts
from heliograph.services.rates import Rates
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


def test_a_place_on_the_card_has_one_price(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Accounts(store, clock).add("Crane")
        rates = Rates(store, clock)
        await rates.add(500_000, prefix="27")
        await rates.add(400_000, prefix="27", account_name="Crane")
        await rates.add(0, channel=Channel.MMS)
        for account_name in (None, "Crane"):
            with pytest.raises(Refused, match="already"):
                await rates.add(1, prefix="+27", account_name=account_name)
        assert [(row.account, row.rate.price) for row in await rates.list()] == [
            (None, 500_000),
            (None, 0),
            ("Crane", 400_000),
        ]
        await rates.remove(1)
        await rates.add(1, prefix="27")
        with pytest.raises(Refused, match="no rate 99"):
            await rates.remove(99)
        with pytest.raises(Refused, match="0 or more"):
            await rates.add(-1)

    tell(story)
