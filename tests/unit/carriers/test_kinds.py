import pytest

from heliograph.carriers.kinds import KINDS
from heliograph.carriers.settings import BadCarrier
from heliograph.core.directory import Carrier
from heliograph.core.ids import CarrierId
from heliograph.core.messages import Channel


def read(url: str) -> frozenset[Channel]:
    carrier = Carrier(carrier_id=CarrierId(1), name="north", url=url, channels=frozenset())
    return KINDS[url.partition(":")[0]].read(carrier)


def test_what_a_carrier_can_carry_follows_from_its_kind() -> None:
    assert read("smpp://crane:secret@127.0.0.1:2775") == {Channel.SMS}
    assert read("smpps://crane:secret@[::1]:3550") == {Channel.SMS}
    assert read("loopback:") == set(Channel)


@pytest.mark.parametrize(
    "url", ["smpp://127.0.0.1", "smpp://a:b@", "smpp://a:b@host:x", "smpp://a:b@h:1/path", "loopback:x"]
)
def test_an_address_that_is_not_whole_is_refused(url: str) -> None:
    with pytest.raises(BadCarrier):
        read(url)
