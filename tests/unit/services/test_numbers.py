import pytest

from heliograph.services.accounts import Accounts
from heliograph.services.campaigns import Campaigns
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


def test_setting_a_number_leaves_what_was_not_named(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Accounts(store, clock).add("Crane")
        await Campaigns(store, clock).add("Crane", "CW1549", brand="Blue Crane")
        numbers = Numbers(store, clock)
        row = await numbers.add("Crane", "27 83 123 4567", options=NumberOptions(voice=True, campaign="CW1549"))
        assert (row.msisdn, row.sms, row.mms, row.voice, row.campaign) == ("+27831234567", True, True, True, "CW1549")
        row = await numbers.change("+27831234567", NumberOptions(mms=False, campaign=""))
        assert (row.sms, row.mms, row.voice, row.campaign) == (True, False, True, None)
        view = await Accounts(store, clock).find("Crane")
        assert view is not None
        assert view.account.numbers == {"+27831234567"}

    tell(story)


def test_numbers_belong_to_one_account(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        for name in ("Crane", "Stork"):
            await Accounts(store, clock).add(name)
        numbers = Numbers(store, clock)
        await numbers.add("Crane", "+27831234567", options=NumberOptions())
        with pytest.raises(Refused, match="belongs to account 'Crane' already"):
            await numbers.add("Stork", "+27831234567", options=NumberOptions())
        with pytest.raises(Refused, match="not a number of account 'Stork'"):
            await numbers.remove("+27831234567", account_name="Stork")
        await numbers.remove("+27831234567")
        assert await numbers.list() == ()
        with pytest.raises(Refused, match="not a number of any account"):
            await numbers.change("+27831234567", NumberOptions(sms=False))

    tell(story)


def test_what_is_no_number_and_what_is_no_campaign_are_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Accounts(store, clock).add("Crane")
        numbers = Numbers(store, clock)
        with pytest.raises(Refused, match="7 to 15 digits"):
            await numbers.add("Crane", "call me", options=NumberOptions())
        with pytest.raises(Refused, match="no campaign 'CW1'"):
            await numbers.add("Crane", "27831234567", options=NumberOptions(campaign="CW1"))
        assert await numbers.list("Crane") == ()

    tell(story)
