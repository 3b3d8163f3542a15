import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from heliograph.core.directory import Carrier, Policy
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.states import Charge, MessageState
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers, channels_of, without_password
from heliograph.services.refused import Refused
from heliograph.services.routes import Routes
from heliograph.store import carriers as store_carriers
from heliograph.store.engine import Store
from heliograph.store.schema import audit
from tests.unit.services.conftest import Accept, StillClock, Tell

URL = "smpp://crane:secret@127.0.0.1:2775"


def any_driver(carrier: Carrier) -> None:
    """Takes whatever it is given."""


def test_channels_follow_from_the_scheme() -> None:
    assert channels_of(URL) == {Channel.SMS}
    assert channels_of("smpps://crane:secret@[::1]:3550") == {Channel.SMS}
    assert channels_of("loopback:") == set(Channel)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mm7+http://a",
        "sip://a",
        "smpp://127.0.0.1",
        "smpp://a:b@",
        "smpp://a:b@host:x",
        "smpp://a:b@h:1/path",
        "loopback:x",
    ],
)
def test_an_address_we_cannot_use_is_refused_with_the_form_that_works(url: str) -> None:
    with pytest.raises(Refused, match=r"smpp://SYSTEM_ID:PASSWORD@HOST:PORT|loopback:"):
        channels_of(url)


def test_a_password_is_never_shown() -> None:
    assert without_password("smpp://crane:p@ss@127.0.0.1:2775") == "smpp://crane:…@127.0.0.1:2775"
    assert without_password("loopback:") == "loopback:"


def test_an_error_of_the_store_does_not_tell_the_password(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Carriers(store, clock, check=any_driver).add("sim", CarrierOptions(url=URL))
        async with store.writing() as connection:
            values = {"name": "sim", "url": URL, "channels": []}
            with pytest.raises(IntegrityError) as caught:
                await store_carriers.add(connection, values, now_ms=1)
        assert "secret" not in str(caught.value)

    tell(story)


def test_a_carrier_has_its_defaults_and_keeps_what_is_not_changed(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, check=any_driver)
        made = await carriers.add("sim", CarrierOptions(url=URL))
        assert (made.window, made.sessions, made.throughput, made.policy) == (10, 1, 0, Policy.RESEND)
        await carriers.change("sim", CarrierOptions(window=500, settings={"system_type": "cp", "verify": False}))
        changed = await carriers.change("sim", CarrierOptions(policy=Policy.HOLD, settings={"verify": None}))
        assert (changed.url, changed.window, changed.policy) == (URL, 500, Policy.HOLD)
        assert changed.settings == {"system_type": "cp"}
        unset = CarrierOptions(url=URL, settings={"id_form": None, "validity_s": 60})
        assert (await carriers.add("other", unset)).settings == {"validity_s": 60}
        assert (await carriers.drain("sim")).is_draining
        assert not (await carriers.drain("sim", is_draining=False)).is_draining
        async with store.reading() as connection:
            assert "secret" not in str((await connection.execute(select(audit))).all())

    tell(story)


def test_what_no_driver_can_use_is_not_kept(tell: Tell, clock: StillClock) -> None:
    def refusing(carrier: Carrier) -> None:
        raise ValueError("verify is true or false")

    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, check=refusing)
        with pytest.raises(Refused, match="'sim' cannot be used: verify is true or false"):
            await carriers.add("sim", CarrierOptions(url=URL))
        with pytest.raises(Refused, match="needs an address"):
            await carriers.add("sim", CarrierOptions())
        with pytest.raises(Refused, match="window is a number from 1 to"):
            await carriers.add("sim", CarrierOptions(url=URL, window=0))
        assert await carriers.list() == ()

    tell(story)


def test_a_carrier_goes_with_its_routes_and_only_when_its_messages_have_ended(
    tell: Tell, clock: StillClock, accept: Accept
) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, check=any_driver)
        made = await carriers.add("sim", CarrierOptions(url=URL))
        assert made.carrier_id == 1
        await Routes(store, clock).add("sim", prefix="27")
        account_id = AccountId((await Accounts(store, clock).add("Crane")).account.account_id)
        await accept(store, account_id, MessageState.DELIVERED, charge=Charge.CAPTURED)
        await carriers.remove("sim")
        assert await Routes(store, clock).list() == ()
        again = await carriers.add("sim", CarrierOptions(url=URL))
        assert again.carrier_id > made.carrier_id, "an id that names past attempts must not be given again"
        await accept(store, account_id, carrier_id=again.carrier_id)
        with pytest.raises(Refused, match="still with carrier"):
            await carriers.remove("sim")
        with pytest.raises(Refused, match="no carrier named 'other'"):
            await carriers.remove("other")

    tell(story)
