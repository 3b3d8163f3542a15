import pytest

from heliograph.services.accounts import Accounts
from heliograph.services.campaigns import Campaigns
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


def test_a_campaign_is_registered_approved_and_counted(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Accounts(store, clock).add("Crane")
        campaigns = Campaigns(store, clock)
        await campaigns.add("Crane", "CW1549", brand="Blue Crane")
        assert [row.is_approved for row in await campaigns.list()] == [False]
        await campaigns.approve("Crane", "CW1549")
        await Numbers(store, clock).add("Crane", "27831234567", options=NumberOptions(campaign="CW1549"))
        row = (await campaigns.list("Crane"))[0]
        assert (row.tcr, row.brand, row.is_approved, row.numbers) == ("CW1549", "Blue Crane", True, 1)
        with pytest.raises(Refused, match="already"):
            await campaigns.add("Crane", "CW1549", brand="Blue Crane")
        with pytest.raises(Refused, match="no campaign 'CW2'"):
            await campaigns.approve("Crane", "CW2")

    tell(story)
