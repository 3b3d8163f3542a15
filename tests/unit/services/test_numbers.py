from collections.abc import Awaitable, Callable

import pytest

from heliograph.core.directory import Number
from heliograph.core.events import EventKind
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel, Refusal
from heliograph.core.reasons import Reason
from heliograph.services.accounts import Accounts
from heliograph.services.campaigns import Campaigns
from heliograph.services.numbers import NumberOptions, Numbers
from heliograph.services.refused import Refused
from heliograph.services.webhooks import WebhookOptions, Webhooks
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell

OURS, OTHER, SHORT = "+27831234567", "+27831234568", "12345"


async def _accounts(store: Store, clock: StillClock) -> tuple[AccountId, AccountId]:
    """Crane and Stork; Crane has a webhook and a campaign."""
    owner, stranger = [(await Accounts(store, clock).add(name)).account.account_id for name in ("Crane", "Stork")]
    await Campaigns(store, clock).add("Crane", "CW1549", brand="Blue Crane")
    options = WebhookOptions(name="Default")
    await Webhooks(store, clock).add(owner, dialect="any", kind=EventKind.REPLY, url="http://a/", options=options)
    return owner, stranger


def test_setting_a_number_leaves_what_was_not_named(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await _accounts(store, clock)
        numbers = Numbers(store, clock)
        row = await numbers.add("Crane", "27 83 123 4567", options=NumberOptions(voice=True, campaign="cw1549"))
        assert (row.msisdn, row.sms, row.mms, row.voice, row.campaign) == (OURS, True, True, True, "CW1549")
        row = await numbers.change(OURS, NumberOptions(mms=False, campaign="", webhook="DEFAULT"))
        assert (row.sms, row.mms, row.voice, row.campaign, row.webhook) == (True, False, True, None, "Default")
        view = await Accounts(store, clock).find("Crane")
        assert view is not None
        assert view.numbers == [OURS]

    tell(story)


def test_numbers_belong_to_one_account(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await _accounts(store, clock)
        numbers = Numbers(store, clock)
        for written in (OURS, "1234567"):
            await numbers.add("Crane", written, options=NumberOptions())
        # One sender on the air, however it is written.
        for written in (OURS, OURS[1:], "1234567", "+1234567"):
            with pytest.raises(Refused, match="belongs to account 'Crane' already"):
                await numbers.add("Stork", written, options=NumberOptions())
        with pytest.raises(Refused, match="not a number of account 'Stork'"):
            await numbers.remove(OURS, account_name="Stork")
        with pytest.raises(Refused, match="not a number of account 'Stork'"):
            await numbers.change(OURS, NumberOptions(sms=False), account_name="Stork")
        assert await numbers.list("Stork") == ()
        await numbers.remove(OURS)
        await numbers.remove("+1234567")
        assert await numbers.list() == ()
        with pytest.raises(Refused, match="not a number of any account"):
            await numbers.change(OURS, NumberOptions(sms=False))

    tell(story)


def test_what_is_no_number_and_what_the_account_has_not_is_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await _accounts(store, clock)
        numbers = Numbers(store, clock)
        for written in ("call me", "12", "+123", "1" * 16):
            with pytest.raises(Refused, match="9 to 15 digits"):
                await numbers.add("Crane", written, options=NumberOptions())
        with pytest.raises(Refused, match="no campaign 'CW1'; it has CW1549"):
            await numbers.add("Crane", OURS, options=NumberOptions(campaign="CW1"))
        with pytest.raises(Refused, match="no webhook 'main'; it has Default"):
            await numbers.add("Crane", OURS, options=NumberOptions(webhook="main"))
        with pytest.raises(Refused, match="no webhook 'Default'; it has none"):
            await numbers.add("Stork", OURS, options=NumberOptions(webhook="Default"))
        with pytest.raises(Refused, match="no account named 'Heron'"):
            await numbers.add("Heron", OURS, options=NumberOptions())
        assert await numbers.list("Crane") == ()

    tell(story)


def test_numbers_are_listed_by_what_they_have(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, stranger = await _accounts(store, clock)
        numbers = Numbers(store, clock)
        await numbers.add("Crane", SHORT, options=NumberOptions(mms=False))
        await numbers.add("Crane", OURS, options=NumberOptions(webhook="Default", campaign="CW1549"))
        await numbers.add("Stork", OTHER, options=NumberOptions())
        found = {
            NumberOptions(): [OURS, OTHER, SHORT],
            NumberOptions(webhook="Default"): [OURS],
            NumberOptions(webhook=""): [OTHER, SHORT],
            NumberOptions(campaign="CW1549", mms=True): [OURS],
            NumberOptions(mms=False): [SHORT],
        }
        for having, wanted in found.items():
            assert [row.msisdn for row in await numbers.list(having=having)] == wanted
        assert [each.msisdn for each in await numbers.of_account(owner)] == [SHORT, OURS]
        assert [each.msisdn for each in await numbers.of_account(stranger)] == [OTHER]
        assert await numbers.of_account(AccountId(9)) == ()

    tell(story)


def test_an_account_assigns_its_own_numbers(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, _ = await _accounts(store, clock)
        count = [0]

        async def changed() -> None:
            count[0] += 1

        numbers = Numbers(store, clock, changed=changed)
        await numbers.add("Crane", OURS, options=NumberOptions())
        await numbers.add("Crane", SHORT, options=NumberOptions())
        made = await numbers.assign(owner, OURS, mms=False, webhook="default", campaign="cw1549")
        assert made == Number(
            msisdn=OURS, account_id=owner, channels=frozenset({Channel.SMS}), webhook="Default", campaign="CW1549"
        )
        made = await numbers.assign(owner, OURS[1:], sms=False, mms=True, webhook="")
        assert made == Number(msisdn=OURS, account_id=owner, channels=frozenset({Channel.MMS}), campaign="CW1549")
        assert await numbers.assign(owner, OURS) == made
        assert isinstance(await numbers.assign(owner, SHORT, sms=False), Number)
        assert count == [6]
        for webhook, campaign in (("other", None), (None, "CW1"), ("other", "CW1549")):
            assert await numbers.assign(owner, OURS, webhook=webhook, campaign=campaign) == Refusal(Reason.NOT_FOUND)
        assert await numbers.of_account(owner) == (await numbers.assign(owner, SHORT), made)
        assert await numbers.release(owner, OURS)
        assert not await numbers.release(owner, OURS)
        assert [each.msisdn for each in await numbers.of_account(owner)] == [SHORT]

    tell(story)


def test_a_stranger_s_numbers_webhooks_and_campaigns_are_unknown(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, stranger = await _accounts(store, clock)
        numbers = Numbers(store, clock)
        await numbers.add("Crane", OURS, options=NumberOptions())
        await numbers.add("Stork", OTHER, options=NumberOptions())
        before = await numbers.of_account(owner)
        unknown: list[Callable[[], Awaitable[Number | Refusal]]] = [
            lambda: numbers.assign(stranger, OURS, sms=False),
            lambda: numbers.assign(stranger, OTHER, webhook="Default"),
            lambda: numbers.assign(stranger, OTHER, campaign="CW1549"),
            lambda: numbers.assign(AccountId(9), OURS, sms=False),
            lambda: numbers.assign(stranger, "rubbish", sms=False),
        ]
        for ask in unknown:
            assert await ask() == Refusal(Reason.NOT_FOUND)
        assert not await numbers.release(stranger, OURS)
        assert not await numbers.release(AccountId(9), OURS)
        assert await numbers.of_account(owner) == before
        # A number that moves leaves its webhook and campaign behind.
        await numbers.assign(owner, OURS, webhook="Default", campaign="CW1549")
        await numbers.release(owner, OURS)
        row = await numbers.add("Stork", OURS, options=NumberOptions())
        assert (row.webhook, row.campaign) == (None, None)

    tell(story)


def test_who_is_suspended_or_has_not_agreed_assigns_nothing(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        owner, _ = await _accounts(store, clock)
        numbers = Numbers(store, clock)
        await numbers.add("Crane", OURS, options=NumberOptions())
        await Accounts(store, clock).change("Crane", has_agreed=False)
        assert await numbers.assign(owner, OURS, sms=False) == Refusal(Reason.NOT_AGREED)
        await Accounts(store, clock).suspend("Crane")
        assert await numbers.assign(owner, OURS, sms=False) == Refusal(Reason.SUSPENDED)
        # The operator may.
        row = await numbers.change(OURS, NumberOptions(sms=False))
        assert not row.sms

    tell(story)
