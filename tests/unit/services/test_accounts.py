import re

import pytest

from heliograph.core.ledger import Balance
from heliograph.services.accounts import Accounts, user_from
from heliograph.services.refused import Refused
from heliograph.store import keys, meta
from heliograph.store.engine import Store
from tests.unit.services.conftest import StillClock, Tell


@pytest.mark.parametrize(
    ("name", "user"),
    [
        ("Crane", "crane"),
        ("Blue Crane Travel (Pty)", "bluecranetravel"),
        ("Grün & Söhne", "grunsohne"),
        ("蓝鹤", "account"),
    ],
)
def test_a_user_name_is_made_of_the_account_s_name(name: str, user: str) -> None:
    assert user_from(name) == user


def test_a_new_account_has_its_credits_and_a_key_that_opens_it(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        made = await Accounts(store, clock).add("Crane", amount=5_000_000)
        assert re.fullmatch(r"1\|[A-Za-z0-9]{40}", made.api_key)
        assert re.fullmatch("[0-9a-f]{16}", made.account.mark)
        number, _, secret = made.api_key.partition("|")
        async with store.reading() as connection:
            owner = await keys.account_id_for(connection, int(number), keys.digest_of(secret))
            assert owner == made.account.account_id
            assert await keys.account_id_for(connection, int(number), keys.digest_of(secret + "x")) is None
        assert await Accounts(store, clock).balance(made.account.account_id) == Balance(5_000_000, 0, 0)

    tell(story)


def test_user_names_are_unique_and_stay_short(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        accounts = Accounts(store, clock)
        users = [(await accounts.add(f"Blue Crane Travel {each}")).account.user for each in range(11)]
        assert users[:2] == ["bluecranetravel", "bluecranetrave2"]
        assert users[10] == "bluecranetrav11"
        assert len(set(users)) == 11

    tell(story)


@pytest.mark.parametrize("name", ["", " Crane", "Cra\nne", "C" * 65])
def test_a_name_that_does_not_print_on_a_line_is_refused(tell: Tell, clock: StillClock, name: str) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(Refused, match="printable"):
            await Accounts(store, clock).add(name)

    tell(story)


def test_a_refused_account_leaves_nothing_behind(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        accounts = Accounts(store, clock)
        await accounts.add("Crane", amount=1)
        async with store.reading() as connection:
            before = await meta.revision(connection)
        with pytest.raises(Refused, match="already"):
            await accounts.add("Crane", amount=7)
        async with store.reading() as connection:
            assert await meta.revision(connection) == before
        assert [view.balance.available for view in await accounts.list()] == [1]

    tell(story)


def test_topping_up_adds_and_takes_back_what_is_available_only(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        accounts = Accounts(store, clock)
        await accounts.add("Crane", amount=1_000_000)
        assert (await accounts.top_up("Crane", 2_000_000)).available == 3_000_000
        assert (await accounts.top_up("Crane", -3_000_000)).available == 0
        with pytest.raises(Refused, match="0 credits available"):
            await accounts.top_up("Crane", -1)
        with pytest.raises(Refused, match="amount lies between"):
            await accounts.top_up("Crane", 2**60)
        with pytest.raises(Refused, match="no account named 'Stork'"):
            await accounts.top_up("Stork", 1)

    tell(story)


def test_changes_are_kept_and_move_the_revision(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        accounts = Accounts(store, clock)
        await accounts.add("Crane")
        async with store.reading() as connection:
            before = await meta.revision(connection)
        await accounts.change(
            "Crane",
            sender="+27831234567",
            senders=["Crane", "12345"],
            rate_limit=60,
            time_zone="UTC",
            has_agreed=False,
        )
        await accounts.suspend("Crane")
        view = await accounts.find("Crane")
        assert view is not None
        account = view.account
        assert account.sender == "27831234567"
        assert account.senders == {"Crane", "12345"}
        assert (account.rate_limit, account.has_agreed, account.is_suspended) == (60, False, True)
        async with store.reading() as connection:
            assert await meta.revision(connection) == before + 2
        await accounts.change("Crane", sender="", senders=[], rate_limit="default")
        await accounts.resume("Crane")
        view = await accounts.find("Crane")
        assert view is not None
        assert (view.account.sender, view.account.senders, view.account.rate_limit) == (None, frozenset(), None)
        assert not view.account.is_suspended

    tell(story)


def test_values_that_mean_nothing_are_refused(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        accounts = Accounts(store, clock)
        await accounts.add("Crane")
        with pytest.raises(Refused, match="not a sender"):
            await accounts.change("Crane", sender="much too long a sender")
        with pytest.raises(Refused, match="not a time zone"):
            await accounts.change("Crane", time_zone="../../etc/passwd")
        with pytest.raises(Refused, match="rate limit"):
            await accounts.change("Crane", rate_limit=-1)
        with pytest.raises(Refused, match="Nothing to change"):
            await accounts.change("Crane")

    tell(story)
