import pytest
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from heliograph.core.directory import Carrier, Policy
from heliograph.core.ids import AccountId
from heliograph.core.messages import Channel
from heliograph.core.states import Charge, MessageState
from heliograph.services.accounts import Accounts
from heliograph.services.carriers import CarrierOptions, Carriers, Kind, Kinds, without_password
from heliograph.services.refused import Refused
from heliograph.services.routes import Routes
from heliograph.store import carriers as store_carriers
from heliograph.store.engine import Store
from heliograph.store.schema import audit
from tests.unit.services.conftest import Accept, StillClock, Tell

URL = "smpp://crane:secret@127.0.0.1:2775"


CALLS = "calls://crane:secret@127.0.0.1"


def any_sms(carrier: Carrier) -> frozenset[Channel]:
    return frozenset({Channel.SMS})


def any_voice(carrier: Carrier) -> frozenset[Channel]:
    return frozenset({Channel.VOICE})


KINDS: Kinds = {
    "smpp": Kind("smpp://SYSTEM_ID", any_sms),
    "calls": Kind("calls://USER", any_voice, calls_back=True, policy=Policy.HOLD, window=1),
}


@pytest.mark.parametrize("url", ["", "mm7+http://a", "sip:a", "smpps://a", "smpp://a\n"])
def test_an_address_of_no_kind_is_refused_with_the_forms_there_are(tell: Tell, clock: StillClock, url: str) -> None:
    async def story(store: Store) -> None:
        with pytest.raises(Refused, match="smpp://SYSTEM_ID or calls://USER"):
            await Carriers(store, clock, kinds=KINDS).add("sim", CarrierOptions(url=url))

    tell(story)


def test_a_carrier_has_what_its_kind_says(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, kinds=KINDS)
        made = await carriers.add("phones", CarrierOptions(url=CALLS))
        assert (made.window, made.policy, made.channels) == (1, Policy.HOLD, frozenset({Channel.VOICE}))
        changed = await carriers.change("phones", CarrierOptions(url=URL))
        assert (changed.window, changed.policy, changed.channels) == (1, Policy.HOLD, frozenset({Channel.SMS}))

    tell(story)


def test_a_carrier_that_calls_us_has_an_address_that_only_it_can_know(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, kinds=KINDS)
        north = await carriers.callback(await carriers.add("north", CarrierOptions(url=CALLS)))
        south = await carriers.callback(await carriers.add("south", CarrierOptions(url=CALLS)))
        assert north.startswith("/carriers/north/")
        assert north.rpartition("/")[2] != south.rpartition("/")[2]
        assert north == await carriers.callback(await carriers.show("north"))
        assert await carriers.callback(await carriers.add("sim", CarrierOptions(url=URL))) == ""

    tell(story)


def test_a_password_is_never_shown() -> None:
    assert without_password("smpp://crane:p@ss@127.0.0.1:2775") == "smpp://crane:…@127.0.0.1:2775"
    assert without_password("loopback:") == "loopback:"


def test_an_error_of_the_store_does_not_tell_the_password(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        await Carriers(store, clock, kinds=KINDS).add("sim", CarrierOptions(url=URL))
        async with store.writing() as connection:
            values = {"name": "sim", "url": URL, "channels": []}
            with pytest.raises(IntegrityError) as caught:
                await store_carriers.add(connection, values, now_ms=1)
        assert "secret" not in str(caught.value)

    tell(story)


def test_a_carrier_has_its_defaults_and_keeps_what_is_not_changed(tell: Tell, clock: StillClock) -> None:
    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, kinds=KINDS)
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
    def refusing(carrier: Carrier) -> frozenset[Channel]:
        raise ValueError("verify is true or false")

    async def story(store: Store) -> None:
        carriers = Carriers(store, clock, kinds={"smpp": Kind("smpp://SYSTEM_ID", refusing)})
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
        carriers = Carriers(store, clock, kinds=KINDS)
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
