import pytest

from heliograph.core.ids import AccountId
from heliograph.services import campaigns as module
from heliograph.services.accounts import Accounts
from heliograph.services.campaigns import Campaigns
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from tests.unit.services.conftest import NOW_MS, StillClock, Tell


async def _add(store: Store, clock: StillClock, *names: str) -> list[AccountId]:
    return [(await Accounts(store, clock).add(name)).account.account_id for name in names]


def test_a_campaign_is_registered_approved_and_counted(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await _add(store, clock, "Crane")
        campaigns = Campaigns(store, clock)
        await campaigns.add("Crane", "CW1549", brand="Blue Crane")
        assert [row.is_approved for row in await campaigns.list()] == [False]
        assert await campaigns.approve("Crane", "cw1549") == "CW1549"
        numbers = Numbers(store, clock)
        await numbers.add("Crane", "27831234567", options=NumberOptions(campaign="CW1549"))
        row = (await campaigns.list("Crane"))[0]
        assert (row.tcr, row.brand, row.is_approved, row.numbers) == ("CW1549", "Blue Crane", True, 1)
        await numbers.change("27831234567", NumberOptions(campaign=""))
        assert (await campaigns.list("Crane"))[0].numbers == 0
        for tcr in ("CW1549", "cw1549"):
            with pytest.raises(Refused, match="'CW1549' already"):
                await campaigns.add("Crane", tcr, brand="Blue Crane")
        with pytest.raises(Refused, match="no campaign 'CW2'; it has CW1549"):
            await campaigns.approve("Crane", "CW2")

    tell(story)


def test_each_account_has_campaigns_of_its_own(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, stranger = await _add(store, clock, "Crane", "Stork")
        campaigns = Campaigns(store, clock)
        for tcr in ("CW2", "CW1"):
            await campaigns.add("Crane", tcr, brand="Blue Crane")
        with pytest.raises(Refused, match="Account 'Stork' has no campaign 'CW1'; it has none"):
            await campaigns.approve("Stork", "CW1")
        with pytest.raises(Refused, match="Account 'Stork' has no campaign 'CW1'"):
            await campaigns.remove("Stork", "CW1")
        assert [row.tcr for row in await campaigns.of_account(owner)] == ["CW1", "CW2"]
        assert await campaigns.of_account(stranger) == ()
        # The same id at another account is another campaign, with numbers of its own.
        await campaigns.add("Stork", "CW1", brand="White Stork")
        await Numbers(store, clock).add("Stork", "+27831234567", options=NumberOptions(campaign="CW1"))
        assert [row.numbers for row in await campaigns.of_account(owner)] == [0, 0]
        (row,) = await campaigns.of_account(stranger)
        assert (row.brand, row.is_approved, row.numbers, row.created_at_ms) == ("White Stork", False, 1, NOW_MS)
        await campaigns.remove("Crane", "CW1")
        assert [row.numbers for row in await campaigns.of_account(stranger)] == [1]

    tell(story)


def test_a_campaign_that_is_removed_is_taken_from_its_numbers(
    tell: Tell, clock: StillClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)

    async def story(store: Store) -> None:
        (owner,) = await _add(store, clock, "Crane")
        campaigns, numbers = Campaigns(store, clock), Numbers(store, clock)
        for tcr in ("CW1", "CW2"):
            await campaigns.add("Crane", tcr, brand="Blue Crane")
        for digit in range(5):
            tcr = "CW2" if digit == 4 else "CW1"
            await numbers.add("Crane", f"+2783123456{digit}", options=NumberOptions(campaign=tcr))
        assert await campaigns.remove("Crane", "cw1") == "CW1"
        assert [(row.tcr, row.numbers) for row in await campaigns.of_account(owner)] == [("CW2", 1)]
        assert [each.campaign for each in await numbers.of_account(owner)] == [None] * 4 + ["CW2"]

    tell(story)
